"""The arrays beside the table say what the table says, whatever is done to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.contract.types import Filters
from engine.store import Store, StoredUnit, arrays, table
from engine.store.array_rows import COLUMNS, ROW
from engine.store.array_scan import Codes
from engine.store.array_view import Places
from engine.store.condition import Condition
from engine.store.where import Demands, demands_of
from tests.engine.store.arrays_checks import (
    EXTS,
    KINDS,
    by_the_table,
    check_agreement,
    made,
    view_of,
)
from tests.engine.store.store_units import DIM, vector
from tests.waiting import until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, "m", DIM)
    yield opened
    opened.close()


def test_a_files_only_vector_is_not_kept_a_second_time(tmp_path: Path, store: Store) -> None:
    """As the direction of the whole file, which it is, too."""
    alone, two = (made(n, 3, 5) for n in (1, 2))
    direction = vector(3)
    store.replace_files(
        {1: [replace(alone[0], vector=direction)], 2: _with(two, vector(1), vector(2))}
    )
    check_agreement(store)
    (documents,) = (tmp_path / "m.lance" / "arrays").glob("*.documents")
    assert documents.stat().st_size == DIM * 2  # of the other file
    assert store.vectors(["1:0"], "document").keys() == {"1:0"}


def _with(units: list[StoredUnit], *directions: NDArray[np.float32]) -> list[StoredUnit]:
    pairs = zip(units, directions, strict=False)
    return [replace(stored, vector=direction) for stored, direction in pairs]


CHANGES = st.lists(
    st.one_of(
        st.tuples(
            st.just("replace"),
            st.dictionaries(st.integers(1, 9), st.integers(0, 4), min_size=1, max_size=4),
            st.integers(0, 10**6),
        ),
        st.tuples(st.just("delete"), st.sets(st.integers(1, 9), max_size=3)),
        st.tuples(st.just("move"), st.sets(st.integers(1, 9), max_size=3), st.integers(0, 10**6)),
        st.just(("maintain",)),
        st.just(("reopen",)),
    ),
    min_size=1,
    max_size=7,
)

FILTERS = st.builds(
    Filters,
    kinds=st.lists(st.sampled_from([*KINDS, "screenshot", "unknown"]), max_size=2).map(tuple),
    not_kinds=st.lists(st.sampled_from([*KINDS, "photo"]), max_size=1).map(tuple),
    exts=st.lists(st.sampled_from([*EXTS, "zip"]), max_size=2).map(tuple),
    not_exts=st.lists(st.sampled_from(EXTS), max_size=1).map(tuple),
    languages=st.lists(st.sampled_from(["en", "python"]), max_size=1).map(tuple),
    not_languages=st.lists(st.sampled_from(["en", "python"]), max_size=1).map(tuple),
    after=st.none() | st.integers(0, 5).map(float),
    before=st.none() | st.integers(0, 5).map(float),
    min_size=st.none() | st.integers(0, 5),
    max_size=st.none() | st.integers(0, 5),
)


@settings(
    max_examples=int(os.environ.get("INKLING_TEST_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=CHANGES, filters=FILTERS)
def test_whatever_is_done_to_the_store(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[object, ...]], filters: Filters
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = Store.open(folder, "m", DIM)
    for doing, *what in changes:
        match doing, what:
            case "replace", [dict() as files, int() as seed]:
                store.replace_files({i: made(i, n, seed + i) for i, n in files.items()})
            case "delete", [set() as files]:
                store.delete_files(files)
            case "move", [set() as files, int() as seed]:
                store.update_paths({i: made(i, 1, seed + i)[0].file for i in files})
            case "maintain", _:
                store.maintain(force=True)
            case "reopen", _:
                store.close()
                store = Store.open(folder, "m", DIM)
        check_agreement(store, filters=filters)
    store.close()
    again = Store.open(folder, "m", DIM)
    check_agreement(again, filters=filters)
    again.close()


def test_what_there_was_answers_until_there_is_more(store: Store) -> None:
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    assert store._arrays is not None
    mark, seen = store._table.mark(), []

    def batches() -> Iterator[pa.Table]:
        seen.append(view_of(store))
        yield store._scan(None, COLUMNS, lambda found: found)

    store._arrays.build(mark, batches())
    assert seen[0] is not None
    assert view_of(store) not in (None, seen[0])
    check_agreement(store)


def test_searching_while_it_is_written_to(store: Store) -> None:
    """Whoever reads sees units of one state or the next, each whole."""
    states = [{n: made(n, 3, 10 * k + n) for n in range(1, 4)} for k in range(3)]
    known = {
        (s.unit.unit_id, s.file.path, s.unit.text)
        for state in states
        for units in state.values()
        for s in units
    }
    store.replace_files(states[0])
    ended = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            while not ended.is_set():
                found = store.search_vector(vector(1), None, 9)
                assert len({c.unit_id for c in found}) == len(found) > 0
                rows = store.rows([c.unit_id for c in found])
                assert {(uid, row.file.path, row.text) for uid, row in rows.items()} <= known
                assert store.text_within(["amber"], [1, 2, 3], 9, ["amber"]).held.all()
                store.vectors(rows, "document")
        except BaseException as error:  # noqa: BLE001 -- said by the test
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for k in range(25):
        store.replace_files(states[k % 3])
        if k % 8 == 0:
            store.maintain(force=True)
    ended.set()
    for reader in readers:
        reader.join()
    assert errors == []


def test_what_is_outdated_goes_in_maintenance(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_SMALL_WASTE", 5)
    for n in range(6):
        store.replace_files({1: made(1, 4, n), 2: made(2, 2, n)})
    folder = tmp_path / "m.lance" / "arrays"

    def size() -> int:
        return sum(path.stat().st_size for path in folder.glob("*.vectors"))

    before = size()
    store.maintain(force=True)
    assert size() == store.count() * DIM * 2 < before // 3
    check_agreement(store)


def test_many_changed_files_are_worked_into_the_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.array_view._MOST_CHANGED", 4)
    for n in range(12):
        store.replace_files({n: made(n, 3, n)})
        check_agreement(store)
    view = view_of(store)
    assert view is not None
    assert len(view.places.changed) < 6


def test_a_large_store_has_its_arrays_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({n: made(n, 3, n) for n in range(1, 9)})
    store.close()
    for path in (tmp_path / "m.lance" / "arrays").iterdir():
        path.unlink()
    monkeypatch.setattr(table, "AT_ONCE_ROWS", 2)
    store = Store.open(tmp_path, "m", DIM)
    until(lambda: view_of(store))
    check_agreement(store)
    store.close()


def test_words_are_scored_as_lancedb_scores_them(store: Store) -> None:
    store.replace_files({n: made(n, 4, n) for n in range(1, 40)})
    store.maintain(force=True)
    check_agreement(store)
    for words in (["amber"], ["birch", "copper", "ember"]):
        lance = by_the_table(store).search_text(words, None, 999)
        ours = store.search_text(words, None, 999)
        assert len(ours) > 20
        assert {c.unit_id: c.score for c in ours} == pytest.approx(
            {c.unit_id: c.score for c in lance}, rel=1e-5
        )


def test_postings_in_memory_go_to_disk_in_maintenance(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_FRESH", 10)
    for n in range(1, 9):
        store.replace_files({n: made(n, 4, n)})
    view = view_of(store)
    assert view is not None
    assert view.terms is not None
    assert 1 <= len(view.terms.runs) < 5
    store.maintain(force=True)
    view = view_of(store)
    assert view is not None
    assert view.terms is not None
    assert view.terms.runs == ()
    check_agreement(store)


def test_above_a_size_the_index_finds_and_the_arrays_look_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MOST_ROWS", 5)
    for n in range(1, 5):
        store.replace_files({n: made(n, 3, n)})
        check_agreement(store)
    view = view_of(store)
    assert view is not None
    assert (view.near, view.terms) == (None, None)


def test_other_demands_than_facts_are_asked_of_the_table() -> None:
    kinds = Filters(kinds=("note",))
    assert demands_of(Condition(kinds)) == Demands(kinds)
    for condition in (
        Condition(Filters(folders=("docs",))),
        Condition(phrases=("some words",)),
        Condition(excluded=("words",)),
        Condition(file_ids=(1,)),
        Condition(candidate_ids=(("1:0",),)),
    ):
        assert demands_of(condition) is None


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 700),
    dim=st.sampled_from([3, 16, 64]),
    limit=st.integers(1, 40),
    seed=st.integers(0, 10**6),
    share=st.floats(0.05, 1.0),
)
def test_a_scan_finds_what_brute_force_finds(
    count: int, dim: int, limit: int, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, dim))
    vectors = centres[rng.integers(3, size=count)] + 10.0 ** -rng.integers(1, 6) * rng.normal(
        size=(count, dim)
    )
    half = (vectors * rng.choice([0.01, 1.0, 30.0])).astype(np.float16)
    codes = Codes(dim)
    for start in range(0, count, 100):
        codes.append(half[start : start + 100])
    allowed = rng.random(count) < share
    query = (centres[0] + 0.01 * rng.normal(size=dim)).astype(np.float32)
    best, cosines = codes.nearest(query, allowed, limit, lambda p: half[p].astype(np.float32))
    exact = half.astype(np.float64)
    exact = exact @ query / np.linalg.norm(exact, axis=1) / np.linalg.norm(query)
    places = np.flatnonzero(allowed)
    order = places[np.argsort(-exact[places])][:limit]
    assert cosines == pytest.approx(exact[order], abs=3e-6)
    assert exact[best] == pytest.approx(exact[order], abs=3e-6)
    assert len(set(best.tolist())) == len(best) == min(limit, len(places))
    assert allowed[best].all()


def test_numbers_out_of_range_are_refused_not_confused() -> None:
    rows = np.zeros(1, ROW)
    rows["ordinal"] = 1 << 23
    with pytest.raises(ValueError, match="out of range"):
        Places.of(rows, np.ones(1, np.bool_))
