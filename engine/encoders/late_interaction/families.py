"""What the retrievers differ in: their classes, and where on a picture its tokens look."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import (
    ColModernVBertForRetrieval,
    ColModernVBertProcessor,
    ColPaliForRetrieval,
    ColPaliProcessor,
    ColQwen2ForRetrieval,
    ColQwen2Processor,
)

from engine.contract.types import Box

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")

#: The ids of a picture's tokens and the same in words, the processor that made them, and its other
#: outputs -> [n, 4] the part of the picture that each saw; of what is no patch all of it.
Boxes = Callable[[Sequence[int], Sequence[str], Any, Mapping[str, Any]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Family:
    """A retriever's classes in transformers."""

    network: type[Any]
    processor: type[Any]
    boxes: Boxes


def _squeezed(
    ids: Sequence[int], words: Sequence[str], processor: Any, inputs: Mapping[str, Any]
) -> NDArray[np.float32]:
    """ColPali: the picture is squeezed into a square of patches."""
    side = isqrt(processor.image_seq_length)
    return _placed(ids, processor.image_token_id, [_grid(side, side, _WHOLE)])


def _in_rows(
    ids: Sequence[int], words: Sequence[str], processor: Any, inputs: Mapping[str, Any]
) -> NDArray[np.float32]:
    """ColQwen2: squares of patches, as many as the picture's shape has."""
    merge = processor.image_processor.merge_size
    _, high, wide = inputs["image_grid_thw"][0].tolist()
    return _placed(ids, processor.image_token_id, [_grid(high // merge, wide // merge, _WHOLE)])


def _in_tiles(
    ids: Sequence[int], words: Sequence[str], processor: Any, inputs: Mapping[str, Any]
) -> NDArray[np.float32]:
    """ColModernVBERT: tiles, each announced by its row and column, and at last the whole."""
    named = [(int(m[1]), int(m[2])) for m in map(_TILE.fullmatch, words) if m]
    rows, columns = map(max, zip(*named, strict=True)) if named else (1, 1)
    parts: list[Box] = [
        ((c - 1) / columns, (r - 1) / rows, c / columns, r / rows) for r, c in named
    ]
    side = isqrt(processor.image_seq_len)
    return _placed(ids, processor.image_token_id, [_grid(side, side, p) for p in [*parts, _WHOLE]])


def _grid(high: int, wide: int, part: Box) -> NDArray[np.float32]:
    """[high * wide, 4]: a part of a picture in equal boxes, row by row."""
    x, y = (
        np.linspace(a, b, n + 1, dtype=np.float32)
        for a, b, n in ((part[0], part[2], wide), (part[1], part[3], high))
    )
    left, top = np.meshgrid(x[:-1], y[:-1])
    right, bottom = np.meshgrid(x[1:], y[1:])
    return np.stack([left, top, right, bottom], axis=-1).reshape(-1, 4)


def _placed(
    ids: Sequence[int], patch: int, grids: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """[n, 4]: these boxes in order for the tokens that are patches, all for the others. ValueError
    if there are not as many."""
    boxes = np.tile(np.array(_WHOLE, np.float32), (len(ids), 1))
    boxes[np.array(ids) == patch] = np.concatenate(grids)
    return boxes


#: By `model_type` of config.json.
FAMILIES: Mapping[str, Family] = {
    "colpali": Family(ColPaliForRetrieval, ColPaliProcessor, _squeezed),
    "colqwen2": Family(ColQwen2ForRetrieval, ColQwen2Processor, _in_rows),
    "colmodernvbert": Family(ColModernVBertForRetrieval, ColModernVBertProcessor, _in_tiles),
}
