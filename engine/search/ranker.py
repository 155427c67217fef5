"""The ranker: one score from the features, with weights that depend on the query's shape.

Weights were measured over all tuning sets together with `python -m tests.benchmarks.quality`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.search.features import Feature, FeatureMatrix, Floats

Weights = Mapping[str, float]  # by feature

_WORD = re.compile(r"\w+")
#: Programming languages, but those that are also a name or a thing: Julia, Ruby, Rust, Dart.
_LANGUAGE = re.compile(
    r"(?<!\w)(?:bash|c\+\+|c#|cpp|erlang|f#|fortran|golang|haskell|java|javascript|kotlin|matlab"
    r"|ocaml|perl|php|powershell|python[23]?|sql|typescript)(?!\w)",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"[\w\-]+\.[A-Za-z0-9]{1,5}$|^\w+[_\-]\w+$|\d{3,}")


@dataclass(frozen=True, slots=True)
class QueryShape:
    """What can be told of a query before anything is found."""

    words: int
    unreadable: float  # share of letters in scripts the model was not trained on, 0..1
    like_a_name: bool  # looks like a file name or identifier rather than like prose
    about_code: bool = False  # names a programming language


def shape_of(text: str, *, latin_only: bool) -> QueryShape:
    """Look at the typed words; `latin_only`: the model reads no other script."""
    words = _WORD.findall(text)
    letters = [c for c in text if c.isalpha()]
    foreign = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
    unreadable = foreign / len(letters) if letters and latin_only else 0.0
    tokens = text.split()
    like_a_name = 0 < len(tokens) <= 3 and any(_FILE_NAME.search(token) for token in tokens)
    return QueryShape(len(words), unreadable, like_a_name, bool(_LANGUAGE.search(text)))


#: The model can't read the question: words decide, meaning only breaks ties.
UNREADABLE: Weights = {"dense": 0.15, "document": 0.0, "text": 1.0, "name": 0.15, "late": 0.1}
#: Somebody types a file name: the file of that name comes first.
NAME: Weights = {"dense": 0.4, "document": 0.2, "text": 0.4, "name": 1.0, "late": 0.6}
#: "python read a file line by line": what code does is said in other words than its own, and those
#: the two share are everywhere; side by side they tell more. nDCG@10 of 500 questions of the web
#: for a function: 0.613 -> 0.621.
CODE: Weights = {
    "dense": 0.8, "text": 0.1, "late": 0.45, "term_coverage": 0.05, "proximity": 0.16,
}  # fmt: skip


def weights_for(shape: QueryShape, features: Iterable[Feature]) -> Weights:
    """How much each feature's value counts for a query of this shape.

    A feature that the shape does not name keeps the weight of its own row, which is that of prose.
    """
    if shape.unreadable > 0.5:
        own = UNREADABLE
    elif shape.like_a_name:
        own = NAME
    else:
        own = CODE if shape.about_code else {}
    return {feature.name: own.get(feature.name, feature.weight) for feature in features}


def below_rescored(rescored: Floats, fused: Floats) -> Floats:
    """Scores for what was not rescored: below all that was, in its fused order.

    rescored: final scores [r]; fused: first scores [k] of the others.
    """
    floor = rescored.min() - np.float32(1)
    return np.asarray(floor + fused - fused.max(initial=0.0), dtype=np.float32)


#: Below these the best candidate is no answer: from the unanswerable questions of the tuning sets.
WEAK_DENSE, WEAK_LATE = 0.30, 0.45
#: A name that matches so well is an answer.
GOOD_NAME = 0.7

#: Word pieces a word, from which on a question is in a language the model half knows: good
#: answers are far away, too (German and French: median 1.9; English: at most 1.7, median 1.1).
FOREIGN_PIECES = 1.5


def is_weak(features: FeatureMatrix, shape: QueryShape, pieces_per_word: float = 1.0) -> bool:
    """Whether nothing matches well: no name, and neither lane of meaning is near.

    Warning on a good search is the expensive error, so both must agree, and where the model can't
    judge nothing is said. On the tuning sets 1 of 1,100 answerable questions is warned of.
    """
    named = bool((features.raw("name") >= GOOD_NAME).any())
    dense, text = features.raw("dense"), features.raw("text")
    if np.isnan(dense).all() and np.isnan(text).all():
        return not named
    if pieces_per_word >= FOREIGN_PIECES and shape.unreadable <= 0.5:
        return False
    if shape.unreadable > 0.5:
        return not bool((text > 0).any())
    near = _best(dense) >= WEAK_DENSE or _best(features.raw("late")) >= WEAK_LATE
    return not (named or near)


def _best(column: Floats) -> float:
    return float(np.max(column, initial=-1.0, where=~np.isnan(column)))
