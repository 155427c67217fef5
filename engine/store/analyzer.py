"""Turns text into the terms that exact search compares: the same for documents and queries.

One analyzer of our own instead of LanceDB's, because those keep identifiers whole and can't be
asked what they made of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

import regex
import Stemmer

from engine.store.spelling import JOINERS, fold, typed

#: Longer terms are cut: base64 and minified text would bloat the index and nobody types them.
MAX_TERM = 48
MAX_PARTS = 8  # of an identifier; a long path of words is words, not a name

#: Signs that stand for several letters or digits: ½, №, ⑴, ㎏.
_SIGNS = r"\u00bc-\u00be\u2103\u2109\u2116\u2121\u2150-\u215f\u2189\u2474-\u249b\u3200-\u33ff"
# Scripts without spaces between words; Hangul has them, but glues particles to its words.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー々\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_START = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"
_REST = rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]"
#: Between parts of a word; of Hebrew's abbreviations the quotation mark, too.
_LINK = rf"""(?:[_\-.'·{JOINERS}]++|(?<=\p{{Hebrew}})"(?=\p{{Hebrew}}))"""
_EMOJI = "\u231a-\u23ff\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff"
_GAP = r"[ ./()\-]{1,3}"
#: A telephone number: with a country's or an area's beginning however it is spaced, or in groups
#: as people of some country say it.
_PHONE = (
    r"(?=[+(0-9])(?<![A-Za-z0-9.,+/\-])(?<![0-9][ ])"
    r"(?![0-9]{1,2}(?P<mark>[./\-])[0-9]{1,2}(?P=mark)[0-9]{2,4}(?![./\-]?[0-9]))(?:"  # a date
    rf"(?:\+[1-9][0-9]{{0,4}}|\(0[0-9]{{0,4}}\)|0[0-9]{{1,4}})(?:{_GAP}[0-9]{{1,8}}){{1,6}}"
    rf"|(?:[0-9][ \-])?\([1-9][0-9]{{1,4}}\)(?:{_GAP}[0-9]{{2,8}}){{1,4}}"
    r"|(?:\+|00)[1-9][0-9]{7,13}|(?:0[1-9]|[78]9|1[2-9])[0-9]{8,9}|0[1-9][0-9]{6,7}"
    r"|(?:1[ .\-])?[0-9]{3}(?P<dot>[ .\-])[0-9]{3}(?P=dot)[0-9]{3,4}"
    r"|1[0-9]{2}[ \-][0-9]{4}[ \-][0-9]{4}|[0-9]{5}[ \-][0-9]{5}|[3-9][0-9]{3}[ ][0-9]{4}"
    r"|[0-9]{2,3}(?:[ ][0-9]{2}){3}"
    r")(?![A-Za-z0-9]|[.,/\-:][0-9]|[ ][0-9])"
)
_RUN = regex.compile(
    rf"""(?P<unspaced>[{_UNSPACED}][{_UNSPACED}\p{{M}}{JOINERS}ﾞﾟ]*+)
      | (?P<phone>{_PHONE})
      | (?P<amount>[0-9]{{1,3}}(?:,[0-9]{{3}})+(?![\p{{L}}\p{{N}}]))
      | (?P<special>(?<![\p{{L}}\p{{N}}])(?:[cC]\+\+|[cCfF]\#)(?![\p{{L}}\p{{N}}]))
      | (?P<word>{_START}{_REST}*+(?:{_LINK}{_START}{_REST}*+)*+)
      | (?P<emoji>[\U0001F1E6-\U0001F1FF]{{2}}|[{_EMOJI}])
      | (?P<sign>[{_SIGNS}])
    """,
    regex.VERBOSE | regex.VERSION1,
)
#: The same for ASCII, twice as fast (7 MB a second).
_ASCII_RUN = re.compile(
    rf"""(?P<phone>{_PHONE})
      | (?P<amount>[0-9]{{1,3}}(?:,[0-9]{{3}})+(?![A-Za-z0-9]))
      | (?P<special>(?<![A-Za-z0-9])(?:[cC]\+\+|[cCfF]\#)(?![A-Za-z0-9]))
      | (?P<word>[A-Za-z0-9]++(?:[_\-.']++[A-Za-z0-9]++)*+)
    """,
    re.VERBOSE,
)
_SIGN = regex.compile(rf"[{_SIGNS}]")
#: All but letters of Europe and their punctuation. Among these is no mark and no script without
#: spaces, so that Python's own expressions do, three times as fast.
_ELSEWHERE = re.compile(
    r"[^\x00-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u206f\u20a0-\u20cf\u2100-\u2319\u2500-\u25ff]"
)
_EUROPEAN = r"[^\W_]"
_EUROPEAN_RUN = re.compile(
    rf"""(?P<phone>{_PHONE})
      | (?P<amount>[0-9]{{1,3}}(?:,[0-9]{{3}})+(?!{_EUROPEAN}))
      | (?P<special>(?<!{_EUROPEAN})(?:[cC]\+\+|[cCfF]\#)(?!{_EUROPEAN}))
      | (?P<word>{_EUROPEAN}++(?:[_\-.'·{JOINERS}]++{_EUROPEAN}++)*+)
      | (?P<sign>[{_SIGNS}])
    """,
    re.VERBOSE,
)
#: Where a number with blanks in it may end within what else would be one run.
_MAY_END_NUMBER = re.compile(rf"[0-9][_\-.'·{JOINERS}]+[^\W\d_]")
_NO_DIGIT = re.compile(r"[^\W\d_]+")
_NO_SPACES = regex.compile(rf"[{_UNSPACED}]")
_SEPARATOR = regex.compile(rf"""[_\-.'"·{JOINERS}]+""")
_PART = regex.compile(
    r"\p{Lu}{2,}s?(?!\p{Ll})|\p{Lu}(?=\p{Lu}\p{Ll})|\p{Lu}?[^\p{Lu}\p{N}]+|\p{Lu}+|\p{N}+"
)
_NUMBER = regex.compile(r"[\p{N}.]+")
_DIGITS, _PIECE = re.compile(r"[0-9]+"), re.compile(r"[0-9][0-9.\-]*(?<=[0-9])")
#: Digits of a telephone number, and of what is dialled within a town.
_PHONE_DIGITS, _LOCAL_DIGITS = (8, 15), 5
#: Calling codes: none is another's beginning. In North America and Russia numbers have ten digits,
#: before which 1 or 8 is dialled.
_COUNTRIES = re.compile("2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[17]|[0-9]{3}")
_TRUNK_DIGITS = 11
_LATIN = regex.compile(r"[a-z]+")
_CYRILLIC = regex.compile(r"[а-я]+")
_ENGLISH = Stemmer.Stemmer("english", 0)
_RUSSIAN = Stemmer.Stemmer("russian", 0)

#: Dropped from questions when other words remain. A short list on purpose: with the usual 150
#: words code search loses ("if", "not", "all" mean something there; nDCG@10 on CoSQA .377 → .395).
_COMMON = """
a an the of to is are be how what which who where when why do does did can could should would i you
my me we
"""
STOP_WORDS = frozenset(_COMMON.split())


def _runs(text: str) -> re.Pattern[str] | regex.Pattern[str]:
    """What tells the runs of such a text, the fastest that does."""
    if text.isascii():
        return _ASCII_RUN
    return _RUN if _ELSEWHERE.search(text) else _EUROPEAN_RUN


def located(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each run of text with its start, end (characters, end exclusive) and terms."""
    text = typed(text)
    for match in _runs(text).finditer(text):
        yield match.start(), match.end(), _terms(match[0], match.lastgroup or "word")


class StandingFor:
    """Finds what stands for some terms in texts: many texts, of which each is looked at once."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        """What each term stands for, by term."""
        self._wanted = wanted
        self._begins = {term[:2] for term in wanted}
        begins = "|".join(map(re.escape, self._begins)) or "$"
        #: A plain word that begins otherwise than any of the terms ("dying" aside).
        other = rf"[(\[\"']*(?!{begins})[a-z](?:[a-xz][a-z]*)?[.,;:!?)\]\"']*(?!\S)"
        self._piece = re.compile(rf"(?<!\S)(?!{other})\S+")  # all else between blanks
        self._words_alone = all(_NO_DIGIT.fullmatch(term) for term in wanted)
        self._known: dict[tuple[str, str], str] = {}  # by run and its group; "": for nothing
        #: By what stands between blanks, what is in it; None where what is before it tells.
        self._pieces: dict[str, list[tuple[int, int, str]] | None] = {}

    def of(self, text: str) -> list[tuple[int, int, str]]:
        """Start and end of each run of text that has one of the terms, and what that stands for.
        The same as asking `located` for each."""
        text = typed(text)
        runs = _runs(text)
        if not self._words_alone or runs is _RUN:
            return self._in(text, runs)
        # Only numbers hold blanks there, and none is sought: what stands between blanks is looked
        # at by itself, and hardly ever for the first time (5 times as fast).
        found: list[tuple[int, int, str]] = []
        known = self._pieces
        for piece in set(self._piece.findall(text)):
            if piece not in known:
                known[piece] = None if _MAY_END_NUMBER.search(piece) else self._in(piece, runs)
            inside = known[piece]
            if inside is None:
                return self._in(text, runs)
            if inside:
                for at in _places(text, piece):
                    found += [(at + start, at + end, word) for start, end, word in inside]
        return sorted(found)

    def _in(
        self, text: str, runs: re.Pattern[str] | regex.Pattern[str]
    ) -> list[tuple[int, int, str]]:
        found = []
        for match in runs.finditer(text):
            word = self._stands_for(match[0], match.lastgroup or "word")
            if word:
                found.append((match.start(), match.end(), word))
        return found

    def _stands_for(self, run: str, group: str) -> str:
        begins = self._begins  # as above
        if run[:2] not in begins and run[0] not in begins and run[1:2] != "y" and _is_plain(run):
            return ""
        known = self._known.get((run, group))
        if known is None:
            meant = (self._wanted[t] for t in _terms(run, group) if t in self._wanted)
            known = self._known[run, group] = next(meant, "")
        return known


def _is_plain(run: str) -> bool:
    return run.isascii() and run.islower() and run.isalpha()


def _places(text: str, piece: str) -> Iterator[int]:
    """Where a piece stands in a text between blanks."""
    at = text.find(piece)
    while at >= 0:
        end = at + len(piece)
        if not (text[at - 1 : at].strip() or text[end : end + 1].strip()):
            yield at
        at = text.find(piece, at + 1)


def is_unspaced(run: str) -> bool:
    """Whether a run is of a script without spaces: then its terms are not one word's."""
    return _NO_SPACES.match(run) is not None


def analyze(text: str) -> list[str]:
    """The terms of a text in order, with repeats."""
    return [term for _, _, terms in located(text) for term in terms]


def query_terms(text: str) -> list[str]:
    """The terms of a question, each once; stop words only if there is nothing else."""
    terms: dict[str, None] = {}
    common: dict[str, None] = {}
    for start, end, found in located(text):
        target = common if fold(text[start:end]) in STOP_WORDS else terms
        # A lone character says little once the pairs around it are asked for.
        pairs = [term for term in found if len(term) > 1]
        target.update(dict.fromkeys(pairs or found))
    return list(terms or common)


def fts_text(*fields: str) -> str:
    """What the full-text index stores: terms set in spaces, so that ' term ' tests membership."""
    terms = [term for field in fields for term in analyze(field)]
    return f" {' '.join(terms)} " if terms else ""


@lru_cache(maxsize=65536)
def _terms(run: str, group: str) -> tuple[str, ...]:
    if group == "word" and _is_plain(run):  # as below, a quarter of the time
        return (_ENGLISH.stemWord(run)[:MAX_TERM],)
    if group == "unspaced":
        return _pairs(fold(run))
    if group == "amount":
        return (fold(run).replace(",", ""),)
    if group == "special":
        return (run.lower(),)
    if group == "emoji":
        return (run,)
    if group == "phone":
        return _telephone(run)
    if not run.isascii() and _SIGN.search(run):
        return tuple(analyze(_SIGN.sub(_spelt_out, run)))
    return _word(run)


def _spelt_out(sign: regex.Match[str]) -> str:
    return f" {unicodedata.normalize('NFKC', sign[0]).replace('⁄', '/')} "


def _pairs(run: str) -> tuple[str, ...]:
    """Overlapping pairs, and for a logographic script the single characters too."""
    if len(run) < 2:
        return (run,) if run else ()
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    singles = [c for c in run if unicodedata.name(c, "").startswith("CJK")]
    return (*pairs, *singles)


def _telephone(run: str) -> tuple[str, ...]:
    """The groups of digits, and all from each of them on as one: with and without what is left out
    within a country or a town. What is too short or too long is no telephone number."""
    groups = _DIGITS.findall(run)
    joined = ["".join(groups[first:]) for first in range(len(groups))]
    if not _PHONE_DIGITS[0] <= len(joined[0]) <= _PHONE_DIGITS[1]:
        return tuple(term for piece in _PIECE.findall(run) for term in _word(piece))
    parts = (number for number in joined[:-1] if len(number) >= _LOCAL_DIGITS)
    return tuple(dict.fromkeys((*groups, *parts, _within_country(run, joined[0]))))


def _within_country(run: str, digits: str) -> str:
    """A telephone number's digits without what stands before those of its area."""
    if run.startswith("+") or digits.startswith("00"):
        return _COUNTRIES.sub("", digits.lstrip("0"), count=1).lstrip("0")
    if len(digits) == _TRUNK_DIGITS and digits[0] in "178":
        return digits[1:]
    return digits.lstrip("0")


def _word(run: str) -> tuple[str, ...]:
    pieces = [piece for piece in _SEPARATOR.split(run) if piece]
    if _NUMBER.fullmatch(run):
        whole = fold(run)
        return (whole, *(fold(p) for p in pieces)) if len(pieces) > 1 else (whole,)
    parts = [
        part for piece in pieces for part in _PART.findall(unicodedata.normalize("NFC", piece))
    ]
    whole = stem(fold("".join(pieces)))
    if len(parts) < 2:
        return (whole,)
    inner = [stem(fold(part)) for part in parts if len(part) > 1]
    return tuple(inner) if len(parts) > MAX_PARTS else (whole, *inner)


def stem(word: str) -> str:
    """What a folded word of Latin or Cyrillic letters is known by."""
    if _LATIN.fullmatch(word):
        word = _ENGLISH.stemWord(word)
    elif _CYRILLIC.fullmatch(word):
        word = _RUSSIAN.stemWord(word)
    return word[:MAX_TERM]
