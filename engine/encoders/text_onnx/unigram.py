"""A SentencePiece unigram tokenizer for a vocabulary of hundreds of thousands of pieces.

Each word is split into the pieces that are likeliest together. Written out, for the library's takes
ten times the memory; as no piece spans two words, words are split by themselves and remembered,
and a passage costs a hundredth of what the model does with it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import regex
from numpy.typing import NDArray

from engine.encoders.text_onnx.packed_file import Vocabulary

Span = tuple[int, int]

_BEGIN = "▁"  # stands for the space before a word
_WORD = re.compile(r"[^ \t\r\n]+")
_LONGEST = 16  # characters of a piece
#: Words remembered, and the longest of them: what is longer does not come again.
_KEPT, _KEPT_LENGTH = 8192, 32
#: Of the hash table, as a power of two: four times the pieces, so that most of what is no piece
#: meets an empty slot. Its keys grow by a character as `(key ^ code point) * _FACTOR`, modulo 2^64.
_SLOT_BITS = 20
_FACTOR, _KEY = 0x9E3779B97F4A7C15, (1 << 64) - 1
#: What a character that no piece has costs, below the unlikeliest piece, as in SentencePiece.
_UNKNOWN_PENALTY = 10.0


class Unigram:
    """Splits texts; thread-safe."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.first, self.last = vocabulary.first, vocabulary.last
        self._vocabulary = vocabulary
        self._pieces = _Pieces(vocabulary)
        self._scores = vocabulary.scores.data  # whose items are numbers of Python's
        self._unknown_score = float(vocabulary.scores.min()) - _UNKNOWN_PENALTY
        self._kept = lru_cache(_KEPT)(self._split)

    def encode(self, text: str, room: int) -> tuple[list[int], list[Span]]:
        """Ids of the first `room` pieces, and where each stands in the text; (-1, -1) for one that
        is only the space before a word."""
        ids: list[int] = []
        spans: list[Span] = []
        for word in _WORD.finditer(text):
            if len(ids) >= room:
                break
            begin, letters = word.start(), word[0]
            if len(letters) <= _KEPT_LENGTH:
                pieces = self._kept(letters)
            else:  # no more of it than could be used
                pieces = self._split(letters[: _LONGEST * (room - len(ids))])
            for piece, start, end in pieces:
                ids.append(piece)
                spans.append((begin + start, begin + end) if end > start else (-1, -1))
        return ids[:room], spans[:room]

    def pieces(self) -> list[str]:
        """All of the vocabulary, by id."""
        text, offsets = self._vocabulary.text, self._vocabulary.offsets.tolist()
        return [text[a:b].decode() for a, b in itertools.pairwise(offsets)]

    def _split(self, word: str) -> tuple[tuple[int, int, int], ...]:
        """Id, start and end of the pieces of one word, or of several where a character of it is
        read as a space."""
        read, places = self._read(word)
        if not read:
            return ()
        made: list[tuple[int, int, int]] = []
        for piece, a, b in self._likeliest(read):
            inside = [place for place in places[a:b] if place[1] > place[0]]
            start, end = (inside[0][0], inside[-1][1]) if inside else (0, 0)
            if piece == self._vocabulary.unknown and made and made[-1][0] == piece:
                start = made.pop()[1]  # a run of unknown characters is one piece
            made.append((piece, start, end))
        return tuple(made)

    def _read(self, word: str) -> tuple[str, list[Span]]:
        """The word as the model reads it, and where each character of that stands in the word."""
        read: list[str] = []
        places: list[Span] = []
        for start, characters in _composed(word):
            place = (start, start + len(characters))
            composed = unicodedata.normalize("NFC", characters)
            for character in composed.translate(self._vocabulary.code_points):
                is_space = character == " "
                if not read or (is_space and read[-1] != _BEGIN):
                    read.append(_BEGIN)
                    places.append((0, 0))
                if not is_space:
                    read.append(character)
                    places.append(place)
        while read and read[-1] == _BEGIN:
            read.pop()
        return "".join(read), places

    def _likeliest(self, read: str) -> list[tuple[int, int, int]]:
        """Viterbi: id, start and end of the pieces whose scores' sum is the largest."""
        scores, slots, find = self._scores, self._pieces.slots, self._pieces.find
        unknown = self._vocabulary.unknown
        count = len(read)
        codes = list(map(ord, read))
        best = [0.0] + [-np.inf] * count
        came: list[tuple[int, int]] = [(unknown, 0)] * (count + 1)
        for start in range(count):
            so_far = best[start]
            if so_far + self._unknown_score > best[start + 1]:
                best[start + 1] = so_far + self._unknown_score
                came[start + 1] = (unknown, start)
            key = 0
            for end in range(start + 1, min(start + _LONGEST, count) + 1):
                key = ((key ^ codes[end - 1]) * _FACTOR) & _KEY
                if slots[key >> (64 - _SLOT_BITS)] < 0:
                    continue
                piece = find(key, read[start:end])
                if piece >= 0 and so_far + scores[piece] > best[end]:
                    best[end] = so_far + scores[piece]
                    came[end] = (piece, start)
        pieces = []
        end = count
        while end:
            piece, start = came[end]
            pieces.append((piece, start, end))
            end = start
        return pieces[::-1]


