"""Pools filled by files first: a long file, or many copies, leave the others their places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, Filters, Query, Unit
from engine.engine import Engine
from engine.models.registry import model_spec
from engine.search.copies import Copies
from engine.search.pools import CROWDED, Ask, files_first, more_files, spread
from engine.search.ports import SameContents, no_copies
from engine.store import Candidate
from tests.engine.word_encoder import WordEncoder

BOOK, NOTE, OTHER = 1, 2, 3
#: Demands that arrays beside the table tell, and such that only the table can tell.
WAYS = ("johnson", "johnson -zebra")


@pytest.fixture
def engine(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    made = Engine(base, model_spec("minilm"), lambda words, limit, filters: [])
    yield made
    made.close()


def fill(engine: Engine, texts: Mapping[int, Sequence[str]]) -> None:
    units = [
        (FileFacts(i, f"/n/{i}.md", "note", None, "md", 1e9, 9), Unit(i, n, "note", text))
        for i, passages in texts.items()
        for n, text in enumerate(passages)
    ]
    stored = engine.encode(units)
    engine.replace({i: [s for s in stored if s.unit.file_id == i] for i in texts})


def paths(engine: Engine, query: str, limit: int = 20) -> list[str]:
    *_, answer = engine.search(parse(query), limit)
    return [hit.path for hit in answer.hits]


@pytest.mark.parametrize("query", WAYS)
def test_a_long_file_does_not_take_all_places(engine: Engine, query: str) -> None:
    fill(
        engine,
        {
            BOOK: ["johnson johnson johnson"] * 200,
            NOTE: ["Call johnson about the mooring of the boat before the summer is over."],
            OTHER: ["Nothing of the kind."],
        },
    )
    run = engine.run(parse(query))
    rescored = [run.candidates.file_ids[place] for place in run.rescored]
    assert NOTE in rescored
    assert rescored.count(BOOK) > 20  # what the others leave is for its passages
    assert paths(engine, query)[:2] == ["/n/1.md", "/n/2.md"]


@pytest.mark.parametrize("query", WAYS)
def test_a_frequent_word_shows_every_file_that_holds_it(engine: Engine, query: str) -> None:
    texts = {i: [f"johnson and {i}", "johnson johnson", "johnson"] * 2 for i in range(1, 251)}
    fill(engine, {**texts, 251: ["nobody of that name"]})
    assert len(paths(engine, query, 20)) == 20
    assert {f"/n/{i}.md" for i in texts} <= set(paths(engine, query, 400))


def test_words_of_a_file_count_beside_a_long_one(engine: Engine) -> None:
    fill(engine, {BOOK: ["johnson boat"] * 700, NOTE: ["Call johnson about the mooring, boat."]})
    run = engine.run(parse("johnson boat"))
    place = run.candidates.file_ids.index(NOTE)
    assert run.features.raw("term_coverage")[place] == pytest.approx(1.0)


def test_a_page_that_is_there_twice_is_one_place(engine: Engine) -> None:
    pages = ["Johnson at  sea.", "johnson at sea.", "Johnson at sea.", "johnson on land", "johnson"]
    fill(engine, {BOOK: pages})
    *_, answer = engine.search(parse("johnson at sea"))
    (hit,) = answer.hits
    said = [
        " ".join(text.lower().split()) for text in (hit.snippet, *(m.snippet for m in hit.more))
    ]
    assert sorted(said) == ["johnson", "johnson at sea.", "johnson on land"]


orders = st.lists(st.integers(0, 6), max_size=60)


@given(orders, st.integers(1, 20), st.integers(1, 5))
def test_spreading_is_fair(owners: list[int], size: int, most: int) -> None:
    places = spread(owners, size, most)
    assert places == sorted(set(places))
    assert len(places) == min(size, len(owners))
    taken = Counter(owners[place] for place in places)
    left = Counter(owners) - taken
    if any(count > most for count in taken.values()):  # then nobody else waits
        assert all(taken[owner] >= most for owner in left)


def lane(candidates: Sequence[Candidate], asked: list[int]) -> Ask:
    def ask(size: int, without: Sequence[int]) -> list[Candidate]:
        asked.append(size)
        return [c for c in candidates if c.file_id not in without][:size]

    return ask


@given(st.lists(st.integers(1, 12), min_size=1, max_size=300), st.integers(4, 30))
def test_no_file_crowds_a_pool(files: list[int], size: int) -> None:
    found = [Candidate(f"{f}:{n}", f, 1.0 - n / 1000) for n, f in enumerate(files)]
    pool = files_first(lane(found, []), size, 2, Copies(no_copies, Query(""), bool))
    assert len(pool) == min(size, len(found))
    assert pool == sorted(pool, key=lambda c: -c.score)
    per_file = Counter(c.file_id for c in pool)
    apart = sum(min(count, 2) for count in per_file.values())
    possible = sum(min(count, 2) for count in Counter(files).values())
    assert apart >= min(CROWDED * size, possible)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=300), st.integers(1, 50))
def test_deeper_lists_reach_every_file(files: list[int], wanted: int) -> None:
    found = [Candidate(f"{f}:{n}", f, 1.0 - n / 1000) for n, f in enumerate(files)]
    copies = Copies(no_copies, Query(""), bool)
    ask = lane(found, [])
    pool = files_first(ask, 5, 2, copies)
    more = more_files(ask, pool, wanted, copies)
    reached = [c.file_id for c in more]
    assert len(set(reached)) == len(reached)
    assert not {c.file_id for c in pool}.intersection(reached)
    there = len({c.file_id for c in pool}) + len(reached)
    assert there >= min(wanted, len(set(files)))


def test_copies_crowd_no_pool_either() -> None:
    def facts(file_id: int) -> FileFacts:
        return FileFacts(file_id, f"/n/{file_id}", "note", None, "", 1.0, 1)

    def same(file_ids: Sequence[int], filters: Filters) -> list[SameContents]:
        return [SameContents([facts(i) for i in range(1, 101)])]

    found = [Candidate(f"{i}:0", i, 1.0 - i / 1000) for i in range(1, 140)]
    asked: list[int] = []
    copies = Copies(same, Query(""), bool)
    pool = files_first(lane(found, asked), 40, 2, copies)
    assert len(asked) == 2
    assert sum(c.file_id > 100 for c in pool) == 38
