"""A query as the model sees it: an encoding for each adapter in play, kept for the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.contract.errors import InklingError
from engine.contract.kinds import FILE_KINDS, file_kinds
from engine.contract.types import Adapter, Encoding, Filters, Kind, Query
from engine.models.registry import ModelSpec
from engine.search.ports import QueryEncoder

#: Encodings kept: stages, filters and letters typed back and forth ask for the same ones.
KEPT = 256


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """One encoding for each adapter that the filters leave in play; never empty."""

    by_adapter: Mapping[Adapter, Encoding]
    spec: ModelSpec

    def adapter_for(self, kind: Kind) -> Adapter:
        """Whose encoding asks units of this kind."""
        wanted = self.spec.adapter_for(kind)
        return wanted if wanted in self.by_adapter else next(iter(self.by_adapter))

    @property
    def pieces(self) -> int:
        """Tokens that stand for typed words, in the vocabulary that tells English from the rest."""
        encoding = next(iter(self.by_adapter.values()))
        if encoding.pieces is not None:
            return encoding.pieces
        spans = encoding.spans
        return 0 if spans is None else int((spans[:, 0] >= 0).sum())

    def tears(self, words: Mapping[int, tuple[str, str]]) -> bool:
        """Whether the model knows none of these words of the query, (word, any) by start in it, but
        several pieces of each."""
        spans = next(iter(self.by_adapter.values())).spans
        if spans is None:
            return False
        begun = [start for start, end in spans.tolist() if end > start >= 0]
        return all(
            sum(start <= place < start + len(word) for place in begun) > 1
            for start, (word, _) in words.items()
        )


class QueryEncodings:
    """Encodes queries and remembers the last ones; thread-safe."""

    def __init__(self, encoder: QueryEncoder, spec: ModelSpec) -> None:
        self._encoder = encoder
        self._spec = spec
        self._kept: dict[tuple[str, Adapter, str | None], Encoding] = {}

    def can_ask(self, query: Query) -> bool:
        """Whether there is anything that the model can read."""
        return bool(query.text) or (query.image is not None and self._sees)

    def of(self, query: Query) -> EncodedQuery:
        """Encode for each adapter that the filters allow; repeated queries cost nothing."""
        picture = query.image if self._sees else None
        content = None if picture is None else _digest(picture)
        keys = {a: (query.text, a, content) for a in self._adapters(query.filters)}
        known = {adapter: self._kept.get(key) for adapter, key in keys.items()}
        missing = [adapter for adapter, encoding in known.items() if encoding is None]
        encoded = self._encode(query.text, picture, missing)
        if len(self._kept) > KEPT:
            self._kept.clear()
        self._kept.update((keys[adapter], encoding) for adapter, encoding in encoded.items())
        made = {adapter: known[adapter] or encoded[adapter] for adapter in keys}
        return EncodedQuery(made, self._spec)

    @property
    def _sees(self) -> bool:
        return "image" in self._spec.modalities

    def _adapters(self, filters: Filters) -> list[Adapter]:
        allowed = {kind for wanted in filters.kinds for kind in file_kinds(wanted)}
        asked = [kind for kind in FILE_KINDS if kind in allowed or not filters.kinds]
        return list(dict.fromkeys(map(self._spec.adapter_for, asked or FILE_KINDS)))

    def _encode(
        self, text: str, picture: str | None, adapters: Sequence[Adapter]
    ) -> dict[Adapter, Encoding]:
        """Text and picture together, for each adapter."""
        parts: dict[Adapter, list[Encoding]] = {adapter: [] for adapter in adapters}
        if text and adapters:
            for adapter, made in self._encoder.encode_queries_by_adapter([text], adapters).items():
                parts[adapter] += made
        if picture is not None:
            for adapter in adapters:
                parts[adapter] += self._encoder.encode_images([picture], adapter, urgent=True)
        return {
            adapter: made[0] if len(made) == 1 else text_with_picture(made)
            for adapter, made in parts.items()
        }


def text_with_picture(parts: Sequence[Encoding]) -> Encoding:
    """A sentence and a picture as one query: both directions count alike, all tokens count."""
    single = np.sum([part.single for part in parts], axis=0)
    single = single / max(float(np.linalg.norm(single)), 1e-9)
    tokens = np.concatenate([part.tokens for part in parts])
    return replace(
        parts[0], single=single.astype(np.float32), tokens=tokens, spans=None, pieces=None
    )


def _digest(picture: str) -> str:
    """What a picture is, whatever its path: under the same path lies another one tomorrow."""
    try:
        with open(picture, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InklingError(
            "The picture {picture} can't be read.",
            hint="Check the path.",
            path=picture,
            told={"picture": picture},
        ) from error