class _Pieces:
    """Ids by piece: a hash table of numbers beside the vocabulary's text. A dict of strings takes
    forty megabytes."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._text = vocabulary.text
        self._offsets = vocabulary.offsets.data
        # The others are control tokens, which no text means.
        pieces = np.flatnonzero(vocabulary.scores < 0).astype(np.int32)
        table = np.full(1 << _SLOT_BITS, -1, np.int32)
        places = _keys(vocabulary)[pieces] >> np.uint64(64 - _SLOT_BITS)
        while len(pieces):
            free = np.flatnonzero(table[places] < 0)
            taken, first = np.unique(places[free], return_index=True)
            table[taken] = pieces[free[first]]
            left = np.ones(len(pieces), np.bool_)
            left[free[first]] = False
            pieces = pieces[left]
            places = (places[left] + np.uint64(1)) % np.uint64(len(table))
        self.slots = table.data

    def find(self, key: int, text: str) -> int:
        """The piece's id; -1: it is none."""
        slots, offsets = self.slots, self._offsets
        slot = key >> (64 - _SLOT_BITS)
        wanted = text.encode()
        while (piece := slots[slot]) >= 0:
            if self._text[offsets[piece] : offsets[piece + 1]] == wanted:
                return piece
            slot = (slot + 1) % len(slots)
        return -1


def _keys(vocabulary: Vocabulary) -> NDArray[np.uint64]:
    """[vocabulary] of all pieces."""
    codes = np.frombuffer(vocabulary.text.decode().encode("utf-32-le"), "<u4")
    first_bytes = (np.frombuffer(vocabulary.text, np.uint8) & 0xC0) != 0x80
    # Characters before each byte.
    before = np.concatenate([np.zeros(1, np.int32), np.cumsum(first_bytes, dtype=np.int32)])
    begin, end = before[vocabulary.offsets[:-1]], before[vocabulary.offsets[1:]]
    keys = np.zeros(len(begin), np.uint64)
    for place in range(_LONGEST):
        longer = np.flatnonzero(begin + place < end)
        keys[longer] = (keys[longer] ^ codes[begin[longer] + place]) * np.uint64(_FACTOR)
    return keys


def _composed(word: str) -> Iterator[tuple[int, str]]:
    """The parts of a word that may be one character, each with its start."""
    if word.isascii() or unicodedata.is_normalized("NFC", word):
        return enumerate(word)
    return ((cluster.start(), cluster[0]) for cluster in regex.finditer(r"\X", word))
