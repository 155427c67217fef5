"""E5 and MiniLM as one encoder, with their real weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.text_onnx import encoder as text_onnx
from engine.encoders.text_onnx import halves, pair
from engine.models.registry import MODELS

SPEC = MODELS["e5-minilm"]
PASSAGES = (
    "The invoice of March is overdue by two weeks.",
    "def read_file(path):\n    with open(path) as f:\n        return f.read()",
    "A bridge loan covers the gap until the mortgage is paid out.",
    "Cats sleep up to sixteen hours a day.",
)
QUESTIONS = {
    "invoice that is late": 0,
    "Rechnung vom März": 0,
    "期限切れの請求書": 0,
    "load text from disk": 1,
    "lire un fichier texte": 1,
    "прочитать файл": 1,
    "house financing": 2,
    "financiación de una casa": 2,
    "وقت نوم القطط": 3,
    "बिल्लियाँ कितना सोती हैं": 3,
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> pair.PairEncoder:
    return pair.load(tmp_path_factory.mktemp("models"), SPEC)


@pytest.mark.parametrize(("query", "best"), QUESTIONS.items(), ids=range(len(QUESTIONS)))
@pytest.mark.parametrize("adapter", SPEC.adapters)
def test_finds_what_is_meant_in_any_language(
    encoder: pair.PairEncoder, query: str, best: int, adapter: Adapter
) -> None:
    texts = encoder.encode_texts([TextInput(p) for p in PASSAGES], adapter)
    (asked,) = encoder.encode_queries([query], adapter)
    assert int(np.argmax([asked.single @ t.single for t in texts])) == best
    assert int(np.argmax([late(asked, t) for t in texts])) == best


def late(asked: Encoding, text: Encoding) -> float:
    return float((asked.tokens @ text.tokens.T).max(1).mean())


def test_shapes_and_unit_length(encoder: pair.PairEncoder) -> None:
    for adapter in SPEC.adapters:
        made = encoder.encode_texts([TextInput(p, "title") for p in (*PASSAGES, "")], adapter)
        made += encoder.encode_queries([*QUESTIONS, ""], adapter)
        for encoding in made:
            assert encoding.single.shape == (SPEC.dim,)
            assert encoding.tokens.shape[1] == SPEC.token_dim
            assert encoding.single.dtype == encoding.tokens.dtype == np.float32
            assert encoding.spans is not None
            assert len(encoding.spans) == len(encoding.tokens)
            np.testing.assert_allclose(np.linalg.norm(encoding.single), 1, atol=1e-5)
            np.testing.assert_allclose(np.linalg.norm(encoding.tokens, axis=1), 1, atol=1e-5)


def test_a_dot_product_is_the_weighted_sum_of_both_cosines(
    encoder: pair.PairEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the cut; for an English question and for one that MiniLM can't read."""
    identity = {"single": np.eye(768, dtype=np.float32)}
    monkeypatch.setattr(encoder, "_projections", {**encoder._projections, **identity})
    monkeypatch.setattr(encoder, "spec", dataclasses.replace(SPEC, dim=768))
    texts = [TextInput(p) for p in PASSAGES]
    passages = np.stack([e.single for e in encoder.encode_texts(texts, "retrieval")])
    parts = passages[:, :384], passages[:, 384:]
    for query, foreign in (("a bill of last year", False), ("прочитать файл", True)):
        (asked,) = encoder.encode_queries([query], "retrieval")
        cosines = [unit(h) @ unit(asked.single[n * 384 :][:384]) for n, h in enumerate(parts)]
        share = 1.0 if foreign else halves.SHARE
        expected = share * cosines[1]
        if not foreign:
            expected += (1 - share) * cosines[0]
        actual = passages @ asked.single
        np.testing.assert_allclose(actual / actual.max(), expected / expected.max(), atol=1e-4)
        assert bool(np.abs(asked.single[:384]).max() < 1e-6) is foreign


