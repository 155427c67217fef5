"""Words read as filters, over a real store: they filter, and are given up where they would hide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import pytest

from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Answer, FileFacts, Filters, Kind, NameParts, Unit
from engine.engine import Engine
from engine.models.registry import model_spec
from engine.search.ports import NameMatch

NOW = dt.datetime(2026, 3, 14, 15, 9).timestamp()
DAY = 86_400.0
#: By id: path, kind, days since the change, text.
FILES: dict[int, tuple[str, Kind, float, str]] = {
    1: ("/n/a.png", "screenshot", 10, "The login page of the router asks for a password."),
    2: ("/n/b.md", "note", 400, "The login page of the router: how to reset its password."),
    3: ("/n/c.pdf", "pdf", 10, "The deposit is returned within thirty days after moving out."),
    4: ("/n/d.md", "note", 1, "Feed the sourdough starter in the evening and bake at dawn."),
    5: ("/n/notes from last week.md", "note", 900, "Bread and butter."),
    6: ("/n/budget 2019.md", "note", 2000, "Heating and rent of the flat, month by month."),
}


def facts(file_id: int) -> FileFacts:
    path, kind, days, _ = FILES[file_id]
    return FileFacts(file_id, path, kind, None, path.rpartition(".")[2], NOW - days * DAY, 100)


def names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
    """A file is found by its stem; none by filters alone, so that passages have to."""
    asked = " ".join(words)
    return [
        NameMatch(facts(i), 0.98, NameParts(whole=1.0))
        for i, (path, *_) in FILES.items()
        if asked and asked == path[3:].partition(".")[0]
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    base = BaseDir(tmp_path_factory.mktemp("engine")).create()
    made = Engine(base, model_spec("minilm"), names)
    units = [(facts(i), Unit(i, 0, kind, text)) for i, (_, kind, _, text) in FILES.items()]
    made.replace({one.unit.file_id: [one] for one in made.encode(units)})
    yield made
    made.close()


def answered(engine: Engine, typed: str, *, plain: bool = False) -> tuple[Answer, list[int]]:
    *_, last = engine.search(parse(typed, now=NOW, plain=plain), 20)
    ids = {path: file_id for file_id, (path, *_) in FILES.items()}
    return last, [ids[hit.path] for hit in last.hits]


def test_a_reading_filters_and_is_told(engine: Engine) -> None:
    answer, found = answered(engine, "screenshots of the login page")
    assert found == [1]
    assert [(r.words, r.filter) for r in answer.read] == [("screenshots of", "kind:screenshot")]
    assert answer.given_up == ""
    every_stage = list(engine.search(parse("screenshots of the login page", now=NOW)))
    assert all(stage.read == answer.read for stage in every_stage)


def test_taken_back_the_words_are_words(engine: Engine) -> None:
    answer, found = answered(engine, "screenshots of the login page", plain=True)
    assert answer.read == ()
    assert {1, 2} <= set(found)


def test_given_up_where_no_file_meets_it(engine: Engine) -> None:
    answer, found = answered(engine, "login page of the router in 2017")
    assert answer.given_up == "nothing"
    assert [r.words for r in answer.read] == ["in 2017"]
    assert set(found[:2]) == {1, 2}


def test_given_up_where_a_file_is_called_so(engine: Engine) -> None:
    answer, found = answered(engine, "notes from last week")
    assert answer.given_up == "name"
    assert found[0] == 5


def test_given_up_where_what_meets_it_is_no_answer(engine: Engine) -> None:
    """Only the bread was changed yesterday; the deposit is what is asked for."""
    read = parse("when the deposit of the flat is returned, from yesterday", now=NOW)
    assert read.read
    plain = parse("when the deposit of the flat is returned, from yesterday", now=NOW, plain=True)
    *_, hidden = engine.search(
        parse("the deposit of the flat is returned date:2026-03-13", now=NOW)
    )
    assert hidden.weak, "else this shows nothing"
    answer, found = answered(engine, "my deposit of the flat is returned from yesterday")
    assert answer.given_up == "weak"
    assert found[0] == 3
    assert plain.read == ()


def test_what_is_of_a_year_by_its_name_is_of_that_year(engine: Engine) -> None:
    """It was changed in 2020."""
    answer, found = answered(engine, "costs of the flat from 2019")
    assert (answer.given_up, found) == ("", [6])


def test_nothing_else_is_asked_where_a_reading_answers(engine: Engine) -> None:
    answer, found = answered(engine, "sourdough starter from yesterday")
    assert (answer.given_up, found) == ("", [4])


def test_or_between_words_takes_the_best_of_either(engine: Engine) -> None:
    answer, found = answered(engine, "(router password) OR sourdough")
    alone = [answered(engine, typed) for typed in ("router password", "sourdough")]
    best = {hit.path: hit.score for one, _ in alone for hit in one.hits}
    for one, _ in alone:
        best.update({hit.path: max(hit.score, best[hit.path]) for hit in one.hits})
    assert {hit.path: hit.score for hit in answer.hits} == pytest.approx(best)
    assert set(found[:3]) == {1, 2, 4}
    assert [hit.score for hit in answer.hits] == sorted(best.values(), reverse=True)
    stages = [a.stage for a in engine.search(parse("router OR sourdough"))]
    assert stages == ["names", "words", "fused", "rescored"]


def test_or_between_words_and_filters(engine: Engine) -> None:
    _, found = answered(engine, '"sourdough starter" OR "thirty days"')
    assert set(found) == {3, 4}
    _, found = answered(engine, "(router OR sourdough) -(reset OR butter OR rent) kind:note")
    assert set(found) == {4}
    _, found = answered(engine, "login page (kind:screenshot OR ext:pdf)")
    assert set(found) == {1, 3}


def test_explained_by_what_it_answers_best(engine: Engine) -> None:
    either = engine.explain(parse("(router password) OR sourdough", now=NOW), 4)
    assert either == engine.explain(parse("sourdough", now=NOW), 4)
    read = engine.explain(parse("screenshots of the login page", now=NOW), 2)
    assert read["rescored"] is None
    given_up = engine.explain(parse("login page of the router in 2017", now=NOW), 2)
    assert given_up["rescored"] is not None
