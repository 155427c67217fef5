"""The table of lanes over a real store: a new row, what names weigh, tokens read once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine import Engine, NameMatch
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Answer, FileFacts, Filters, Hit, NameParts, TextEvidence, Unit
from engine.models.registry import MODELS
from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, Floats
from engine.search.lanes import LANES, Lane
from engine.search.lanes.lane import column
from engine.store import Candidate, Store
from engine.store.segments import TokenRef
from tests.engine.word_encoder import WordEncoder

FILES = {
    1: ("/n/harbour.md", "The harbour ferry leaves at seven on all days"),
    2: ("/n/log.md", "Master of the harbour wall of stone."),
    3: ("/n/bread.md", "Feed the starter."),
    4: ("/n/IMG_2041.jpg", "A seagull on the pier."),
    5: (
        "/n/pictures.md",
        "The bird that sat on our pier all summer is on IMG_2041.jpg, as far as we know.",
    ),
}


class Recent(Lane):
    """A toy lane: the newest file, whatever is asked."""

    columns = (Feature("recent", 0.25),)

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        newest = max(context.sources.store.file_ids())
        return [Candidate(f"{newest}:0", newest, 1.0)]

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        newest = context.scores_of("recent")
        return {"recent": column([newest.get(unit_id) for unit_id in candidates.unit_ids])}


def file_of(hit: Hit) -> int:
    return next(file_id for file_id, (path, _) in FILES.items() if path == hit.path)


def facts(file_id: int) -> FileFacts:
    path, _ = FILES[file_id]
    return FileFacts(file_id, path, "note", None, path.rpartition(".")[2], 1e9 + file_id, 100)


def names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
    """A file is found by its whole name, with or without extension."""
    asked = " ".join(words).lower()
    return [
        NameMatch(facts(file_id), 0.98, parts=NameParts(whole=1.0, coverage=1.0))
        for file_id, (path, _) in FILES.items()
        if asked in (Path(path).name.lower(), Path(path).stem.lower())
    ]


@pytest.fixture
def engine(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    spec = replace(MODELS["minilm"], modalities=frozenset({"text", "image"}))
    made = Engine(base, spec, names)
    units = [(facts(i), Unit(i, 0, "note", text)) for i, (_, text) in FILES.items()]
    made.replace({one.file.file_id: [one] for one in made.encode(units)})
    yield made
    made.close()


@pytest.fixture
def table() -> Iterator[dict[str, Lane]]:
    """The lanes, to be changed by a test; put back with their order."""
    before = dict(LANES)
    yield LANES
    LANES.clear()
    LANES.update(before)


def last(engine: Engine, query: str) -> Answer:
    *_, answer = engine.search(parse(query))
    return answer


def test_a_lane_is_a_module_and_a_row(engine: Engine, table: dict[str, Lane]) -> None:
    question = parse("feed the starter")
    before = {file_of(hit): hit.score for hit in last(engine, "feed the starter").hits}
    assert "recent" not in engine.explain(question, 5)
    table["recent"] = Recent()
    after = {file_of(hit): hit for hit in last(engine, "feed the starter").hits}
    assert after[5].score == pytest.approx(before[5] + 0.25, abs=1e-5)
    assert after[5].lanes[-1] == "recent"
    assert after[3].score == pytest.approx(before[3], abs=1e-5)
    told = engine.explain(question, 5)
    assert told["recent"] == {"rank": 1, "score": 1.0}
    assert told["weights"]["recent"] == 0.25  # type: ignore[index]
    assert engine.explain(question, 3)["recent"] is None


def test_a_lane_alone_brings_candidates(engine: Engine, table: dict[str, Lane]) -> None:
    table.clear()
    table["recent"] = Recent()
    assert [file_of(hit) for hit in last(engine, "feed the starter").hits] == [5]


@pytest.mark.parametrize(
    ("query", "named", "mentions"), [("IMG_2041.jpg", 4, 5), ("harbour", 1, 2)]
)
def test_the_file_of_that_name_comes_before_passages_with_the_word(
    engine: Engine, query: str, named: int, mentions: int, table: dict[str, Lane]
) -> None:
    assert [file_of(hit) for hit in last(engine, query).hits[:2]] == [named, mentions]
    assert "name" in last(engine, query).hits[0].lanes
    # It is the name that does it.
    del table["name"]
    assert file_of(last(engine, query).hits[0]) == mentions


def test_tokens_are_read_once_a_query(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[TokenRef] = Counter()
    tokens = Store.tokens

    def counted(store: Store, refs: Sequence[TokenRef]) -> object:
        read.update(refs)
        return tokens(store, refs)

    monkeypatch.setattr(Store, "tokens", counted)
    answer = last(engine, "ferry to the harbour")
    assert any(isinstance(proof, TextEvidence) for proof in answer.hits[0].evidence)
    assert set(read.values()) == {1}


def test_further_places_of_a_file_have_their_scores(engine: Engine) -> None:
    texts = ["ferry harbour", "the ferry of the harbour", "a ferry", "nothing of it"]
    stored = engine.encode([(facts(1), Unit(1, n, "note", text)) for n, text in enumerate(texts)])
    engine.replace({1: stored})
    hit = next(hit for hit in last(engine, "ferry harbour").hits if file_of(hit) == 1)
    scores = [hit.score, *(place.score for place in hit.more)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1


def test_a_query_picture_is_known_by_what_it_shows(engine: Engine, tmp_path: Path) -> None:
    picture = tmp_path / "query.png"
    encoder = engine.encoders
    assert isinstance(encoder, WordEncoder)

    def first(path: Path) -> int:
        return file_of(last_of_picture(engine, path).hits[0])

    picture.write_text("feed the starter")
    assert first(picture) == 3
    before = picture.stat()
    picture.write_text("seagull on pier.")  # as many bytes, and no newer
    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert picture.stat().st_size == before.st_size
    assert first(picture) == 4
    asked = len(encoder.asked)
    copy = tmp_path / "copy.png"
    copy.write_bytes(picture.read_bytes())
    assert first(copy) == 4
    assert len(encoder.asked) == asked


def last_of_picture(engine: Engine, picture: Path) -> Answer:
    *_, answer = engine.search(parse("", image=str(picture)))
    return answer
