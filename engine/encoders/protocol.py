"""The one protocol every model fulfils.

A model's module has a function `load(folder: Path | None, spec: ModelSpec) -> Encoder`, named in
its row of engine.models.registry. It runs in the encoder worker, after the thread count is set, and
raises InklingError (what is missing or wrong, what to do) where the model can't be loaded. That of
an awake model takes `threads`, too, and gives an AwakeEncoder: it also runs where questions come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.contract.types import Adapter, Encoding, TextInput
from engine.models.registry import ModelSpec


class Encoder(Protocol):
    """Turns queries, passages and pictures into single vectors and token multi-vectors.

    Lives in the encoder worker. Thread-safe: a query may come while a batch runs. Results keep
    the order of the inputs. Raises InklingError with a remedy; running out of memory is handled
    inside (smaller batches, fewer pixels), never raised while one input still fits.
    """

    spec: ModelSpec
    #: Whether encode_queries may run on its own thread beside a batch (small models on CPU); else
    #: the worker puts queries between batches.
    concurrent_queries: bool
    #: Whether a few dozen texts take well under a second: small models, and large ones on a card.
    fast: bool
    #: What a person should know of how it runs now, e.g. "fell back to CPU"; read after each call.
    notes: list[str]

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        """Questions as typed."""

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        """Passages with their context."""

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        """Picture files (PNG or JPEG written by our own extractor, or a checked query picture)."""

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Late chunking: one forward over the document, one Encoding for each character span.

        Token spans are relative to the chunk's start. Encoders without long context encode each
        chunk by itself.
        """


class AwakeEncoder(Encoder, Protocol):
    """An encoder so small that the process that asks holds one, too (`ModelSpec.awake`).

    Its adapters differ by what comes after the forward.
    """

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> dict[Adapter, list[Encoding]]:
        """Questions as typed, for several adapters in one forward."""
