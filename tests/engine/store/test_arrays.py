"""The arrays beside the table say what the table says, whatever happened to either."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.contract.types import FileFacts, Filters, Kind, Unit
from engine.store import Store, StoredUnit, arrays, table
from engine.store.analyzer import analyze
from engine.store.array_files import PARTS
from engine.store.array_rows import COLUMNS, ROW
from engine.store.array_scan import Codes
from engine.store.array_view import Places, View
from engine.store.where import Where, demands_of
from tests.engine.store.store_units import DIM, vector
from tests.waiting import until

KINDS: tuple[Kind, ...] = ("note", "code", "pdf", "image")
WORDS = ("amber", "birch", "copper", "delta", "ember", "fjord")
EXTS, LANGUAGES = ("md", "py", ""), (None, "en", "python")


def made(file_id: int, units: int, seed: int) -> list[StoredUnit]:
    """Units of a file; everything about them follows from the seed."""
    draw = random.Random(seed)
    kind = draw.choice(KINDS)
    picture = draw.choice((None, "screenshot", "photo")) if kind == "image" else None
    file = FileFacts(
        file_id, f"/home/me/{seed}.{file_id}", kind, picture, draw.choice(EXTS),
        float(draw.randrange(5)), draw.randrange(5),
    )  # fmt: skip
    stored = []
    for n in range(units):
        text = " ".join(draw.choices(WORDS, range(1, len(WORDS) + 1), k=draw.randrange(9)))
        content = Unit(
            file_id, n * draw.choice((1, 3)), kind, text, language=draw.choice(LANGUAGES)
        )
        direction = None if draw.random() < 0.15 else vector(draw.randrange(40))
        stored.append(StoredUnit(content, file, direction, None))
    return list({s.unit.unit_id: s for s in stored}.values())


def by_the_table(store: Store) -> Store:
    """The same store, without arrays."""
    return Store(store._table, store.meta, store._segments, DIM, read_only=True)


def view_of(store: Store) -> View | None:
    assert store._arrays is not None
    return store._arrays.view(store._table.mark())


def check_agreement(store: Store, *, filters: Filters | None = None, answers: bool = True) -> None:
    """Look-ups and neighbours are those of the table, and came from the arrays."""
    view = view_of(store)
    assert (view is not None) == answers
    plain = by_the_table(store)
    rows = plain._scan(None, ["id"], lambda found: found["id"].to_pylist())
    asked = [*rows, "77:1", "1:077", " 1:0", "'); DROP", "", "9" * 30 + ":1"]
    for column in ("vector", "document"):
        have, expected = store.vectors(asked, column), plain.vectors(asked, column)
        assert have.keys() == expected.keys()
        for unit_id, direction in expected.items():
            assert np.array_equal(have[unit_id], direction)
    assert store.rows(asked) == plain.rows(asked)
    for file_id in (*{int(row.partition(":")[0]) for row in rows}, 77, -1):
        assert store.file_rows(file_id) == plain.file_rows(file_id)
    where = store.where(filters)
    assert demands_of(where) is not None
    for seed in (1, 2):
        query = vector(seed)
        found = store.search_vector(query, where, 7)
        lance = plain.search_vector(query, where, 999)
        # LanceDB rounds the question to float16: which units it takes is to be compared, not order.
        exact = plain.vectors([c.unit_id for c in lance])
        brute = {c.unit_id: cosine(exact[c.unit_id], query) for c in lance}
        assert {c.unit_id: c.score for c in lance} == pytest.approx(brute, abs=1e-3)
        if answers and view is not None and view.codes is not None:
            best = sorted(brute.values(), reverse=True)[:7]
            assert [c.score for c in found] == pytest.approx(best, abs=2e-6)
        assert {c.unit_id: c.score for c in found} == pytest.approx(
            {c.unit_id: brute[c.unit_id] for c in found}, abs=1e-3
        )
        assert all(c.unit_id.startswith(f"{c.file_id}:") for c in found)
        assert len({c.unit_id for c in found}) == len(found) == min(7, len(brute))
    check_words(store, plain, where)


def has_terms(store: Store) -> bool:
    view = view_of(store)
    return view is not None and view.terms is not None


def check_words(store: Store, plain: Store, where: str | None) -> None:
    """Full text finds what LanceDB finds, with the scores of the textbook."""
    pairs = plain._scan(None, ["id", "fts"], lambda found: list(found.to_pydict().values()))
    texts = dict(zip(*pairs, strict=True))
    for words in (["amber"], ["fjord", "birch", "nowhere"], ["delta", "fjord"]):
        terms = [term for word in words for term in analyze(word)]
        scores = bm25(texts, terms)
        for every in (False, True):
            lance = plain.search_text(terms, where, 999, every=every)
            found = store.search_text(terms, where, 999, every=every)
            assert {(c.unit_id, c.file_id) for c in found} == {
                (c.unit_id, c.file_id) for c in lance
            }
            few = store.search_text(terms, where, 3, every=every)
            for some in (found, few) if has_terms(store) else ():
                assert [c.score for c in some] == pytest.approx(
                    sorted((scores[c.unit_id] for c in found), reverse=True)[: len(some)], rel=1e-5
                )
        files = [1, 2, 3, 99]
        lance_within = plain.text_within(terms, files, 999)
        within = store.text_within(terms, files, 999)
        assert {(m.unit_id, m.file_id, m.terms) for m in within} == {
            (m.unit_id, m.file_id, m.terms) for m in lance_within
        }


def bm25(texts: Mapping[str, str], terms: Sequence[str]) -> dict[str, float]:
    units = {unit_id: text.split() for unit_id, text in texts.items()}
    average = sum(map(len, units.values())) / max(len(units), 1)
    scores = dict.fromkeys(units, 0.0)
    for term in terms:
        holding = sum(term in words for words in units.values())
        rarity = math.log(1 + (len(units) - holding + 0.5) / (holding + 0.5))
        for unit_id, words in units.items():
            times = words.count(term)
            norm = 1.2 * (0.25 + 0.75 * len(words) / max(average, 1e-9))
            scores[unit_id] += rarity * times * 2.2 / (times + norm)
    return scores


def cosine(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    a, b = one.astype(np.float64), two.astype(np.float64)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, "m", DIM)
    yield opened
    opened.close()


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


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"torn")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("spoil", [truncated, zeroed, flipped, longer, Path.unlink])
def test_a_damaged_file_is_made_anew(
    tmp_path: Path, part: str, spoil: Callable[[Path], object]
) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({n: made(n, 3, n) for n in range(5)})
    assert store._arrays is not None
    store._make_arrays(store._arrays)  # so that there are postings on disk, and some since
    for n in range(3, 6):
        store.replace_files({n: made(n, 3, n), n + 10: made(n + 10, 3, n)})
    store.close()
    (file,) = (tmp_path / "m.lance" / "arrays").glob(f"*.{part}")
    spoil(file)
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    store.close()
    kept = sorted(path.name for path in file.parent.iterdir())
    assert [Path(name).stem for name in kept] == ["00000003"] * len(PARTS)
    store = Store.open(tmp_path, "m", DIM)  # and those are taken as they are
    check_agreement(store)
    assert sorted(path.name for path in file.parent.iterdir()) == kept
    store.close()


def test_arrays_of_another_commit_are_not_believed(tmp_path: Path) -> None:
    """Older ones, newer ones, and those of a commit that was given up and its number used again."""
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({1: made(1, 3, 1)})
    folder = tmp_path / "m.lance" / "arrays"
    older = {path.name: path.read_bytes() for path in folder.iterdir()}
    store.replace_files({2: made(2, 3, 2)})
    store.close()
    for name, data in older.items():
        (folder / name).write_bytes(data)
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    version = store.version
    store.close()
    newest = min((tmp_path / "m.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(bytes(newest.stat().st_size))
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    store._arrays = None  # another commit of the number that the arrays are of
    while store.version < version:
        store.replace_files({3: made(3, 3, 3)})
    store.close()
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    store.close()


def test_while_the_table_is_ahead_the_table_answers(store: Store) -> None:
    store.replace_files({1: made(1, 3, 1)})
    kept, store._arrays = store._arrays, None
    store.replace_files({1: made(1, 2, 5), 2: made(2, 2, 6)})
    store._arrays = kept
    check_agreement(store, answers=False)
    store.replace_files({3: made(3, 2, 7)})
    check_agreement(store, answers=False)
    store.maintain(force=True)
    check_agreement(store)


def test_a_failing_disk_is_no_fault_of_a_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.replace_files({1: made(1, 3, 1)})
    monkeypatch.setattr(arrays, "AGAIN_S", 0.0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("engine.store.array_files.ArrayFiles.append", full)
        store.replace_files({2: made(2, 3, 2)})
        check_agreement(store, answers=False)
        store.maintain(force=True)
        check_agreement(store, answers=False)
    store.replace_files({4: made(4, 3, 4)})
    store.maintain(force=True)
    check_agreement(store)


def test_vectors_that_can_not_be_read_are_asked_of_the_table(store: Store, tmp_path: Path) -> None:
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    (file,) = (tmp_path / "m.lance" / "arrays").glob("*.vectors")
    os.truncate(file, 10)
    plain = by_the_table(store)
    assert store.vectors(["1:0"]).keys() == plain.vectors(["1:0"]).keys()
    check_agreement(store, answers=False)
    store.maintain(force=True)
    check_agreement(store)


def test_a_reader_of_outdated_files_spoils_nothing(store: Store) -> None:
    """Its view was replaced while it read, and the files went."""
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    assert store._arrays is not None
    mark = store._table.mark()

    def slowly(view: View) -> None:
        assert store._arrays is not None
        store._make_arrays(store._arrays)
        raise FileNotFoundError(2, "No such file", str(view.files.path("vectors")))

    assert store._arrays.ask(mark, slowly) is None
    check_agreement(store)


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


def test_a_making_that_breaks_off_leaves_none(store: Store) -> None:
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    assert store._arrays is not None

    def batches() -> Iterator[pa.Table]:
        yield store._scan("file_id < 3", COLUMNS, lambda found: found)
        raise RuntimeError("LanceError(IO)")

    with pytest.raises(RuntimeError):
        store._arrays.build(store._table.mark(), batches())
    check_agreement(store, answers=False)
    store.replace_files({1: made(1, 2, 9)})
    check_agreement(store, answers=False)


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
                assert all(m.terms for m in store.text_within(["amber"], [1, 2, 3], 9))
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
    monkeypatch.setattr(arrays, "SCANNED_ROWS", 5)
    for n in range(1, 5):
        store.replace_files({n: made(n, 3, n)})
        check_agreement(store)
    view = view_of(store)
    assert view is not None
    assert (view.codes, view.terms) == (None, None)


def test_other_demands_than_facts_are_asked_of_the_table(store: Store) -> None:
    assert isinstance(store.where(Filters(kinds=("note",))), Where)
    for where in (
        store.where(Filters(folders=("docs",))),
        store.where(phrases=["some words"]),
        store.where(excluded=["words"]),
        store.where(file_ids=[1]),
        store.where(candidate_ids=[["1:0"]]),
        f"file_id != 1 AND {store.where(Filters(kinds=('note',)))}",
    ):
        assert demands_of(where) is None


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


_WRITER = """
import sys
import threading
from pathlib import Path
from engine.store import Store
from tests.engine.store.test_arrays import made
from tests.engine.store.store_units import DIM

store = Store.open(Path(sys.argv[1]), "m", DIM)
print("open", flush=True)
for i in range(int(sys.argv[2]), 10**9):
    store.replace_files({i % 9: made(i % 9, i % 5, i)})
    print(i, flush=True)
    if i % 6 == 0:
        store.maintain(force=i % 12 == 0)
"""


@pytest.mark.slow
def test_kill_at_any_moment(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(int(os.environ.get("INKLING_TEST_KILLS", "6"))):
        start = str(rng.randrange(10**6))
        command = [sys.executable, "-c", _WRITER, str(tmp_path), start]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 12)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        store = Store.open(tmp_path, "m", DIM)
        check_agreement(store)
        store.close()
