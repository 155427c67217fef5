"""The tiny jina-v4 of the golden folder as an encoder, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from engine.contract.paths import BaseDir
from engine.encoders.jina_v4.encoder import JinaV4
from engine.encoders.jina_v4.forward import Forward
from engine.encoders.jina_v4.placement import Placed
from engine.encoders.jina_v4.weights import Checkpoint, load_network
from engine.engine import Engine
from engine.models import files as model_files
from engine.models.registry import model_spec
from engine.models.sizes import as_found
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


@contextmanager
def tiny_engine(base: BaseDir) -> Iterator[Engine]:
    """A store of its space, and the model in its worker."""
    spec = model_spec("jina-v4")
    model_files.accept_licence(spec, base)
    model_files.add(spec, base, CHECKPOINT)
    chosen = model_files.Options(device="cpu", precision="fp32")
    model_files.set_options(spec, base, chosen)
    made = Engine(base, as_found(spec, base), lambda words, limit, filters: [])
    try:
        yield made
    finally:
        made.close()
