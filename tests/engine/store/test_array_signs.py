"""Signs find about the nearest of many vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.store import Store, arrays
from engine.store.array_scan import Codes
from engine.store.array_signs import FIRST, Signs
from tests.engine.store.arrays_checks import check_agreement, made, view_of
from tests.engine.store.store_units import DIM


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, "m", DIM)
    yield opened
    opened.close()


def mixtures(count: int, dim: int, seed: int = 0) -> NDArray[np.float16]:
    """Directions that are alike to different degrees, as those of passages are."""
    rng = np.random.default_rng(seed)
    themes = np.random.default_rng(99).normal(size=(60, dim)) + 1.0  # all have much in common
    made = themes[rng.integers(60, size=(count, 3))].sum(axis=1) + rng.normal(size=(count, dim))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float16)


@pytest.mark.parametrize("dim", [100, 256])
def test_of_many_nearly_all_of_the_nearest_are_found(dim: int) -> None:
    vectors = mixtures(3 * FIRST, dim)
    signs, codes = Signs(vectors[::8].mean(axis=0, dtype=np.float32)), Codes(dim)
    for start in range(0, len(vectors), 3_000):  # blocks begin and end anywhere
        signs.append(vectors[start : start + 3_000])
    codes.append(vectors)
    allowed = np.random.default_rng(1).random(len(vectors)) < 0.8
    found = 0
    for query in mixtures(10, dim, seed=2).astype(np.float32):
        exact = codes.nearest(query, allowed, 50, lambda p: vectors[p].astype(np.float32))
        about = signs.nearest(query, allowed, 50, lambda p: vectors[p].astype(np.float32))
        known = dict(zip(*(part.tolist() for part in exact), strict=True))
        for place, cosine in zip(*(part.tolist() for part in about), strict=True):
            assert allowed[place]
            assert cosine == pytest.approx(known.get(place, cosine), abs=1e-6)
        assert np.all(np.diff(about[1]) <= 0)
        found += len(known.keys() & set(about[0].tolist()))
    assert found >= 0.98 * 500


def test_of_few_allowed_exactly_the_nearest_are_found() -> None:
    vectors = mixtures(10_000, 64)
    signs = Signs(np.zeros(64, np.float32))
    signs.append(vectors)
    allowed = np.zeros(len(vectors), np.bool_)
    allowed[::100] = True
    query = vectors[0].astype(np.float32)
    best, cosines = signs.nearest(query, allowed, 20, lambda p: vectors[p].astype(np.float32))
    products = vectors[::100].astype(np.float32) @ query
    assert sorted(best.tolist()) == sorted((np.argsort(-products)[:20] * 100).tolist())
    assert cosines[0] == pytest.approx(1.0, abs=1e-3)
    assert not len(signs.nearest(query, np.zeros(len(vectors), np.bool_), 5, _never)[0])


def _never(_: NDArray[np.intp]) -> NDArray[np.float32]:
    raise AssertionError


def test_who_scans_sees_nothing_of_what_comes_meanwhile() -> None:
    vectors = mixtures(6_000, 64)
    signs = Signs(np.zeros(64, np.float32))
    signs.append(vectors[:5_000])
    query = vectors[5_500].astype(np.float32)
    before = signs.nearest(query, np.ones(5_000, np.bool_), 5, lambda p: vectors[p].astype("f4"))
    signs.append(vectors[5_000:])
    after = signs.nearest(query, np.ones(5_000, np.bool_), 5, lambda p: vectors[p].astype("f4"))
    assert after[0].tolist() == before[0].tolist()
    now, _ = signs.nearest(query, np.ones(6_000, np.bool_), 5, lambda p: vectors[p].astype("f4"))
    assert now[0] == 5_500


def test_a_store_that_grows_goes_over_from_bytes_to_signs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "EXACT_ROWS", 5)
    kinds = []
    for n in range(1, 5):
        store.replace_files({n: made(n, 3, n)})
        check_agreement(store)
        view = view_of(store)
        assert view is not None
        assert view.near is not None
        assert view.near.dim == DIM
        kinds.append(type(view.near))
    assert (kinds[0], kinds[-1]) == (Codes, Signs)
