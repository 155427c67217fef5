"""Support: how much of a sentence its source holds, by late interaction and by what must be exact.

What was fitted for an encoder stands in `fitted/ID.json` with where it comes from; it is written by
`python -m tests.benchmarks.answers --fit`. `default.json` leaves out what depends on the encoder.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import regex

from engine.contract.asking import Citation
from engine.contract.errors import InklingError
from engine.search.common_words import JOINING, telling
from engine.search.features import Floats
from engine.search.ranker import Logistic
from engine.search.token_matches import TokenMatches
from engine.store import Row
from engine.store.analyzer import analyze
from engine.store.spelling import fold

log = logging.getLogger(__name__)

FITTED = Path(__file__).with_name("fitted")
_NUMBER = regex.compile(r"\p{N}+(?:[.,:/’'\u00a0\u202f -]?\p{N}+)*")
_DIGITS = re.compile(r"\d+")
_NAME = regex.compile(
    r"(?<=[^\s.!?:\"“„(]\s)\p{Lu}[\p{L}\p{M}'’-]{2,}|\p{Lu}{2,}\p{N}*|\p{L}+\p{N}+"
)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}_'’.-]*")


class Fitted(msgspec.Struct, frozen=True):
    """What tells a supported sentence of one encoder's."""

    supported: Logistic = Logistic({}, 0.0)
    fitted: dict[str, Any] = {}

    @classmethod
    def of(cls, model_id: str) -> Fitted:
        """As fitted for this encoder; else by words alone."""
        place = FITTED / f"{model_id}.json"
        return _read(place if place.exists() else FITTED / "default.json")


@lru_cache
def _read(path: Path) -> Fitted:
    if not path.exists():
        return Fitted()
    return msgspec.json.decode(path.read_bytes(), type=Fitted)


def features(said: str, text: str, near: Floats | None, weights: Floats | None) -> dict[str, float]:
    """Numbers that tell whether a text supports a sentence.

    near: [m] of each token of the sentence, the cosine of the source's nearest one; weights: [m].
    `held`: share of the sentence's words, by what each tells, that the text has; `late` and
    `covered`: weighted mean of `near`, and of its tokens those that mean the same; `numbers` and
    `names`: shares of those that the text lacks.
    """
    told = {"held": _held(said, text), **_lacking(said, text)}
    if near is not None and weights is not None and len(near):
        share = weights / max(float(weights.sum()), 1e-9)
        told["late"] = float(near @ share)
        told["covered"] = float(np.clip((near - 0.5) / 0.35, 0.0, 1.0) @ share)
        order = np.argsort(near)
        heavy = order[np.cumsum(share[order]) <= 0.25]
        worst = heavy if len(heavy) else order[:1]
        told["worst"] = float(near[worst] @ weights[worst] / max(float(weights[worst].sum()), 1e-9))
    return told


def _held(said: str, text: str) -> float:
    there = set(analyze(text))
    total = held = 0.0
    for word in _WORD.findall(said):
        terms = analyze(word)
        if not terms:
            continue
        weight = telling(word)
        total += weight
        held += weight * sum(term in there for term in terms) / len(terms)
    return held / total if total else 1.0


def _lacking(said: str, text: str) -> dict[str, float]:
    """Shares of the sentence's numbers and names that the text does not have."""
    digits = {_plain_number(found) for found in _NUMBER.findall(text)}
    groups = {run.lstrip("0") for run in _DIGITS.findall(text)}
    numbers = list(map(_plain_number, _NUMBER.findall(said)))
    lacking = [n for n in numbers if n not in digits and n not in groups and not _spelt(n, text)]
    folded = fold(text)
    names = [name for name in _NAME.findall(said) if fold(name) not in JOINING]
    unnamed = [name for name in names if fold(name) not in folded]
    return {
        "numbers": len(lacking) / len(numbers) if numbers else 0.0,
        "names": len(unnamed) / len(names) if names else 0.0,
        "any_number": float(bool(lacking)),
    }


def _plain_number(number: str) -> str:
    return "".join(str(int(c)) if c.isdigit() else c for c in number if c.isdecimal()).lstrip("0")


