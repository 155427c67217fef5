"""Word endings: one word's other forms in German, French, Spanish, Italian and Portuguese, Arabic,
Persian and Hebrew (there beginnings, too), and where English changes more than the end. The
analyzer takes off English endings itself, of every word: the language of a file is not known.

Endings of number, case and gender alone, none that make another word: "Rechnung" is no "Rechner".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations

from engine.search.common_words import exists
from engine.store.analyzer import stem
from engine.store.spelling import fold

#: What a form with another ending counts; where that ending is as often another word's: less.
INFLECTED, DOUBTFUL = 0.8, 0.6
#: Endings that go with one stem (folded, so without accents and umlauts), what they count, and how
#: many letters of the stem make that sure.
_PARADIGMS = (
    (("", "e", "en", "n", "s", "es"), INFLECTED, 3),  # German, Dutch
    (("", "er", "ern", "em"), DOUBTFUL, 3),  # German: Bild, Bilder
    (("", "s", "e", "es"), INFLECTED, 3),  # French
    (("au", "aux"), INFLECTED, 2),
    (("eu", "eux"), INFLECTED, 2),
    (("ou", "oux"), INFLECTED, 2),
    (("al", "aux"), INFLECTED, 3),
    (("ail", "aux"), DOUBTFUL, 3),
    (("o", "a", "os", "as"), DOUBTFUL, 5),  # Spanish, Portuguese
    (("z", "ces"), INFLECTED, 2),
    (("ao", "oes"), INFLECTED, 3),
    (("m", "ns"), DOUBTFUL, 4),
    (("o", "i"), DOUBTFUL, 5),  # Italian
    (("a", "e"), DOUBTFUL, 5),
    (("e", "i"), DOUBTFUL, 5),
    (("f", "ves"), INFLECTED, 3),  # English
    (("fe", "ves"), INFLECTED, 2),
    (("", "ات", "ون", "ين", "ان"), INFLECTED, 3),  # Arabic
    (("ه", "ات"), INFLECTED, 3),
    (("", "ها", "هاي"), INFLECTED, 3),  # Persian
    (("", "ים", "ות"), INFLECTED, 3),  # Hebrew
    (("ה", "ות"), INFLECTED, 3),
)
#: What Arabic and Hebrew write as one with the word after it: an article, alone or with "and",
#: "in", "for". Those of one letter many a word only begins with.
_BEFORE = {
    "ARABIC": ("ال", "وال", "بال", "لل", "فال", "كال", "و", "ب", "ل", "ف"),
    "HEBREW": ("ה", "וה", "שה", "מה", "כש", "ו", "ב", "ל", "מ", "כ", "ש"),
}
#: A word that is known itself has to keep so many letters: else "plan" is a form of "plane".
_KNOWN, _SHORTEST = 5, 3
_IRREGULAR = """
child children
man men
woman women
foot feet
tooth teeth
mouse mice
goose geese
person people
criterion criteria
appendix appendices
index indices
matrix matrices
analysis analyses
œil yeux
"""
_PAIRS = [line.split() for line in _IRREGULAR.split("\n") if line]
_OTHER_FORM = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
#: How keyboards without these letters write them, and what is left of them in folded text.
_AS_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "đ": "dj"})
_AS_ONE = {"ae": "a", "oe": "o", "ue": "u", "aa": "a", "dj": "d"}
#: What the other spelling counts; of so many vowels each may be one of two letters.
SPELT, _VOWELS = 0.9, 3


def other_forms(word: str, *, known: bool, written: str = "") -> Mapping[str, float]:
    """Terms of a folded word's other forms, and what each counts; most of them are no words, and
    nobody will have written them. `written`: the word as it was before."""
    forms: dict[str, float] = {}
    if (other := _OTHER_FORM.get(word)) is not None:
        forms[stem(other)] = INFLECTED
    spelt = _spellings(word, written or word, known=known)
    forms.update({stem(other): SPELT for other in spelt})
    before = () if word.isascii() else _BEFORE.get(unicodedata.name(word[0], "").split()[0], ())
    bare = _without(word, before, known=known)
    forms.update(bare)
    for own in (word, *spelt, *bare):
        for endings, worth, shortest in _PARADIGMS:
            least = max(shortest, _KNOWN) if known else shortest
            for ending in endings:
                if own.endswith(ending) and len(own) - len(ending) >= least:
                    base = own[: len(own) - len(ending)]
                    for term in (stem(base + other) for other in endings if other != ending):
                        forms[term] = max(forms.get(term, 0.0), worth)
    for form in (word, *forms) if before else ():
        worth = min(forms.get(form, INFLECTED), INFLECTED)
        forms = {**{stem(start + form): worth for start in before}, **forms}
    if not spelt and not (known and exists(word)):
        forms = {**dict.fromkeys(map(stem, _with_umlauts(word)), SPELT), **forms}
    forms.pop(stem(word), None)
    return forms


def _spellings(word: str, written: str, *, known: bool) -> list[str]:
    """Folded ways of people with other keyboards to write a word: Müll, Muell, Mull. Two letters in
    a word of some language are no umlaut: "poet"."""
    lower = unicodedata.normalize("NFC", written).lower()
    ways = [fold(lower.translate(_AS_TWO))]
    if not (known and exists(word)):
        whole = word
        for two, one in _AS_ONE.items():
            ways.append(word.replace(two, one))
            whole = whole.replace(two, one)
        ways.append(whole)
    return [way for way in dict.fromkeys(ways) if way != word]


def _with_umlauts(word: str) -> Iterator[str]:
    """A word without umlauts as it is where they are written as two letters."""
    places = [i for i, letter in enumerate(word) if letter in "aou"]
    if len(places) <= _VOWELS:
        for some in chain.from_iterable(combinations(places, n + 1) for n in range(len(places))):
            yield "".join(c + "e" if i in some else c for i, c in enumerate(word))


def _without(word: str, before: Iterable[str], *, known: bool) -> dict[str, float]:
    """A word without what stands before it, and what that counts."""
    bare = {}
    for start in before:
        rest = word.removeprefix(start)
        if rest != word and len(rest) >= (_KNOWN if known and len(start) == 1 else _SHORTEST):
            bare[stem(rest)] = DOUBTFUL if len(start) == 1 else INFLECTED
    return bare
