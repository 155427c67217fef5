"""The order in which a person reads boxes on a page: columns of prose apart, tables row by row."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Protocol, TypeVar

from engine.contract.types import Box

MIN_GUTTER = 0.012  # of the page's width
MIN_COLUMN_LINES = 5
PROSE_FILL = 0.6  # a column of prose has lines nearly as wide as itself; a table column has not
MAX_HEADING_ROWS = 12
MAX_FOOTING_ROWS = 3  # a page's number in the middle, a notice


class Boxed(Protocol):
    """Anything with a place on the page."""

    @property
    def box(self) -> Box: ...


B = TypeVar("B", bound=Boxed)


def in_reading_order(boxes: Sequence[B]) -> list[B]:
    """The same boxes; within a column rows go top to bottom, each row left to right."""
    head, left, right, foot = two_columns(boxes)
    return [*head, *in_reading_order(left), *in_reading_order(right), *foot] if right else head


def two_columns(boxes: Sequence[B]) -> tuple[list[B], list[B], list[B], list[B]]:
    """What stands above two columns of prose, left, right and below of them, row by row; where no
    such columns are all of it is above."""
    found = rows(boxes)
    for foot in range(min(len(found) // 4, MAX_FOOTING_ROWS) + 1):
        for head in range(min(len(found) // 2, MAX_HEADING_ROWS) + 1):
            end = len(found) - foot
            body = _joined(found[head:end])
            gutter = _gutter(body)
            if gutter is not None:
                left = [item for item in body if item.box[0] < gutter]
                right = [item for item in body if item.box[0] >= gutter]
                return _joined(found[:head]), left, right, _joined(found[end:])
    return _joined(found), [], [], []


def _joined(found: Sequence[Sequence[B]]) -> list[B]:
    return [item for row in found for item in row]


def rows(boxes: Sequence[B]) -> list[list[B]]:
    """Boxes that stand side by side, by the row, each row left to right."""
    found: list[list[B]] = []
    top = bottom = 0.0
    for item in sorted(boxes, key=lambda item: item.box[1] + item.box[3]):
        y0, y1 = item.box[1], item.box[3]
        shared = min(bottom, y1) - max(top, y0)
        if found and shared > 0.5 * min(bottom - top, y1 - y0):
            found[-1].append(item)
        else:
            found.append([item])
            top, bottom = y0, y1
    return [sorted(row, key=lambda item: item.box[0]) for row in found]


def _gutter(boxes: Sequence[B]) -> float | None:
    """Where a white stripe from top to bottom parts two columns of prose."""
    if len(boxes) < 2 * MIN_COLUMN_LINES:
        return None
    ordered = sorted(boxes, key=lambda item: item.box[0])
    reach = ordered[0].box[2]
    for at, item in enumerate(ordered[1:], start=1):
        gap = item.box[0] - reach
        if gap >= MIN_GUTTER and _is_prose(ordered[:at]):
            rest = ordered[at:]
            if _is_prose(rest) or _gutter(rest) is not None:
                return item.box[0]
        reach = max(reach, item.box[2])
    return None


def _is_prose(boxes: Sequence[Boxed]) -> bool:
    if len(boxes) < MIN_COLUMN_LINES:
        return False
    width = max(item.box[2] for item in boxes) - min(item.box[0] for item in boxes)
    return median(item.box[2] - item.box[0] for item in boxes) >= PROSE_FILL * width
