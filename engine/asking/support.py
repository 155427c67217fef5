"""Support: how much of a sentence its source holds, by late interaction and by what must be exact.

What was fitted for an encoder stands in `fitted/ID.json` with where it comes from; it is written by
`python -m tests.benchmarks.support --fit`. `default.json` leaves out what depends on the encoder.
"""

from __future__ import annotations

import logging
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import regex

from engine.contract.asking import Citation
from engine.contract.errors import InklingError
from engine.search.common_words import JOINING, telling
from engine.search.features import Floats
from engine.search.ranker import Logistic
from engine.search.sentences import sentences
from engine.search.token_matches import TokenMatches
from engine.store import Row
from engine.store.analyzer import analyze, located
from engine.store.spelling import fold

log = logging.getLogger(__name__)

FITTED = Path(__file__).with_name("fitted")
_NUMBER = regex.compile(r"\p{N}+(?:[.,:’'\u00a0\u202f]\p{N}+)*")
_DIGITS = re.compile(r"\d+")
_NAME = regex.compile(
    r"(?<=[^\s.!?:\"“„(]\s)\p{Lu}[\p{L}\p{M}'’-]{2,}|\p{Lu}{2,}\p{N}*|\p{L}+\p{N}+"
)
_PARTS = re.compile(r"[,;:()–—•|\n]+")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}_'’.-]*")
#: How much a word tells at most that holds sentences together, and which share of a sentence's must
#: stand in a text of the same language.
_COMMON, _SAME = 0.5, 0.25
#: Share of capital words up to which they are names.
_CAPITALS = 0.5
#: Words of German, of which no sentence is without.
_WORDS_OF_GERMAN = """
der das dem den des und ist nicht ein eine einen einem einer für auf mit wird werden sind wurde zum
zur nach bei von vom sich im aus kein keine
"""
_GERMAN = frozenset(_WORDS_OF_GERMAN.split())
_WORDS_OF_NO = """
not no never none nor without cannot nothing neither nicht kein keine keinen keiner keines nie
niemals ohne weder nichts ne pas jamais aucun aucune sans rien non né senza nessun nessuna mai
sin ningún ninguna nunca jamás nada não sem nenhum nie bez żaden не нет без niet geen nooit
"""
_NO = frozenset(_WORDS_OF_NO.split())


class Fitted(msgspec.Struct, frozen=True):
    """What tells a supported sentence of one encoder's."""

    supported: Logistic = Logistic({}, 0.0)
    #: The same where sentence and source are in different languages.
    translated: Logistic = Logistic({}, 0.0)
    fitted: dict[str, Any] = {}  # sets, date and figures, for whoever reads the file

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
    `worst`: weighted mean of `near`, and of its lowest quarter; `names`: share of them that the
    text lacks; `lacking`: of numbers; `unnamed`: 1 where a name is surely lacking; `negated`: 1
    where only one of the sentence and the one nearest to it says no.
    """
    told = {"held": _held(said, text), "negated": _negated(said, text), **_lacking(said, text)}
    if near is not None and weights is not None and len(near):
        share = weights / max(float(weights.sum()), 1e-9)
        told["late"] = float(near @ share)
        order = np.argsort(near)
        lowest = order[np.cumsum(share[order]) <= 0.25]
        worst = lowest if len(lowest) else order[:1]
        told["worst"] = float(near[worst] @ weights[worst] / max(float(weights[worst].sum()), 1e-9))
    return told


def wrong(told: Mapping[str, float], *, translated: bool = False) -> bool:
    """Whether something exact of the sentence is not in the source, whatever else is: a number, or
    in the same language a name, or a no."""
    if translated:
        return told["lacking"] > 0.0
    return max(told["lacking"], told["unnamed"], told["negated"]) > 0.0


class Told(NamedTuple):
    """Whether a text supports a sentence."""

    support: float | None  # 0..1; None where nothing can be told
    covers: float = 0.0  # the same whatever is exact
    below: float = 0.0  # what it must be


def other_language(said: str, text: str) -> bool:
    """Whether a sentence is written in another language than its source: that has neither its
    script nor the words that hold it together."""
    own, there = _scripts(said), _scripts(text)
    if own and not own & there:
        return True
    words = {fold(word) for word in _WORD.findall(said)}
    common = {word for word in words if telling(word) < _COMMON}
    if not common:
        return False
    known = {fold(word) for word in _WORD.findall(text)}
    return len(common & known) / len(common) < _SAME


def _scripts(text: str) -> set[str]:
    """Scripts of its letters, but for those of few."""
    counts = Counter(unicodedata.name(c, "?").partition(" ")[0] for c in text if c.isalpha())
    return {script for script, n in counts.items() if n > 0.2 * counts.total()}


def _negated(said: str, text: str) -> float:
    """1 where the sentence says no and the sentence, or part of one, of the text that shares most
    words with it does not, or the other way round."""
    own = set(analyze(said)) - _NO
    best, most = "", 0.0
    for start, end in sentences(text):
        whole = text[start:end]
        # "Leave the house, do not touch switches": the no is of one part alone.
        for part in dict.fromkeys([whole, *_PARTS.split(whole)]):
            terms = set(analyze(part)) - _NO
            shared = len(own & terms) / math.sqrt(len(terms) + 1)
            if shared > most:
                best, most = part, shared
    if not best or len(own & set(analyze(best))) < len(own) / 2:
        return 0.0
    return float(_says_no(said) != _says_no(best))


def _says_no(text: str) -> bool:
    return any(fold(word) in _NO or fold(word).endswith("n't") for word in _WORD.findall(text))


def _held(said: str, text: str) -> float:
    there = set(analyze(text))
    total = held = 0.0
    for start, end, terms in located(said):
        weight = telling(said[start:end])
        total += weight
        held += weight * sum(term in there for term in terms) / max(len(terms), 1)
    return held / total if total else 1.0


def _lacking(said: str, text: str) -> dict[str, float]:
    """Shares of the sentence's numbers and names that the text does not have."""
    digits = {_plain_number(found) for found in _NUMBER.findall(text)}
    groups = {run.lstrip("0") for run in _DIGITS.findall(text)}
    numbers = list(map(_plain_number, _NUMBER.findall(said)))
    lacking = [n for n in numbers if n not in digits and n not in groups and not _spelt(n, text)]
    folded = fold(text)
    names = [fold(name) for name in _NAME.findall(said) if fold(name) not in JOINING]
    unnamed = [name for name in names if name not in folded and name.rstrip("s") not in folded]
    words = _WORD.findall(said)[1:]
    capitals = sum(word[:1].isupper() for word in words) / max(len(words), 1)
    sure = capitals <= _CAPITALS and _GERMAN.isdisjoint(words)
    return {
        "lacking": len(lacking) / len(numbers) if numbers else 0.0,
        "names": len(unnamed) / len(names) if names else 0.0,
        # Not of a heading, nor of the language that writes every noun like a name.
        "unnamed": float(bool(unnamed) and sure),
    }


