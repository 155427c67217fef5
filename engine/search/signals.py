"""Signals: what is known of a question as a whole, as numbers the ranker may weigh by."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Kind, Query
from engine.search.features import FeatureMatrix, Floats

_WORD = re.compile(r"\w+")
#: What is told of a single hit, each by its feature but `gap`: how far it scores below the first.
OF_HIT = (
    "dense", "document", "late", "exact_coverage", "proximity",
    "name", "name_whole", "name_coverage", "gap",
)  # fmt: skip
#: So many of the nearest candidates tell what kind of file is asked for.
NEAREST = 20


def of_words(text: str, *, latin_only: bool) -> dict[str, float]:
    """`length`: 0 for one word, 1 from about thirty on; `unreadable`: share of letters in scripts
    that the model was not trained on; `digits`: share of digits among letters and digits, which
    are no language either."""
    words = len(_WORD.findall(text))
    letters = [c for c in text if c.isalpha()]
    digits = sum(c.isdigit() for c in text)
    foreign = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
    return {
        "length": min(1.0, math.log2(max(words, 1)) / 5),
        "unreadable": foreign / len(letters) if letters and latin_only else 0.0,
        "digits": digits / (digits + len(letters)) if digits else 0.0,
    }


def of_picture(query: Query) -> dict[str, float]:
    """`picture`: 1 where a picture asks by its pixels; `mixed`: 1 where words were typed with
    it."""
    asks = query.look is not None or query.image is not None
    typed = bool(query.text) and not query.told_by_image
    return {"picture": float(asks), "mixed": float(asks and typed)}


def of_pieces(text: str, pieces: int) -> dict[str, float]:
    """`foreign`: pieces a word above one, 0..2: words of a language that the model knows are whole.
    English questions have a median of 0.1, German and French ones 0.9."""
    words = len(_WORD.findall(text))
    return {"foreign": min(2.0, max(0.0, pieces / max(words, 1) - 1.0))}


def of_kinds(nearest: Sequence[Kind]) -> dict[str, float]:
    """`code`: share of code among the nearest candidates."""
    return {"code": sum(kind == "code" for kind in nearest) / max(len(nearest), 1)}


def of_best(features: FeatureMatrix) -> dict[str, float]:
    """`best_` and the name of each column: its best value, 0 where all are missing."""
    best = {}
    for name in features:
        column = features.raw(name)
        best[f"best_{name}"] = float(np.max(column, initial=0.0, where=~np.isnan(column)))
    return best


def of_hits(features: FeatureMatrix, scores: Floats, places: NDArray[np.intp]) -> dict[str, Floats]:
    """[h] each of OF_HIT for the candidates at these places; `scores` [k] of all candidates."""
    told = {name: features.value(name)[places] for name in OF_HIT if name in features}
    return told | {"gap": scores.max(initial=-np.inf) - scores[places]}
