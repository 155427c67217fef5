"""Raw values: the last answer says what its hits were ranked by, and what that is measured by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import Engine
from engine.contract import codec
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Answer, FileFacts, Unit
from engine.models.registry import model_spec
from tests.engine.word_encoder import WordEncoder

TEXTS = {
    1: "The certificate of this server has expired.",
    2: "Feed the sourdough starter in the evening.",
    3: "The certificate of birth is in the drawer.",
}


@pytest.fixture
def engine(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    made = Engine(base, model_spec("minilm"), lambda words, limit, filters: [])
    units = [
        (FileFacts(n, f"/n/{n}.md", "note", None, "md", 1e9, 9), Unit(n, 0, "note", text))
        for n, text in TEXTS.items()
    ]
    made.replace({one.unit.file_id: [one] for one in made.encode(units)})
    yield made
    made.close()


def test_the_last_answer_has_them(engine: Engine) -> None:
    query = parse("expired certificate")
    *before, last = engine.search(query, raw=True)
    assert all(answer.statistics is None for answer in before)
    assert not any(hit.features for answer in before for hit in answer.hits)
    told = last.statistics
    assert told is not None
    assert (told.model, told.units) == ("minilm", 3)
    assert told.space == engine.spec.space
    assert {told.holding[term] for term in told.holding} == {1, 2}  # expired, certificate
    run = engine.run(query)
    assert told.signals == pytest.approx(run.signals, abs=1e-5)
    first = last.hits[0]
    place = run.ranked_files(1)[0].places[0]
    assert first.features["text"] == pytest.approx(run.features.raw("text")[place], abs=1e-5)
    assert first.features["rescored"] == pytest.approx(first.score, abs=1e-4)
    assert "name" not in first.features  # no name answers: nothing is told of it
    assert codec.decode(codec.encode(last), Answer) == last


def test_nobody_else_gets_them(engine: Engine) -> None:
    *_, last = engine.search(parse("expired certificate"))
    assert last.statistics is None
    assert not any(hit.features for hit in last.hits)


def test_several_questions_have_no_statistics_in_common(engine: Engine) -> None:
    *_, last = engine.search(parse("certificate OR sourdough"), raw=True)
    assert last.hits
    assert last.statistics is None
