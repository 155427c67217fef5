"""The pool with real worker processes: order, priority, crashes, bisection, idling, orphans."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from engine.contract.errors import InklingError, WorkerDiedError
from engine.contract.paths import BaseDir
from engine.contract.types import TextInput
from engine.encoders.pool import EncoderPool
from engine.encoders.requests import InputsFailedError
from engine.models.registry import MODELS
from tests.waiting import until

SPEC = dataclasses.replace(
    MODELS["minilm"],
    id="crashing",
    module="tests.engine.encoders.crashing_encoder:load",
    texts_per_request=4,
    awake=False,
)


@pytest.fixture
def folder(base: BaseDir) -> Path:
    folder = base.models / SPEC.id
    folder.mkdir()
    return folder


@pytest.fixture
def pool(base: BaseDir, folder: Path) -> Iterator[EncoderPool]:
    with contextlib.closing(EncoderPool(SPEC, base, threads=1)) as pool:
        yield pool


def texts(*values: str) -> list[TextInput]:
    return [TextInput(value) for value in values]


def lengths(pool: EncoderPool, values: list[str]) -> list[int]:
    return [int(e.tokens[0, 0]) for e in pool.encode_texts(texts(*values), "retrieval")]


def test_results_keep_the_order_of_inputs(pool: EncoderPool) -> None:
    values = ["x" * n for n in (9, 3, 7, 1, 8, 2, 6, 4, 5, 0, 12)]
    assert lengths(pool, values) == [len(v) for v in values]
    assert pool.state == "ready"
    assert pool.notes == [f"loaded by {pool.pids()[0]}"]


def test_nothing_asked_starts_nothing(pool: EncoderPool) -> None:
    assert pool.encode_queries([], "code") == []
    assert pool.encode_texts([], "code") == []
    assert pool.encode_chunks("text", [], "", "code") == []
    assert pool.state == "unloaded"


def test_chunks_and_images(pool: EncoderPool) -> None:
    chunks = pool.encode_chunks("abcdef", [(0, 2), (2, 6)], "ctx", "retrieval")
    assert [int(c.tokens[0, 0]) for c in chunks] == [2, 4]
    image = pool.encode_images(["/tmp/\udcff.png"], "retrieval")[0]
    assert int(image.tokens[0, 0]) == len("/tmp/\udcff.png")


def test_many_callers_at_once(pool: EncoderPool) -> None:
    with ThreadPoolExecutor(8) as callers:
        asked = [["y" * (n + k) for k in range(9)] for n in range(8)]
        answers = list(callers.map(lambda values: lengths(pool, values), asked))
    assert answers == [[len(v) for v in values] for values in asked]


def test_killed_worker_is_replaced_and_its_work_repeated(pool: EncoderPool) -> None:
    pool.encode_queries(["warm"], "retrieval")
    (first,) = pool.pids()
    with ThreadPoolExecutor() as callers:
        batch = callers.submit(lengths, pool, ["sleep 0.3", "ab"])
        until(lambda: pool._in_flight)
        time.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        assert batch.result(60) == [9, 2]
    assert pool.pids() != [first]


def test_input_that_kills_once_succeeds_the_second_time(pool: EncoderPool) -> None:
    assert lengths(pool, ["once", "a"]) == [4, 1]


def test_input_that_kills_twice_is_named_and_the_others_survive(pool: EncoderPool) -> None:
    values = ["a", "die of this", "bb", "ccc", "dddd", "eeeee", "ffffff"]
    with pytest.raises(InputsFailedError, match="11 characters") as caught:
        pool.encode_texts(texts(*values), "retrieval")
    assert list(caught.value.failed) == [1]
    assert isinstance(caught.value.failed[1], WorkerDiedError)
    survivors = {i: int(e.tokens[0, 0]) for i, e in enumerate(caught.value.encodings) if e}
    assert survivors == {i: len(v) for i, v in enumerate(values) if i != 1}
    assert int(pool.encode_queries(["still"], "retrieval")[0].tokens[0, 0]) == 5


def test_queries_survive_a_deadly_batch(pool: EncoderPool) -> None:
    stop = threading.Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set():
            pool.encode_queries(["q"], "retrieval")
            asked += 1
        return asked

    with ThreadPoolExecutor() as callers:
        asking = callers.submit(ask)
        try:
            with pytest.raises(InputsFailedError):
                pool.encode_texts(texts("die", "ok", "fine"), "retrieval")
        finally:
            stop.set()
        assert asking.result(60) > 0


def test_refused_input_fails_alone(pool: EncoderPool) -> None:
    with pytest.raises(InputsFailedError, match="refused") as caught:
        pool.encode_texts(texts("one", "refuse", "three"), "retrieval")
    assert list(caught.value.failed) == [1]
    assert caught.value.hint == "Try another."


def test_an_encoding_that_is_missing_is_told(pool: EncoderPool) -> None:
    with pytest.raises(InputsFailedError, match="gave 2 encodings for 3 inputs"):
        pool.encode_texts(texts("one", "lost", "three"), "retrieval")
    assert lengths(pool, ["back"]) == [4]


def test_bug_of_the_encoder_is_told(pool: EncoderPool) -> None:
    with pytest.raises(InklingError, match="RuntimeError: a bug"):
        pool.encode_queries(["bug"], "retrieval")


def test_unloads_when_idle_and_comes_back(base: BaseDir, folder: Path) -> None:
    with contextlib.closing(EncoderPool(SPEC, base, idle_s=0.4)) as pool:
        assert pool.state == "unloaded"
        lengths(pool, ["warm"])
        assert pool.state == "ready"
        (pid,) = pool.pids()
        until(lambda: pool.state == "unloaded")
        until(lambda: not psutil.pid_exists(pid))
        assert lengths(pool, ["back"]) == [4]


def test_stays_loaded_while_a_long_request_runs(base: BaseDir, folder: Path) -> None:
    with contextlib.closing(EncoderPool(SPEC, base, idle_s=0.3)) as pool:
        lengths(pool, ["warm"])
        before = pool.pids()
        lengths(pool, ["sleep 1.2"])
        assert pool.pids() == before


def test_broken_weights_are_told_at_once_and_again(
    pool: EncoderPool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken").touch()
    with pytest.raises(InklingError, match="broken"):
        pool.encode_queries(["q"], "retrieval")
    assert pool.state == "failed"
    monkeypatch.delattr("engine.encoders.pool.EncoderProcess")  # no other load is begun
    with pytest.raises(InklingError, match="broken"):
        pool.encode_queries(["q"], "retrieval")


def test_worker_that_dies_while_loading(pool: EncoderPool, folder: Path) -> None:
    (folder / "deadly").touch()
    with pytest.raises(InklingError, match="could not be loaded"):
        pool.encode_texts(texts("a", "b"), "retrieval")
    assert pool.state == "failed"


def test_close_frees_whoever_waits(base: BaseDir, folder: Path) -> None:
    pool = EncoderPool(SPEC, base)
    with ThreadPoolExecutor() as callers:
        waiting = callers.submit(lengths, pool, ["sleep 60"])
        until(lambda: pool._in_flight)
        (pid,) = pool.pids()
        pool.close()
        with pytest.raises(InklingError, match="stopping"):
            waiting.result(10)
    until(lambda: not psutil.pid_exists(pid))
    with pytest.raises(InklingError, match="stopping"):
        pool.encode_queries(["q"], "retrieval")


def test_worker_ends_with_its_killed_parent(base: BaseDir, folder: Path) -> None:
    code = f"""
import dataclasses, pathlib, threading, time
from engine.encoders.pool import EncoderPool
from engine.contract.paths import BaseDir
from engine.contract.types import TextInput
from tests.engine.encoders.test_pool import SPEC
pool = EncoderPool(SPEC, BaseDir(pathlib.Path({str(base.root)!r})))
pool.encode_queries(["q"], "retrieval")
threading.Thread(target=pool.encode_texts, args=([TextInput("sleep 60")], "retrieval")).start()
print(pool.pids()[0], flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    until(lambda: not psutil.pid_exists(pid))