_SPELT = {
    "1": "one|first|ein|eine|erste", "2": "two|second|zwei|zweite|both|beide",
    "3": "three|third|drei|dritte", "4": "four|fourth|vier", "5": "five|fifth|fünf",
    "6": "six|sixth|sechs", "7": "seven|seventh|sieben", "8": "eight|eighth|acht",
    "9": "nine|ninth|neun", "10": "ten|tenth|zehn", "11": "eleven|elf", "12": "twelve|zwölf",
    "14": "fourteen|vierzehn", "15": "fifteen|fünfzehn", "20": "twenty|zwanzig",
    "30": "thirty|dreißig", "60": "sixty|sechzig", "100": "hundred|hundert",
}  # fmt: skip


def _spelt(number: str, text: str) -> bool:
    """Whether a small number stands there as a word."""
    words = _SPELT.get(number)
    return words is not None and re.search(rf"\b(?:{words})\b", text, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Given:
    """What the model was given of a source: its units, with their text as one."""

    rows: Sequence[Row]
    text: str
    pixels: bool = False  # it saw more than the text


class SourceProver:
    """Measures support by the vectors that are stored of the sources."""

    def __init__(
        self, model_id: str, matches: Callable[[str], TokenMatches], given: Mapping[int, Given]
    ) -> None:
        self._fitted, self._matches, self._given = Fitted.of(model_id), matches, given
        self._fallback = Fitted.of("")
        self.failed: InklingError | None = None

    @property
    def numbers(self) -> Collection[int]:
        """Those of the sources."""
        return self._given.keys()

    def proof(self, text: str, numbers: Sequence[int], *, leads: bool = False) -> list[Citation]:
        """A citation for each of these numbers. What no single source holds, several may."""
        if leads:
            return [self._of_lead(text, number) for number in numbers]
        matches = self._read(text)
        told = [self._support(text, matches, [number]) for number in numbers]
        each = [support for support, _ in told if support is not None]
        together = max(each, default=0.0)
        below = told[0][1]
        if len(each) > 1 and together < below:
            whole, below = self._support(text, matches, numbers)
            together = max(together, whole or 0.0)
        limit = below / 2 if together >= below and len(numbers) > 1 else below
        return [
            self._citation(number, support, limit)
            for number, (support, _) in zip(numbers, told, strict=True)
        ]

    def held(self, code: str, numbers: Sequence[int]) -> float:
        """0..1: how many of the words of a piece of code stand in these sources."""
        there = {term for number in numbers for term in analyze(self._given[number].text)}
        terms = analyze(code)
        return sum(term in there for term in terms) / len(terms) if terms else 0.0

    def _citation(self, number: int, support: float | None, limit: float) -> Citation:
        doubtful = support is not None and support < limit
        if doubtful and self._given[number].pixels:
            return Citation(number)  # the picture may show it
        return Citation(number, None if support is None else round(support, 3), doubtful)

    def _of_lead(self, text: str, number: int) -> Citation:
        """A line that leads to others says little; what is exact in it must be there."""
        given = self._given[number]
        lacking = _lacking(text, given.text)
        return Citation(number, None, bool(lacking["any_number"]) and not given.pixels)

    def _read(self, text: str) -> TokenMatches | None:
        if self.failed is not None:
            return None
        try:
            return self._matches(text)
        except InklingError as error:
            log.warning("support is not measured: %s", error)
            self.failed = error
            return None

    def _support(
        self, text: str, matches: TokenMatches | None, numbers: Sequence[int]
    ) -> tuple[float | None, float]:
        """0..1, None where nothing can be told; and what it must be."""
        given = [self._given[number] for number in numbers]
        there = "\n".join(one.text for one in given)
        fitted = self._fitted
        if not there.strip() or matches is None or not fitted.supported.weights:
            return None, fitted.supported.below
        rows = [row for one in given for row in one.rows]
        near, weights = nearest(matches, rows)
        if near is None:
            fitted = self._fallback  # no tokens are stored, or none are left: by words alone
        if not fitted.supported.weights:
            return None, fitted.supported.below
        told = features(text, there, near, weights)
        return fitted.supported.probability({"one": 1.0, **told}), fitted.supported.below


def nearest(matches: TokenMatches, rows: Sequence[Row]) -> tuple[Floats | None, Floats | None]:
    """[m] of each token of a sentence the cosine of the nearest one of these rows, and [m] its
    weight; None where nothing of them is stored."""
    found = matches.of(rows)
    told = [found[row.unit_id] for row in rows if row.unit_id in found]
    told = [match for match in told if match.similarities.shape[1] and match.weights is not None]
    if not told or not len(told[0].similarities):
        return None, None
    size = len(told[0].similarities)
    best = [m.similarities.max(axis=1) for m in told if len(m.similarities) == size]
    return np.max(best, axis=0), told[0].weights
