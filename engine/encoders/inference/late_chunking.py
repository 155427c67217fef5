"""Late chunking: one forward over a document, each chunk pooled from its own tokens in context.

A document longer than the model's window is read in windows; each starts with some of what came
before, so that no chunk stands without its context.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int32]  # [n, 2] characters of each token, (-1, -1) for the prompt's own
Range = tuple[int, int]  # token positions, end exclusive

_OVERLAP = 1 / 8  # of a window: what it repeats of the one before


@dataclass(frozen=True, slots=True)
class Window:
    """Some neighbouring chunks and the tokens they are read with."""

    tokens: list[int]  # positions in the whole document's prompt, rising
    chunks: list[int]  # indices into the chunks
    ranges: list[Range]  # of each chunk, positions in `tokens`


def token_range(spans: Spans, start: int, end: int) -> Range:
    """The tokens that overlap the characters [start, end); the one before an empty stretch."""
    overlapping = np.flatnonzero((spans[:, 0] < end) & (spans[:, 1] > start))
    if len(overlapping):
        return int(overlapping[0]), int(overlapping[-1]) + 1
    before = int(np.searchsorted(spans[:, 0], start, side="right"))
    return max(before - 1, 0), max(before, 1)


def windows(spans: Spans, chunks: Sequence[tuple[int, int]], limit: int) -> Iterator[Window]:
    """The fewest windows of at most `limit` tokens, in reading order, that hold every chunk.

    A chunk that is longer than a window by itself is cut at the right.
    """
    lead = int(np.argmax(spans[:, 0] >= 0)) if (spans[:, 0] >= 0).any() else len(spans)
    ranges = [token_range(spans, *chunk) for chunk in chunks]
    order = sorted(range(len(chunks)), key=lambda i: ranges[i])
    if len(spans) <= limit:
        yield Window(list(range(len(spans))), order, [ranges[i] for i in order])
        return
    room = max(limit - lead, 1)
    group: list[int] = []
    first = lead  # position where the group's window starts
    for i in order:
        if group and ranges[i][1] - first > room:
            yield _window(group, ranges, lead, first, room)
            first = max(lead, ranges[i][0] - int(room * _OVERLAP))
            group = []
        if not group and ranges[i][1] - first > room:  # even alone too long for the overlap
            first = ranges[i][0]
        group.append(i)
    if group:
        yield _window(group, ranges, lead, first, room)


def _window(group: list[int], ranges: Sequence[Range], lead: int, first: int, room: int) -> Window:
    stop = min(max(ranges[i][1] for i in group), first + room)
    shift = first - lead
    return Window(
        [*range(lead), *range(first, stop)],
        group,
        [(ranges[i][0] - shift, min(ranges[i][1], stop) - shift) for i in group],
    )


def relative(spans: Spans, chunk: tuple[int, int]) -> Spans:
    """Spans of a chunk's tokens counted from the chunk's start and cut to it."""
    start, end = chunk
    inside = np.clip(spans, start, end) - start
    inside[spans[:, 0] < 0] = -1
    return inside.astype(np.int32)
