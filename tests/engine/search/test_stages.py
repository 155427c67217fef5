"""No stage waits for what it does not need: words answer while a model loads or has failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Adapter, Answer, Encoding, FileFacts, Unit
from engine.models.registry import model_spec
from tests.engine.word_encoder import WordEncoder
from tests.waiting import PATIENCE

TEXTS = {
    1: "The certificate of this server has expired.",
    2: "Feed the sourdough starter in the evening.",
    3: "The deposit is returned after moving out.",
}


class SlowToLoad(WordEncoder):
    """Reads questions once it may; raises what it is told to."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.loaded = threading.Event()
        self.error: InklingError | None = None

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        assert self.loaded.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return super().encode_queries(queries, adapter)


@pytest.fixture
def engine(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", SlowToLoad)
    made = Engine(base, model_spec("minilm"), lambda words, limit, filters: [])
    units = [
        (FileFacts(n, f"/n/{n}.md", "note", None, "md", 1e9, 9), Unit(n, 0, "note", text))
        for n, text in TEXTS.items()
    ]
    made.replace({one.unit.file_id: [one] for one in made.encode(units)})
    yield made
    encoder(made).loaded.set()
    made.close()


def encoder(engine: Engine) -> SlowToLoad:
    found = engine.encoders
    assert isinstance(found, SlowToLoad)
    return found


def paths(answer: Answer) -> list[str]:
    return [hit.path for hit in answer.hits]


def test_words_answer_while_the_model_loads(engine: Engine) -> None:
    stages = engine.search(parse("expired certificate"))
    assert [next(stages).stage, (words := next(stages)).stage] == ["names", "words"]
    assert paths(words) == ["/n/1.md"]
    assert words.hits[0].lanes == ("text",)
    assert [item.word for item in words.hits[0].evidence] == ["certificate", "expired"]  # type: ignore[union-attr]
    encoder(engine).loaded.set()
    *_, final = stages
    assert paths(final)[0] == "/n/1.md"
    assert "dense" in final.hits[0].lanes


def test_questions_that_wait_hold_up_no_words(engine: Engine) -> None:
    waiting = [engine.search(parse(f"{word} certificate")) for word in ("a", "the", "this", "that")]
    for stages in waiting:
        assert next(stages).stage == "names"
        assert next(stages).stage == "words"
    late = engine.search(parse("sourdough"))
    next(late)
    assert paths(next(late)) == ["/n/2.md"]
    waiting[2].close()  # given up: it must not be encoded once the model is there
    encoder(engine).asked.clear()
    encoder(engine).loaded.set()
    for stages in (waiting[0], waiting[1], waiting[3], late):
        *_, final = stages
        assert final.stage == "rescored"
    assert "this certificate" not in [text for text, _ in encoder(engine).asked]


def test_where_the_model_fails_words_have_answered_and_it_is_said(engine: Engine) -> None:
    encoder(engine).error = InklingError("MiniLM could not be loaded.", hint="Reinstall it.")
    encoder(engine).loaded.set()
    answers = list(engine.search(parse("expired certificate")))
    assert [answer.stage for answer in answers] == ["names", "words", "fused", "rescored"]
    assert [paths(answer) for answer in answers[1:]] == [["/n/1.md"]] * 3
    said = answers[-1].coverage.message
    assert said.startswith("MiniLM could not be loaded. Reinstall it.")  # and what to do next
    assert said.count("Reinstall") == 1
    assert not answers[-1].coverage.complete
    assert not answers[1].coverage.message


def test_a_picture_alone_that_can_not_be_read_is_an_error(
    base: BaseDir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    seeing = replace(model_spec("minilm"), modalities=("text", "image"))
    made = Engine(base, seeing, lambda words, limit, filters: [])
    try:
        with pytest.raises(InklingError, match="can't be read"):
            list(made.search(parse("", image=str(tmp_path / "gone.png"))))
    finally:
        made.close()


def test_a_later_stage_keeps_what_words_told(engine: Engine) -> None:
    """Features of the first stage are asked once for each candidate, whichever lane brings it."""
    encoder(engine).loaded.set()
    run = engine.run(parse("certificate in the evening"))
    by_file = dict(zip(run.candidates.file_ids, run.features.raw("text"), strict=True))
    assert set(by_file) == {1, 2, 3}  # nearness brought them all
    assert by_file[1] > 0
    assert by_file[2] > 0
    assert by_file[3] != by_file[3]  # no word of it is asked for
