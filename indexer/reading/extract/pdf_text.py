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
from indexer.reading.extract.pdf_kerning import unbroken

#: Accents that TeX sets as characters of their own before the letter, and what composes with it.
_ACCENTS = str.maketrans({"´": "\u0301", "`": "\u0300", "¨": "\u0308", "˜": "\u0303",
                          "ˆ": "\u0302", "ˇ": "\u030c", "˚": "\u030a", "¯": "\u0304"})  # fmt: skip
_SPLIT_ACCENT = re.compile(r"([´`¨˜ˆˇ˚¯])([A-Za-zıȷ])")
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\ufeff\u200b\u00ad]")
_PLAIN_WORD = re.compile(r"\W{0,3}(\d[\d.,:/%-]*|[^\W\d_]+([-'’./@_&][^\W_]+)*)\W{0,3}")
MIN_PLAIN = 0.3  # share of words that look like words; a broken encoding has a tenth
JUDGED_WORDS = 30
#: A letter, digit or sign that stands alone, as those of a word do that is set wide.
_SET_WIDE = re.compile(r"[^\W_][.,:;!?]?|[.,:;!?&-]")
_APART, _APART_SMALL = 0.6, 1.2  # heights of a letter
SPACED = 4  # single letters in a row, from which on they are one word set wide


def page_text(page: Any) -> tuple[str, list[WordBox]]:
    """The text and the box of each word, as fractions of the page as it is shown.

    Blocks and lines keep the order of the document, in which columns of prose are right nearly
    always; cells that stand side by side in a table are joined to one row.
    """
    import pymupdf

    flags = pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_PRESERVE_LIGATURES
    text = _Text()
    words = unbroken(page, page.get_text("words", flags=flags), flags)
    rect = page.rect  # asks MuPDF each time
    for row in _rows(in_columns(words, rect.width)):
        text.add_row(row)
    return text.text, _placed(page, rect, text.found)


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


def _placed(page: Any, rect: Any, found: Iterable[tuple[int, int, Box]]) -> list[WordBox]:
    """Words with their boxes as fractions of the page, turned as the page is."""
    import pymupdf

    if getattr(page, "rotation", 0):
        turn = page.rotation_matrix
        found = ((a, b, tuple((pymupdf.Rect(box) * turn).normalize())) for a, b, box in found)
    x, y = rect.x0, rect.y0
    width, height = max(rect.width, 1e-6), max(rect.height, 1e-6)
    return [
        WordBox(a, b, ((x0 - x) / width, (y0 - y) / height, (x1 - x) / width, (y1 - y) / height))
        for a, b, (x0, y0, x1, y1) in found
    ]


_Word = tuple[str, Box]


def _unspaced(row: list[_Word]) -> list[_Word]:
    """A row with l e t t e r s set apart joined to words."""
    # Every row comes by here; of one that is set wide these three tell.
    if len(row) < SPACED:
        return row
    if len(row[0][0]) > 1 and len(row[len(row) // 2][0]) > 1 and len(row[-1][0]) > 1:
        return row
    joined: list[_Word] = []
    at = 0
    while at < len(row):
        end = at
        while end < len(row) and _SET_WIDE.fullmatch(row[end][0]):
            end += 1
        run = row[at:end]
        letters = sum(word[0].isalpha() for word, _ in run)
        joined += _letters(run) if letters >= max(SPACED, end - at - letters) else run
        joined += row[end : end + 1]
        at = end + 1
    return joined


def _letters(row: list[_Word]) -> list[_Word]:
    gaps = [two[0] - one[2] for (_, one), (_, two) in pairwise(row)]
    usual = median(gaps)
    # So far apart stand the cells of a table; small letters are seldom alone in one.
    small = 2 * sum(word.islower() for word, _ in row) > len(row)
    if usual > (_APART_SMALL if small else _APART) * (row[0][1][3] - row[0][1][1]):
        return row
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
    last_block, last_line = -1, -1
    begins = False
    for x0, y0, x1, y1, word, block, line, _ in words:
        if not (word.isascii() and word.isprintable()):  # most are, and a call a word tells
            word = _mended(word)
            if not word:
                continue
        if (line != last_line or block != last_block) and row:
            px1, py0, py1 = row[-1][1][2], row[-1][1][1], row[-1][1][3]
            shared = min(y1, py1) - max(y0, py0)
            if x0 < px1 or shared < 0.5 * min(y1 - y0, py1 - py0):
                yield begins, row
                row, begins = [], block != last_block
        last_block, last_line = block, line
        row.append((word, (x0, y0, x1, y1)))
    if row:
        yield begins, row


def _mended(word: str) -> str:
    """Without control characters, ligatures and accents in characters of their own."""
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
        self.found: list[tuple[int, int, Box]] = []  # first and last character of each word, box
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
            gap = "\n\n" if begins else "\n"
            self._pieces.append(gap)
            self._at += len(gap)
        at = self._at
        for word, box in row:
            end = at + len(word)
            self.found.append((at, end, box))
            at = end + 1
        self._at = at - 1
        if len(row) > 1:
            self._pieces.append(" ".join([word for word, _ in row[:-1]]) + " ")
        self._pieces.append(last[0])  # a piece of its own: it may be rejoined

    def _rejoin(self, following: str) -> bool:
        word = self._pieces[-1]
        if len(word) < 3 or word[-1] not in "-\u2010" or not word[-2].islower():
            return False
        if not following[0].islower():
            return False
        start, end, box = self.found[-1]
        self.found[-1] = (start, end - 1, box)
        self._pieces[-1] = word[:-1]
        self._at -= 1
        return True

    @property
    def text(self) -> str:
        return "".join(self._pieces)
