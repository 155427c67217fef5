"""How pictures look: directions, the small picture, the way out of a worker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from engine.contract.types import Look
from engine.encoders.image_onnx import look
from engine.encoders.image_onnx.look import look_at, packed, unpacked
from engine.encoders.image_onnx.network import network
from engine.search.same_picture import sureness
from tests.scenes import cut, framed, saved, scene, smaller

SCENES = 8


@pytest.fixture(scope="module")
def looks() -> list[Look]:
    return [look_at(scene(seed)) for seed in range(SCENES)]


def cosine(one: Look, other: Look) -> float:
    return float((one.views @ other.views.T).max())


def test_a_look_has_directions_a_small_picture_and_a_size(looks: list[Look]) -> None:
    assert looks[0].views.shape == (len(look.VIEWS), look.DIM)
    assert np.allclose(np.linalg.norm(looks[0].views, axis=1), 1.0, atol=1e-5)
    assert looks[0].small.shape == (look.SIDE, look.SIDE)
    assert 0.0 <= looks[0].small.min() <= looks[0].small.max() <= 1.0
    assert looks[0].size == (640, 480)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: cut(picture, 0.8, 0.2, 0.9),
        lambda picture: cut(picture, 0.6, 1.0, 0.0),
        lambda picture: smaller(picture, 0.25),
        lambda picture: saved(picture, 15),
        lambda picture: framed(saved(picture, 60), "white"),
    ],
    ids=["cut", "cut more", "smaller", "saved", "framed"],
)
def test_what_became_of_a_picture_looks_most_like_it(
    change: Callable[[Image.Image], Image.Image], looks: list[Look]
) -> None:
    right = 0
    for seed in range(SCENES):
        changed = look_at(change(scene(seed)))
        sure = sureness(changed, looks)
        told = [cosine(changed, other) + 0.5 * s for other, s in zip(looks, sure, strict=True)]
        right += int(np.argmax(told) == seed)
    assert right == SCENES


def test_what_the_network_made_before_is_not_made_again(looks: list[Look]) -> None:
    seen = network().see(scene(0))
    assert np.array_equal(look_at(scene(0), seen).views, looks[0].views)
    # It saw the frame as well.
    inside = look_at(framed(scene(0)), network().see(framed(scene(0))))
    assert cosine(inside, looks[0]) > 0.99


def test_a_frame_is_left_out_and_a_plain_sky_is_none() -> None:
    assert look_at(framed(scene(1))).size == scene(1).size
    sky = scene(1)
    sky.paste((90, 120, 200), (0, 0, 640, 200))
    assert look_at(sky).size == sky.size


def test_a_plain_picture_has_a_look_too() -> None:
    plain = look_at(Image.new("RGB", (30, 2), "teal"))
    assert np.isfinite(plain.views).all()
    assert plain.size == (30, 2)


def test_it_leaves_a_worker_and_comes_back(looks: list[Look]) -> None:
    back = unpacked(packed(looks[1]))
    assert np.allclose(back.views, looks[1].views, atol=1e-3)
    assert np.allclose(back.small, looks[1].small, atol=1e-3)
    assert back.size == looks[1].size


def test_what_is_no_look_is_refused(looks: list[Look]) -> None:
    good = packed(looks[0])
    huge = np.full(look.DIM, 9.0, "<f2").tobytes()
    wrong = (b"", good[:-1], good + b"x", "text", None, huge + good[len(huge) :])
    for data in (*wrong, np.full(look.DIM, np.nan, "<f2").tobytes() + good[len(huge) :]):
        with pytest.raises(ValueError, match="no look"):
            unpacked(data)
    with pytest.raises(ValueError, match="no picture"):
        unpacked(good[:-8] + bytes(8))
