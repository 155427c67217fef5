"""Cuts what a file gave into units: passages that fit an encoder and know where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.types import Unit, WordBox
from indexer.extract.base import Extraction, Part
from indexer.unit_context import context_of


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large units are, in characters. MiniLM reads 256 word pieces, context included."""

    prose: int = 1000
    code: int = 1000
    overlap: int = 120  # of prose, repeated from the passage before
    crumb: int = 350  # smaller neighbours are merged


SIZES = Sizes()

# Borders of prose, best first; each match ends where a passage may end.
_BORDERS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])"),
    re.compile(r"\s+"),
)


def units_of(
    extraction: Extraction,
    file_id: int,
    path: str,
    root: str,
    sizes: Sizes = SIZES,
) -> list[Unit]:
    """The units of a file in reading order; `image` is a name in the scratch folder."""
    units: list[Unit] = []
    context_for = context_of(extraction, path, root)
    picture = extraction.kind in ("image", "screenshot")  # found by its name at least
    for part in _merged(extraction, sizes):
        for start, end in _cuts(part, extraction, sizes):
            text = part.text[start:end]
            if not (picture or part.image or any(c.isalnum() for c in text)):
                continue
            units.append(
                Unit(
                    file_id=file_id,
                    ordinal=len(units),
                    kind=extraction.kind,
                    text=text,
                    context=context_for(part),
                    page=part.page,
                    lines=_lines(part, start, end),
                    symbol=part.symbol,
                    language=part.language or extraction.language,
                    words=_words(part, start, end),
                    image=part.image,
                )
            )
    return units


def _cuts(part: Part, extraction: Extraction, sizes: Sizes) -> Iterator[tuple[int, int]]:
    """Where to cut a part: offsets into its text, without the white space at the ends."""
    text = part.text
    if part.image:
        yield 0, len(text)
        return
    code = extraction.kind == "code"
    limit = sizes.code if code else sizes.prose
    start = 0
    while True:
        end = len(text)
        if end - start > limit:
            end = _border(text, start, start + limit, code)
        trimmed = _trim(text, start, end, code)
        if trimmed:
            yield trimmed
        elif not text:
            yield 0, 0
        if end >= len(text):
            return
        start = end if code else _overlap(text, start, end, sizes.overlap)


def _border(text: str, start: int, end: int, code: bool) -> int:
    """The best place to cut in the last half of [start, end)."""
    least = start + (end - start) // 2
    for border in _BORDERS[:2] if code else _BORDERS:
        if found := list(border.finditer(text, least, end)):
            return found[-1].end()
    return end


def _overlap(text: str, start: int, end: int, overlap: int) -> int:
    """Where the next passage begins: at a sentence or word shortly before the cut."""
    least = max(start + 1, end - overlap)
    for border in _BORDERS[1:]:
        if (found := border.search(text, least, end)) and found.end() < end:
            return found.end()
    return end


def _trim(text: str, start: int, end: int, code: bool) -> tuple[int, int] | None:
    while end > start and text[end - 1].isspace():
        end -= 1
    while start < end and (text[start] == "\n" if code else text[start].isspace()):
        start += 1
    return (start, end) if start < end else None


def _lines(part: Part, start: int, end: int) -> tuple[int, int] | None:
    """The lines of a cut, where the part's text is the file's own, line by line."""
    if part.lines is None or part.text.count("\n") != part.lines[1] - part.lines[0]:
        return part.lines
    first = part.lines[0] + part.text.count("\n", 0, start)
    return first, first + part.text.count("\n", start, end)


def _words(part: Part, start: int, end: int) -> tuple[WordBox, ...]:
    return tuple(
        WordBox(word.start - start, word.end - start, word.box)
        for word in part.words
        if word.start >= start and word.end <= end
    )


def _merged(extraction: Extraction, sizes: Sizes) -> list[Part]:
    """Parts with small neighbours joined, so that a note isn't crumbs. Code keeps its symbols."""
    merged: list[Part] = []
    for part in extraction.parts:
        if merged and extraction.kind != "code" and _may_join(merged[-1], part, sizes):
            merged[-1] = _join(merged[-1], part)
        else:
            merged.append(part)
    return merged


def _may_join(one: Part, two: Part, sizes: Sizes) -> bool:
    small = min(len(one.text), len(two.text)) < sizes.crumb
    fits = len(one.text) + len(two.text) + 2 <= sizes.prose
    return small and fits and one.page == two.page and not (one.image or two.image)


def _join(one: Part, two: Part) -> Part:
    gap = "\n\n"
    shift = len(one.text) + len(gap)
    common = 0
    for a, b in zip(one.heading, two.heading, strict=False):
        if a != b:
            break
        common += 1
    words = [WordBox(w.start + shift, w.end + shift, w.box) for w in two.words]
    lines = (one.lines[0], two.lines[1]) if one.lines and two.lines else None
    return Part(
        one.text + gap + two.text,
        heading=one.heading[:common],
        page=one.page,
        lines=lines,
        language=one.language if one.language == two.language else None,
        words=one.words + words,
        thumb=one.thumb or two.thumb,
        ocr=one.ocr or two.ocr,
    )
