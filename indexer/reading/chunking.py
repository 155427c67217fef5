"""Cuts what a file gave into units: passages that fit an encoder and know where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from engine.contract.kinds import included_kinds
from engine.contract.types import Unit, WordBox
from indexer.reading.context import context_of, continued
from indexer.reading.extract.base import Extraction, Part

#: Raise it when units are cut otherwise: files are read again while their old units answer.
VERSION = 2


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
    picture = extraction.kind in included_kinds("image")  # found by its name at least
    for part in _merged(extraction, sizes):
        counter, context = _LineCounter(part), context_for(part)
        before = 0
        for start, end in _cuts(part, extraction.kind == "code", sizes):
            text, overlap, before = part.text[start:end], max(0, before - start), end
            if not (picture or part.image or any(c.isalnum() for c in text)):
                continue
            units.append(
                Unit(
                    file_id=file_id,
                    ordinal=len(units),
                    kind=extraction.kind,
                    text=text,
                    context=context if start == 0 else continued(context, part),
                    page=part.page,
                    lines=counter.lines(start, end),
                    symbol=part.symbol,
                    language=part.language or extraction.language,
                    words=_words(part, start, end),
                    image=part.image,
                    overlap=overlap,
                    shows=() if text.strip() else tuple(extraction.sights),
                )
            )
    return units


def _cuts(part: Part, code: bool, sizes: Sizes) -> Iterator[tuple[int, int]]:
    """Where to cut a part: offsets into its text, without the white space at the ends."""
    text = part.text
    if part.image or not text.strip():
        yield 0, len(text)
        return
    limit = sizes.code if code else sizes.prose
    if _dense_script(text):
        limit //= 3
    start = 0
    while start < len(text):
        end, rest = len(text), len(text) - start
        if rest > limit:
            # Two thirds of a last stretch, so that no crumb remains at the end.
            end = _border(text, start, start + min(limit, rest * 2 // 3 + 1), code)
        trimmed = _trim(text, start, end, code)
        if trimmed:
            yield trimmed
        if end >= len(text):
            return
        start = end if code else _overlap(text, start, end, min(sizes.overlap, limit // 4))


def _dense_script(text: str) -> bool:
    """Whether most characters are a word piece of their own: Chinese, Japanese, Korean."""
    sample = text[:: max(1, len(text) // 200)]
    return sum(c > "\u2e80" for c in sample) > 0.3 * len(sample)


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


class _LineCounter:
    """Where cuts of a part stand in the file; counts on from the cut before, not from the start."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._at, self._line = 0, part.lines[0] if part.lines else 0
        # Only a text that is the file's own, line by line, can be counted.
        self._own = part.lines is not None and (
            part.text.count("\n") == part.lines[1] - part.lines[0]
        )

    def lines(self, start: int, end: int) -> tuple[int, int] | None:
        """1-based lines of [start, end); starts must not decrease from call to call."""
        if not self._own:
            return self._part.lines
        self._line += self._part.text.count("\n", self._at, start)
        self._at = start
        return self._line, self._line + self._part.text.count("\n", start, end)


def _words(part: Part, start: int, end: int) -> tuple[WordBox, ...]:
    return tuple(
        WordBox(word.start - start, word.end - start, word.box)
        for word in part.words
        if word.start >= start and word.end <= end
    )


def _merged(extraction: Extraction, sizes: Sizes) -> list[Part]:
    """Parts with small neighbours joined, so that a note isn't crumbs. Symbols stay alone."""
    merged: list[Part] = []
    for part in extraction.parts:
        if merged and _may_join(merged[-1], part, sizes):
            merged[-1] = _join(merged[-1], part)
        else:
            merged.append(part)
    return merged


def _may_join(one: Part, two: Part, sizes: Sizes) -> bool:
    """Two small neighbours, or a small beginning and the section below it."""
    if one.symbol or two.symbol or one.image or two.image or one.page != two.page:
        return False
    if len(one.text) + len(two.text) + 2 > sizes.prose or len(one.text) >= sizes.crumb:
        return False
    return len(two.text) < sizes.crumb or _common(one, two) == len(one.heading) > 0


def _common(one: Part, two: Part) -> int:
    """How many headings both are under."""
    same = (a == b for a, b in zip(one.heading, two.heading, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _join(one: Part, two: Part) -> Part:
    gap = "\n\n"
    shift = len(one.text) + len(gap)
    words = [WordBox(w.start + shift, w.end + shift, w.box) for w in two.words]
    lines = (one.lines[0], two.lines[1]) if one.lines and two.lines else None
    return Part(
        one.text + gap + two.text,
        heading=one.heading[: _common(one, two)],
        page=one.page,
        lines=lines,
        language=one.language if one.language == two.language else None,
        words=one.words + words,
        thumb=one.thumb or two.thumb,
        ocr=one.ocr or two.ocr,
    )
