"""A row of the registry with any set of adapters indexes every kind and finds it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import Engine
from engine.contract.kinds import FILE_KINDS
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Adapter, Encoding, FileFacts, Kind, TextEvidence, TextInput, Unit
from engine.models.registry import MODELS, ModelSpec
from tests.engine.word_encoder import WordEncoder

TEXTS: dict[Kind, str] = {
    "screenshot": "certificate expired on monday",
    "image": "lighthouse above the harbour",
    "pdf": "deposit returned after moving out",
    "code": "def upload retry backoff",
    "note": "sourdough starter in the evening",
    "archive": "receipts bundled for december",
    "audio": "interview about beekeeping",
    "video": "sledging down glacier",
    "other": "violin orchard thunder",
}
ADAPTERS: list[tuple[Adapter, ...]] = [
    ("retrieval",),
    ("text-matching",),
    ("code",),
    ("retrieval", "code"),
    ("retrieval", "text-matching", "code"),
]


@pytest.fixture(params=ADAPTERS, ids="+".join)
def adapters(request: pytest.FixtureRequest) -> tuple[Adapter, ...]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=["one space", "spaces of their own"])
def shared(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "one space")


@pytest.fixture
def spec(adapters: tuple[Adapter, ...], shared: bool) -> ModelSpec:
    """Also with documents encoded whole, or passage by passage."""
    row = MODELS["minilm"]
    return replace(row, id="any", adapters=adapters, shared_single=shared, late_chunking=shared)


@pytest.fixture
def engine(base: BaseDir, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    made = Engine(base, spec, lambda words, limit, filters: [])
    yield made
    made.close()


def units() -> list[tuple[FileFacts, Unit]]:
    """Two passages of a file for each kind, kinds in turn."""
    made = []
    for file_id, kind in enumerate(TEXTS, 1):
        facts = FileFacts(file_id, f"/r/{file_id}.x", kind, None, "x", 1.0, 1)
        for ordinal, text in enumerate((TEXTS[kind], f"page {file_id} of something else")):
            made.append((facts, Unit(file_id, ordinal, kind, text)))
    return made


def fill(engine: Engine) -> None:
    given = units()
    stored = engine.encode(given)
    assert [one.unit for one in stored] == [unit for _, unit in given]
    files = {facts.file_id: [s for s in stored if s.file == facts] for facts, _ in given}
    engine.replace(files)


def test_every_kind_is_indexed_and_found(engine: Engine) -> None:
    assert set(TEXTS) == set(FILE_KINDS)
    fill(engine)
    for file_id, (kind, text) in enumerate(TEXTS.items(), 1):
        words = " ".join(text.split()[-2:])
        for query in (words, f"{words} kind:{kind}"):
            *_, answer = engine.search(parse(query))
            assert answer.hits, query
            assert answer.hits[0].path == f"/r/{file_id}.x", query
            assert set(answer.hits[0].lanes) >= {"text", "dense", "late"}
            assert any(isinstance(proof, TextEvidence) for proof in answer.hits[0].evidence)
        told = engine.explain(parse(words), file_id)
        for feature in ("dense", "document", "late"):
            assert told[feature] is not None, (kind, feature)
        assert told["rescored"]["rank"] == 1  # type: ignore[index]


def test_a_filter_alone_and_words_that_nothing_holds(engine: Engine) -> None:
    fill(engine)
    *_, answer = engine.search(parse("unheard kind:code"))
    assert [hit.path for hit in answer.hits] == ["/r/4.x"]
    *_, answer = engine.search(parse("kind:code"))
    assert answer.hits == ()  # no name index here


def test_like_is_asked_within_a_space(engine: Engine, spec: ModelSpec) -> None:
    fill(engine)
    for file_id, kind in enumerate(TEXTS, 1):
        found = {int(Path(hit.path).stem) for hit in engine.similar(file_id).hits}
        same = {
            other
            for other, other_kind in enumerate(TEXTS, 1)
            if spec.shared_single or spec.adapter_for(other_kind) == spec.adapter_for(kind)
        }
        assert found == same - {file_id}


def test_an_encoder_that_gives_too_few_is_an_error(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows must never end up in the next file."""
    whole = WordEncoder.encode_texts

    def encode_texts(self: WordEncoder, texts: list[TextInput], adapter: Adapter) -> list[Encoding]:
        return whole(self, texts, adapter)[:-1]

    monkeypatch.setattr(WordEncoder, "encode_texts", encode_texts)
    chosen = [pair for pair in units() if pair[1].ordinal == 0]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        engine.encode(chosen)
