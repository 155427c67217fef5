"""An encoder in the pool's place: a word is a direction, another one in each adapter's space."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Encoding, TextInput
from engine.models.registry import ModelSpec


class WordEncoder:
    """Texts that share words are near one another; encodings of different adapters are not."""

    fast = False
    state = "ready"

    def __init__(self, spec: ModelSpec, base: BaseDir, **_: Any) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self.idle_s = 0.0
        #: Everything that was encoded: what, and by which adapter.
        self.asked: list[tuple[str, Adapter]] = []

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return [self._encode(query, adapter) for query in queries]

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> dict[Adapter, list[Encoding]]:
        return {adapter: self.encode_queries(queries, adapter) for adapter in adapters}

    def encode_texts(
        self, texts: Sequence[TextInput], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        return [self._encode(text.text, adapter) for text in texts]

    def encode_images(
        self, paths: Sequence[str], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """A picture of a text is that text."""
        return [self._encode(Path(path).read_text(), adapter) for path in paths]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        return [self._encode(text[start:end], adapter) for start, end in spans]

    def wake(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _encode(self, text: str, adapter: Adapter) -> Encoding:
        assert adapter in self.spec.adapters, f"{self.spec.id} has no adapter {adapter}"
        self.asked.append((text, adapter))
        words = list(re.finditer(r"\w+", text.lower())) or [re.match("", text)]
        spans = np.array([word.span() for word in words if word], np.int32)
        space = "" if self.spec.shared_single else adapter
        single = sum(self._direction(w[0], space, self.spec.dim) for w in words if w)
        tokens = [self._direction(w[0], adapter, self.spec.token_dim) for w in words if w]
        return Encoding(
            np.asarray(single / np.linalg.norm(single), np.float32), np.stack(tokens), spans
        )

    @staticmethod
    def _direction(word: str, space: str, size: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(zlib.crc32(f"{space}/{word}".encode()))
        direction = rng.normal(size=size)
        return np.asarray(direction / np.linalg.norm(direction), np.float32)
