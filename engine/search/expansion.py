"""Expansion: what a question's words find beyond themselves.

Another number or case, typing errors, longer words that they begin or end, a compound taken apart
or put together, a beginning of a word that is still being typed, another way to write a number.
All of it counts less than the word itself, and what is doubtful is looked for only where nothing
holds the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from engine.search import compounds, misspelling
from engine.search.common_words import COMMON, exists, telling
from engine.search.emoji_names import NAMED, emoji_named
from engine.search.number_forms import Number, numbers
from engine.search.term_matching import AskedWord, asked_words
from engine.search.word_endings import other_forms
from engine.store.analyzer import query_terms
from engine.store.lexicon import Lexicon
from engine.store.spelling import fold
from engine.store.term_groups import AnyOf, Asked, Variant
from engine.store.vocabulary import is_word

#: Two words of a question that stand as one: nearly as good.
JOINED = 0.9
#: A word that begins with what was typed last, and one that holds the question's at one end.
BEGUN, WITHIN = 0.6, 0.4
#: A part of a number by itself.
PART = 0.3
#: So many of a kind are enough: each costs a look at its postings.
MOST_BEGUN, MOST_WITHIN = 8, 12
#: Letters of a word that is looked for inside others; the first where nothing holds it itself.
INSIDE_UNKNOWN, INSIDE = 4, 5
#: Letters typed from which on a beginning says something.
BEGINNING = 3
#: Of a question with more words no more than half were misspelt; of a long one nothing is said.
SHORT, LONG = 3, 6
#: Words of a vocabulary looked at for one word.
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Expansion:
    """A question's words with what else will do for each."""

    words: tuple[AskedWord, ...] = ()
    asked: tuple[Asked, ...] = ()  # all of it for exact search
    #: By start in the question, words that nothing holds as the passages spell them.
    mended: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()  # folded words that nothing holds in any form

    def spelling(self, text: str) -> str:
        """The question as the passages spell it; "" where nothing was mended."""
        mended = text
        for start, (word, other) in sorted(self.mended.items(), reverse=True):
            mended = mended[:start] + other + mended[start + len(word) :]
        return mended if self.mended else ""

    def marks(self) -> dict[str, str]:
        """By term that stands for one of the question's words that word: evidence may mark it."""
        marks: dict[str, str] = {}
        for word in self.words:
            for variant in word.others:
                # A single digit of "1 234" is everywhere.
                told = (t for t in variant.terms if len(t) > 2 or not variant.adjacent)
                marks.update({term: word.text for term in told if term not in marks})
        return marks


