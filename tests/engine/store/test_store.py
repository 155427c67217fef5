"""The store on a real LanceDB: replacing, finding, filtering, and surviving damage and kills."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import InklingError, RefusedRowsError, StoreDamagedError
from engine.contract.path_text import path_to_text, text_to_path
from engine.contract.types import Filters, Unit
from engine.store import Store, StoredUnit, drop_space, list_spaces
from engine.store.analyzer import query_terms
from engine.store.segments import TokenRecord
from tests.engine.store.store_units import DIM, facts, found, kept, unit, vector, word
from tests.traces import traces


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, "model-1", DIM)
    yield opened
    opened.close()


def test_a_unit_comes_back_as_it_was(store: Store) -> None:
    file = facts(7, "/home/me/p\udcff/ünï.pdf", "pdf", size=2**40)
    content = Unit(
        7, 3, "pdf", "Text with 'quotes' \ud800 and\x00nul", "A > B", page=4, lines=(2, 9),
        symbol="sym", language="EN",
    )  # fmt: skip
    record = TokenRecord(
        np.arange(6, dtype=np.int8).reshape(2, 3), np.array([[0, 4], [5, 9]], "i4")
    )
    store.replace_files({7: [StoredUnit(content, file, vector(1), record)]})
    row = store.rows(["7:3", "9:9", "'); DROP"])["7:3"]
    assert (row.file, row.kind, row.context) == (file, "pdf", "A > B")
    assert row.text == "Text with 'quotes' \ufffd and\x00nul"
    assert (row.page, row.lines, row.symbol, row.language) == (4, (2, 9), "sym", "en")
    assert row.ref is not None
    back = store.tokens([row.ref])[0]
    assert np.array_equal(back.tokens, record.tokens)
    assert back.spans is not None
    assert back.spans.tolist() == [[0, 4], [5, 9]]
    np.testing.assert_allclose(store.vectors(["7:3"])["7:3"], vector(1), atol=1e-3)


def test_replacing_leaves_nothing_of_the_old(store: Store) -> None:
    one, two = facts(1), facts(2)
    first = store.replace_files({1: [unit(one, n, word(n)) for n in range(4)], 2: [unit(two)]})
    second = store.replace_files({1: [unit(one, 0, "omega")], 3: []})
    assert second > first
    assert store.version == second
    assert store.count() == 2
    assert found(store, f"{word(0)} {word(3)}") == []
    assert found(store, "omega") == ["1:0"]
    assert store.replace_files({2: []}) > second
    assert store.file_ids() == {1}
    store.delete_files([1, 99])
    assert store.file_ids() == set()
    assert store.delete_files([]) == store.version


def test_units_without_vector_are_found_by_text_alone(store: Store) -> None:
    bare = replace(unit(facts(1), text="invoice"), vector=None, tokens=None)
    store.replace_files({1: [bare], 2: [unit(facts(2))]})
    assert found(store, "invoices") == ["1:0"]
    assert [c.unit_id for c in store.search_vector(vector(1), None, 9)] == ["2:0"]
    assert store.vectors(["1:0", "2:0"]).keys() == {"2:0"}
    assert store.rows(["1:0"])["1:0"].ref is None


def test_scores_are_cosines_and_ordered(store: Store) -> None:
    store.replace_files({n: [unit(facts(n))] for n in range(1, 30)})
    query = vector(555)
    candidates = store.search_vector(query, None, 10)
    exact = {f"{n}:0": float(query @ vector(n * 100)) for n in range(1, 30)}
    best = sorted(exact, key=lambda key: -exact[key])[:10]
    assert [c.unit_id for c in candidates] == best
    assert [c.score for c in candidates] == pytest.approx([exact[i] for i in best], abs=2e-3)


def test_text_search_takes_what_people_type(store: Store) -> None:
    store.replace_files({1: [unit(facts(1), text="def getUserName(): 'it' \"quoted\" C++")]})
    for question in ('user "name', "usable", "get_user_name", "AND OR NOT (", "c++", "it's"):
        terms = query_terms(question)
        expected = bool(set(terms) & {"user", "name", "get", "c++", "it"})
        assert bool(found(store, question)) == expected, question
    assert store.search_text([], None, 5) == []
    assert found(store, word(1) + "p") == ["1:0"]  # the file's name


FILES = {
    1: facts(1, "/home/me/Docs/a.md", mtime=100, size=1),
    2: facts(2, "/home/me/docs_old/b.md", mtime=200, size=2),
    3: facts(3, "/home/me/Pictures/100%_it's.png", "screenshot", "screenshot", 300, 3),
    4: facts(4, "/srv/Pictures/docs/d.jpg", "image", "photo", 400, 4),
    5: facts(5, "/srv/code/e.py", "code", None, 500, 5),
}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {1, 2, 3, 4, 5}),
        (Filters(kinds=("image",)), {3, 4}),
        (Filters(kinds=("screenshot", "photo")), {3, 4}),
        (Filters(not_kinds=("photo",)), {1, 2, 3, 5}),
        (Filters(not_kinds=("image",)), {1, 2, 5}),
        (Filters(exts=("md", "py")), {1, 2, 5}),
        (Filters(not_exts=("md",)), {3, 4, 5}),
        (Filters(languages=("python",)), {5}),
        (Filters(not_languages=("python",)), {1, 2, 3, 4}),
        (Filters(folders=("docs",)), {1, 4}),
        (Filters(folders=("Pictures/docs",)), {4}),
        (Filters(folders=("/home/me/Docs",)), {1}),
        (Filters(folders=("/home/me/", "/srv/code")), {1, 2, 3, 5}),
        (Filters(folders=("/",)), {1, 2, 3, 4, 5}),
        (Filters(not_folders=("docs", "/srv/code")), {2, 3}),
        (Filters(after=200.0), {2, 3, 4, 5}),
        (Filters(after=200.0, before=400.0), {2, 3}),
        (Filters(min_size=2, max_size=3), {2, 3}),
        (Filters(exts=("' OR 1=1 --",)), set()),
        (Filters(folders=("%",)), set()),
        (Filters(folders=("a' OR '1'='1",)), set()),
    ],
)
def test_filters(store: Store, filters: Filters, expected: set[int]) -> None:
    units = {n: [unit(file)] for n, file in FILES.items()}
    units[5] = [replace(units[5][0], unit=replace(units[5][0].unit, language="Python"))]
    store.replace_files(units)
    assert kept(store, filters) == expected


def test_phrases_and_exclusions(store: Store) -> None:
    texts = {
        1: "The Quick\n  brown fox", 2: "quick red fox, brown", 3: "100% of (a+b)*[c] \\d? $5.00",
        4: "a cat's getUserName", 5: "Ärger im Büro",
    }  # fmt: skip
    store.replace_files({n: [unit(FILES[n], text=text)] for n, text in texts.items()})
    everything = set(texts)
    assert kept(store, Filters(), phrases=("quick brown",)) == {1}
    assert kept(store, Filters(), phrases=("QUICK", "Red Fox")) == {2}
    assert kept(store, Filters(), phrases=("ärger IM büro",)) == {5}
    assert kept(store, Filters(), phrases=("title",)) == everything  # the context
    for odd in ("100% of", "(a+b)*[c]", "\\d?", "$5.00", "a cat's"):
        assert len(kept(store, Filters(), phrases=(odd,))) == 1, odd
    for near in ("5x00", "$5_00", "$5%00", "100 of", "$5.0 0"):
        assert kept(store, Filters(), phrases=(near,)) == set(), near
    assert kept(store, Filters(), excluded=("cats",)) == everything - {4}
    assert kept(store, Filters(), excluded=("user_name",)) == everything
    assert kept(store, Filters(), excluded=("getusername",)) == everything - {4}
    assert kept(store, Filters(), excluded=("quick brown",)) == everything - {1}


def test_every_sign_of_the_keyboard_in_a_phrase(store: Store) -> None:
    signs = "".join(chr(c) for c in range(33, 127) if not chr(c).isalnum())
    store.replace_files({1: [unit(FILES[1], text=f"x {signs} y")], 2: [unit(FILES[2])]})
    assert kept(store, Filters(), phrases=(signs,)) == {1}
    for sign in signs:
        assert kept(store, Filters(), phrases=(sign,)) == {1}, sign


def test_renaming_keeps_vectors_and_changes_names(store: Store) -> None:
    store.replace_files({1: [unit(facts(1), n) for n in range(3)], 2: [unit(facts(2))]})
    before = store.vectors(["1:0", "1:1", "1:2"])
    refs = {uid: row.ref for uid, row in store.rows(before).items()}
    moved = facts(1, "/elsewhere/zebra.txt", mtime=7.0)
    version = store.update_paths({1: moved})
    assert version == store.version
    rows = store.rows(before)
    assert {row.file for row in rows.values()} == {moved}
    assert {uid: row.ref for uid, row in rows.items()} == refs
    after = store.vectors(before)
    assert all(np.array_equal(before[uid], after[uid]) for uid in before)
    assert sorted(found(store, "zebra")) == ["1:0", "1:1", "1:2"]
    assert found(store, word(1) + "p") == []
    assert store.count() == 4
    assert store.update_paths({99: facts(99)}) == version


@pytest.mark.parametrize(
    "path", ["/a/b", "/a/\udcff\udc80", "/x\U0010dcff", "/\ud83d", "/\U0010dcff/\udcff"]
)
def test_paths_survive_arrow(path: str) -> None:
    held = path_to_text(path)
    held.encode()  # no lone surrogates
    assert text_to_path(held) == path


def test_spaces_are_apart(tmp_path: Path) -> None:
    a, b = Store.open(tmp_path, "a/1", DIM), Store.open(tmp_path, "b", 4)
    a.replace_files({1: [unit(facts(1))]})
    assert b.count() == 0
    assert list_spaces(tmp_path) == ["a_1", "b"]
    a.close()
    drop_space(tmp_path, "a/1")
    assert list_spaces(tmp_path) == ["b"]
    with pytest.raises(InklingError, match="closed"):
        a.count()
    b.close()


def test_opening_for_reading_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError, match="no search index"):
        Store.open(tmp_path, "m", DIM, read_only=True)
    writer = Store.open(tmp_path, "m", DIM)
    reader = Store.open(tmp_path, "m", DIM, read_only=True)
    writer.replace_files({1: [unit(facts(1))]})
    assert reader.file_ids() == {1}
    with pytest.raises(InklingError, match="reading only"):
        reader.delete_files([1])
    reader.maintain(force=True)
    assert reader.count() == 1


def test_wrong_units_are_refused(store: Store) -> None:
    with pytest.raises(RefusedRowsError, match="ordinals"):
        store.replace_files({1: [unit(facts(1)), unit(facts(1))]})
    with pytest.raises(RefusedRowsError, match="not being replaced"):
        store.replace_files({1: [unit(facts(2))]})
    assert store.count() == 0


def test_maintenance_changes_no_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.indexes.VECTOR_INDEX_ROWS", 600)
    monkeypatch.setattr("engine.store.indexes.VECTOR_DELTAS", 2)
    monkeypatch.setattr("engine.store.segments.SEGMENT_BYTES", 3000)
    for round_ in range(4):
        for n in range(round_ * 20, round_ * 20 + 20):
            units = [unit(facts(n), k, f"{word(n)} common") for k in range(12)]
            store.replace_files({n: units})
        store.delete_files([round_ * 20])
        before = (
            [c.unit_id for c in store.search_vector(vector(9), None, 5)],
            {c.unit_id: c.score for c in store.search_text(["common", word(round_)], None, 5000)},
        )
        store.maintain(force=True)
        vectors = [c.unit_id for c in store.search_vector(vector(9), None, 5)]
        texts = {
            c.unit_id: c.score for c in store.search_text(["common", word(round_)], None, 5000)
        }
        assert vectors == before[0]
        assert texts.keys() == before[1].keys()
    assert store.count() == 4 * 19 * 12
    assert "vector_idx" in store._table.read(lambda t: {index.name for index in t.list_indices()})
    for row in store.rows([f"{n}:3" for n in range(1, 60, 7)]).values():
        assert row.ref is not None
        seed = row.file_id * 100 + 3
        assert store.tokens([row.ref])[0].tokens[0, 0] == seed % 100
        assert store.search_vector(vector(seed), None, 1)[0].unit_id == row.unit_id


def test_after_many_edits_the_store_is_as_small_as_a_fresh_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.indexes.GRACE", timedelta(milliseconds=1))
    monkeypatch.setattr("engine.store.indexes.IDLE_S", 0.0)
    for edit in range(120):
        store.replace_files({edit % 4: [unit(facts(edit % 4), n) for n in range(10)]})
    store.maintain()  # the writer rests, and a while later rests still
    time.sleep(0.05)
    store.maintain()
    fresh = Store.open(tmp_path / "fresh", "model-1", DIM)
    fresh.replace_files({n: [unit(facts(n), k) for k in range(10)] for n in range(4)})
    fresh.maintain(force=True)
    assert store.size_bytes() <= 2 * fresh.size_bytes()
    fresh.close()


def test_maintenance_frees_replaced_tokens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.segments.SEGMENT_BYTES", 2000)
    for _ in range(30):
        store.replace_files({1: [unit(facts(1), n) for n in range(10)]})
    before = store._segments.size_bytes()
    store.maintain(force=True)
    assert store._segments.size_bytes() < before / 10
    refs = [row.ref for row in store.file_rows(1) if row.ref]
    assert [len(record.tokens) for record in store.tokens(refs)] == [3] * 10


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="descriptors can't be counted")
def test_commits_keep_no_descriptors(store: Store) -> None:
    def held() -> int:
        return len(os.listdir("/dev/fd"))

    store.replace_files({1: [unit(facts(1))]})
    before = held()
    for n in range(2, 12):
        store.replace_files({n: [unit(facts(n))]})
    assert held() <= before + 4  # not one a commit; the library may keep some of its own


def test_of_purged_rows_nothing_is_left_on_the_disk(tmp_path: Path) -> None:
    opened = Store.open(tmp_path, "model-1", DIM)
    many = [unit(facts(1), n, f"zanzibarquokka {word(n)}") for n in range(3)]
    opened.replace_files({1: many, 2: [unit(facts(2), n, word(n)) for n in range(90)]})
    kept_tokens = opened.tokens([opened.rows(["2:7"])["2:7"].ref])[0].tokens  # type: ignore[list-item]
    opened.delete_files([1])
    opened.maintain(force=True)
    opened.close()
    assert traces(tmp_path, "zanzibarquokka")  # hence the purge
    opened = Store.open(tmp_path, "model-1", DIM, arrays=False)
    before = opened.size_bytes()
    opened.purge(batch_rows=20)
    assert traces(tmp_path, "zanzibarquokka") == []
    assert opened.size_bytes() < before
    assert (opened.count(), found(opened, word(7))) == (90, ["2:7"])
    opened.close()
    again = Store.open(tmp_path, "model-1", DIM)
    row = again.rows(["2:7"])["2:7"]
    assert np.array_equal(again.tokens([row.ref])[0].tokens, kept_tokens)  # type: ignore[list-item]
    assert again.broken_files == frozenset()
    again.delete_files([2])
    again.close()
    empty = Store.open(tmp_path, "model-1", DIM, arrays=False)
    empty.purge()
    assert empty.count() == 0
    empty.close()