def unit(rows: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    made: np.ndarray = rows / np.maximum(  # type: ignore[type-arg]
        np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12
    )
    return made


def test_the_share_of_e5_grows_with_the_pieces_of_minilm() -> None:
    shares = [halves.share_of_e5(pieces, 10) for pieces in (0, 7, 10, 12, 14, 15, 40)]
    assert shares == sorted(shares)
    assert shares[:3] == [halves.SHARE] * 3
    assert shares[-2:] == [1.0, 1.0]
    assert halves.share_of_e5(0, 0) == halves.SHARE


def test_states_of_other_tokens_are_those_of_the_same_characters() -> None:
    states = np.arange(10, dtype=np.float32).reshape(5, 2)
    places = np.array([[-1, -1], [0, 3], [3, 5], [6, 9], [-1, -1]], np.int32)
    wanted = [[-1, -1], [0, 5], [4, 5], [2, 7], [9, 12], [20, 22], [-1, -1]]
    made = halves.aligned(states, places, np.array(wanted, np.int32))
    expected = [states[0], states[1:3].mean(0), states[2], states[1:4].mean(0)]
    expected += [states[0], states[0], states[4]]  # what was not read says nothing
    np.testing.assert_array_equal(made, expected)
    nothing = halves.aligned(states[[0, 4]], places[[0, 4]], np.array([[-1, -1]] * 2, np.int32))
    np.testing.assert_array_equal(nothing, states[[0, 4]])


def test_a_question_tells_how_foreign_it_is_to_english(encoder: pair.PairEncoder) -> None:
    english, german = encoder.encode_queries(
        ["open letters of last year", "überfällige Rechnungen vom Vorjahr"], "retrieval"
    )
    assert english.pieces is not None
    assert german.pieces is not None
    assert english.pieces == 5
    assert german.pieces >= 8
    assert german.spans is not None
    assert german.pieces > (german.spans[:, 0] >= 0).sum()


def test_spans_point_into_the_text(encoder: pair.PairEncoder) -> None:
    text = "Größe \ud800 x\0y: 日本 naïve"
    (encoding,) = encoder.encode_texts([TextInput(text, "Some title")], "retrieval")
    assert encoding.spans is not None
    own = encoding.spans[encoding.spans[:, 0] >= 0]
    assert (encoding.spans[:5] == -1).all()  # <s>, “passage:” and the context
    assert (encoding.spans[-1] == -1).all()
    seen = [text[a:b] for a, b in own]
    assert "".join(seen).startswith("Größe")
    assert {"日本", "na"} & set(seen)
    assert (own[:, 1] > own[:, 0]).all()
    assert own[-1, 1] == len(text)


def test_adapters_of_a_question_share_the_forward(encoder: pair.PairEncoder) -> None:
    made = encoder.encode_queries_by_adapter(["open a file"], ["retrieval", "code"])
    ((prose,), (code,)) = made["retrieval"], made["code"]
    np.testing.assert_array_equal(prose.single, code.single)
    assert np.abs(prose.tokens - code.tokens).max() > 0.01


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\0\0\0", "\ud800", "\udfff\udc80", "a" * 1_000_000, "<s> <mask> [CLS]", "‮🂡"],
)
def test_poison(encoder: pair.PairEncoder, text: str) -> None:
    (encoding,) = encoder.encode_texts([TextInput(text, text)], "code")
    (asked,) = encoder.encode_queries([text], "code")
    for made in (encoding, asked):
        assert 1 <= len(made.tokens) <= SPEC.max_tokens
        assert np.isfinite(made.single).all()
        assert np.isfinite(made.tokens).all()


def test_order_is_kept(encoder: pair.PairEncoder) -> None:
    texts = [TextInput(p) for p in (*PASSAGES, "x", "word " * 150, *PASSAGES)]
    together = encoder.encode_texts(texts, "code")
    for text, encoding in zip(texts, together, strict=True):
        (alone,) = encoder.encode_texts([text], "code")
        assert alone.single @ encoding.single > 0.999


def test_images_are_refused_with_a_remedy(encoder: pair.PairEncoder) -> None:
    with pytest.raises(InklingError, match="does not see pictures"):
        encoder.encode_images(["x.png"], "retrieval")


def test_graphs_of_both_halves_are_kept(tmp_path: Path) -> None:
    first = pair.load(tmp_path, SPEC)
    made = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/graph-*/weights.bin")}
    assert {p.parents[1].name for p in made} == {"minilm", "e5"}
    again = pair.load(tmp_path, SPEC)
    assert made == {p: p.stat().st_mtime_ns for p in made}
    a, b = (e.encode_queries(["same"], "retrieval")[0].single for e in (first, again))
    np.testing.assert_array_equal(a, b)


def test_minilm_alone_is_what_it_was(encoder: pair.PairEncoder) -> None:
    """The halves' graph in bytes is no reason to index again what MiniLM alone indexed."""
    spec = MODELS["minilm"]
    assert spec.space == "minilm-l6-v2.1-256"
    alone = text_onnx.load(None, spec)
    texts = [TextInput(p) for p in PASSAGES]
    read = [encoder._minilm.read_passage(text).ids for text in texts]
    states = dict(encoder._minilm.states(read))
    rotation = text_onnx.load_projections("minilm/heads.npz")["single"][:, :256]
    for i, exact in enumerate(alone.encode_texts(texts, "retrieval")):
        assert text_onnx.unit(states[i].mean(0) @ rotation) @ exact.single > 0.99
