"""Word endings: one word's other forms in German, French, Spanish, Italian and Portuguese, and
where English changes more than the end. The analyzer takes off English endings itself, of every
word: the language of a file is not known.

Endings of number, case and gender alone, none that make another word: "Rechnung" is no "Rechner".
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.store.analyzer import stem

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
)
#: A word that is known itself has to keep so many letters: else "plan" is a form of "plane".
_KNOWN = 5
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
#: How keyboards without these letters write them; folded text has them plain.
_DIGRAPHS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


def other_forms(word: str, *, known: bool) -> Mapping[str, float]:
    """Terms of a folded word's other forms, and what each counts; most of them are no words, and
    nobody will have written them."""
    forms: dict[str, float] = {}
    if (other := _OTHER_FORM.get(word)) is not None:
        forms[stem(other)] = INFLECTED
    words = [word]
    if not known:
        words += {word.replace(a, b) for a, b in _DIGRAPHS if a in word}
        whole = word
        for a, b in _DIGRAPHS:
            whole = whole.replace(a, b)
        words += [whole] if whole not in words else []
        forms.update({stem(other): INFLECTED for other in words[1:]})
    for own in words:
        for endings, worth, shortest in _PARADIGMS:
            least = max(shortest, _KNOWN) if known else shortest
            for ending in endings:
                if own.endswith(ending) and len(own) - len(ending) >= least:
                    base = own[: len(own) - len(ending)]
                    for term in (stem(base + other) for other in endings if other != ending):
                        forms[term] = max(forms.get(term, 0.0), worth)
    forms.pop(stem(word), None)
    return forms
