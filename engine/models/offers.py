"""Which sight model suits this machine, and how long it would take for a person's pictures."""

from __future__ import annotations

import os
import sys
import time
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from engine.models.registry import MODELS, ModelSpec

#: On a graphics card the published weights in bf16, on a processor those in 8 bits: a third of the
#: size, and the only ones of their family that a laptop sees a picture with in seconds.
ON_CARD, ON_PROCESSOR = "embeddinggemma-2", "embeddinggemma-onnx"
#: How long a picture may take; a larger one is seen in less detail (engine.encoders.gemma2).
PATIENCE_S = 5.0
#: What a whole model reaches of the rate of one large product. A picture of 2.3e11 operations took
#: EmbeddingGemma 2's own forward 3.1 s of one core, on which such a product ran at 6.6e10 to 7.8e10
#: a second; several cores share their memory.
_EFFICIENCY = 0.9
_TRIED = (512, 512, 2048)  # rows, inputs, outputs of the product that is timed
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a picture takes here."""

    seconds: float
    #: Of this very model on this person's pictures, or told from the rate of a product.
    how: Literal["measured", "estimated"]


def recommended(*, card: bool | None = None) -> ModelSpec:
    """The sight model to offer; `card`: whether there is a graphics card, None: look."""
    return MODELS[ON_CARD if (has_card() if card is None else card) else ON_PROCESSOR]


@cache
def has_card() -> bool:
    """Whether a graphics card is there that the models run on. Loads no library."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    if sys.platform == "win32":
        return find_library("nvcuda") is not None
    return Path("/proc/driver/nvidia/version").exists()


def speed(spec: ModelSpec, measured: float | None, *, card: bool, threads: int) -> Speed | None:
    """Of a picture: as it was measured, else as the processor multiplies; None where neither
    tells."""
    if measured:
        return Speed(measured, "measured")
    if card or not spec.picture_work:
        return None
    rate = product_rate() * threads * _EFFICIENCY
    affordable = [work for work in spec.picture_work if work <= rate * PATIENCE_S]
    work = max(affordable, default=min(spec.picture_work))
    return Speed(work / rate, "estimated")


@cache
def product_rate() -> float:
    """Floating point operations a second of a large product on one core. Processor time, so that
    other work counts little."""
    import numpy as np

    rows, inputs, outputs = _TRIED
    x = np.ones((rows, inputs), np.float32)
    weight = np.ones((inputs, outputs), np.float32)
    taken = []
    for _ in range(_TRIES):
        started = time.process_time()
        x @ weight
        taken.append(max(time.process_time() - started, 1e-6))
    return 2 * rows * inputs * outputs / min(taken)
