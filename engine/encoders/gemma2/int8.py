"""Matrices multiplied in bytes on a processor: faster where it can, and checked to be as good.

Weights get a scale for each output, tokens one each as they come; sums are exact, in 32 bits.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LARGEST = 127
#: A layer's products for a typical batch: tokens, inputs, outputs.
_TRIED = (256, 512, 2048)


class Int8Linear(nn.Module):
    """A linear layer without bias, fp32 in and out."""

    def __init__(self, weight: Tensor) -> None:
        """`weight` [out, in], of any precision."""
        super().__init__()
        wide = weight.float()
        scale = wide.abs().amax(dim=1).clamp_min(1e-12) / _LARGEST
        with warnings.catch_warnings():
            # The type of tensor that the packing takes is to be replaced in a torch to come; the
            # version here is pinned.
            warnings.simplefilter("ignore", UserWarning)
            zeros = torch.zeros(len(wide), dtype=torch.int64)
            quantised = torch.quantize_per_channel(wide, scale, zeros, 0, torch.qint8)
            self._packed = torch.ops.quantized.linear_prepack(quantised, None)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        # One scale serves a whole batch: with each token at length one in its largest number no
        # token takes the precision of another, and none depends on its neighbours in the batch.
        largest = rows.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
        y: Tensor = torch.ops.quantized.linear_dynamic(rows / largest, self._packed, True)
        return y.mul_(largest).view(*x.shape[:-1], -1)


def to_int8(network: Any) -> None:
    """Exchange the matrices of all layers in place; what stands before and after them stays."""
    for path, module in list(_matrices(network)):
        parent, _, name = path.rpartition(".")
        setattr(network.get_submodule(parent), name, Int8Linear(module.weight))


def _matrices(network: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    for path, module in network.named_modules():
        if isinstance(module, nn.Linear) and (".layers." in path or ".ple." in path):
            yield path, module


def is_faster() -> bool:
    """Whether this processor multiplies faster in bytes than in fp32: processor time by turns."""
    tokens, inputs, outputs = _TRIED
    x, weight = torch.randn(tokens, inputs), torch.randn(outputs, inputs)
    try:
        packed = Int8Linear(weight)
        packed(x)
    except (RuntimeError, NotImplementedError, AttributeError):  # not on every platform
        return False
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(5):
        for in_bytes, run in ((False, lambda: F.linear(x, weight)), (True, lambda: packed(x))):
            start = time.process_time()
            run()
            times[in_bytes].append(time.process_time() - start)
    return min(times[True]) < 0.9 * min(times[False])
