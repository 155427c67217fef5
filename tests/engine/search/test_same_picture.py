"""The same picture, cut: told by its correlation at the best place."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.contract.types import Look
from engine.search.same_picture import likeness, overlap, sureness

SIDE, FINE = 24, 240
share = st.floats(0.55, 1.0)
place = st.floats(0.0, 1.0)


def waves(seed: int) -> NDArray[np.float32]:
    """[FINE, FINE] grey levels 0..1 of a picture with soft shapes."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : FINE * 1j, 0 : 1 : FINE * 1j]
    total = np.zeros((FINE, FINE))
    for _ in range(6):
        across, down, phase = chance.uniform(-14, 14), chance.uniform(-14, 14), chance.uniform(0, 6)
        total += np.sin(across * x + down * y + phase)
    return np.asarray((total - total.min()) / np.ptp(total), np.float32)


def look_of(picture: NDArray[np.float32]) -> Look:
    """As the encoder makes it, without directions."""
    height, width = picture.shape
    rows, columns = np.linspace(0, height, SIDE + 1), np.linspace(0, width, SIDE + 1)
    small = [
        [
            picture[int(t) : max(int(b), int(t) + 1), int(a) : max(int(z), int(a) + 1)].mean()
            for a, z in itertools.pairwise(columns)
        ]
        for t, b in itertools.pairwise(rows)
    ]
    return Look(np.zeros((2, 4), np.float32), np.array(small, np.float32), (width, height))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), w=share, h=share, x=place, y=place)
def test_a_cut_is_the_same_picture_wherever_it_is_cut(
    seed: int, w: float, h: float, x: float, y: float
) -> None:
    whole = waves(seed)
    width, height = int(FINE * w), int(FINE * h)
    left, top = int((FINE - width) * x), int((FINE - height) * y)
    part = look_of(whole[top : top + height, left : left + width])
    assert overlap(part, [look_of(whole)])[0] > 0.9
    assert overlap(look_of(whole), [part])[0] > 0.9  # whichever of the two asks


def test_another_picture_is_not() -> None:
    looks = [look_of(waves(seed)) for seed in range(30)]
    sure = sureness(looks[0], looks)
    assert sure[0] > 0.99
    assert sure[1:].max() < 0.6
    assert np.median(sure[1:]) == 0.0


def test_plain_ground_is_like_nothing_and_alike_itself() -> None:
    plain = Look(np.zeros((2, 4), np.float32), np.full((SIDE, SIDE), 0.5, np.float32), (9, 9))
    assert overlap(plain, [look_of(waves(1))])[0] < 0.8
    assert overlap(plain, [plain])[0] > 0.99
    assert overlap(plain, []).shape == (0,)


def test_likeness_is_between_any_two_and_the_same() -> None:
    told = likeness(np.array([-0.2, 0.1, 0.6, 1.0, np.nan], np.float32))
    assert told[:2].tolist() == [0.0, 0.0]
    assert 0.3 < told[2] < 0.5
    assert told[3] == 1.0
    assert np.isnan(told[4])
