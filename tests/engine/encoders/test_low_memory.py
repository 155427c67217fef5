"""Running out of memory costs speed or detail, never the answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from engine.contract.errors import InklingError
from engine.contract.types import TextInput
from engine.encoders.inference.low_memory import LEAST_BUDGET, LowMemory, is_out_of_memory
from engine.encoders.jina_v4.encoder import JinaV4
from engine.encoders.jina_v4.placement import fitting
from engine.models.files import Precision
from tests.engine.encoders.jina_tiny import FOLDER, tiny

BIG = str(FOLDER / "images" / "big_1200x900.png")


def cramped(encoder: JinaV4, most: int, to_cpu: Callable[[], None] | None = None) -> list[int]:
    """Let forwards of more than `most` tokens fail as a full card does; gives what was tried."""
    forward = encoder.placed.forward
    call, tried = forward._call, list[int]()

    def failing(adapters: list[str], inputs: Any, cache: Any = None) -> Any:
        tried.append(inputs["input_ids"].numel())
        if tried[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return call(adapters, inputs, cache)

    forward._call = failing  # type: ignore[method-assign]
    encoder._memory = LowMemory(forward, encoder.notes, to_cpu)
    return tried


def test_batches_halve_and_stay_small() -> None:
    texts = [TextInput("some words " * n) for n in (9, 8, 9, 10, 9, 8, 9, 10)]
    expected = tiny().encode_texts(texts, "retrieval")
    encoder = tiny(budget=4096)
    tried = cramped(encoder, 150)
    found = encoder.encode_texts(texts, "retrieval")
    for one, other in zip(expected, found, strict=True):
        assert np.abs(one.tokens - other.tokens).max() <= 2e-5
    assert max(tried) > 150
    assert encoder.notes == ["Memory ran out: texts are encoded in smaller batches."]
    tried.clear()
    encoder.encode_texts(texts, "retrieval")
    assert max(tried) <= 300  # learnt: the full batch is not tried again
    assert encoder.notes == ["Memory ran out: texts are encoded in smaller batches."]


def test_a_long_text_goes_in_slices() -> None:
    text = TextInput("some words " * 200)
    [expected] = tiny().encode_texts([text], "code")
    encoder = tiny(budget=4096)
    cramped(encoder, 200)
    [found] = encoder.encode_texts([text], "code")
    assert np.abs(expected.single - found.single).max() <= 2e-5
    assert np.abs(expected.tokens - found.tokens).max() <= 2e-5


def test_a_picture_is_read_with_fewer_pixels() -> None:
    [full] = tiny().encode_images([BIG], "retrieval")
    encoder = tiny()
    cramped(encoder, 250)
    [found] = encoder.encode_images([BIG], "retrieval")
    assert 100 < len(found.tokens) <= 250 < len(full.tokens)
    assert found.boxes is not None
    assert len(found.boxes) == len(found.tokens)
    assert "Memory ran out: large pictures are read with fewer pixels." in encoder.notes


def test_then_the_processor_takes_over() -> None:
    encoder = tiny()
    moved = []

    def to_cpu() -> None:
        moved.append(True)
        encoder.placed.forward._call = call  # type: ignore[method-assign]

    call = encoder.placed.forward._call
    cramped(encoder, LEAST_BUDGET - 1, to_cpu)
    [found] = encoder.encode_texts([TextInput("words " * 100)], "retrieval")
    [expected] = tiny().encode_texts([TextInput("words " * 100)], "retrieval")
    assert np.abs(expected.single - found.single).max() <= 2e-5
    assert moved == [True]
    assert "the model runs on the processor" in encoder.notes[-1]


def test_when_nothing_is_left_the_person_is_told() -> None:
    encoder = tiny()
    cramped(encoder, 0)
    with pytest.raises(InklingError, match="not enough memory"):
        encoder.encode_texts([TextInput("words")], "retrieval")
    with pytest.raises(InklingError, match="not enough memory"):
        encoder.encode_images([BIG], "retrieval")


def test_other_errors_are_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = tiny()

    def broken(*arguments: Any) -> Any:
        raise RuntimeError("expected scalar type Float")

    monkeypatch.setattr(encoder.placed.forward, "_call", broken)
    with pytest.raises(RuntimeError, match="scalar type"):
        encoder.encode_texts([TextInput("words")], "retrieval")
    assert not is_out_of_memory(RuntimeError("expected scalar type"))


def test_the_real_error_of_the_processor_is_recognised() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(error.value)


def test_another_network_can_take_over_between_two_forwards() -> None:
    encoder = tiny()
    forward = encoder.placed.forward
    [before] = encoder.encode_queries(["words"], "code")
    other = tiny().placed.forward.network
    forward.exchange(lambda: other, 77)
    [after] = encoder.encode_queries(["words"], "code")
    assert forward.network is other
    assert forward.budget == 77
    assert np.abs(before.single - after.single).max() <= 2e-5


def test_precisions_are_chosen_by_what_fits() -> None:
    weights = 3_934_695_552  # jina-v4 with its adapters
    order: tuple[Precision, ...] = ("bf16", "int8", "int4")
    assert list(fitting(order, weights, 24 << 30)) == ["bf16", "int8", "int4"]
    assert next(fitting(order, weights, 8 << 30), None) == "int8"
    assert next(fitting(order, weights, 5 << 30), None) == "int4"
    assert next(fitting(order, weights, 3 << 30), None) is None


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.slow
def test_under_a_real_limit_the_answer_still_comes() -> None:
    """A process whose memory really ends: a batch fails in the allocator, halves, and goes on."""
    code = """
import resource, numpy as np, torch, psutil
torch.set_num_threads(1)
from tests.engine.encoders.jina_tiny import tiny
from engine.contract.types import TextInput
texts = [TextInput("some words " * 60)] * 300
encoder = tiny(budget=1 << 20)
encoder.encode_texts([TextInput("warm up")], "code")
room = psutil.Process().memory_info().vms + (160 << 20)
resource.setrlimit(resource.RLIMIT_AS, (room, -1))
found = encoder.encode_texts(texts, "code")
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
assert len(found) == 300 and np.isfinite(found[0].single).all()
print(encoder.notes, encoder.placed.forward.budget)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "smaller batches" in done.stdout
