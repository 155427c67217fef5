"""The words that a store's passages hold, so that those like a question's can be looked for: a
typing error away, or longer ones that begin or end with it.

They are in order forwards and backwards. An error leaves one half of a word whole, so that the
words near it are among those that share its beginning or its end; of these a signature of the
letters, of which an error changes at most two bits, leaves few to compare.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

#: Words of other lengths are not kept: shorter ones are near to everything, longer ones no words.
SHORTEST, LONGEST = 3, 32
#: Letters of the beginning or the end that two errors leave whole; ones that hit both aren't seen.
_KEPT_BY_TWO = 3
_END = "\U0010ffff"  # after every word
_HEAD = struct.Struct("<II")  # words, bytes of their text
_WIDTH = 17  # bytes of a word beside its text
_LETTERS = 32  # a to z, and six for all others; a bit for one of them, a bit for more
_OTHERS = 26
_AT_ONCE = 1 << 13  # words whose letters are counted together


def is_word(term: str) -> bool:
    """Whether a term is kept: letters alone."""
    return SHORTEST <= len(term) <= LONGEST and term.isalpha()


class Vocabulary:
    """n words in order; never changes."""

    def __init__(
        self,
        text: bytes,
        ends: NDArray[np.uint32],
        backwards: NDArray[np.uint32],
        signatures: NDArray[np.uint64],
        lengths: NDArray[np.uint8],
    ) -> None:
        self._text = text  # one word after another
        self._ends = ends  # [n] in it, bytes
        self._backwards = backwards  # [n] their numbers in the order of their reversed letters
        self._signatures = signatures  # [n]
        self._lengths = lengths  # [n] letters

    @classmethod
    def of(cls, terms: Iterable[str]) -> Vocabulary:
        """Of the words among these terms."""
        words = sorted(set(filter(is_word, terms)))
        reversed_words = [word[::-1] for word in words]
        backwards = sorted(range(len(words)), key=reversed_words.__getitem__)
        encoded = [word.encode() for word in words]
        return cls(
            b"".join(encoded),
            np.cumsum([len(word) for word in encoded], dtype=np.uint32),
            np.array(backwards, np.uint32),
            _signatures(words),
            np.array([len(word) for word in words], np.uint8),
        )

    def __len__(self) -> int:
        """Number of words."""
        return len(self._ends)

    def __iter__(self) -> Iterator[str]:
        return map(self._word, range(len(self)))

    def to_bytes(self) -> bytes:
        """All of it, for a file."""
        columns = (self._signatures, self._ends, self._backwards, self._lengths)
        head = _HEAD.pack(len(self), len(self._text))
        return b"".join([head, *(column.tobytes() for column in columns), self._text])

    @classmethod
    def from_bytes(cls, data: bytes) -> Vocabulary:
        """What `to_bytes` gave. ValueError if it is not whole."""
        if len(data) < _HEAD.size:
            raise ValueError("no words")
        words, size = _HEAD.unpack_from(data)
        at = _HEAD.size
        if len(data) != at + words * _WIDTH + size:
            raise ValueError("the words were cut short")
        signatures = np.frombuffer(data, np.uint64, words, at)
        ends = np.frombuffer(data, np.uint32, words, at + 8 * words)
        backwards = np.frombuffer(data, np.uint32, words, at + 12 * words)
        lengths = np.frombuffer(data, np.uint8, words, at + 16 * words)
        return cls(data[at + _WIDTH * words :], ends, backwards, signatures, lengths)

    def near(self, word: str, errors: int) -> list[str]:
        """Words that so many typing errors or fewer lead to: a letter more, less, another one, or
        two that changed places. Not the word itself."""
        kept = (len(word) - 1) // 2
        kept = min(kept, _KEPT_BY_TWO) if errors > 1 else kept
        if kept < 1:
            return []
        begun = np.arange(*self._begun(word[:kept]))
        ended = self._backwards[slice(*self._ended(word[-kept:]))]
        places = np.concatenate([begun, ended.astype(np.intp)])
        lengths = self._lengths[places].astype(np.int16)
        places = places[np.abs(lengths - len(word)) <= errors]
        changed = np.bitwise_count(self._signatures[places] ^ _signature(word))
        words = {self._word(i) for i in places[changed <= 2 * errors].tolist()}
        found = process.extract(
            word, words, scorer=OSA.distance, score_cutoff=errors, limit=None, processor=None
        )
        return sorted(other for other, distance, _ in found if distance)

    def beginning(self, word: str, most: int) -> list[str]:
        """Longer words that begin with this one; of more than `most` the first."""
        start, end = self._begun(word)
        words = map(self._word, range(start, min(end, start + most + 1)))
        return [other for other in words if other != word][:most]

    def ending(self, word: str, most: int) -> list[str]:
        """Longer words that end with this one; of more than `most` the first backwards."""
        start, end = self._ended(word)
        places = self._backwards[start : min(end, start + most + 1)].tolist()
        return [other for other in map(self._word, places) if other != word][:most]

    def _begun(self, letters: str) -> tuple[int, int]:
        return self._between(letters, self._word)

    def _ended(self, letters: str) -> tuple[int, int]:
        return self._between(letters[::-1], lambda i: self._word(int(self._backwards[i]))[::-1])

    def _between(self, letters: str, word: Callable[[int], str]) -> tuple[int, int]:
        """From where to where words in an order begin with these letters."""
        start = bisect_left(range(len(self)), letters, key=word)
        return start, bisect_left(range(len(self)), letters + _END, start, key=word)

    def _word(self, place: int) -> str:
        start = int(self._ends[place - 1]) if place else 0
        return self._text[start : int(self._ends[place])].decode()


@lru_cache(maxsize=1024)
def _signature(word: str) -> np.uint64:
    return np.uint64(_signatures([word])[0])


def _signatures(words: list[str]) -> NDArray[np.uint64]:
    parts = [_counted(words[i : i + _AT_ONCE]) for i in range(0, len(words), _AT_ONCE)]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _counted(words: list[str]) -> NDArray[np.uint64]:
    letters = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32).astype(np.int64)
    plain = (letters >= ord("a")) & (letters <= ord("z"))
    columns = np.where(plain, letters - ord("a"), _OTHERS + letters % (_LETTERS - _OTHERS))
    owners = np.repeat(np.arange(len(words)), [len(word) for word in words])
    cells = np.bincount(owners * _LETTERS + columns, minlength=len(words) * _LETTERS)
    counts = cells.reshape(-1, _LETTERS)
    bits = np.concatenate([counts >= 1, counts >= 2], axis=1)
    return np.packbits(bits, axis=1).view(np.uint64).ravel()
