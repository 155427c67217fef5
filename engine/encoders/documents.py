"""A file's passages put together again, for models that read a document as a whole.

The text is made of the units alone: what was withheld from the index the model does not see.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from engine.contract.types import CONTEXT_SEPARATOR, Unit


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where each of its units stands in it: [start, end) in characters."""

    text: str
    spans: list[tuple[int, int]]
    context: str  # what all units have in common


def assemble(units: Sequence[Unit]) -> Document:
    """The document of a file's units, in their order; overlaps are there once."""
    text: list[str] = []
    spans: list[tuple[int, int]] = []
    length, last = 0, None
    for unit in units:
        # What a unit repeats of one that is not there is its own.
        follows = last is not None and unit.ordinal == last + 1
        overlap = min(unit.overlap, length) if follows else 0
        if text and not overlap:
            text.append("\n\n")
            length += 2
        spans.append((length - overlap, length - overlap + len(unit.text)))
        text.append(unit.text[overlap:])
        length += len(unit.text) - overlap
        last = unit.ordinal
    return Document("".join(text), spans, _common([unit.context for unit in units]))


def _common(contexts: Sequence[str]) -> str:
    """The leading pieces that all contexts share: title, name and folders."""
    columns = zip(*(context.split(CONTEXT_SEPARATOR) for context in contexts), strict=False)
    same = itertools.takewhile(lambda column: len(set(column)) == 1, columns)
    return CONTEXT_SEPARATOR.join(column[0] for column in same)


def groups(units: Sequence[tuple[int, Unit]]) -> tuple[list[list[int]], list[int]]:
    """Positions of units that make a document together, and of those that stand alone.

    Takes (position, unit); units of a file come one after another.
    """
    together: list[list[int]] = []
    alone: list[int] = []
    for _, group in itertools.groupby(units, key=lambda pair: pair[1].file_id):
        positions = [position for position, _ in group]
        if len(positions) > 1:
            together.append(positions)
        else:
            alone += positions
    return together, alone
