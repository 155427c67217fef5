"""Pictures as jina-v4's patches: decoded safely, sized to a budget, tiled where print is small."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from engine.contract.errors import InklingError
from engine.contract.types import Box

MAX_SOURCE_PIXELS = 100_000_000  # a larger picture is not decoded: 300 MB as RGB
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_MAX_ASPECT = 200
_TILE_OVERLAP = 16  # pixels, to each side
#: Neighbouring grey values this close are flat, this far apart an edge of print; and the shares of
#: them that a screen or page has. Of 90 screenshots, charts and diagrams all but one pass (least
#: 0.87 flat, 0.004 hard); photographs of 0.3 megapixels are 0.4 to 0.8 flat, larger ones less hard.
_FLAT_STEP, _HARD_STEP = 2, 64
_FLAT_SHARE, _HARD_SHARE = 0.85, 0.003

#: x0, x1, y0, y1 in pixels, ends exclusive.
Cut = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Patches:
    """One picture, or tile of one, as the vision tower takes it."""

    pixels: Tensor  # [high * wide, channels * 2 * patch * patch] float32
    high: int  # patches
    wide: int


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """The checkpoint's picture settings, and the resize and patch order that go with them."""

    min_pixels: int
    max_pixels: int
    patch: int
    merge: int
    temporal: int
    mean: tuple[float, ...]  # of pixels in [0, 1]
    std: tuple[float, ...]

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Preprocessor:
        size = settings.get("size") or {}
        return cls(
            int(settings.get("min_pixels") or size["shortest_edge"]),
            int(settings.get("max_pixels") or size["longest_edge"]),
            int(settings["patch_size"]),
            int(settings["merge_size"]),
            int(settings["temporal_patch_size"]),
            tuple(settings["image_mean"]),
            tuple(settings["image_std"]),
        )

    @property
    def factor(self) -> int:
        """Sides are multiples of this: one token's square, in pixels."""
        return self.patch * self.merge

    def fitted(self, height: int, width: int, max_pixels: int) -> tuple[int, int]:
        """Height and width as multiples of the factor within the budget, aspect kept."""
        factor = self.factor
        high = round(height / factor) * factor
        wide = round(width / factor) * factor
        if high * wide > max_pixels:
            shrink = math.sqrt(height * width / max_pixels)
            high = max(factor, math.floor(height / shrink / factor) * factor)
            wide = max(factor, math.floor(width / shrink / factor) * factor)
        elif high * wide < self.min_pixels:
            grow = math.sqrt(self.min_pixels / (height * width))
            high = math.ceil(height * grow / factor) * factor
            wide = math.ceil(width * grow / factor) * factor
        return high, wide

    def patches(self, picture: Tensor, max_pixels: int) -> Patches:
        """Resize [3, h, w] uint8 and cut it into patches in the order of merged squares.

        interpolate on uint8 is bit for bit the resize the model was trained with; PIL's differs by
        a grey level. Normalising in one step is too: (x/255 - mean)/std differs by 5e-7.
        """
        size = self.fitted(picture.shape[1], picture.shape[2], max_pixels)
        resized = torch.nn.functional.interpolate(
            picture[None], size=size, mode="bicubic", antialias=True, align_corners=False
        )[0]
        mean = torch.tensor(self.mean)[:, None, None] * 255
        std = torch.tensor(self.std)[:, None, None] * 255
        normal = (resized.float() - mean) / std
        high, wide = size[0] // self.patch, size[1] // self.patch
        m, p = self.merge, self.patch
        squares = normal.reshape(len(normal), high // m, m, p, wide // m, m, p)
        ordered = squares.permute(1, 4, 2, 5, 0, 3, 6)[:, :, :, :, :, None]
        frames = ordered.expand(-1, -1, -1, -1, -1, self.temporal, -1, -1)  # a still, repeated
        return Patches(frames.reshape(high * wide, -1).contiguous(), high, wide)


def decode(path: str, max_aspect: float | None = _MAX_ASPECT) -> Tensor:
    """A picture file as RGB [3, h, w] uint8, upright, transparent parts white.

    `max_aspect`: how many times as long as wide it may be; None as many as you like.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_SOURCE_PIXELS:
                raise InklingError(
                    "The file has {megapixels} megapixels, too many to decode.",
                    hint="Save it smaller.",
                    path=path,
                    told={"megapixels": f"{width * height / 1e6:.0f}"},
                )
            if max_aspect and max(width, height) > max_aspect * min(width, height):
                raise InklingError(
                    "The file is {width}x{height} pixels, too narrow to be a picture.",
                    hint="Open it to see whether it is whole.",
                    path=path,
                    told={"width": width, "height": height},
                )
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.has_transparency_data:
                clear = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
            array = np.asarray(upright.convert("RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise InklingError(
            "The file can't be read as a picture ({error}).",
            hint="Open it to see whether it is whole.",
            path=path,
            told={"error": type(error).__name__},
        ) from error
    return torch.from_numpy(array.copy()).permute(2, 0, 1).contiguous()


def tiles(height: int, width: int, max_pixels: int, limit: int) -> list[Cut]:
    """Cuts of a picture whose print would be lost at max_pixels, at most `limit`, rows first.

    The fewest that keep every pixel, as square as can be; where even `limit` do not, that many.
    """
    grids = [(n // columns, columns) for n in range(2, limit + 1) for columns in _divisors(n)]

    def area(grid: tuple[int, int]) -> int:
        return _side(height, grid[0]) * _side(width, grid[1])

    def badness(grid: tuple[int, int]) -> tuple[int, float]:
        high, wide = _side(height, grid[0]), _side(width, grid[1])
        return grid[0] * grid[1], max(high / wide, wide / high)

    whole = [grid for grid in grids if area(grid) <= max_pixels]
    largest = [grid for grid in grids if grid[0] * grid[1] == limit]
    rows, columns = min(whole or largest, key=badness)
    return [(*x, *y) for y in _cuts(height, rows) for x in _cuts(width, columns)]


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _side(length: int, parts: int) -> int:
    return min(length, math.ceil(length / parts) + 2 * _TILE_OVERLAP)


def _cuts(length: int, parts: int) -> list[tuple[int, int]]:
    """[start, end) of each part, overlapping so that a word on a border is whole in one of them."""
    edges = [round(i * length / parts) for i in range(parts + 1)]
    return [
        (max(0, a - _TILE_OVERLAP), min(length, b + _TILE_OVERLAP))
        for a, b in itertools.pairwise(edges)
    ]


def has_fine_print(picture: Tensor) -> bool:
    """Whether [3, h, w] uint8 looks like a screen or page: flat areas with hard edges in them.

    Photographs have neither: their neighbouring pixels differ a little nearly everywhere.
    """
    grey = picture.to(torch.int16).sum(0) // 3
    step = (grey[:, 1:] - grey[:, :-1]).abs()
    flat = (step <= _FLAT_STEP).float().mean().item()
    hard = (step >= _HARD_STEP).float().mean().item()
    return flat >= _FLAT_SHARE and hard >= _HARD_SHARE


def token_boxes(patches: Patches, merge: int, within: Box = (0, 0, 1, 1)) -> NDArray[np.float32]:
    """Where each image token looks [n, 4], rows first, as fractions of the whole picture."""
    rows, columns = patches.high // merge, patches.wide // merge
    x0, y0, x1, y1 = within
    xs = np.linspace(x0, x1, columns + 1, dtype=np.float32)
    ys = np.linspace(y0, y1, rows + 1, dtype=np.float32)
    top, left = np.meshgrid(ys[:-1], xs[:-1], indexing="ij")
    bottom, right = np.meshgrid(ys[1:], xs[1:], indexing="ij")
    return np.stack([left, top, right, bottom], axis=-1).reshape(-1, 4)
