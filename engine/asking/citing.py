"""Citations as models write them: [1], [1][3], [1, 3], [1-3], 【1】, [^1], [Source 1]."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

#: More numbers than this in one range are no citation.
_MOST_IN_RANGE = 20
_WORD = (
    r"(?:(?:sources?|quellen?|fuentes?|fontes?|fonte|fonti|источник|źródło|kaynak|出典|来源|docs?"
    r"|documents?|refs?|passages?|citations?|S)[ :#]{0,2})"
)
_NUMBERS = rf"\^?\d{{1,3}}(?:\s*(?:,|;|/|&|-|–|—|and|und|et|y|e)\s*{_WORD}?\^?\d{{1,3}})*"
#: One citation. A word may stand before its numbers; in round brackets one must: "(1)" is a list's.
ONE = re.compile(
    rf"\[\s*{_WORD}?{_NUMBERS}\s*\]|[【〔]\s*{_WORD}?{_NUMBERS}\s*(?:†[^】〕\n]{{0,40}})?[】〕]"
    rf"|\(\s*{_WORD}{_NUMBERS}\s*\)",
    re.IGNORECASE,
)
#: Citations one after another, with what stands between.
RUN = re.compile(rf"[ \t]*(?:{ONE.pattern})(?:[ \t,;]*(?:{ONE.pattern}))*", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,3})(?:\s*[-–—]\s*\^?(\d{1,3}))?")
_CODE = re.compile(r"`[^`\n]*`")
#: Words that lead up to a citation which is itself what is spoken of.
_LEADING = re.compile(
    r"(?:\b(?:to|in|from|by|of|see|per|source|and|laut|nach|aus|siehe|quelle|und|selon|dans|según"
    r"|en|secondo|in|de)|^)\s*$",
    re.IGNORECASE,
)
_GOES_ON = regex.compile(r",|\s+\p{Ll}")

#: What is left where a citation stood in brackets.
_EMPTY = re.compile(r"[ \t]*\((?:see|cf\.?|siehe|vgl\.?|voir|véase|vedi)?[\s,;]*\)", re.IGNORECASE)


def numbers(citation: str) -> Iterator[int]:
    """The numbers of a citation, ranges filled."""
    for found in _RANGE.finditer(citation):
        first, last = int(found[1]), int(found[2] or found[1])
        if last - first < _MOST_IN_RANGE:
            yield from range(first, last + 1)
        else:
            yield from (first, last)


def taken(text: str) -> tuple[str, tuple[int, ...]]:
    """A sentence without its citations, and their numbers, each once.

    One that is spoken of ("According to [1], …") stays where it stands.
    """
    code = [found.span() for found in _CODE.finditer(text)]
    kept, cited, at = list[str](), dict[int, None](), 0
    for found in RUN.finditer(text):
        start, end = found.span()
        if any(low < end and start < high for low, high in code):
            continue
        cited.update(dict.fromkeys(numbers(found[0])))
        kept.append(text[at:start])
        spoken_of = _LEADING.search("".join(kept)[-24:]) and _GOES_ON.match(text, end)
        if spoken_of and len(text) > end + 1:
            kept.append(found[0])
        at = end
    kept.append(text[at:])
    return _EMPTY.sub("", "".join(kept)), tuple(cited)
