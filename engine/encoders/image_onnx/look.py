"""How a picture looks: directions from the picture network, and the picture itself, very small.

The directions find what looks alike; the small picture tells whether it is the same one, cut
(engine.search.same_picture). Measured on 439 photos of things and 333 screenshots: a cut of 0.8 of
the sides finds its picture among the first five in 99 % of the cases by directions alone.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Look
from engine.encoders.image_onnx.network import Seen, network

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]

#: Pixels of each side of the small picture. It takes the place of one direction.
SIDE = 24
DIM = SIDE * SIDE
#: Left, top, right, bottom, as shares of the sides: the whole, and the middle, without which a cut
#: of 0.6 of the sides comes first in 75 % for 88 %. Four corners more: 94 %, and thrice the work.
VIEWS = ((0.0, 0.0, 1.0, 1.0), (0.15, 0.15, 0.85, 0.85))
#: Raise the number where a look changes: then all pictures are looked at anew.
SPACE = f"sight-efficientnet-lite0-1-{DIM}"

_SIZE = struct.Struct("<2I")
_BYTES = 2 * DIM * (len(VIEWS) + 1) + _SIZE.size
#: Levels that a frame's pixels may be off, as its picture was saved with loss.
_FRAME = 16
#: Less than this share of a picture within its frame is no picture.
_LEAST = 0.05


def look_at(picture: Image, seen: Seen | None = None) -> Look:
    """Of a picture of mode RGB; `seen`: what the network made of it, if it was asked before.
    InklingError without the network; 20 ms a view."""
    framed = picture
    picture = _without_frame(picture)
    whole = seen if seen is not None and picture is framed else network().see(picture)
    others = [network().see(_cut(picture, view)) for view in VIEWS[1:]]
    features = np.stack([whole.features, *(other.features for other in others)])
    return Look(_directions(features), _small(picture), picture.size)


def packed(look: Look) -> bytes:
    """For the way out of a worker."""
    levels = np.concatenate([look.views.ravel(), look.small.ravel()]).astype("<f2")
    return levels.tobytes() + _SIZE.pack(*look.size)


def unpacked(data: object) -> Look:
    """What `packed` gave; ValueError if it did not."""
    if not isinstance(data, bytes) or len(data) != _BYTES:
        raise ValueError("no look has this length")
    levels = np.frombuffer(data[: -_SIZE.size], "<f2").astype(np.float32).reshape(-1, DIM)
    if not np.isfinite(levels).all() or np.abs(levels).max() > 1.001:
        raise ValueError("no look has these numbers")
    width, height = _SIZE.unpack(data[-_SIZE.size :])
    if not (0 < width < 1 << 24 and 0 < height < 1 << 24):
        raise ValueError("no picture has this size")
    return Look(_unit(levels[:-1]), levels[-1].reshape(SIDE, SIDE), (width, height))


def _directions(features: Floats) -> Floats:
    """[v, DIM] unit length of features [v, 1280].

    Roots, so that no few channels decide; then the slow waves over the channels, whose order means
    nothing: a projection that needs no table. The slowest, their sum, is left out: it is what all
    pictures share. By 256 of them nothing is lost that was measured.
    """
    return _unit(np.sqrt(np.maximum(features, 0.0)) @ _waves(features.shape[1]))


@lru_cache(maxsize=1)
def _waves(channels: int) -> Floats:
    """[channels, DIM]"""
    at = np.arange(channels) + 0.5
    return np.cos(np.pi / channels * np.outer(at, np.arange(1, DIM + 1))).astype(np.float32)


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


def _small(picture: Image) -> Floats:
    """[SIDE, SIDE] grey levels 0..1, squeezed into a square."""
    from PIL import Image as Images

    grey = picture.convert("L").resize((SIDE, SIDE), Images.Resampling.BOX, reducing_gap=3.0)
    return np.asarray(grey, np.float32) / np.float32(255)


def _cut(picture: Image, view: tuple[float, float, float, float]) -> Image:
    (width, height), (x0, y0, x1, y1) = picture.size, view
    left, top = int(width * x0), int(height * y0)
    return picture.crop((left, top, max(left + 1, int(width * x1)), max(top + 1, int(height * y1))))


def _without_frame(picture: Image) -> Image:
    """What is within a plain frame; the same object where there is none."""
    from PIL import Image as Images
    from PIL import ImageChops

    right, bottom = picture.width - 1, picture.height - 1
    corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)]
    colours = np.array([picture.getpixel(corner) for corner in corners], np.int16)
    if np.ptp(colours, axis=0).max() > _FRAME:  # a plain sky is no frame
        return picture
    plain = Images.new("RGB", picture.size, tuple(colours[0].tolist()))
    levels = ImageChops.difference(picture, plain).convert("L")
    inside = levels.point(lambda level: 255 * (level > _FRAME)).getbbox()
    if inside is None or inside == (0, 0, *picture.size):
        return picture
    area = (inside[2] - inside[0]) * (inside[3] - inside[1])
    if area < _LEAST * picture.width * picture.height:
        return picture
    return picture.crop(inside)
