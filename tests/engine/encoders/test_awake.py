"""Questions to a model that never sleeps: no worker, one forward for all adapters, errors told."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders import awake
from engine.encoders.awake import AwakeQueries
from engine.encoders.pool import EncoderPool
from engine.encoders.text_onnx import encoder as text_onnx
from engine.encoders.text_onnx.bert import Bert
from engine.encoders.text_onnx.weights import Floats
from engine.engine import Engine
from engine.models.registry import MODELS, ModelSpec
from engine.search.query_encoding import QueryEncodings
from tests.engine.encoders.crashing_encoder import CrashingEncoder
from tests.waiting import until

SPEC = MODELS["minilm"]


@pytest.fixture
def forwards(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Texts in each forward of this process."""
    made: list[int] = []
    forward = Bert.__call__

    def counted(self: Bert, ids: Sequence[Sequence[int]]) -> tuple[Floats, Sequence[int]]:
        made.append(len(ids))
        return forward(self, ids)

    monkeypatch.setattr(Bert, "__call__", counted)
    return made


@pytest.fixture
def pool(base: BaseDir) -> Iterator[EncoderPool]:
    with contextlib.closing(EncoderPool(SPEC, base, threads=1, idle_s=0.1)) as pool:
        yield pool


def test_a_question_is_encoded_once_for_all_adapters(
    pool: EncoderPool, forwards: list[int]
) -> None:
    encodings = QueryEncodings(pool, SPEC)
    encoded = encodings.of(parse("unpaid invoice"))
    assert set(encoded.by_adapter) == {"retrieval", "code"}
    assert forwards == [1]
    encodings.of(parse("unpaid invoice"))
    encodings.of(parse("kind:code unpaid invoice"))
    assert forwards == [1]
    for adapter, encoding in encoded.by_adapter.items():
        [alone] = text_onnx.load(None, SPEC).encode_queries(["unpaid invoice"], adapter)
        np.testing.assert_allclose(encoding.single, alone.single, atol=1e-6)
        np.testing.assert_allclose(encoding.tokens, alone.tokens, atol=1e-6)


def test_an_adapter_that_was_not_asked_before_is_asked_alone(
    pool: EncoderPool, forwards: list[int]
) -> None:
    encodings = QueryEncodings(pool, SPEC)
    [first] = encodings.of(parse("kind:code retry")).by_adapter.values()
    encoded = encodings.of(parse("retry"))
    assert forwards == [1, 1]
    assert encoded.by_adapter["code"] is first
    assert list(encoded.by_adapter) == list(
        QueryEncodings(pool, SPEC).of(parse("retry")).by_adapter
    )


@pytest.mark.slow
def test_questions_start_no_worker_and_need_none(pool: EncoderPool) -> None:
    texts = pool.encode_texts([TextInput("The invoice is overdue.")], "retrieval")
    until(lambda: pool.state == "unloaded")  # after its rest
    [asked] = pool.encode_queries(["unpaid bill"], "retrieval")
    assert float(asked.single @ texts[0].single) > 0.4
    assert pool.state == "unloaded"
    assert pool.pids() == []


def test_it_is_loaded_once_for_all_who_ask(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[ModelSpec] = []
    load = text_onnx.load

    def counted(folder: Path, spec: ModelSpec, *, threads: int) -> text_onnx.TextEncoder:
        loads.append(spec)
        return load(folder, spec, threads=threads)

    monkeypatch.setattr(text_onnx, "load", counted)
    with contextlib.closing(EncoderPool(SPEC, base)) as pool, ThreadPoolExecutor(8) as callers:
        pool.wake()
        list(callers.map(lambda n: pool.encode_queries([f"question {n}"], "code"), range(32)))
    assert loads == [SPEC]


def test_an_engine_that_was_woken_has_it_loaded(base: BaseDir) -> None:
    with contextlib.closing(Engine(base, SPEC, lambda words, limit, filters: [])) as engine:
        engine.wake()
        loaded = engine.encoders._awake
        assert loaded is not None
        until(lambda: loaded.wake().done())
        assert loaded.wake().exception() is None


def test_damaged_weights_are_told_to_everyone_who_asks_until_they_are_mended(
    base: BaseDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(SPEC, sha256={**SPEC.sha256, "model.safetensors": "0" * 64})
    queries = AwakeQueries(wrong, base.models / "minilm")
    for _ in range(2):
        with pytest.raises(InklingError, match="not the one Inkling expects"):
            queries.encode(["question"], ["retrieval"])
    queries._spec = SPEC
    with pytest.raises(InklingError, match="not the one Inkling expects"):  # not tried again yet
        queries.encode(["question"], ["retrieval"])
    monkeypatch.setattr(awake, "RETRY_LOAD_S", 0.0)
    assert queries.encode(["question"], ["retrieval"]).keys() == {"retrieval"}


class Faulty(CrashingEncoder):
    """Fails as its question says."""

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> dict[Adapter, list[Encoding]]:
        return {adapter: self.encode_queries(queries, adapter) for adapter in adapters}


def load(folder: Path, spec: ModelSpec, *, threads: int) -> Faulty:
    return Faulty(folder, spec)


def test_what_goes_wrong_is_told_and_the_next_question_is_answered(tmp_path: Path) -> None:
    queries = AwakeQueries(replace(SPEC, module=f"{__name__}:load"), tmp_path)
    with pytest.raises(InklingError, match="is refused"):
        queries.encode(["refuse"], ["code"])
    with pytest.raises(InklingError, match="RuntimeError: a bug"):
        queries.encode(["bug"], ["code"])
    assert len(queries.encode(["fine"], ["code"])["code"]) == 1


def test_nobody_is_answered_by_a_pool_that_was_closed(base: BaseDir) -> None:
    pool = EncoderPool(SPEC, base)
    pool.close()
    with pytest.raises(InklingError, match="stopping"):
        pool.encode_queries(["question"], "retrieval")


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted by Linux's /proc")
def test_encoding_a_question_starts_no_threads(base: BaseDir) -> None:
    # A process of its own: in this one threads of other tests may start at any moment.
    code = (
        "import os, sys, pathlib; from engine.contract.paths import BaseDir;"
        "from engine.encoders.pool import EncoderPool; from engine.models.registry import MODELS;"
        "pool = EncoderPool(MODELS['minilm'], BaseDir(pathlib.Path(sys.argv[1])));"
        "pool.encode_queries(['warm'], 'retrieval');"
        "before = set(os.listdir('/proc/self/task'));"
        "pool.encode_queries(['a question of several words'], 'retrieval');"
        "print(sorted(set(os.listdir('/proc/self/task')) - before))"
    )
    command = [sys.executable, "-c", code, str(base.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]"]


def test_the_process_that_asks_loads_no_torch(base: BaseDir) -> None:
    code = (
        "import sys, pathlib; from engine.contract.paths import BaseDir;"
        "from engine.encoders.pool import EncoderPool; from engine.models.registry import MODELS;"
        "pool = EncoderPool(MODELS['minilm'], BaseDir(pathlib.Path(sys.argv[1])));"
        "print('onnxruntime' in sys.modules);"  # nothing is loaded before it is needed
        "pool.encode_queries(['question'], 'code');"
        "print(sorted({'torch', 'transformers', 'onnxruntime'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(base.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "['onnxruntime']"]
