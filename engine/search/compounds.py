"""Compounds: words made of several, as German makes them all day, and identifiers and hasty typing
in any language; taken apart, put together, and found inside one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from engine.store.analyzer import stem
from engine.store.lexicon import Lexicon
from engine.store.term_groups import Variant

#: What all parts together count, and what the end or the beginning of a compound alone does.
PARTS = 0.6
#: Letters of a part; parts of fewer have to stand side by side.
SHORTEST, SURE = 3, 4
#: What stands between two parts.
_LINKS = ("", "s", "es", "n", "en")
_MOST_PARTS = 3
#: Letters of the one part of a compound that is known, where the other is not; it may be so short
#: where it is half of the word, else it has more.
_KNOWN_END, _KNOWN_PART = 5, 7
_MOST_LETTERS = 32
#: Letters that a longer word has more, and so many of such words are counted.
_REST, _COUNTED = 3, 48


def joined(first: str, second: str) -> list[str]:
    """Terms of two folded words as one."""
    return [stem(first + link + second) for link in _LINKS]


def parts_of(lexicon: Lexicon, word: str) -> list[Variant]:
    """A folded word in parts of which each is held by some unit, fewest parts first; empty where
    it can't be taken apart."""
    size = len(word)
    if not 2 * SHORTEST <= size <= _MOST_LETTERS:
        return []
    pieces = {
        (i, j): _forms(word[i:j], last=j == size)
        for i in range(size - SHORTEST + 1)
        for j in range(i + SHORTEST, size + 1)
        if j - i < size and (i == 0 or i >= SHORTEST) and (j == size or j <= size - SHORTEST)
    }
    held = lexicon.known(list(dict.fromkeys(chain.from_iterable(pieces.values()))))
    #: By place in the word the fewest parts up to there, the shortest of them as long as can be.
    ways: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(SHORTEST, size + 1):
        found = [
            (*ways[i], term)
            for i in range(end - SHORTEST + 1)
            if i in ways and (i, end) in pieces and len(ways[i]) < _MOST_PARTS
            for term in pieces[i, end]
            if term in held
        ]
        if found:
            ways[end] = min(found, key=lambda way: (len(way), -min(map(len, way))))
    whole = ways.get(size, ())
    if len(whole) < 2:
        return []
    return [Variant(whole, PARTS, adjacent=min(map(len, whole)) < SURE)]


def _forms(piece: str, *, last: bool) -> list[str]:
    """Terms that a part may be known by: without what links it to the next one."""
    if last:
        return [stem(piece)]
    ends = [link for link in _LINKS if piece.endswith(link) and len(piece) - len(link) >= SHORTEST]
    return list(dict.fromkeys(stem(piece[: len(piece) - len(link)]) for link in ends))


def ends_of(lexicon: Lexicon, word: str) -> list[str]:
    """The longest end and the longest beginning of a folded word that some unit holds as a word."""
    least = _KNOWN_END if len(word) <= 2 * _KNOWN_PART else _KNOWN_PART
    cuts = range(max(least, min(len(word) // 2, _KNOWN_PART)), len(word) - _REST + 1)
    ends = [stem(word[-size:]) for size in reversed(cuts)]
    beginnings = [term for size in reversed(cuts) for term in _forms(word[:size], last=False)]
    held = lexicon.held([*ends, *beginnings])
    found = (next((t for t in terms if t in held), None) for terms in (ends, beginnings))
    return [term for term in found if term is not None]


def holding(
    lexicon: Lexicon,
    word: str,
    begun: Iterable[str],
    ended: Iterable[str],
    most: int,
    *,
    known: bool,
) -> list[str]:
    """Of words that begin or end with a term, compounds, the commonest first.

    Where the word itself is known the rest has to be a word, too: "light" is in "lighthouse" and
    not in "slight".
    """
    size = len(word)
    rests: dict[str, Sequence[str]] = {}
    for other in begun:
        if len(other) - size >= _REST:
            rest = other[size:]
            rests[other] = [
                rest,
                *(rest[len(link) :] for link in _LINKS[1:] if _linked(rest, link)),
            ]
    for other in ended:
        if len(other) - size >= _REST:
            rests[other] = _forms(other[: len(other) - size], last=False)
    if known:
        words = lexicon.known(list(dict.fromkeys(chain.from_iterable(rests.values()))))
        rests = {
            other: rest
            for other, rest in rests.items()
            if any(term in words and len(term) >= SURE for term in rest)
        }
    shortest = sorted(rests, key=lambda other: (len(other), other))[:_COUNTED]
    counts = lexicon.held(shortest)
    chosen = sorted(counts, key=lambda other: (-counts[other], other))
    told = (w for w in chosen if not known or tells_more(lexicon, w, counts[w], word))
    return list(islice(told, most))


def tells_more(lexicon: Lexicon, whole: str, units: int, *parts: str) -> bool:
    """Whether a compound stands where its parts do not: an identifier's parts are terms, too."""
    return any(lexicon.beside(whole, [part]) < units for part in parts)


def _linked(rest: str, link: str) -> bool:
    return rest.startswith(link) and len(rest) - len(link) >= SHORTEST
