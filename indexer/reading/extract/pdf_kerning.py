"""Words of fonts that tell a wrong size: MuPDF takes every kern for a space and a new line.

Old TeX sets its letters as bitmaps (Type 3) whose size is that of a pixel: "entropy" comes as "en",
"trop" and "y", each a line of its own, some without height, and ligatures as control characters.
Such pages are read letter by letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

#: Share of words that are a line each from which on lines were not understood; 0.3 at most where
#: they were (65 papers and reports).
_BROKEN = 0.6
_FEWEST = 12  # words that tell
#: Of the usual width of a letter: kerns lie within ±0.22, spaces between words begin at 0.4
#: (measured on papers of 1986 and 1994).
_KERN = 0.32
_CELL = 6.0  # widths; what stands farther off is of another column or cell
_OFF_LINE = 0.3  # widths; the baselines of a line are the same, indices stand lower
_ASCENT, _DESCENT = 1.6, 0.5  # widths, where a font tells no height
_LIGATURES = {"\x0b": "ff", "\x0c": "fi", "\x0d": "fl", "\x0e": "ffi", "\x0f": "ffl"}

#: As MuPDF gives a word: x0, y0, x1, y1, text, block, line, number.
Word = tuple[float, float, float, float, str, int, int, int]


def unbroken(page: Any, words: list[Word], flags: int) -> list[Word]:
    """The words of a page as they are, or read anew where kerns had broken them."""
    lines = len({(word[5], word[6]) for word in words})
    if len(words) < _FEWEST or lines < _BROKEN * len(words):
        return words
    blocks = page.get_text("rawdict", flags=flags)["blocks"]
    letters = [letter for number, block in enumerate(blocks) for letter in _letters(number, block)]
    if not letters:
        return words
    width = median(letter[2] - letter[0] for letter in letters)
    if median(letter[-1] for letter in letters) > width:
        return words  # a size like any other: these are the cells of a table
    joined = _joined(letters, width)
    # What would be a ligature by itself is a bullet of another font.
    return [word for word in joined if word[4] not in _LIGATURES.values()]


#: Box, character, baseline, block, the font's size.
_Letter = tuple[float, float, float, float, str, float, int, float]


def _letters(number: int, block: dict[str, Any]) -> Iterator[_Letter]:
    for line in block.get("lines", ()):
        for span in line["spans"]:
            for char in span["chars"]:
                yield (*char["bbox"], char["c"], char["origin"][1], number, span["size"])


def _joined(letters: Sequence[_Letter], width: float) -> Iterator[Word]:
    """Words of letters that follow one another, of which a usual one is so wide."""
    word: Word | None = None
    baseline, line = 0.0, 0
    for x0, y0, x1, y1, char, base, block, _ in letters:
        if y1 - y0 < width:
            y0, y1 = base - _ASCENT * width, base + _DESCENT * width
        text = _LIGATURES.get(char, char)
        gap = x0 - word[2] if word else 0.0
        goes_on = (
            word is not None
            and block == word[5]
            and abs(base - baseline) < _OFF_LINE * width
            and -_KERN * width < gap < _CELL * width
        )
        if word and goes_on and gap < _KERN * width and char != " ":
            a, b, _, d, before = word[:5]
            word = (a, min(b, y0), x1, max(d, y1), before + text, block, line, 0)
            continue
        if word:
            yield word
        line += not goes_on
        # A space ends a word and begins none.
        word = None if char == " " else (x0, y0, x1, y1, text, block, line, 0)
        baseline = base
    if word:
        yield word
