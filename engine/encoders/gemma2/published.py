"""EmbeddingGemma 2 on the graphs that are published for onnxruntime, in weights of 8 bits.

Sources do not agree on how near they are to the exact weights: where those are here, too, the first
of a person's passages and pictures are run through both, and what was found is kept and said.
"""

from __future__ import annotations

from pathlib import Path

import torch

from engine.contract.errors import InklingError
from engine.encoders.gemma2.encoder import Gemma2
from engine.encoders.gemma2.forward import PackedForward
from engine.encoders.gemma2.pictures import Grid
from engine.encoders.gemma2.placement import (
    CPU_BUDGET,
    CPU_WINDOW,
    picture_budget,
)
from engine.encoders.gemma2.quality import Trial, known, said
from engine.encoders.gemma2.sessions import GraphForward, session
from engine.encoders.gemma2.tokens import Marks, Prompts
from engine.encoders.gemma2.weights import WEIGHTS, load_network, read_config
from engine.encoders.inference.low_memory import LowMemory, RunsBatches
from engine.encoders.inference.onnx_options import processor_threads
from engine.models.files import weights_folder
from engine.models.registry import ModelSpec

TEXT, VISION = "onnx/model_quantized.onnx", "onnx/vision_encoder_quantized.onnx"
_EXACT = "embeddinggemma-2"  # the row of the exact weights
_OTHERWISE = f"The model “{_EXACT}” has them."


def load(folder: Path | None, spec: ModelSpec) -> Gemma2:
    """Load the published graphs from a model's folder; they run on the processor."""
    if folder is None:
        raise InklingError("The model needs a folder with its weights.")
    files = weights_folder(folder)
    config = read_config(files)
    budget = picture_budget(folder, config)
    notes = [f"The model runs on the processor: a picture is read as {budget} tokens."]
    forward = graphs(files, int(config["text_config"]["hidden_size"]), spec.token_dim)
    exact = weights_folder(folder.parent / _EXACT)
    trial = None
    if found := known(folder):
        notes += [said(kind, quality, _OTHERWISE) for kind, quality in found.items()]
    elif not (exact / WEIGHTS).exists():
        notes.append(
            "The model runs with weights of 8 bits, as published; how near they are to the exact "
            f"ones is measured once “{_EXACT}” is here, too."
        )
    if (exact / WEIGHTS).exists():

        def load_exact() -> RunsBatches:
            network = load_network(exact, torch.float32)
            return PackedForward(network, budget=CPU_BUDGET, token_dim=spec.token_dim)

        trial = Trial(folder, forward, load_exact, notes, _OTHERWISE)
    window = min(spec.max_tokens, CPU_WINDOW)
    memory = LowMemory(forward, notes)
    return Gemma2(spec, files, config, forward, budget, memory, trial, window)


def check(folder: Path) -> None:
    """InklingError naming a file that is missing or damaged."""
    config = read_config(folder)
    Prompts(folder, Marks.of(config), max_tokens=3)
    Grid.of(config)
    graphs(folder, int(config["text_config"]["hidden_size"]), 1)


def graphs(files: Path, hidden: int, token_dim: int) -> GraphForward:
    """Sessions of both graphs."""
    text, vision = (
        session(files / name, processor_threads(), optimise=True) for name in (TEXT, VISION)
    )
    return GraphForward(text, vision, budget=CPU_BUDGET, token_dim=token_dim, hidden=hidden)
