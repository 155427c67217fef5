"""A BERT encoder on onnxruntime: token ids in, last hidden states out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from engine.encoders.inference.onnx_options import processor_threads, session_options
from engine.encoders.text_onnx.graph import EMBEDDED, GRAPH, HIDDEN
from engine.encoders.text_onnx.weights import Floats, Tensors

_EMBEDDINGS = "embeddings.{}_embeddings.weight"


class Bert:
    """The embeddings, looked up in the mapped weights, and a session for the layers.

    Thread-safe. With one thread the caller's does all the work.
    """

    def __init__(self, weights: Tensors, graph: Path, threads: int | None) -> None:
        """`graph`: a folder that `graph.write` made; `threads` None: those of the environment."""
        # A row is read when its word comes: most of the vocabulary never does.
        self._words = weights[_EMBEDDINGS.format("word")]
        types = weights[_EMBEDDINGS.format("token_type")][:]
        self._positions = weights[_EMBEDDINGS.format("position")][:] + types[0]
        self._session: Any = onnxruntime.InferenceSession(
            graph / GRAPH,
            session_options(threads or processor_threads(), optimise=False),
            providers=["CPUExecutionProvider"],
        )

    def __call__(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Last hidden states [batch, length, width] float32 of token ids [batch, length]."""
        length = len(ids[0])
        words = self._words[[word for row in ids for word in row]]
        embedded = words.reshape(len(ids), length, -1) + self._positions[:length]
        hidden: Floats = self._session.run([HIDDEN], {EMBEDDED: embedded})[0]
        return hidden
