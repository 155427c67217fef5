"""Folding: names as people compare them, without case, accents and letters of other keyboards."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_ACCENTS = re.compile("[\u0300-\u036f]")
#: Letters that Unicode does not take apart.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ı": "i",
     "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th"}
)  # fmt: skip
#: Latin letters beyond ASCII.
_LATIN = "".join(map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))))


def plain(text: str) -> str:
    """Text that SQLite takes and that compares as people read: no surrogates, composed, folded."""
    return text.lower() if text.isascii() else composed(text).casefold()


def composed(text: str) -> str:
    """Compatibility forms composed, accents dropped, case kept: "resume" is to find "Résumé"."""
    apart = unicodedata.normalize("NFKD", text.encode("utf-8", "replace").decode("utf-8"))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart)).translate(_PLAIN_LETTERS)


@cache
def _written() -> dict[str, str]:
    """By one or two plain letters all other letters that fold to them."""
    forms: dict[str, str] = {}
    for letter in _LATIN:
        folded = plain(letter)
        if folded.isascii():
            forms[folded] = forms.get(folded, "") + letter
    return forms


def name_regex(pattern: str, separator: str) -> str:
    """A regular expression for paths of which the last part meets a name pattern, whatever its
    case and accents; in the syntax of Rust's `regex`."""
    within = f"[^{re.escape(separator)}]"
    folded, parts, place = plain(pattern), list[str](), 0
    while place < len(folded):
        pair, letter = folded[place : place + 2], folded[place]
        place += 1
        if letter in "*?":
            parts.append(f"{within}*" if letter == "*" else rf"{within}\p{{M}}*")
        elif len(pair) == 2 and pair in _written():
            parts.append(f"(?:[{_written()[pair]}]|{_forms(letter)}{_forms(pair[1])})")
            place += 1
        else:
            parts.append(_forms(letter))
    return f"(?is)(^|{re.escape(separator)}){''.join(parts)}$"


def _forms(letter: str) -> str:
    forms = _written().get(letter, "")
    return rf"(?:{re.escape(letter)}|[{forms}])\p{{M}}*" if forms else re.escape(letter)
