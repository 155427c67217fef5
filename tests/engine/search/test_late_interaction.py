"""Late interaction: MaxSim against the definition, quantisation's loss, pooling's unions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.search import late_interaction as tokens_module
from engine.search.late_interaction import maxsim, pool, quantise

Float = NDArray[np.float32]


def unit_rows(rng: np.random.Generator, n: int, t: int = 32) -> Float:
    x = rng.normal(size=(n, t)).astype(np.float32)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), dtype=np.float32)


def defined_maxsim(query: Float, doc: NDArray[np.int8], weights: Float | None) -> float:
    """The definition, one token at a time."""
    share = np.ones(len(query)) if weights is None else weights
    total = 0.0
    for token, weight in zip(query, share, strict=True):
        total += float(weight) * max(float(token @ (row / 127.0)) for row in doc)
    return total / float(share.sum())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("block", [3, 4096])
def test_maxsim_is_its_definition(
    weighted: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_BLOCK", block)
    rng = np.random.default_rng(3)
    query = unit_rows(rng, 7)
    docs = [quantise(unit_rows(rng, int(n))) for n in rng.integers(1, 40, size=25)]
    weights = rng.random(7).astype(np.float32) if weighted else None
    wanted = [defined_maxsim(query, doc, weights) for doc in docs]
    found = maxsim(query, docs, weights=weights)
    np.testing.assert_allclose(found.scores, wanted, atol=1e-5)
    for doc, similarities in zip(docs, found.similarities, strict=True):
        expected = query @ (doc.astype(np.float32) / 127).T
        np.testing.assert_allclose(similarities, expected, atol=1e-5)


def test_documents_without_tokens_come_last() -> None:
    rng = np.random.default_rng(4)
    query = unit_rows(rng, 3)
    empty, wide = np.zeros((0, 32), np.int8), np.zeros((0, 0), np.int8)
    docs = [empty, quantise(unit_rows(rng, 5)), wide, quantise(query)]
    found = maxsim(query, docs)
    assert found.scores[0] == found.scores[2] == -1.0
    assert found.scores[3] == pytest.approx(1.0, abs=0.02)
    assert found.scores[1] == pytest.approx(defined_maxsim(query, docs[1], None), abs=1e-5)
    assert [len(s.T) for s in found.similarities] == [0, 5, 0, 3]
    assert maxsim(query, []).scores.shape == (0,)
    assert maxsim(query, [empty]).scores.tolist() == [-1.0]


def test_quantised_products_are_close() -> None:
    rng = np.random.default_rng(5)
    a, b = unit_rows(rng, 200, 128), unit_rows(rng, 200, 128)
    exact = a @ b.T
    rough = a @ (quantise(b).astype(np.float32) / 127).T
    assert np.abs(exact - rough).max() < 0.02
    assert quantise(np.array([[1.0, -1.0]], np.float32)).tolist() == [[127, -127]]


def test_pooling_merges_like_neighbours_and_unites_their_spans() -> None:
    rng = np.random.default_rng(6)
    kinds = unit_rows(rng, 4)
    runs = [0, 0, 1, 1, 1, 2, 3, 3]
    noisy = kinds[runs] + rng.normal(size=(8, 32)).astype(np.float32) * 0.01
    tokens = np.asarray(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), dtype=np.float32)
    spans = np.array([[i * 3, i * 3 + 2] for i in range(8)], dtype=np.int32)
    pooled = pool(tokens, 2.0, spans=spans)
    assert pooled.spans is not None
    assert pooled.spans.tolist() == [[0, 5], [6, 14], [15, 17], [18, 23]]
    np.testing.assert_allclose(np.linalg.norm(pooled.tokens, axis=1), 1.0, atol=1e-5)
    assert ((pooled.tokens @ kinds.T).argmax(axis=1) == [0, 1, 2, 3]).all()


@pytest.mark.parametrize(("n", "factor"), [(0, 2.0), (1, 3.0), (100, 1.0), (101, 2.0), (257, 3.0)])
def test_pooling_reaches_the_count_asked_for(n: int, factor: float) -> None:
    rng = np.random.default_rng(n)
    tokens = unit_rows(rng, n)
    pooled = pool(tokens, factor)
    assert len(pooled.tokens) == (max(1, int(np.ceil(n / factor))) if n else 0)
    assert pooled.tokens.dtype == np.float32


def test_context_tokens_are_not_mixed_with_the_text() -> None:
    rng = np.random.default_rng(8)
    tokens = np.repeat(unit_rows(rng, 1), 6, axis=0)  # all alike: everything would merge
    spans = np.array([[-1, -1]] * 3 + [[0, 1], [1, 2], [2, 3]], dtype=np.int32)
    pooled = pool(tokens, 6.0, spans=spans)
    assert pooled.spans is not None
    assert pooled.spans.tolist() == [[-1, -1], [0, 3]]


def test_boxes_do_not_grow_across_a_line_break() -> None:
    tokens = np.repeat(unit_rows(np.random.default_rng(9), 1), 8, axis=0)
    rows = [[x / 4, y / 2, (x + 1) / 4, (y + 1) / 2] for y in range(2) for x in range(4)]
    pooled = pool(tokens, 4.0, boxes=np.array(rows, dtype=np.float32))
    assert pooled.boxes is not None
    areas = (pooled.boxes[:, 2:] - pooled.boxes[:, :2]).prod(axis=1)
    assert areas.sum() == pytest.approx(1.0)  # a box across the break would overlap others
