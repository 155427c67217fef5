"""Union: answers of several indexes are one list, as if all had been one index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from engine import Engine
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Answer, FileFacts, Hit, Unit
from engine.models.registry import model_spec
from engine.search.ranker import Ranker
from engine.search.union import union
from tests.engine.word_encoder import WordEncoder

TEXTS = {
    1: "The certificate of this server has expired.",
    2: "Feed the sourdough starter in the evening; the server waits.",
    3: "The certificate of birth is in the drawer.",
    4: "An expired passport is in the drawer, too.",
    5: "The server of the restaurant was kind.",
    6: "A certificate of attendance for the course on bread and certificate.",
}
RANKER = Ranker.of("minilm")


@dataclass
class Indexes:
    """All texts in one index, and in two."""

    all: Engine
    here: Engine
    there: Engine

    def whole(self, question: str) -> Answer:
        return _last(self.all, question)

    def joined(self, question: str, limit: int = 20) -> Answer:
        return union(self.both(question), RANKER, limit)

    def both(self, question: str) -> list[Answer]:
        there = _last(self.there, question)
        hits = tuple(structs.replace(hit, archive="Lab") for hit in there.hits)
        return [_last(self.here, question), structs.replace(there, hits=hits)]


def _last(engine: Engine, question: str) -> Answer:
    *_, last = engine.search(parse(question), raw=True)
    return last


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.engine.EncoderPool", WordEncoder)
        place = tmp_path_factory.mktemp("union")
        made = Indexes(
            _filled(place / "all", list(TEXTS)),
            _filled(place / "here", [1, 2, 3]),
            _filled(place / "there", [4, 5, 6]),
        )
        yield made
        for engine in (made.all, made.here, made.there):
            engine.close()


def _filled(place: Path, ids: Sequence[int]) -> Engine:
    engine = Engine(BaseDir(place).create(), model_spec("minilm"), lambda words, limit, filters: [])
    units = [
        (FileFacts(n, f"/n/{n}.md", "note", None, "md", 1e9 + n, n), Unit(n, 0, "note", TEXTS[n]))
        for n in ids
    ]
    engine.replace({one.unit.file_id: [one] for one in engine.encode(units)})
    engine.maintain(force=True)
    return engine


def paths(answer: Answer) -> list[str]:
    return [hit.path for hit in answer.hits]


QUESTIONS = ("expired certificate", "server", "the drawer", "certificate of attendance")


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_index_by_itself_is_ranked_as_it_was(indexes: Indexes, question: str) -> None:
    whole = indexes.whole(question)
    again = union([whole], RANKER, 20)
    assert paths(again) == paths(whole)
    assert (again.matches, again.weak, again.stage) == (whole.matches, whole.weak, "merged")
    assert again.statistics is None


@pytest.mark.parametrize("question", QUESTIONS)
def test_two_halves_are_ranked_as_the_whole(indexes: Indexes, question: str) -> None:
    whole, joined = indexes.whole(question), indexes.joined(question)
    assert paths(joined)[:3] == paths(whole)[:3]
    assert joined.weak == whole.weak
    assert {hit.archive for hit in joined.hits} == {"", "Lab"}
    assert paths(indexes.joined(question, 2)) == paths(joined)[:2]


@pytest.mark.parametrize("question", QUESTIONS)
def test_bm25_is_as_rare_as_all_together_have_it(indexes: Indexes, question: str) -> None:
    from engine.search.union import bm25

    both = indexes.both(question)
    told = dict(zip([h.path for one in both for h in one.hits], bm25(both), strict=True))
    whole = {hit.path: hit.features for hit in indexes.whole(question).hits}
    apart = {hit.path: hit.features for one in both for hit in one.hits}
    for path, value in told.items():
        if "text" in whole[path]:
            wanted = whole[path]["text"]
            assert value == pytest.approx(wanted, rel=0.1)  # their mean lengths differ
            assert abs(value - wanted) <= abs(apart[path]["text"] - wanted) + 1e-6


def test_the_same_file_is_one_hit_and_this_machine_has_it(indexes: Indexes) -> None:
    here, there = indexes.both("expired certificate")
    same = structs.replace(there.hits[0], path="/srv/copy.md", content="abc")
    ours = structs.replace(here.hits[-1], content="abc")
    answers = [
        structs.replace(here, hits=(*here.hits[:-1], ours)),
        structs.replace(there, hits=(same, *there.hits[1:])),
    ]
    joined = union(answers, RANKER, 20)
    assert [hit.archive for hit in joined.hits if hit.content == "abc"] == [""]
    assert len(joined.hits) == len(here.hits) + len(there.hits) - 1


def test_a_share_that_is_mounted_here_is_the_archives_own(indexes: Indexes) -> None:
    hit = Hit("/srv/a.md", size=5)
    answers = [Answer((hit,)), Answer((structs.replace(hit, archive="Lab"),))]
    assert [h.archive for h in union(answers, RANKER, 9).hits] == [""]
    other = structs.replace(hit, archive="Lab", size=6)
    assert len(union([answers[0], Answer((other,))], RANKER, 9).hits) == 2


def test_another_models_answer_meets_by_rank(indexes: Indexes) -> None:
    here, there = indexes.both("server")
    assert there.statistics is not None
    strange = structs.replace(
        there, statistics=structs.replace(there.statistics, space="other-1-64")
    )
    joined = union([here, strange], RANKER, 20)
    assert [hit.archive for hit in joined.hits[:4]] == ["", "Lab", "", "Lab"]
    nothing = structs.replace(there, statistics=None)
    assert paths(union([here, nothing], RANKER, 20)) == paths(joined)


def test_filters_alone_list_the_newest(indexes: Indexes) -> None:
    here, there = (Answer(tuple(Hit(f"/{n}", mtime=n) for n in some)) for some in ((5, 3), (4, 1)))
    joined = union([here, there], RANKER, 3, newest=True)
    assert paths(joined) == ["/5", "/4", "/3"]


def test_nothing_anywhere(indexes: Indexes) -> None:
    here, there = (structs.replace(one, hits=()) for one in indexes.both("server"))
    assert union([here, there], RANKER, 20).hits == ()
