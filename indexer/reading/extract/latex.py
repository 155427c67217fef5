"""Letters that TeX writes as commands: \\"o is ö, {\\ss} is ß."""

from __future__ import annotations

import re
import unicodedata

_MARKS = {"\"": "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303",
          "=": "\u0304", ".": "\u0307", "u": "\u0306", "v": "\u030c", "H": "\u030b",
          "c": "\u0327", "d": "\u0323", "b": "\u0331", "r": "\u030a", "k": "\u0328"}  # fmt: skip
_LETTERS = {"ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ",
            "OE": "Œ", "aa": "å", "AA": "Å", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ",
            "dj": "đ", "DJ": "Đ", "i": "ı", "j": "ȷ"}  # fmt: skip
_BASE = r"(?:\\([ij])(?![A-Za-z])|([A-Za-z]))"
#: An accent and its letter, with braces around the one, both or none of them.
_ACCENT = re.compile(
    rf"(\{{)?\\(?:([\"'`^~=.])|([uvHcdbrk])(?=[ {{]))[ ]*(?:\{{{_BASE}\}}|{_BASE})(?(1)\}}|)"
)
#: Where a word may be broken, and letters within one that are to stay capitals: fi\\-gure, {U}lm.
_BREAK = re.compile(r"\\-(?=\w)")
_BRACED = re.compile(r"(?<![\\\w}\]])\{\w{1,4}\}(?=\w)|(?<![\\@\w])\w+\{\w{1,4}\}")
_LETTER = re.compile(
    r"\{\\("
    + "|".join(_LETTERS)
    + r")[ ]*\}|\\("
    + "|".join(_LETTERS)
    + r")(?:\{\}|(?![A-Za-z])[ ]?)"
)


def without_accent_commands(text: str) -> str:
    """The text with such letters written out, line by line as it was."""
    text = _BRACED.sub(lambda found: found[0].replace("{", "").replace("}", ""), text)
    if "\\" not in text:
        return text
    text = _BREAK.sub("", _ACCENT.sub(_composed, text))
    return _LETTER.sub(lambda found: _LETTERS[found[1] or found[2]], text)


def _composed(found: re.Match[str]) -> str:
    mark = _MARKS[found[2] or found[3]]
    letter = next(group for group in found.groups()[3:] if group)
    return unicodedata.normalize("NFC", letter + mark)
