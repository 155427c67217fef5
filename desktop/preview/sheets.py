"""Where the pages of a document lie below each other, at any width."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from PySide6.QtCore import QRectF

from desktop.theme import GRID

#: Height by width of a page that nobody has seen yet, where no other has been seen either: A4.
_PAPER = 2**0.5


class Sheets:
    """Pages `first` to `last`, all as wide as the view shows them, with a gap between.

    A page that has not been drawn yet is taken to be as high as the one that was seen first.
    """

    def __init__(self, first: int = 1, last: int = 0) -> None:
        self.first, self.last = first, last
        self.width = 0.0
        self._ratios: dict[int, float] = {}
        self._tops: list[float] = []

    def __len__(self) -> int:
        return max(0, self.last - self.first + 1)

    def __contains__(self, page: int) -> bool:
        return self.first <= page <= self.last

    @property
    def height(self) -> float:
        """Of all of them, with the gaps above and below."""
        return self._tops[-1] if self._tops else 0.0

    def ratio(self, page: int) -> float:
        """Height by width."""
        return self._ratios.get(page) or next(iter(self._ratios.values()), _PAPER)

    def saw(self, page: int, width: int, height: int) -> None:
        """A page has been drawn: this is how it is shaped."""
        self._ratios[page] = height / max(width, 1)

    def lay_out(self, width: float) -> None:
        """Place all of them, so wide."""
        self.width = width
        pages = range(self.first, self.last + 1)
        steps = (self.ratio(page) * width + GRID for page in pages)
        self._tops = list(accumulate(steps, initial=float(GRID)))

    def rect(self, page: int) -> QRectF:
        """Where a page lies, from the left edge of the pages and the top of the first gap."""
        top = self._tops[page - self.first]
        return QRectF(0, top, self.width, self._tops[page - self.first + 1] - GRID - top)

    def at(self, y: float) -> int:
        """The page at a height; of a gap the page above."""
        found = bisect_right(self._tops, y) - 1
        return self.first + min(max(found, 0), max(len(self) - 1, 0))

    def between(self, top: float, bottom: float) -> range:
        """The pages of which something lies between two heights."""
        if not len(self):
            return range(0)
        return range(self.at(top), self.at(bottom) + 1)