def _plain_number(number: str) -> str:
    whole = re.sub(r"(?<=\d)[.,]0{1,2}$", "", number)
    return "".join(str(int(c)) for c in whole if c.isdecimal()).lstrip("0")


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
    where: str = ""  # file, page, heading

    @property
    def whole(self) -> str:
        """All that it says in letters."""
        return f"{self.where}\n{self.text}"


class SourceProver:
    """Measures support by the vectors that are stored of the sources."""

    def __init__(
        self,
        model_id: str,
        matches: Callable[[str], TokenMatches],
        given: Mapping[int, Given],
        question: str = "",
    ) -> None:
        self._question = question
        self._fitted, self._matches, self._given = Fitted.of(model_id), matches, given
        self._by_words = Fitted.of("")
        self.failed: InklingError | None = None

    @property
    def numbers(self) -> Collection[int]:
        """Those of the sources."""
        return self._given.keys()

    def proof(self, text: str, numbers: Sequence[int]) -> list[Citation]:
        """A citation for each of these numbers. What no single source holds, several may."""
        matches = self._read(text)
        each = [self._told(text, matches, [number]) for number in numbers]
        known = [one for one in each if one.support is not None]
        if len(known) > 1 and all(_doubtful(one) for one in known):
            together = self._told(text, matches, numbers)
            if not _doubtful(together):  # then it is enough that a source has a part in it
                each = [
                    one._replace(support=one.covers, below=one.below / 2)
                    if one.support is not None
                    else one
                    for one in each
                ]
        return [self._citation(*one) for one in zip(numbers, each, strict=True)]

    def held(self, text: str, numbers: Sequence[int], *, asked: bool = False) -> float:
        """0..1: how much of what the words of a text tell stands in these sources; `asked`: or in
        the question."""
        there = [self._given[number].whole for number in numbers]
        return _held(text, "\n".join([*there, self._question] if asked else there))

    def _citation(self, number: int, told: Told) -> Citation:
        if told.support is None or (_doubtful(told) and self._given[number].pixels):
            return Citation(number)  # a picture may show it
        return Citation(number, round(told.support, 3), _doubtful(told))

    def _read(self, text: str) -> TokenMatches | None:
        if self.failed is not None:
            return None
        try:
            return self._matches(text)
        except InklingError as error:
            log.warning("support is not measured: %s", error)
            self.failed = error
            return None

    def _told(self, text: str, matches: TokenMatches | None, numbers: Sequence[int]) -> Told:
        """How far these sources together support it."""
        given = [self._given[number] for number in numbers]
        if matches is None or not any(one.text.strip() for one in given):
            return Told(None)
        there = "\n".join(one.whole for one in given)
        near, weights = nearest(matches, [row for one in given for row in one.rows])
        # Where no tokens are stored, or are left: by words alone.
        fitted = self._fitted if near is not None else self._by_words
        translated = other_language(text, there)
        model = fitted.translated if translated else fitted.supported
        if not model.weights:
            return Told(None)
        told = features(text, there, near, weights)
        covers = model.probability(told)
        exact = not wrong(told, translated=translated)
        return Told(covers if exact else covers * model.below, covers, model.below)


def _doubtful(told: Told) -> bool:
    return told.support is not None and told.support < told.below


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
