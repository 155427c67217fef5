"""Pictures as EmbeddingGemma 2's patches: always sized to fill a budget of tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.encoders.jina_v4.images import Patches

#: Tokens of a picture that the model was trained with.
BUDGETS = (70, 140, 280, 560, 1120)


@dataclass(frozen=True, slots=True)
class Grid:
    """How a picture is cut."""

    patch: int  # pixels on a side
    pool: int  # patches on a side of the square that becomes one token

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Grid:
        """From the config.json of the model."""
        vision = config["vision_config"]
        return cls(int(vision["patch_size"]), int(vision["pooling_kernel_size"]))

    def fitted(self, height: int, width: int, budget: int) -> tuple[int, int]:
        """Height and width that fill the budget, aspect kept but for whole squares."""
        side = self.patch * self.pool
        scale = math.sqrt(budget * side * side / (height * width))
        high = math.floor(scale * height / side) * side
        wide = math.floor(scale * width / side) * side
        if not high:
            return side, min(width // height, budget) * side
        if not wide:
            return min(height // width, budget) * side, side
        return high, wide

    def patches(self, picture: Tensor, budget: int) -> Patches:
        """Resize [3, h, w] uint8 and cut it into patches, rows first, colours last, in 0 to 1.

        interpolate on uint8 is bit for bit the resize the model was trained with; Pillow's is not.
        """
        size = self.fitted(picture.shape[1], picture.shape[2], budget)
        if size != tuple(picture.shape[1:]):
            picture = torch.nn.functional.interpolate(
                picture[None], size=size, mode="bicubic", antialias=True, align_corners=False
            )[0]
        high, wide = size[0] // self.patch, size[1] // self.patch
        cut = picture.reshape(3, high, self.patch, wide, self.patch).permute(1, 3, 2, 4, 0)
        # Times the reciprocal: dividing by 255 gives other last digits.
        pixels = cut.reshape(high * wide, -1).float() * (1 / 255)
        return Patches(pixels.contiguous(), high, wide)


def places(patches: Patches) -> Tensor:
    """[n, 2] int64: column and row of each patch."""
    rows = torch.arange(patches.high).repeat_interleave(patches.wide)
    columns = torch.arange(patches.wide).repeat(patches.high)
    return torch.stack([columns, rows], dim=-1)


def smaller_budget(budget: int) -> int | None:
    """The next lower one; None at the lowest."""
    return max((b for b in BUDGETS if b < budget), default=None)
