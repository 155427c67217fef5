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

#: Longer terms are cut: base64 and minified text would bloat the index and nobody types them.
MAX_TERM = 48
MAX_PARTS = 8  # of an identifier; a long path of words is words, not a name

# Scripts without spaces between words; Hangul has them, but glues particles to its words.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー々\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_START = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"
_REST = rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]"
#: Marks within a word that are not seen: Persian keeps letters apart with them.
_JOINERS = "\u200c\u200d"
_EMOJI = "\u231a-\u23ff\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff"
#: A telephone number with a country's or an area's beginning, however it is spaced.
_PHONE = (
    r"(?<![A-Za-z0-9.,+/\-])(?<![0-9][ ])"
    r"(?![0-9]{1,2}(?P<mark>[./\-])[0-9]{1,2}(?P=mark)[0-9]{2,4}(?![./\-]?[0-9]))"  # a date
    r"(?:\+[1-9][0-9]{0,3}|\(0[0-9]{0,4}\)|0[0-9]{1,4})(?:[ ./()\-\u00a0]{1,3}[0-9]{1,8}){1,6}"
    r"(?![A-Za-z0-9]|[.,/\-:][0-9])"
)
_RUN = regex.compile(
    rf"""(?P<unspaced>[{_UNSPACED}][{_UNSPACED}\p{{M}}ﾞﾟ]*+)
      | (?P<phone>{_PHONE})
      | (?P<amount>\p{{Nd}}{{1,3}}(?:,\p{{Nd}}{{3}})+(?![\p{{L}}\p{{N}}]))
      | (?P<special>(?<![\p{{L}}\p{{N}}])(?:[cC]\+\+|[cCfF]\#)(?![\p{{L}}\p{{N}}]))
      | (?P<word>{_START}{_REST}*+(?:[_\-.'’‑·{_JOINERS}]+{_START}{_REST}*+)*+)
      | (?P<emoji>[\U0001F1E6-\U0001F1FF]{{2}}|[{_EMOJI}])
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
      | (?P<word>{_EUROPEAN}++(?:[_\-.'’‑·{_JOINERS}]++{_EUROPEAN}++)*+)
    """,
    re.VERBOSE,
)
_NO_SPACES = regex.compile(rf"[{_UNSPACED}]")
_SEPARATOR = regex.compile(rf"[_\-.'’‑·{_JOINERS}]+")
_PART = regex.compile(
    r"\p{Lu}{2,}s?(?!\p{Ll})|\p{Lu}(?=\p{Lu}\p{Ll})|\p{Lu}?[^\p{Lu}\p{N}]+|\p{Lu}+|\p{N}+"
)
_NUMBER = regex.compile(r"[\p{N}.]+")
_DIGITS, _PIECE = re.compile(r"[0-9]+"), re.compile(r"[0-9][0-9.\-]*(?<=[0-9])")
#: Digits of a telephone number, and of what is dialled within a town.
_PHONE_DIGITS, _LOCAL_DIGITS = (8, 15), 5
_LATIN = regex.compile(r"[a-z]+")
_CYRILLIC = regex.compile(r"[а-я]+")
#: Marks that readers and keyboards leave out; marks of other scripts carry vowels and stay.
_OPTIONAL_MARKS = regex.compile(r"[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670\u0640]")
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        # Arabic and Persian keyboards, and spellings that are used for one another.
        "ی": "ي",
        "ى": "ي",
        "ک": "ك",
        "ة": "ه",
        "ۀ": "ه",
        "ە": "ه",
        "ٱ": "ا",
    }
)
_ENGLISH = Stemmer.Stemmer("english", 0)
_RUSSIAN = Stemmer.Stemmer("russian", 0)

#: Dropped from questions when other words remain. A short list on purpose: with the usual 150
#: words code search loses ("if", "not", "all" mean something there; nDCG@10 on CoSQA .377 → .395).
_COMMON = """
a an the of to is are be how what which who where when why do does did can could should would i you
my me we
"""
STOP_WORDS = frozenset(_COMMON.split())


def fold(text: str) -> str:
    """Compatibility forms, case and accents levelled: ﬁ, Ｆ, É and é all become plain letters."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    return (
        unicodedata.normalize("NFC", _OPTIONAL_MARKS.sub("", unicodedata.normalize("NFD", plain)))
        if not plain.isascii()
        else plain
    )


def _runs(text: str) -> re.Pattern[str] | regex.Pattern[str]:
    """What tells the runs of such a text, the fastest that does."""
    if text.isascii():
        return _ASCII_RUN
    return _RUN if _ELSEWHERE.search(text) else _EUROPEAN_RUN


def located(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each run of text with its start, end (characters, end exclusive) and terms."""
    for match in _runs(text).finditer(text):
        yield match.start(), match.end(), _terms(match[0], match.lastgroup or "word")


def standing_for(text: str, wanted: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Start and end of each run of text that has a term of `wanted`, and what that stands for.

    The same as asking `located` for each; a text's words repeat, and this looks at each once.
    """
    runs: list[re.Match[str] | regex.Match[str]] = list(_runs(text).finditer(text))
    groups = {match[0]: match.lastgroup for match in runs}
    begins = {term[:1] for term in wanted}
    known: dict[str, str] = {}
    for run, group in groups.items():
        # A plain word begins as its one term does: most runs need not be analysed.
        if run[0] not in begins and run.isascii() and run.islower() and run.isalpha():
            continue
        for term in _terms(run, group or "word"):
            if term in wanted:
                known[run] = wanted[term]
                break
    if not known:
        return []
    return [(m.start(), m.end(), known[m[0]]) for m in runs if m[0] in known]


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
    return _word(run)


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
    return (*groups, *(number for number in joined[:-1] if len(number) >= _LOCAL_DIGITS))


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
