"""8- and 4-bit weights stay close to the bf16 model."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from engine.contract.types import TextInput
from engine.encoders.inference.quantise_weights import (
    Int4Linear,
    Int8Linear,
    fits_int4,
    to_int4,
    to_int8,
)
from engine.encoders.jina_v4.placement import load_on
from engine.encoders.jina_v4.weights import Checkpoint
from tests.engine.encoders.jina_tiny import CHECKPOINT, FOLDER, tiny

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def matrix() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return (
        torch.randn(512, 1024, generator=generator) * 0.02,
        torch.randn(80, 1024, generator=generator),
    )


@pytest.mark.parametrize(("kind", "least"), [(Int8Linear, 0.9999), (Int4Linear, 0.995)])
@pytest.mark.parametrize("rows", [1, 80])
def test_a_matrix_keeps_its_direction(
    matrix: tuple[torch.Tensor, torch.Tensor],
    kind: type[Int8Linear | Int4Linear],
    least: float,
    rows: int,
) -> None:
    weight, x = matrix[0], matrix[1][:rows]
    bias = torch.linspace(-1, 1, 512)
    found = kind(weight, bias, CPU)(x.bfloat16()).float()
    assert F.cosine_similarity(found, F.linear(x, weight, bias)).min() > least


def test_bytes_and_scales_restore_the_weights(matrix: tuple[torch.Tensor, torch.Tensor]) -> None:
    weight = matrix[0]
    quantised, scale = to_int8(weight)
    assert ((quantised * scale[:, None].float() - weight).abs() <= scale[:, None] * 0.51).all()
    quantised, scales = to_int4(weight)
    step, zero = scales.permute(2, 1, 0).float()
    restored = (quantised.view(512, -1, 32) - 8.0) * step[..., None] + zero[..., None]
    # Half a step, and what rounding the zero to bf16 costs at the ends.
    assert ((restored.view_as(weight) - weight).abs().view(512, -1, 32) <= step[..., None]).all()


def test_both_four_bit_paths_agree(matrix: tuple[torch.Tensor, torch.Tensor]) -> None:
    """The processor's kernel, and the unpacking that other devices use."""
    weight, x = matrix
    quantised, scales = to_int4(weight)
    layer = Int4Linear(weight, None, CPU)
    unpacked = Int4Linear.__new__(Int4Linear)
    nn.Module.__init__(unpacked)
    unpacked.packed, unpacked.scales = quantised[:, ::2] | quantised[:, 1::2] << 4, scales
    other = F.linear(x.bfloat16(), unpacked._weight()).float()
    assert F.cosine_similarity(layer(x.bfloat16()).float(), other).min() > 0.9999


def test_zero_rows_and_odd_shapes() -> None:
    weight = torch.zeros(64, 64)
    assert not Int8Linear(weight, None, CPU)(torch.ones(2, 64).bfloat16()).any()
    assert not Int4Linear(weight, None, CPU)(torch.ones(2, 64).bfloat16()).any()
    assert not fits_int4(torch.zeros(64, 3420))  # the vision tower's narrowing: stays at 8 bits


@pytest.mark.parametrize(("precision", "least"), [("int8", 0.995), ("int4", 0.9)])
def test_the_whole_model(precision: Literal["int8", "int4"], least: float) -> None:
    exact, encoder = tiny(), tiny()
    network = load_on(Checkpoint.open(CHECKPOINT), CPU, precision)
    kinds = {type(m).__name__ for m in network.modules()}
    assert {"Int8Linear", "Int8Embedding"} <= kinds
    encoder.placed.forward.exchange(lambda: network, 512)
    image = str(FOLDER / "images" / "mid_200x150.png")
    texts = [TextInput("def add(a, b): return a + b"), TextInput("sea walls " * 30)]
    for one, other in zip(
        [*exact.encode_texts(texts, "code"), *exact.encode_images([image], "retrieval")],
        [*encoder.encode_texts(texts, "code"), *encoder.encode_images([image], "retrieval")],
        strict=True,
    ):
        assert one.single @ other.single > least
        assert np.mean((one.tokens * other.tokens).sum(1)) > least - 0.01
