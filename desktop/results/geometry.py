"""Where results lie, as arithmetic: rows of which the current one is taller, or a grid of pictures.

Every question is answered in constant or logarithmic time, however many results there are.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal, Protocol

from PySide6.QtCore import QRect

Move = Literal["up", "down", "left", "right", "page-up", "page-down", "home", "end"]
BAND = 28  # above what is only similar, with a word on it


class Geometry(Protocol):
    """Rectangles in pixels from the upper left corner of the first result."""

    @property
    def height(self) -> int:
        """Of all results together."""
        ...

    def rect(self, item: int) -> QRect:
        """Of one result."""
        ...

    def at(self, x: int, y: int) -> int | None:
        """The result at a place."""
        ...

    def between(self, top: int, bottom: int) -> range:
        """The results of which something is between two heights."""
        ...

    def moved(self, item: int, move: Move, page: int) -> int:
        """The result that a key leads to; `page`: pixels in view."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """One below the other."""

    count: int
    width: int
    row: int  # height of each
    tall: int  # height of the current one
    current: int | None = None
    divide: int | None = None  # the first one that is only similar

    @property
    def height(self) -> int:
        return self._top(self.count)

    def _top(self, item: int) -> int:
        top = item * self.row
        if self.current is not None and self.current < item:
            top += self.tall - self.row
        return top + (BAND if self.divide is not None and self.divide <= item else 0)

    def rect(self, item: int) -> QRect:
        high = self.tall if item == self.current else self.row
        return QRect(0, self._top(item), self.width, high)

    def at(self, x: int, y: int) -> int | None:
        item = self._before(y)
        return item if item is not None and self.rect(item).contains(x, y) else None

    def _before(self, y: int) -> int | None:
        """The last one that begins at this height or above."""
        item = bisect_right(range(self.count), y, key=self._top) - 1
        return item if item >= 0 else None

    def between(self, top: int, bottom: int) -> range:
        first = self._before(top) or 0
        last = self._before(bottom)
        return range(first, 0 if last is None else last + 1)

    def moved(self, item: int, move: Move, page: int) -> int:
        rows = max(1, page // self.row - 1)
        steps = {"up": -1, "down": 1, "page-up": -rows, "page-down": rows}
        steps |= {"home": -self.count, "end": self.count}
        return min(max(item + steps.get(move, 0), 0), self.count - 1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of one size, as many beside each other as fit; what is only similar begins a line."""

    count: int
    width: int
    cell: int  # least width of a cell
    caption: int  # height below the picture
    divide: int | None = None

    @property
    def columns(self) -> int:
        return max(1, self.width // self.cell)

    @property
    def cell_height(self) -> int:
        """As high as wide, and the caption."""
        return self.width // self.columns * 3 // 4 + self.caption

    @property
    def _matching_lines(self) -> int:
        return -(-(self.divide or 0) // self.columns)

    @property
    def height(self) -> int:
        return self._top(self._line(self.count - 1) + 1) if self.count else 0

    def _line(self, item: int) -> int:
        if self.divide is None or item < self.divide:
            return item // self.columns
        return self._matching_lines + (item - self.divide) // self.columns

    def _top(self, line: int) -> int:
        band = BAND if self.divide is not None and line >= self._matching_lines else 0
        return line * self.cell_height + band

    def _line_items(self, line: int) -> range:
        if self.divide is None or line < self._matching_lines:
            first = line * self.columns
            end = self.count if self.divide is None else self.divide
        else:
            first = self.divide + (line - self._matching_lines) * self.columns
            end = self.count
        return range(min(first, end), min(first + self.columns, end))

    def rect(self, item: int) -> QRect:
        line = self._line(item)
        column = item - self._line_items(line).start
        left = column * self.width // self.columns
        right = (column + 1) * self.width // self.columns
        return QRect(left, self._top(line), right - left, self.cell_height)

    def _line_before(self, y: int) -> int | None:
        lines = self._line(self.count - 1) + 1 if self.count else 0
        line = bisect_right(range(lines), y, key=self._top) - 1
        return line if line >= 0 else None

    def at(self, x: int, y: int) -> int | None:
        line = self._line_before(y)
        if line is None:
            return None
        return next((i for i in self._line_items(line) if self.rect(i).contains(x, y)), None)

    def between(self, top: int, bottom: int) -> range:
        first, last = self._line_before(top), self._line_before(bottom)
        if last is None:
            return range(0)
        return range(self._line_items(first or 0).start, self._line_items(last).stop)

    def moved(self, item: int, move: Move, page: int) -> int:
        if move in ("home", "end"):
            return 0 if move == "home" else self.count - 1
        if move in ("left", "right"):
            return min(max(item + (1 if move == "right" else -1), 0), self.count - 1)
        line, last = self._line(item), self._line(self.count - 1)
        lines = max(1, page // self.cell_height - 1) if move.startswith("page") else 1
        goal = min(max(line + (-lines if move.endswith("up") else lines), 0), last)
        if goal == line:
            return item
        items = self._line_items(goal)
        return min(items.start + item - self._line_items(line).start, items.stop - 1)
