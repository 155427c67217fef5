"""Weight-only quantisation for small graphics cards and laptops: 8 and 4 bits.

Activations stay in bf16. Cosine to the bf16 model, on weights drawn at random and at the true
layer width: see tests/benchmarks/encoders.py, which measures it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Bits = Literal[8, 4]

_GROUP = 32  # weights that share a scale in 4 bits
_TILE = 64  # rows of a 4-bit matrix on the CPU come in multiples of this
#: On the CPU up to so many tokens are multiplied with the bytes as they are; for more, making
#: bf16 of the bytes first pays (256 tokens, 11008 x 2048, 2 cores: 388 ms against 783).
_FEW_TOKENS = 48


class Int8Linear(nn.Module):
    """A linear layer in int8 with one scale per output."""

    weight: Tensor  # [out, in] int8
    scale: Tensor  # [out] bf16
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, device: torch.device) -> None:
        super().__init__()
        quantised, scale = to_int8(weight)
        self.register_buffer("weight", quantised.to(device))
        self.register_buffer("scale", scale.to(device))
        self.register_buffer("bias", None if bias is None else bias.to(device))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        if x.device.type == "cpu" and len(rows) <= _FEW_TOKENS and x.dtype == torch.bfloat16:
            y = torch._weight_int8pack_mm(rows.contiguous(), self.weight, self.scale)
        else:
            y = F.linear(rows, self.weight.to(x.dtype)) * self.scale.to(x.dtype)
        y = y if self.bias is None else y + self.bias.to(x.dtype)
        return y.view(*x.shape[:-1], -1)


class Int4Linear(nn.Module):
    """A linear layer in 4 bits, w = (q - 8) * scale + zero, for each group of 32 inputs."""

    packed: Tensor  # [out, in / 2] uint8
    scales: Tensor  # [in / 32, out, 2] bf16: scale and zero
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, device: torch.device) -> None:
        super().__init__()
        quantised, scales = to_int4(weight)
        if device.type == "cpu":  # torch's kernel has an order of its own
            packed = torch._convert_weight_to_int4pack_for_cpu(quantised.int(), 1)
        else:
            packed = quantised[:, ::2] | quantised[:, 1::2] << 4
        self.register_buffer("packed", packed.to(device))
        self.register_buffer("scales", scales.to(device))
        self.register_buffer("bias", None if bias is None else bias.to(device))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.bfloat16)
        if x.device.type == "cpu":
            y = torch._weight_int4pack_mm_for_cpu(
                rows.contiguous(), self.packed, _GROUP, self.scales
            )
        else:
            y = F.linear(rows, self._weight())
        y = y if self.bias is None else y + self.bias.to(y.dtype)
        return y.to(x.dtype).view(*x.shape[:-1], -1)

    def _weight(self) -> Tensor:
        pairs = torch.stack((self.packed & 15, self.packed >> 4), dim=-1)
        groups = pairs.view(len(self.packed), -1, _GROUP).to(torch.bfloat16) - 8
        scale, zero = self.scales.permute(2, 1, 0)[..., None]
        return torch.addcmul(zero, groups, scale).reshape(len(self.packed), -1)


class Int8Embedding(nn.Module):
    """A word table in int8 with one scale per word."""

    weight: Tensor  # [words, width] int8
    scale: Tensor  # [words] bf16

    def __init__(self, weight: Tensor, device: torch.device) -> None:
        super().__init__()
        quantised, scale = to_int8(weight)
        self.register_buffer("weight", quantised.to(device))
        self.register_buffer("scale", scale.to(device))

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight).to(self.scale.dtype) * self.scale[ids][..., None]


def to_int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 [out, in] and bf16 scales [out] of a matrix [out, in]."""
    wide = weight.float()
    # Rounded to bf16 first: the bytes must fit the scale that will be used.
    scale = (wide.abs().amax(dim=1) / 127).clamp_min(1e-12).bfloat16()
    return (wide / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def to_int4(weight: Tensor) -> tuple[Tensor, Tensor]:
    """uint8 [out, in] of 0 to 15, and bf16 [in / 32, out, 2] scales and zeros."""
    groups = weight.float().view(len(weight), -1, _GROUP)
    low, high = groups.amin(dim=2), groups.amax(dim=2)
    scale = ((high - low) / 15).clamp_min(1e-12).bfloat16()
    zero = (low + 8 * scale.float()).bfloat16()
    exact = (groups - zero.float()[..., None]) / scale.float()[..., None] + 8
    quantised = exact.round().clamp(0, 15).to(torch.uint8).view_as(weight)
    return quantised, torch.stack((scale, zero), dim=-1).transpose(0, 1).contiguous()


def quantise(network: nn.Module, bits: Bits, device: torch.device) -> None:
    """Exchange the backbone's matrices in place, one at a time, each placed on the device.

    LoRA and the token projector stay as they are; so do the vision tower and the word table at
    8 bits when the rest has 4: they are a quarter of the weights and suffer most.
    """
    for path, module in list(_matrices(network)):
        if isinstance(module, nn.Embedding):
            exchange: nn.Module = Int8Embedding(module.weight, device)
        elif bits == 4 and ".visual." not in path and fits_int4(module.weight):
            exchange = Int4Linear(module.weight, module.bias, device)
        else:
            exchange = Int8Linear(module.weight, module.bias, device)
        parent, _, name = path.rpartition(".")
        setattr(network.get_submodule(parent), name, exchange)


def fits_int4(weight: Tensor) -> bool:
    """Whether a matrix [out, in] divides into the groups of the kernels."""
    return weight.shape[1] % (2 * _GROUP) == 0 and weight.shape[0] % _TILE == 0


def _matrices(network: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Embedding]]:
    for path, module in network.named_modules():
        if "lora_" in path or "multi_vector_projector" in path:
            continue
        if isinstance(module, nn.Linear | nn.Embedding) and not hasattr(module, "base_layer"):
            yield path, module
