"""The embedded English encoder: MiniLM with projections that come with Inkling.

Gives a PCA-rotated single vector, which can be cut, and a multi-vector from one small linear head
per adapter: adapters share the forward. A single vector is the mean of the token states; in that
of code punctuation counts little, for two fifths of a function's tokens are brackets, commas,
underscores.
"""

from __future__ import annotations

import importlib.resources
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

import resources
from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.text_onnx.packages import load_trunk
from engine.encoders.text_onnx.trunk import Read, Trunk
from engine.encoders.text_onnx.weights import Floats
from engine.models.registry import ModelSpec

_PROJECTIONS = "minilm/heads.npz"
#: What a token of nothing but punctuation counts in the single vector of code. nDCG@10 of 500
#: questions for functions, this lane alone: 1 0.586, 1/2 0.592, 1/3 0.596, 1/4 0.600, 0 0.596; all
#: lanes 0.605 -> 0.615. In prose it moves single questions up and down.
_PUNCTUATION = 0.25


class Pooling:
    """Token states to one direction: their mean, in which punctuation of code counts little."""

    def __init__(self, trunk: Trunk) -> None:
        self._trunk = trunk

    def of(self, ids: Sequence[int], states: Floats, *, code: bool) -> Floats:
        """[width] of the states [n, width] of tokens; a question for code is prose."""
        counts = self.of_code[list(ids)] if code else np.ones(len(ids), np.float32)
        pooled: Floats = counts @ states
        return pooled

    @cached_property
    def of_code(self) -> Floats:
        """[vocabulary] how much each token's state counts in that of code."""
        return np.where(self._trunk.punctuation(), np.float32(_PUNCTUATION), np.float32(1))


class TextOnly(ABC):
    """What encoders do that neither see nor read long documents as one."""

    spec: ModelSpec

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        raise InklingError(
            "{title} does not see pictures.",
            hint="Their text is read by OCR; a model that sees can be chosen in the settings.",
            told={"title": self.spec.title},
        )

    @abstractmethod
    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        """One encoding a text."""

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the window is too short to share."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)


class TextEncoder(TextOnly):
    """A trunk on the CPU behind the Encoder protocol."""

    concurrent_queries = True
    fast = True

    def __init__(self, spec: ModelSpec, trunk: Trunk, projections: Mapping[str, Floats]) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self.trunk = trunk
        self._pooling = Pooling(trunk)
        self._rotation = projections["single"][:, : spec.dim]
        self._heads = {name: m[:, : spec.token_dim] for name, m in projections.items()}

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self.encode_queries_by_adapter(queries, [adapter])[adapter]

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> dict[Adapter, list[Encoding]]:
        """Questions as typed, for several adapters in one forward."""
        read = [self.trunk.read_question(query) for query in queries]
        return self._encode(read, adapters, code=False)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        read = [self.trunk.read_passage(text) for text in texts]
        return self._encode(read, [adapter], code=adapter == "code")[adapter]

    def _encode(
        self, read: Sequence[Read], adapters: Sequence[Adapter], *, code: bool
    ) -> dict[Adapter, list[Encoding]]:
        made: dict[int, list[Encoding]] = {}  # by text, in the order of the adapters
        for i, states in self.trunk.states([each.ids for each in read]):
            pooled = self._pooling.of(read[i].ids, states, code=code)
            single = unit(pooled @ self._rotation)
            made[i] = [
                Encoding(single, unit(states @ self._head(adapter)), read[i].spans)
                for adapter in adapters
            ]
        return {
            adapter: [made[i][place] for i in range(len(read))]
            for place, adapter in enumerate(adapters)
        }

    def token_ids(self, text: str) -> list[int]:
        """What the model reads of a text, special tokens included."""
        return self.trunk.read_passage(TextInput(text)).ids

    def hidden_states(self, texts: Sequence[str], longest: int) -> Iterator[tuple[int, Floats]]:
        """Last hidden states [n, width] of each text, cut to `longest` tokens, with its position.

        In the order of their lengths.
        """
        return self.trunk.states([self.token_ids(text)[:longest] for text in texts])

    def _head(self, adapter: Adapter) -> Floats:
        return self._heads.get(adapter, self._heads["retrieval"])


def unit(rows: Floats) -> Floats:
    """Rows [..., d] at length one; zeros stay."""
    made: Floats = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return made


def load(folder: Path | None, spec: ModelSpec, *, threads: int | None = None) -> TextEncoder:
    """Load the packaged weights with the projections that come with Inkling."""
    return load_encoder(spec, folder, load_projections(_PROJECTIONS), threads=threads)


def load_encoder(
    spec: ModelSpec,
    folder: Path | None,
    projections: Mapping[str, Floats],
    *,
    threads: int | None = None,
) -> TextEncoder:
    """Check that the weights are those the registry names and load them."""
    # In float32: vectors in people's indexes were made so.
    trunk = load_trunk("minilm", spec.sha256, folder, spec.max_tokens, int8=False, threads=threads)
    return TextEncoder(spec, trunk, projections)


def load_projections(file: str) -> dict[str, Floats]:
    """Arrays of a file in resources, float32 by name."""
    place = importlib.resources.files(resources) / file
    with place.open("rb") as stream, np.load(stream) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}
