"""The text layer of a page: in reading order, mended, with the place of every word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from statistics import median
from typing import Any

from engine.contract.types import Box, WordBox
from indexer.reading.extract.pdf_columns import in_columns

#: Accents that TeX sets as characters of their own before the letter, and what composes with it.
_ACCENTS = str.maketrans({"´": "\u0301", "`": "\u0300", "¨": "\u0308", "˜": "\u0303",
                          "ˆ": "\u0302", "ˇ": "\u030c", "˚": "\u030a", "¯": "\u0304"})  # fmt: skip
_SPLIT_ACCENT = re.compile(r"([´`¨˜ˆˇ˚¯])([A-Za-zıȷ])")
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\ufeff\u200b\u00ad]")
_PLAIN_WORD = re.compile(r"\W{0,3}(\d[\d.,:/%-]*|[^\W\d_]+([-'’./@_&][^\W_]+)*)\W{0,3}")
MIN_PLAIN = 0.3  # share of words that look like words; a broken encoding has a tenth
JUDGED_WORDS = 30
SPACED = 4  # single letters in a row, from which on they are one word set wide


def page_text(page: Any) -> tuple[str, list[WordBox]]:
    """The text and the box of each word, as fractions of the page as it is shown.

    Blocks and lines keep the order of the document, in which columns of prose are right nearly
    always; cells that stand side by side in a table are joined to one row.
    """
    import pymupdf

    flags = pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_PRESERVE_LIGATURES
    text = _Text()
    words = page.get_text("words", flags=flags)
    for row in _rows(in_columns(words, page.rect.width)):
        text.add_row(row)
    return text.finish(_shown(page))


def is_garbled(text: str) -> bool:
    """Whether the text layer is in an encoding of its own, so that only its picture is legible."""
    words = text.split()
    if len(words) < JUDGED_WORDS or (not text.isascii() and _far_from_latin(text)):
        return False
    plain = sum(_PLAIN_WORD.fullmatch(word) is not None for word in words)
    return plain < MIN_PLAIN * len(words)


def _far_from_latin(text: str) -> bool:
    """Scripts without spaces between words are not judged by their words."""
    return sum(char >= "\u0370" and char.isalpha() for char in text) > 0.3 * len(text)


def _shown(page: Any) -> Any:
    """A function from a word's box to fractions of the page, turned as the page is."""
    import pymupdf

    turn = page.rotation_matrix if getattr(page, "rotation", 0) else None
    x, y = page.rect.x0, page.rect.y0
    width, height = max(page.rect.width, 1e-6), max(page.rect.height, 1e-6)

    def at(box: Box) -> Box:
        x0, y0, x1, y1 = box if turn is None else tuple((pymupdf.Rect(box) * turn).normalize())
        return ((x0 - x) / width, (y0 - y) / height, (x1 - x) / width, (y1 - y) / height)

    return at


_Word = tuple[str, Box]


def _unspaced(row: list[_Word]) -> list[_Word]:
    """A row with l e t t e r s set apart joined to words."""
    # Every row comes by here; of one that is set wide these three tell.
    if len(row) < SPACED or min(map(len, (row[0][0], row[len(row) // 2][0], row[-1][0]))) > 1:
        return row
    joined: list[_Word] = []
    at = 0
    while at < len(row):
        end = at
        while end < len(row) and len(row[end][0]) == 1 and row[end][0].isalpha():
            end += 1
        joined += _letters(row[at:end]) if end - at >= SPACED else row[at:end]
        joined += row[end : end + 1]
        at = end + 1
    return joined


def _letters(row: list[_Word]) -> list[_Word]:
    gaps = [two[0] - one[2] for (_, one), (_, two) in pairwise(row)]
    usual = median(gaps)
    if usual > 0.6 * (row[0][1][3] - row[0][1][1]):
        return row  # so far apart stand the cells of a table
    words = [row[0]]
    for gap, (letter, box) in zip(gaps, row[1:], strict=True):
        if gap > 1.8 * max(usual, 0.5):
            words.append((letter, box))
        else:
            word, (x0, y0, _, y1) = words[-1]
            words[-1] = word + letter, (x0, min(y0, box[1]), box[2], max(y1, box[3]))
    return words


def _rows(words: Iterable[tuple[Any, ...]]) -> Iterable[tuple[bool, list[_Word]]]:
    """Rows of words, each with whether a new block begins there."""
    row: list[_Word] = []
    last: tuple[int, int] = (-1, -1)
    begins = False
    for x0, y0, x1, y1, word, block, line, _ in words:
        word = _mended(word)
        if not word:
            continue
        if (block, line) != last and row:
            px1, py0, py1 = row[-1][1][2], row[-1][1][1], row[-1][1][3]
            shared = min(y1, py1) - max(y0, py0)
            if x0 < px1 or shared < 0.5 * min(y1 - y0, py1 - py0):
                yield begins, row
                row, begins = [], block != last[0]
        last = (block, line)
        row.append((word, (x0, y0, x1, y1)))
    if row:
        yield begins, row


def _mended(word: str) -> str:
    """Without control characters, ligatures and accents in characters of their own."""
    if word.isascii() and word.isprintable():
        return word
    word = _UNWANTED.sub("", word)
    word = _SPLIT_ACCENT.sub(
        lambda m: m[2].translate({0x131: "i", 0x237: "j"}) + m[1].translate(_ACCENTS), word
    )
    return unicodedata.normalize("NFC", word)


def _is_ideograph(word: str) -> bool:
    return len(word) == 1 and word >= "\u2e80"


def _stands_below(box: Box, above: Box) -> bool:
    size = above[3] - above[1]
    return abs(box[0] - above[0]) < 0.3 * size and -0.3 * size < box[1] - above[3] < size


class _Text:
    """Gathers rows into one string; a word hyphenated at a line's end becomes whole again."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._found: list[tuple[int, int, Box]] = []
        self._at = 0
        self._upright: Box | None = None  # the ideograph that stands alone at the end

    def add_row(self, begins_and_row: tuple[bool, list[_Word]]) -> None:
        begins, row = begins_and_row
        row = _unspaced(row)
        upright = len(row) == 1 and _is_ideograph(row[0][0])
        below = upright and self._upright is not None and _stands_below(row[0][1], self._upright)
        last = row[-1]
        self._upright = last[1] if _is_ideograph(last[0]) else None
        if below:
            pass  # set from top to bottom: the line goes on
        elif self._pieces and not self._rejoin(row[0][0]):
            self._put("\n\n" if begins else "\n")
        for n, (word, box) in enumerate(row):
            if n:
                self._put(" ")
            self._found.append((self._at, self._at + len(word), box))
            self._put(word)

    def _rejoin(self, following: str) -> bool:
        word = self._pieces[-1]
        if len(word) < 3 or word[-1] not in "-\u2010" or not word[-2].islower():
            return False
        if not following[0].islower():
            return False
        start, end, box = self._found[-1]
        self._found[-1] = (start, end - 1, box)
        self._pieces[-1] = word[:-1]
        self._at -= 1
        return True

    def _put(self, piece: str) -> None:
        self._pieces.append(piece)
        self._at += len(piece)

    def finish(self, shown: Any) -> tuple[str, list[WordBox]]:
        return "".join(self._pieces), [WordBox(a, b, shown(box)) for a, b, box in self._found]
