"""A packaged model up to its last hidden states: what it reads of a text, and what comes out."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tokenizers
from numpy.typing import NDArray

from engine.contract.types import TextInput
from engine.encoders.text_onnx.bert import Bert
from engine.encoders.text_onnx.weights import Floats

#: More leave the caches: tokens a second of full windows, one thread of an EPYC with AVX2, by 256
#: 2,270, 512 2,340, 1024 1,790, 2048 1,540.
_TOKENS_PER_FORWARD = 512
#: Characters of a text that are looked at for each token of the window; what is beyond can't be
#: seen, and tokenising a book for its first page costs seconds.
_CHARACTERS_PER_TOKEN = 32
_CONTEXT_SHARE = 4  # context may take 1/4 of the window
_SURROGATES = re.compile("[\ud800-\udfff]")  # the tokenizer refuses them


class Tokenizer(Protocol):
    """Splits texts into pieces of a vocabulary."""

    first: int  # tokens around each text
    last: int

    def encode(self, text: str, room: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of the first `room` pieces, and where each stands in the text."""

    def pieces(self) -> list[str]:
        """All of the vocabulary, by id."""


class WordPiece:
    """The tokenizer of a `tokenizer.json`."""

    def __init__(self, file: Path, first: str, last: str) -> None:
        self._tokenizer = tokenizers.Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # Its map of the whole vocabulary costs a tenth of a second.
        self.first, self.last = (self._tokenizer.token_to_id(token) or 0 for token in (first, last))

    def encode(self, text: str, room: int) -> tuple[list[int], list[tuple[int, int]]]:
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        encoded.truncate(room)
        return encoded.ids, encoded.offsets

    def pieces(self) -> list[str]:
        places = self._tokenizer.get_vocab()
        return sorted(places, key=places.__getitem__)


@dataclass(frozen=True, slots=True)
class Read:
    """What a model reads of one text."""

    ids: list[int]  # special tokens, prefix and context included
    #: [n, 2] characters of the context and the text behind it; (-1, -1) for all else.
    places: NDArray[np.int32]
    context: int = 0  # its characters

    @property
    def spans(self) -> NDArray[np.int32]:
        """[n, 2] characters of the text; (-1, -1) for all else."""
        own = self.places[:, :1] >= self.context
        return np.where(own, self.places - np.int32(self.context), np.int32(-1))

    @property
    def pieces(self) -> int:
        """Tokens of the text's own words."""
        return int((self.places[:, 0] >= self.context).sum())


class Trunk:
    """Tokenizer and layers; thread-safe."""

    def __init__(
        self, tokenizer: Tokenizer, bert: Bert, max_tokens: int, prefixes: tuple[str, str]
    ) -> None:
        """`prefixes`: what the model was trained to see before a question, and before a passage."""
        self.tokenizer = tokenizer
        self._bert = bert
        self._max_tokens = max_tokens
        self._asking, self._told = (tokenizer.encode(text, max_tokens)[0] for text in prefixes)

    def read_question(self, text: str) -> Read:
        """A question as typed."""
        return self._read(TextInput(text), self._asking)

    def read_passage(self, given: TextInput) -> Read:
        """Context and text within the window."""
        return self._read(given, self._told)

    def _read(self, given: TextInput, prefix: list[int]) -> Read:
        room = self._max_tokens - 2 - len(prefix)
        context, before = self._tokenize(given.context, room // _CONTEXT_SHARE)
        text, own = self._tokenize(given.text, room - len(context))
        tokenizer = self.tokenizer
        ids = [tokenizer.first, *prefix, *context, *text, tokenizer.last]
        places = np.full((len(ids), 2), -1, np.int32)
        begin, length = 1 + len(prefix), len(given.context)
        if context:
            places[begin : begin + len(context)] = before
        if text:
            spans = np.array(own, np.int32)
            spans[spans[:, 0] >= 0] += length
            places[begin + len(context) : -1] = spans
        return Read(ids, places, length)

    def _tokenize(self, text: str, room: int) -> tuple[list[int], list[tuple[int, int]]]:
        text = _SURROGATES.sub("\ufffd", text[: room * _CHARACTERS_PER_TOKEN])
        return self.tokenizer.encode(text, room)

    def states(self, ids: Sequence[Sequence[int]]) -> Iterator[tuple[int, Floats]]:
        """Last hidden states [n, width] float32 of each, with its place; shorter ones first."""
        for batch in batches([len(row) for row in ids], _TOKENS_PER_FORWARD):
            yield from zip(batch, self._bert([ids[i] for i in batch]), strict=True)

    def punctuation(self) -> NDArray[np.bool_]:
        """[vocabulary] whether a token is nothing but punctuation or symbols."""
        pieces = [piece.removeprefix("▁") for piece in self.tokenizer.pieces()]
        codes = np.frombuffer("".join(pieces).encode("utf-32-le"), "<u4")
        known, places = np.unique(codes, return_inverse=True)
        loud = np.array([unicodedata.category(chr(code))[0] not in "PS" for code in known])
        before = np.concatenate([[0], np.cumsum(loud[places])])
        ends = np.cumsum([len(piece) for piece in pieces])
        begins = np.concatenate([[0], ends[:-1]])
        quiet: NDArray[np.bool_] = (ends > begins) & (before[ends] == before[begins])
        return quiet


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Places of texts of the same length, at most `budget` tokens together, shorter ones first."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, length in enumerate(lengths):
        groups[length].append(place)
    for length in sorted(groups):
        places, size = groups[length], max(1, budget // length)
        yield from (places[i : i + size] for i in range(0, len(places), size))
