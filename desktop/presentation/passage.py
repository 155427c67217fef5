"""The part of a passage that fits a row, with its matched runs: pure text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int]  # start and end (exclusive) in characters
_LEAD = 40  # characters kept before the first match, so that it reads as a sentence


#: Signs of Markdown and its kin that say how a text is set; what is put in their place. They stand
#: at the beginning of lines, which the index may have joined.
_SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!?\[([^\]\n]{1,200})\]\([^)\s]{0,300}\)"), r"\1"),  # [text](address)
    (re.compile(r"(?:(?<=\s)|^)[|:\s-]*\|\s*:?-{2,}[|:\s-]*(?=\s|$)"), " "),  # under a table's head
    (re.compile(r"([=~*_#+-])\1{2,}"), " "),  # underlines and rules
    (re.compile(r"(?:(?<=\s)|^)#{1,6}(?=\s)"), ""),
    (re.compile(r"(?:(?<=\n)|^)[ \t]*>+ ?"), ""),
    (re.compile(r"(?:(?<=\s)|^)[-*+] (?:\[[ xX]\] )?(?=\S)"), "· "),
    (re.compile(r"\*\*|__(?=\w)|(?<=\w)__|`+"), ""),
    (re.compile(r"(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)"), ""),
    (re.compile(r"\s*\|\s*"), " · "),
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text on one or a few lines, and where the matches stand in it."""

    text: str
    marks: tuple[Span, ...]
    tints: tuple[Span, ...] = ()  # sentences that answer in other words


def without_signs(text: str, marks: Sequence[Span]) -> tuple[str, list[Span]]:
    """A passage without the signs of Markdown, and its marks moved along."""
    moved = list(marks)
    for pattern, instead in _SIGNS:
        out, edits, end = list[str](), list[tuple[int, int, int]](), 0  # start, end, growth
        for found in pattern.finditer(text):
            new = found.expand(instead)
            # Of [text](address) the text keeps its place: a mark may be in it.
            inner = found.start(1) if instead == r"\1" else -1
            out += [text[end : found.start()], new]
            if inner >= 0:
                edits.append((found.start(), inner, found.start() - inner))
                edits.append((found.end(1), found.end(), found.end(1) - found.end()))
            else:
                edits.append((found.start(), found.end(), len(new) - len(found[0])))
            end = found.end()
        if edits:
            text = "".join([*out, text[end:]])
            moved = [(_moved(a, edits), _moved(b, edits)) for a, b in moved]
    return text, [(a, b) for a, b in moved if a < b]


def _moved(place: int, edits: Sequence[tuple[int, int, int]]) -> int:
    """Where a place is after parts before it grew or shrank; within one: at its end."""
    shift = 0
    for start, end, growth in edits:
        if place >= end:
            shift += growth
        elif place > start:
            return end + shift + growth
    return place + shift


def prose(text: str, marks: Sequence[Span], room: int, tints: Sequence[Span] = ()) -> Excerpt:
    """About `room` characters around the first tint or match; white space and line breaks are one
    space, and signs that say how the text is set are left out."""
    _, tints = without_signs(text, tints)
    text, marks = without_signs(text, marks)
    start = len(text) - len(text.lstrip(" \t\n·"))
    first = next(iter(tints or marks), None)
    if first is not None and (first[1] > room - _LEAD or (tints and first[0] > _LEAD)):
        start = max(0, first[0] - (0 if tints else _LEAD))
        # Begin at a word, and not too far from where we wanted to.
        gap = text.find(" ", start, first[0])
        start = gap + 1 if 0 <= gap - start < _LEAD else start
    cut = start > 0 and bool(text[:start].strip(" \t\n·"))
    end = start + 2 * room
    shown, moved = _collapse(text, marks, start, end, cut)
    return Excerpt(shown, moved, _collapse(text, tints, start, end, cut)[1])


def code(text: str, marks: Sequence[Span], lines: int, tints: Sequence[Span] = ()) -> Excerpt:
    """Whole lines from the one with the first tint or match on, without their common
    indentation."""
    first = next(iter(tints or marks), None)
    start = text.rfind("\n", 0, first[0] if first else 0) + 1
    if first is None:
        start = len(text) - len(text.lstrip("\n"))
    shown, moved = _code(text, marks, lines, start)
    return Excerpt(shown, moved, _code(text, tints, lines, start)[1])


def _code(text: str, marks: Sequence[Span], lines: int, start: int) -> tuple[str, tuple[Span, ...]]:
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
    return "\n".join(kept), tuple(span for span in moved if span[0] < span[1])


def _collapse(
    text: str, marks: Sequence[Span], start: int, end: int, cut: bool
) -> tuple[str, tuple[Span, ...]]:
    """text[start:end] with runs of white space as one space, matches moved along.

    `cut`: something is left out before.
    """
    out: list[str] = ["…"] if cut else []
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
    return shown, tuple(span for span in inside if span[0] < span[1])
