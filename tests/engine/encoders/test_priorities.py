"""Queries go before batches: in the pool that sends requests, and in the worker that has some."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.contract import framing
from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.pool import EncoderPool
from engine.encoders.worker import Worker
from engine.models.registry import ModelSpec
from tests.engine.encoders.crashing_encoder import CrashingEncoder
from tests.engine.encoders.test_pool import SPEC
from tests.waiting import PATIENCE, until

REQUESTS, TEXTS = 10, SPEC.texts_per_request


def test_a_query_waits_for_what_the_worker_has_and_no_more(base: BaseDir) -> None:
    folder = base.models / SPEC.id
    folder.mkdir()
    order = folder / "order"
    order.touch()
    held = ["hold"] * TEXTS  # shorter than the others: it is the first request
    batch = [*held, *(f"request {n}" for n in range(1, REQUESTS) for _ in range(TEXTS))]
    with (
        contextlib.closing(EncoderPool(SPEC, base, threads=1)) as pool,
        ThreadPoolExecutor() as callers,
    ):
        texts = [TextInput(text) for text in batch]
        working = callers.submit(pool.encode_texts, texts, "retrieval")
        until(lambda: "hold" in order.read_text())
        asked = callers.submit(pool.encode_queries, ["quick"], "retrieval")
        until(lambda: "queries" in _operations(pool))
        (folder / "go").touch()
        asked.result(100)
        working.result(100)
    encoded = order.read_text().splitlines()
    assert len(encoded) == REQUESTS * TEXTS + 1
    # One request runs and one waits in the worker, which may take it before it reads the query.
    assert encoded.index("quick") <= 2 * TEXTS


def _operations(pool: EncoderPool) -> set[str]:
    """Of the requests that it has sent or keeps."""
    with pool._lock:
        kept = [request for _, _, request in pool._waiting]
        return {request.op for request in [*pool._in_flight.values(), *kept]}


class SlowToLoad(CrashingEncoder):
    """Is ready when the test says so; ends its thread when asked to."""

    may_load = threading.Event()

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        if texts[0].text == "end":
            raise SystemExit
        return super().encode_texts(texts, adapter)


def load(folder: Path | None, spec: ModelSpec) -> SlowToLoad:
    assert SlowToLoad.may_load.wait(PATIENCE)
    return SlowToLoad(folder, spec)


def test_the_worker_takes_queries_first(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the reading thread does when its pipe is closed.
    monkeypatch.setattr(os, "_exit", lambda code: None)
    requests_out, requests_in = os.pipe()
    answers_out, answers_in = os.pipe()
    spec = SPEC.to_message() | {"module": f"{__name__}:load"}
    with (
        os.fdopen(requests_out, "rb") as requests,
        os.fdopen(answers_in, "wb") as answers,
        os.fdopen(answers_out, "rb") as answered,
        os.fdopen(requests_in, "wb") as sending,
    ):
        worker = Worker(requests, answers)

        def work() -> None:
            with contextlib.suppress(SystemExit):
                worker.run()

        running = threading.Thread(target=work, daemon=True)
        running.start()
        framing.write(sending, {"spec": spec, "folder": None})
        for number, (op, priority) in enumerate([("texts", 1)] * 3 + [("queries", 0)] * 2):
            item = ["text", ""] if op == "texts" else "query"
            request = {"op": op, "adapter": "retrieval", "items": [item], "priority": priority}
            framing.write(sending, {"id": number, **request})
        end = {"op": "texts", "adapter": "retrieval", "items": [["end", ""]], "priority": 2}
        framing.write(sending, {"id": 9, **end})
        until(lambda: worker._batches.qsize() == 6)
        SlowToLoad.may_load.set()
        assert "ready" in (framing.read(answered) or {})
        told = [(framing.read(answered) or {})["id"] for _ in range(5)]
        assert told == [3, 4, 0, 1, 2]
        running.join(100)
        assert not running.is_alive()
