"""The embedded encoder for every language: MiniLM and multilingual E5 as one.

MiniLM is the better of the two for English, E5 reads a hundred languages. A single vector is both
halves' directions side by side, turned by a PCA and cut. A token vector is E5's state of a token
beside MiniLM's of the same characters, turned by a trained head.

E5's directions all lie near one (any two have a cosine around 0.8), and so do its token states:
that one is taken off, from questions and passages apart, which their prefixes set apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.text_onnx.encoder import Pooling, TextOnly, load_projections, unit
from engine.encoders.text_onnx.halves import PASSAGE, Weights, aligned, joined, of_question
from engine.encoders.text_onnx.packages import load_trunk
from engine.encoders.text_onnx.trunk import Read, Trunk
from engine.encoders.text_onnx.weights import Floats
from engine.models.registry import ModelSpec

_PROJECTIONS = "e5_minilm/heads.npz"


class PairEncoder(TextOnly):
    """Two trunks on the CPU behind the Encoder protocol."""

    concurrent_queries = True
    fast = True

    def __init__(
        self, spec: ModelSpec, minilm: Trunk, e5: Trunk, projections: Mapping[str, Floats]
    ) -> None:
        """`projections`, of E5's 384 numbers: `question` and `passage`, mean unit directions;
        `question_tokens` and `passage_tokens`, mean states; of both halves': `single` [768, d] by
        falling variance, and one head [768, t] for each adapter."""
        self.spec = spec
        self.notes: list[str] = []
        self._minilm, self._e5 = minilm, e5
        self._pooling = Pooling(minilm), Pooling(e5)
        self._projections = projections

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self.encode_queries_by_adapter(queries, [adapter])[adapter]

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> dict[Adapter, list[Encoding]]:
        """Questions as typed, for several adapters in one forward."""
        english = [self._minilm.read_question(query) for query in queries]
        read = [self._e5.read_question(query) for query in queries]
        weights = [of_question(a.pieces, b.pieces) for a, b in zip(english, read, strict=True)]
        return self._encode("question", english, read, weights, adapters)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        english = [self._minilm.read_passage(text) for text in texts]
        read = [self._e5.read_passage(text) for text in texts]
        weights = [PASSAGE] * len(texts)
        return self._encode("passage", english, read, weights, [adapter])[adapter]

    def _encode(
        self,
        side: str,
        english: Sequence[Read],
        read: Sequence[Read],
        weights: Sequence[Weights],
        adapters: Sequence[Adapter],
    ) -> dict[Adapter, list[Encoding]]:
        code = side == "passage" and list(adapters) == ["code"]
        pool, pool_e5 = self._pooling
        first = dict(self._minilm.states([each.ids for each in english]))
        made: dict[int, list[Encoding]] = {}  # by text, in the order of the adapters
        for i, states in self._e5.states([each.ids for each in read]):
            direction = unit(pool.of(english[i].ids, first[i], code=code))
            mean = unit(pool_e5.of(read[i].ids, states, code=code))
            other = unit(mean - self._projections[side])
            single: Floats = joined(direction, other, weights[i]) @ self._rotation
            beside = unit(aligned(first.pop(i), english[i].places, read[i].places))
            tokens = joined(beside, unit(states - self._projections[f"{side}_tokens"]), weights[i])
            made[i] = [
                Encoding(
                    unit(single),
                    unit(tokens @ self._head(adapter)),
                    read[i].spans,
                    pieces=english[i].pieces if side == "question" else None,
                )
                for adapter in adapters
            ]
        return {
            adapter: [made[i][place] for i in range(len(read))]
            for place, adapter in enumerate(adapters)
        }

    @property
    def _rotation(self) -> Floats:
        return self._projections["single"][:, : self.spec.dim]

    def _head(self, adapter: Adapter) -> Floats:
        head = self._projections.get(adapter, self._projections["retrieval"])
        return head[:, : self.spec.token_dim]


def load(folder: Path | None, spec: ModelSpec, *, threads: int | None = None) -> PairEncoder:
    """Load both halves' packaged weights with the projections that come with Inkling."""
    minilm, e5 = (
        load_trunk(
            name,
            spec.sha256,
            folder and folder / name,
            spec.max_tokens,
            int8=True,
            threads=threads,
        )
        for name in ("minilm", "e5")
    )
    return PairEncoder(spec, minilm, e5, load_projections(_PROJECTIONS))
