"""Fusion: one score from the lanes, with weights that depend on the query's shape.

Weights were measured over all tuning sets together with `python -m tests.benchmarks.quality`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

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


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each lane's raw score counts."""

    dense: float = 0.6  # cosine with the passage
    document: float = 0.55  # cosine with the whole file: Markdown pages 0.608 -> 0.653 nDCG@10
    text: float = 0.2  # BM25 over the best of this query, 0..1
    name: float = 0.14  # 0..1
    late: float = 0.8  # mean MaxSim, -1..1
    held: float = 0.04  # share of the question's words that the whole file holds, 0..1
    quoted: float = 0.05  # question words side by side, 0..1


PROSE = Weights()
#: The model can't read the question: words decide, meaning only breaks ties.
UNREADABLE = Weights(dense=0.15, document=0.0, text=1.0, name=0.15, late=0.1)
#: Somebody types a file name: the file of that name comes first.
NAME = Weights(dense=0.4, document=0.2, text=0.4, name=1.0, late=0.6)

#: "python read a file line by line": what code does is said in other words than its own, and those
#: the two share are everywhere; side by side they tell more. nDCG@10 of 500 questions of the web
#: for a function: 0.613 -> 0.621.
CODE = Weights(dense=0.8, text=0.1, late=0.45, held=0.05, quoted=0.16)


def weights_for(shape: QueryShape) -> Weights:
    """The weights for a query of this shape."""
    if shape.unreadable > 0.5:
        return UNREADABLE
    if shape.like_a_name:
        return NAME
    return CODE if shape.about_code else PROSE


@dataclass(slots=True)
class LaneScores:
    """Raw scores of k candidates, one row each; 0 where a lane did not find the candidate."""

    dense: Floats  # [k] cosine
    text: Floats  # [k] BM25
    name: Floats  # [k] 0..1
    document: Floats | None = None  # [k] cosine with the direction of the whole file
    held: Floats | None = None  # [k] 0..1, of the file's words
    quoted: Floats | None = None  # [k] 0..1
    late: Floats | None = None  # [k] mean MaxSim, NaN where no multi-vector is stored


def by_rank(scores: Floats, groups: Sequence[NDArray[np.intp]]) -> Floats:
    """[k] scores whose groups have no common scale, made comparable by rank.

    The best of every group counts alike, and so do the second best: what a rank is worth is the
    mean over the groups that reach it. One group stays as it is; NaN stays NaN.
    """
    orders = [group[np.argsort(-scores[group], kind="stable")] for group in groups]
    orders = [order[~np.isnan(scores[order])] for order in orders]
    orders = [order for order in orders if len(order)]
    if len(orders) < 2:
        return scores
    aligned = scores.copy()
    for rank in range(max(map(len, orders))):
        reached = [order[rank] for order in orders if len(order) > rank]
        aligned[reached] = scores[reached].mean()
    # Where the lower group ends early the mean could rise again.
    for order in orders:
        aligned[order] = np.minimum.accumulate(aligned[order])
    return aligned


def first_stage(scores: LaneScores, weights: Weights) -> Floats:
    """[k] fused score before rescoring."""
    # BM25 has no scale of its own: it grows with the query's length and the corpus.
    text = scores.text / max(float(scores.text.max(initial=0.0)), 1e-9)
    document = scores.dense if scores.document is None else scores.document
    fused = weights.dense * scores.dense + weights.document * document
    fused = fused + weights.text * text + weights.name * scores.name
    if scores.held is not None:
        fused = fused + weights.held * scores.held
    if scores.quoted is not None:
        fused = fused + weights.quoted * scores.quoted
    return np.asarray(fused, dtype=np.float32)


def second_stage(scores: LaneScores, weights: Weights) -> Floats:
    """[k] fused and late interaction; a candidate without multi-vector gets its cosine instead."""
    fused: Floats = first_stage(scores, weights)
    if scores.late is None:
        return fused
    late = np.where(np.isnan(scores.late), scores.dense, scores.late)
    return np.asarray(fused + weights.late * late, dtype=np.float32)


#: Below these the best candidate is no answer: from the unanswerable questions of the tuning sets.
WEAK_DENSE, WEAK_LATE = 0.30, 0.45


#: Word pieces a word, from which on a question is in a language the model half knows: good
#: answers are far away, too (German and French: median 1.9; English: at most 1.7, median 1.1).
FOREIGN_PIECES = 1.5


def is_weak(scores: LaneScores, shape: QueryShape, pieces_per_word: float = 1.0) -> bool:
    """Whether nothing matches well: no name, and neither lane of meaning is near.

    Warning on a good search is the expensive error, so both must agree, and where the model can't
    judge nothing is said. On the tuning sets 1 of 1,100 answerable questions is warned of.
    """
    if not len(scores.dense):
        return True
    if pieces_per_word >= FOREIGN_PIECES and shape.unreadable <= 0.5:
        return False
    if shape.unreadable > 0.5:
        return not bool((scores.text > 0).any())
    late = scores.late if scores.late is not None else scores.dense
    named = bool((scores.name >= 0.7).any())
    near = float(scores.dense.max()) >= WEAK_DENSE or float(np.nanmax(late)) >= WEAK_LATE
    return not (named or near)
