"""Which parts of a long source text are folded, so that what was found is seen in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Shorter texts, and shorter parts, are shown whole.
LONG, _FEWEST = 60, 4
#: A part with the found lines is shown whole up to here; of a longer one what is in it is folded.
_WHOLE = 60
_TAB = 4


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines `first` to `last` (0-based, inclusive) below a head that stays."""

    head: int
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def meets(self, lines: tuple[int, int]) -> bool:
        """Whether it, or its head, holds some of these lines."""
        return self.head <= lines[1] and lines[0] <= self.last


def parts(lines: Sequence[str]) -> list[Fold]:
    """By indentation: each line with deeper ones below it; outer before inner, in order.

    Every language is indented, and what closes a part stands where its head does, and stays.
    """
    found: list[Fold] = []
    open_: list[tuple[int, int]] = []  # indentation and number of the heads above
    last = -1  # with something on it

    def close(indent: int) -> None:
        while open_ and open_[-1][0] >= indent:
            _, head = open_.pop()
            if last - head >= _FEWEST:
                found.append(Fold(head, head + 1, last))

    for number, line in enumerate(lines):
        text = line.expandtabs(_TAB)
        indent = len(text) - len(text.lstrip())
        if not text.strip():
            continue
        close(indent)
        open_.append((indent, number))
        last = number
    close(0)
    return sorted(found, key=lambda fold: (fold.head, -fold.last))


def folded(found: Iterable[Fold], kept: tuple[int, int]) -> list[Fold]:
    """Of the parts those to fold: the outermost ones without the kept lines, beside a part with
    them that is short enough to be seen whole."""
    chosen: list[Fold] = []
    shown = -1  # up to here it is decided
    for fold in found:
        if fold.head <= shown:
            continue
        if not fold.meets(kept):
            chosen.append(fold)
            shown = fold.last
        elif len(fold) <= _WHOLE:
            shown = fold.last
    return chosen
