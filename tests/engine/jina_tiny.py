"""The tiny jina-v4 of the golden folder as an encoder, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.encoders.jina_v4 import JinaV4
from engine.encoders.jina_v4_forward import Forward
from engine.encoders.jina_v4_placement import Placed
from engine.encoders.jina_v4_weights import Checkpoint, load_network
from engine.models import model_spec
from tests import golden

FOLDER = Path(golden.__file__).parent / "jina_v4"
CHECKPOINT = FOLDER / "ckpt"
SPEC = replace(model_spec("jina-v4"), dims=(64, 32, 16, 8), dim=32, token_dim=16)


def tiny(
    *, budget: int = 512, max_pixels: int = 602_112, tiles: int = 0, max_tokens: int = 32768
) -> JinaV4:
    """In fp32 on the CPU."""
    checkpoint = Checkpoint.open(CHECKPOINT)
    forward = Forward(load_network(checkpoint, torch.float32), budget=budget)
    placed = Placed(forward, "fp32", max_pixels, tiles, None)
    return JinaV4(replace(SPEC, max_tokens=max_tokens), checkpoint, placed)
