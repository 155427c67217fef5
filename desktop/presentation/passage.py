"""The part of a passage that fits a row, with its matched runs: pure text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int]  # start and end (exclusive) in characters
_LEAD = 40  # characters kept before the first match, so that it reads as a sentence


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text on one or a few lines, and where the matches stand in it."""

    text: str
    marks: tuple[Span, ...]


def prose(text: str, marks: Sequence[Span], room: int) -> Excerpt:
    """About `room` characters around the first match; white space and line breaks are one space."""
    start = 0
    if marks and marks[0][1] > room - _LEAD:
        start = max(0, marks[0][0] - _LEAD)
        # Begin at a word, and not too far from where we wanted to.
        gap = text.find(" ", start, marks[0][0])
        start = gap + 1 if 0 <= gap - start < _LEAD else start
    return _collapse(text, marks, start, start + 2 * room)


def code(text: str, marks: Sequence[Span], lines: int) -> Excerpt:
    """Whole lines from the one with the first match on, without their common indentation."""
    at = marks[0][0] if marks else 0
    start = text.rfind("\n", 0, at) + 1
    if not marks:
        start = len(text) - len(text.lstrip("\n"))
    chosen = text[start:].split("\n")[:lines]
    indents = [len(line) - len(line.lstrip()) for line in chosen if line.strip()]
    indent = min(indents, default=0)
    kept, moved, position = [], [], start
    offset = 0
    for line in chosen:
        cut = line[indent:].rstrip()
        for a, b in marks:
            low = max(a, position + indent) - position - indent
            high = min(b, position + len(line)) - position - indent
            if 0 <= low < high:
                moved.append((offset + low, offset + min(high, len(cut))))
        kept.append(cut)
        offset += len(cut) + 1
        position += len(line) + 1
    return Excerpt("\n".join(kept), tuple(span for span in moved if span[0] < span[1]))


def _collapse(text: str, marks: Sequence[Span], start: int, end: int) -> Excerpt:
    """text[start:end] with runs of white space as one space, matches moved along."""
    out: list[str] = ["…"] if start else []
    place: list[int] = []  # for each source character its place in the output
    length = len(out)
    for character in text[start:end]:
        place.append(length)
        if character.isspace():
            if out and out[-1] == " ":
                place[-1] = length - 1
                continue
            character = " "
        out.append(character)
        length += 1
    place.append(length)
    moved = []
    for a, b in marks:
        a, b = max(a, start) - start, min(b, end) - start
        if a < b and b < len(place):
            moved.append((place[a], place[b]))
    shown = "".join(out).rstrip()
    inside = ((a, min(b, len(shown))) for a, b in moved)
    return Excerpt(shown, tuple(span for span in inside if span[0] < span[1]))
