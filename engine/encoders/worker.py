"""The child process that holds a model: reads requests from stdin, answers on stdout.

Started by engine.encoders.process, see engine.contract.launch. It ends when stdin does, so a
killed parent leaves no orphan. The first message names the model and is answered by `ready` or
`failed`; after that every request is answered by its id.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.contract import framing
from engine.contract.errors import InklingError
from engine.contract.types import Encoding, TextInput
from engine.models.libraries import require_libraries
from engine.models.registry import ModelSpec

if TYPE_CHECKING:
    from engine.encoders.protocol import Encoder

log = logging.getLogger(__name__)

_BATCH_NICENESS = 10  # of the thread that works through batches: queries and the desktop go first
_Job = tuple[int, int, dict[str, Any]]  # priority, arrival, request


class Worker:
    """Takes requests off a stream by priority and writes their answers."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests = requests
        self._answers = answers
        self._write_lock = threading.Lock()
        self._arrival = itertools.count()
        self._batches: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._queries = self._batches  # one queue, unless the encoder can do both at once

    def run(self) -> None:
        """Load the model the first message names, then answer until stdin ends."""
        start = framing.read(self._requests)
        if start is None:
            return
        # Watch stdin before the slow load: the parent may go away during it.
        threading.Thread(target=self._read, daemon=True).start()
        if start["spec"]["awake"]:  # nobody waits for this process: its threads inherit it
            _lower_priority()
        try:
            encoder = load(start)
        except Exception as error:  # noqa: BLE001 -- whatever went wrong, the parent must hear it
            self._send({"failed": describe(error)})
            return
        if encoder.concurrent_queries:
            self._queries = queue.PriorityQueue()
            threading.Thread(
                target=self._work, args=(encoder, self._queries), name="queries", daemon=True
            ).start()
        self._send({"ready": True, "notes": list(encoder.notes), "fast": encoder.fast})
        _lower_priority()
        self._work(encoder, self._batches)

    def _read(self) -> None:
        while (request := framing.read(self._requests)) is not None:
            priority = int(request["priority"])
            inbox = self._queries if request["op"] == "queries" else self._batches
            inbox.put((priority, next(self._arrival), request))
        os._exit(0)  # the parent closed stdin or is gone: nobody waits for a running forward

    def _work(self, encoder: Encoder, inbox: queue.PriorityQueue[_Job]) -> None:
        while True:
            _, _, request = inbox.get()
            answer: dict[str, Any] = {"id": request["id"]}
            try:
                answer["encodings"] = [as_message(e) for e in run(encoder, request)]
            except Exception as error:  # noqa: BLE001 -- one bad input must not end the worker
                answer["error"] = describe(error)
            answer["notes"] = list(encoder.notes)
            self._send(answer)

    def _send(self, message: dict[str, Any]) -> None:
        frame = framing.pack(message)
        with self._write_lock:
            self._answers.write(frame)
            self._answers.flush()


def load(start: dict[str, Any]) -> Encoder:
    """The encoder that the first message asks for."""
    spec = ModelSpec.from_message(start["spec"])
    require_libraries(spec)
    folder = None if start["folder"] is None else Path(start["folder"])
    module, function = spec.module.split(":")
    encoder: Encoder = getattr(importlib.import_module(module), function)(folder, spec)
    return encoder


def run(encoder: Encoder, request: dict[str, Any]) -> list[Encoding]:
    """Do one request."""
    items, adapter = request["items"], request["adapter"]
    match request["op"]:
        case "queries":
            return encoder.encode_queries(items, adapter)
        case "texts":
            return encoder.encode_texts(
                [TextInput(text, context) for text, context in items], adapter
            )
        case "images":
            return encoder.encode_images(items, adapter)
        case "chunks":
            text, spans, context = items
            return encoder.encode_chunks(text, [(a, b) for a, b in spans], context, adapter)
    raise ValueError(f"unknown request {request['op']!r}")


def as_message(encoding: Encoding) -> dict[str, Any]:
    return {
        "single": encoding.single,
        "tokens": encoding.tokens,
        "spans": encoding.spans,
        "boxes": encoding.boxes,
        "note": encoding.note,
        "pieces": encoding.pieces,
    }


def describe(error: Exception) -> dict[str, Any]:
    """An error as data. What is not ours is named by type only where it might quote the text."""
    if isinstance(error, InklingError):
        return error.as_data()
    log.error("request failed", exc_info=error)
    said = f"{type(error).__name__}: {error}"
    return InklingError("The model failed: {error}.", told={"error": said}).as_data()


def _lower_priority() -> None:
    """Make this thread, and the compute threads it will start, yield to everything else."""
    if sys.platform == "linux":  # elsewhere niceness belongs to the process, queries included
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BATCH_NICENESS)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Libraries print; their words must not land among the frames.
    os.dup2(2, 1)
    Worker(requests, answers).run()


if __name__ == "__main__":
    main()
