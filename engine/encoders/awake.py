"""A small encoder held in this process for questions: loaded once, never let go.

The worker that encodes passages sleeps when there are none; a question that had to wait for it to
start would take seconds instead of milliseconds.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding
from engine.encoders.protocol import AwakeEncoder
from engine.models.registry import ModelSpec

log = logging.getLogger(__name__)

_Made = TypeVar("_Made")

RETRY_LOAD_S = 30.0  # after a failed load, answer at once with its error for this long


class AwakeQueries:
    """Encodes questions with one thread, the caller's; callable from any thread."""

    def __init__(self, spec: ModelSpec, folder: Path) -> None:
        self._spec, self._folder = spec, folder
        self._lock = threading.Lock()
        self._loaded: Future[AwakeEncoder] | None = None
        self._failed_at = 0.0

    def wake(self) -> Future[AwakeEncoder]:
        """Begin to load, unless that was done; does not wait."""
        with self._lock:
            loaded = self._loaded
            if loaded is None or (loaded.done() and loaded.exception() and self._may_retry()):
                loaded = self._loaded = Future()
                threading.Thread(
                    target=self._load, args=(loaded,), name="query-encoder", daemon=True
                ).start()
            return loaded

    def encode(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> Mapping[Adapter, list[Encoding]]:
        """Questions for several adapters in one forward; waits while the model is loaded."""
        encoder = self.wake().result()
        return _told(lambda: encoder.encode_queries_by_adapter(queries, adapters))

    def _may_retry(self) -> bool:
        return time.monotonic() - self._failed_at >= RETRY_LOAD_S

    def _load(self, loaded: Future[AwakeEncoder]) -> None:
        module, function = self._spec.module.split(":")
        try:
            encoder: AwakeEncoder = _told(
                lambda: getattr(importlib.import_module(module), function)(
                    self._folder, self._spec, threads=1
                )
            )
        except InklingError as error:
            log.error("the encoder of questions can't be loaded: %s", error)
            self._failed_at = time.monotonic()
            loaded.set_exception(error)
        else:
            loaded.set_result(encoder)


def _told(work: Callable[[], _Made]) -> _Made:
    """What `work` gives; whatever goes wrong is an InklingError."""
    try:
        return work()
    except InklingError:
        raise
    except Exception as error:
        log.exception("a question could not be encoded")
        raise InklingError(
            "The model failed: {error}.", told={"error": f"{type(error).__name__}: {error}"}
        ) from error