@dataclass(slots=True)
class _Word:
    """A word of letters alone while its likes are looked for."""

    asked: AskedWord
    folded: str
    units: int = 0  # that hold it
    variants: dict[tuple[str, ...], Variant] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether some unit holds it, or something like it."""
        return bool(self.units or self.variants)

    def forms(self, *, known: bool) -> Mapping[str, float]:
        """Terms of its other forms with what each counts."""
        forms = other_forms(self.folded, known=known, written=self.asked.text)
        return {**dict.fromkeys(emoji_named(self.folded), NAMED), **forms}

    def add(self, terms: Sequence[str], weight: float, *, adjacent: bool = False) -> None:
        key = tuple(terms)
        if key != self.asked.terms and (
            key not in self.variants or self.variants[key].weight < weight
        ):
            self.variants[key] = Variant(key, weight, adjacent)


def expand(lexicon: Lexicon, text: str) -> Expansion:
    """What this question may find. InklingError of the store."""
    asked = asked_words(text)
    words = {word.start: _Word(word, fold(word.text)) for word in asked if _plain(word)}
    _inflect(lexicon, asked, words)
    mended: dict[int, tuple[str, str]] = {}
    for start, word in words.items():
        if word.folded in COMMON:
            continue
        _look_inside(lexicon, word, last=start + len(word.asked.text) == len(text))
        if misspelling.is_suspect(word.units, found=bool(word.variants)):
            beside = [other for other in words.values() if other is not word]
            _mend(lexicon, word, beside, mended)
        if not word.is_known:
            for term in compounds.ends_of(lexicon, word.folded):
                word.add([term], WITHIN)
    others = {start: list(word.variants.values()) for start, word in words.items()}
    found = numbers(text)
    for number in found:
        for part in asked:
            if number.start <= part.start < number.end:
                others.setdefault(part.start, []).extend(number.variants)
    done = tuple(replace(word, others=tuple(others.get(word.start, ()))) for word in asked)
    unknown = frozenset(word.folded for word in words.values() if not word.is_known)
    most = len(words) if len(words) <= SHORT else len(words) // 2
    if len(words) > LONG or len(mended) > most:
        mended = {}  # another language than that of the passages
    return Expansion(done, tuple(_groups(text, done, found)), mended, unknown)


def merged(text: str, expansion: Expansion, named: str) -> str:
    """A question as the passages spell it, and its other words as a name does: `named`, or "". ""
    if nothing was mended."""
    mended = expansion.spelling(text)
    typed, words, others = text.split(), (mended or text).split(), named.split()
    if len(typed) == len(words) == len(others):
        pairs = zip(words, others, strict=True)
        words = [b if fold(a) in expansion.unknown else a for a, b in pairs]
    whole = " ".join(words)
    return whole if whole != " ".join(typed) else ""


def _plain(word: AskedWord) -> bool:
    """Whether it is of letters alone, and one term."""
    return len(word.terms) == 1 and is_word(fold(word.text))


def _inflect(lexicon: Lexicon, asked: Sequence[AskedWord], words: Mapping[int, _Word]) -> None:
    """How often each word is held, its other forms, and neighbours that stand as one word."""
    forms = {start: word.forms(known=False) for start, word in words.items()}
    joined: dict[int, list[tuple[str, tuple[str, str]]]] = {start: [] for start in words}
    for first, second in pairwise(asked):
        if first.place + len(first.terms) == second.place:
            parts = (first.terms[0], second.terms[0])
            whole = compounds.joined(fold(first.text), fold(second.text))
            for start in {first.start, second.start} & words.keys():
                joined[start] += [(term, parts) for term in whole]
    own = sorted({word.asked.terms[0] for word in words.values()})
    # Apart, since the table counts few terms well, and of many only which are rare.
    sought = set().union(*forms.values()) | {t for pairs in joined.values() for t, _ in pairs}
    held = lexicon.held(sorted(sought - set(own)))
    held.update(lexicon.held(own))
    for start, word in words.items():
        word.units = held.get(word.asked.terms[0], 0)
        known = word.forms(known=True) if word.units else forms[start]
        for term, weight in known.items():
            if term in held:
                word.add([term], weight)
        for term, parts in joined[start]:
            if term in held and compounds.tells_more(lexicon, term, held[term], *parts):
                word.add([term], JOINED)


def _look_inside(lexicon: Lexicon, word: _Word, last: bool) -> None:
    """Longer words that hold a word, and what a compound is made of."""
    unknown = not word.is_known
    if unknown:
        for parts in compounds.parts_of(lexicon, word.folded):
            word.add(parts.terms, parts.weight, adjacent=parts.adjacent)
    if len(word.folded) < (INSIDE_UNKNOWN if unknown else INSIDE):
        return
    short = min(word.folded, word.asked.terms[0], key=len)
    begun, ended = lexicon.longer(short, _LOOKED_AT)
    typing = last and unknown and len(word.folded) >= BEGINNING
    if typing:
        held = lexicon.held([term for term in begun if term.startswith(word.folded)])
        for term in _commonest(held, MOST_BEGUN):
            word.add([term], BEGUN)
    for term in compounds.holding(lexicon, short, begun, ended, MOST_WITHIN, known=not unknown):
        word.add([term], WITHIN)


def _mend(
    lexicon: Lexicon, word: _Word, others: Sequence[_Word], mended: dict[int, tuple[str, str]]
) -> None:
    """Words that a typing error or two lead to; the likeliest is how it is spelt. What is a word of
    some language ("Wann") was hardly meant to be another one ("Wand"), unless that stands beside
    what else was asked for ("thundering heard")."""
    there = exists(word.folded)
    beside = [o.asked.terms[0] for o in others if not there or telling(o.folded) == 1.0]
    found = misspelling.likely(lexicon, word.folded, word.asked.terms[0], word.units, beside)
    found = [mend for mend in found if mend.beside or not there]
    for mend in found:
        word.add([mend.term], mend.weight)
    if found and found[0].written:
        text = word.asked.text
        other = found[0].written
        mended[word.asked.start] = (text, other.lower() if text.islower() else other)


def _commonest(held: Mapping[str, int], most: int) -> list[str]:
    return sorted(held, key=lambda term: (-held[term], len(term), term))[:most]


def _groups(text: str, words: Iterable[AskedWord], found: Sequence[Number]) -> list[Asked]:
    """A question's terms for exact search, what stands for a word beside its first term; a number
    is one, whose parts say little, as do words that are common in any text."""
    others: dict[str, list[Variant]] = {}
    worth: dict[str, float] = {}
    parts: set[str] = set()
    for word in words:
        if any(number.start <= word.start < number.end for number in found):
            parts.update(word.terms)
        else:
            others.setdefault(word.terms[0], []).extend(word.others)
            worth.update(dict.fromkeys(word.terms, telling(word.text)))
    whole: dict[tuple[str, ...], list[Variant]] = {}
    for number in found:
        whole.setdefault(number.own, []).extend(number.variants)
    asked: list[Asked] = []
    for own, variants in whole.items():
        asked.append(AnyOf((Variant(own, 1.0, len(own) > 1), *dict.fromkeys(variants))))
    alone = {own[0] for own in whole if len(own) == 1}
    parts -= alone
    for term in query_terms(text):
        if term in parts:
            asked.append(AnyOf((Variant((term,), PART),)))
        elif term not in alone:
            more = dict.fromkeys(others.get(term, ()))
            itself = Variant((term,), worth.get(term, 1.0))
            asked.append(AnyOf((itself, *more)) if more or itself.weight < 1.0 else term)
    return asked
