"""Late chunking: chunks in their document's context, windows for what is longer than the model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.contract.types import Encoding
from engine.encoders.inference.late_chunking import Window, token_range, windows
from engine.encoders.jina_v4.encoder import JinaV4
from tests.engine.encoders.jina_tiny import FOLDER, tiny

TEXT = json.loads((FOLDER / "golden_meta.json").read_text())["texts"]["long"]
SPANS = [(0, 66), (66, 138), (138, 185)]


@pytest.fixture(scope="module")
def encoder() -> JinaV4:
    return tiny()


def far(one: Encoding, other: Encoding) -> float:
    assert one.tokens.shape == other.tokens.shape
    return float(
        max(np.abs(one.single - other.single).max(), np.abs(one.tokens - other.tokens).max())
    )


def spans_of(lengths: list[int], lead: int) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Token spans of a prompt's lead and words of so many characters."""
    ends = np.cumsum(lengths)
    words = np.stack([ends - lengths, ends], axis=1)
    return np.concatenate([np.full((lead, 2), -1), words]).astype(np.int32)


def test_a_chunk_has_its_own_tokens_counted_from_its_start(encoder: JinaV4) -> None:
    chunks = encoder.encode_chunks(TEXT, SPANS, "Climate", "retrieval")
    for (start, end), chunk in zip(SPANS, chunks, strict=True):
        assert chunk.spans is not None
        assert len(chunk.spans) == len(chunk.tokens)
        assert chunk.spans.min() == 0
        assert chunk.spans.max() == end - start
        # Read by its spans the chunk's own text comes back.
        pieces = sorted({(int(a), int(b)) for a, b in chunk.spans})
        assert "".join(TEXT[start + a : start + b] for a, b in pieces) == TEXT[start:end]


def test_a_chunk_knows_what_came_before(encoder: JinaV4) -> None:
    alone = encoder.encode_chunks(TEXT[66:138], [(0, 72)], "", "retrieval")[0]
    inside = encoder.encode_chunks(TEXT, SPANS, "", "retrieval")[1]
    changed = encoder.encode_chunks("X" + TEXT[1:], SPANS, "", "retrieval")[1]
    assert np.abs(inside.single - alone.single).max() > 0.01
    assert np.abs(inside.single - changed.single).max() > 1e-4


def test_spans_may_come_in_any_order_and_overlap(encoder: JinaV4) -> None:
    turned = encoder.encode_chunks(TEXT, [SPANS[2], (30, 90), SPANS[0]], "", "code")
    straight = encoder.encode_chunks(TEXT, SPANS, "", "code")
    assert far(turned[0], straight[2]) <= 2e-5
    assert far(turned[2], straight[0]) <= 2e-5


def test_slices_of_little_memory_give_the_same(encoder: JinaV4) -> None:
    whole = encoder.encode_chunks(TEXT, SPANS, "", "retrieval")
    sliced = tiny(budget=5).encode_chunks(TEXT, SPANS, "", "retrieval")
    assert max(far(a, b) for a, b in zip(whole, sliced, strict=True)) <= 2e-5


def test_a_document_longer_than_the_window_loses_no_chunk() -> None:
    text = " ".join(f"Sentence number {i} says something." for i in range(60))
    spans = [(i, min(i + 100, len(text))) for i in range(0, len(text), 100)]
    encoder = tiny(max_tokens=150)
    chunks = encoder.encode_chunks(text, spans, "Numbers", "retrieval")
    whole = tiny().encode_chunks(text, spans, "Numbers", "retrieval")
    assert far(chunks[0], whole[0]) <= 2e-5
    for (start, end), chunk in zip(spans, chunks, strict=True):
        assert chunk.spans is not None
        assert chunk.spans.max() == end - start
        assert np.linalg.norm(chunk.single) == pytest.approx(1, abs=1e-5)


def test_empty_spans_and_empty_text(encoder: JinaV4) -> None:
    for text, spans in (("", [(0, 0)]), ("words", [(2, 2), (5, 5)])):
        for chunk in encoder.encode_chunks(text, spans, "", "retrieval"):
            assert np.isfinite(chunk.single).all()
            assert len(chunk.tokens) >= 1


def test_windows_are_few_full_and_overlap() -> None:
    spans = spans_of([5] * 1000, lead=4)
    chunks = [(i, i + 50) for i in range(0, 5000, 50)]
    found = list(windows(spans, chunks, limit=204))
    assert sorted(i for w in found for i in w.chunks) == list(range(100))
    assert len(found) == 6
    for window in found:
        assert len(window.tokens) <= 204
        assert window.tokens[:4] == [0, 1, 2, 3]
        for i, (start, end) in zip(window.chunks, window.ranges, strict=True):
            own = spans[[window.tokens[t] for t in range(start, end)]]
            assert (own[0, 0], own[-1, 1]) == chunks[i]
    second = found[1]
    assert second.ranges[0][0] - 4 == 25  # an eighth of the window is read again


def test_a_chunk_longer_than_a_window_is_cut() -> None:
    spans = spans_of([5] * 100, lead=2)
    found = list(windows(spans, [(0, 10), (10, 490), (490, 500)], limit=22))
    assert [w.chunks for w in found] == [[0], [1], [2]]
    assert found[1].ranges == [(2, 22)]
    assert all(len(w.tokens) <= 22 for w in found)


def test_one_window_where_it_fits() -> None:
    spans = spans_of([3, 3, 3], lead=1)
    assert list(windows(spans, [(3, 9), (0, 3)], 32)) == [
        Window([0, 1, 2, 3], [1, 0], [(1, 2), (2, 4)])
    ]


def test_overlap_decides_which_tokens_are_a_chunks() -> None:
    spans = spans_of([4, 4, 4], lead=1)
    assert token_range(spans, 0, 4) == (1, 2)
    assert token_range(spans, 3, 5) == (1, 3)
    assert token_range(spans, 4, 4) == (2, 3)
    assert token_range(spans, 99, 99) == (3, 4)
