"""Secrets taken out of what a file gave, before anything is cut, encoded or stored.

The passage stays, findable by its other words; where the secret stood it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.contract.types import WITHHELD, Unit, WordBox
from indexer.reading.extract.base import Extraction, OcrPage
from indexer.reading.secrets import Span, secret_spans

#: Secrets of one file that are looked for in all of it. Each is looked for in all of its text:
#: what has more is a list of secrets.
MOST = 2_000


class TooManySecretsError(Exception):
    """A file is full of secrets, of these kinds."""


def redact(extraction: Extraction) -> list[str]:
    """Take the secrets out, wherever they stand; the rule of each. TooManySecretsError.

    Pictures of the pages they stand on go, too: they can be read.
    """
    pieces: dict[str, str] = {}
    any_spans = False
    for text in _texts(extraction):
        if spans := secret_spans(text):
            any_spans = True
            pieces.update(_pieces(text, spans))
        if len(pieces) > MOST:
            raise TooManySecretsError(", ".join(sorted(set(pieces.values()))))
    if not any_spans and not any(part.ocr and WITHHELD in part.text for part in extraction.parts):
        return []
    found: list[str] = []

    def clean(text: str) -> str:
        return _covered(text, (), _spans(text, pieces))[0]

    pages = set[int | None]()
    for part in extraction.parts:
        spans = _spans(part.text, pieces)
        # What an earlier call has read of a scan is kept without its secrets.
        before = ["Secret"] * part.text.count(WITHHELD) if part.ocr else []
        part.heading = tuple(clean(text) for text in part.heading)
        part.symbol = clean(part.symbol) if part.symbol else part.symbol
        if spans or before:
            found += [rule for _, _, rule in spans] + before
            part.text, words = _covered(part.text, part.words, spans)
            part.words, part.image = list(words), None
            pages.add(part.page)
    for part in extraction.parts:
        if part.page in pages:
            part.thumb = None
    extraction.title, extraction.big_line = clean(extraction.title), clean(extraction.big_line)
    extraction.attributes = {
        name: clean(value) if isinstance(value, str) else value
        for name, value in extraction.attributes.items()
    }
    return found or sorted(set(pieces.values()))


def redact_units(units: Sequence[Unit]) -> tuple[list[Unit], list[str]]:
    """The same of units: a name at the end of one part and its value at the beginning of the next
    are a secret only once these are joined."""
    clean, found = list[Unit](), list[str]()
    for unit in units:
        in_text, in_context = secret_spans(unit.text), secret_spans(unit.context)
        if in_text or in_context:
            text, words = _covered(unit.text, unit.words, in_text)
            context, _ = _covered(unit.context, (), in_context)
            unit = replace(unit, text=text, words=tuple(words), context=context, image=None)
            found += [rule for _, _, rule in in_text]
        clean.append(unit)
    return clean, found


def redact_page(page: OcrPage) -> OcrPage:
    """A page as it may lie on disk."""
    text, words = _covered(page.text, page.words, secret_spans(page.text))
    return replace(page, text=text, words=list(words))


def says_something(text: str) -> bool:
    """Whether anything is left to be found by."""
    return any(char.isalnum() for char in text.replace(WITHHELD, ""))


def _texts(extraction: Extraction) -> Iterator[str]:
    yield from (extraction.title, extraction.big_line)
    yield from (value for value in extraction.attributes.values() if isinstance(value, str))
    for part in extraction.parts:
        yield part.text
        yield from part.heading
        yield part.symbol or ""


def _pieces(text: str, spans: Sequence[Span]) -> Iterator[tuple[str, str]]:
    """What must stand nowhere else in the file either, line by line, with the rule."""
    for start, end, rule in spans:
        for line in text[start:end].splitlines():
            if len(line.strip()) >= 8 and "PRIVATE KEY" not in line:
                yield line.strip(), rule


def _spans(text: str, pieces: dict[str, str]) -> list[Span]:
    """Where it holds secrets, those that only their other places tell as well; none overlap."""
    spans = secret_spans(text)
    for piece, rule in pieces.items():
        start = text.find(piece)
        while start >= 0:
            spans.append((start, start + len(piece), rule))
            start = text.find(piece, start + len(piece))
    return _apart(spans)


def _apart(spans: Sequence[Span]) -> list[Span]:
    """The same characters, none twice."""
    apart: list[Span] = []
    for start, end, rule in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]), apart[-1][2])
        else:
            apart.append((start, end, rule))
    return apart


def _covered(
    text: str, words: Sequence[WordBox], spans: Sequence[Span]
) -> tuple[str, Sequence[WordBox]]:
    """The text with marks for spans, of as many lines, and where its other words are now."""
    made, kept, at, shift = [], list[WordBox](), 0, 0
    rest = sorted(words, key=lambda word: word.start)
    for start, end, _ in _apart(spans):
        mark = WITHHELD + "\n" * text.count("\n", start, end)
        made += [text[at:start], mark]
        kept += [_moved(w, shift) for w in rest if w.start >= at and w.end <= start]
        shift += len(mark) - (end - start)
        at = end
    kept += [_moved(word, shift) for word in rest if word.start >= at]
    return "".join([*made, text[at:]]), kept


def _moved(word: WordBox, by: int) -> WordBox:
    return WordBox(word.start + by, word.end + by, word.box)
