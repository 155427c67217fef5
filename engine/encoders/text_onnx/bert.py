"""A BERT encoder on onnxruntime: token ids in, last hidden states out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

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
        self._session = _session(graph / GRAPH, threads or _threads())

    def __call__(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Last hidden states [batch, length, width] float32 of token ids [batch, length]."""
        length = len(ids[0])
        words = self._words[[word for row in ids for word in row]]
        embedded = words.reshape(len(ids), length, -1) + self._positions[:length]
        hidden: Floats = self._session.run([HIDDEN], {EMBEDDED: embedded})[0]
        return hidden


def _threads() -> int:
    """What the pool allows its worker, else all cores that this process may use."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    if allowed.isdigit() and int(allowed):
        return int(allowed)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _session(graph: Path, threads: int) -> Any:
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait for one another sleep: spinning takes the cores from others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Batches differ in length: what was planned for one, or kept from it, fits no other.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    # It is fused already.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
