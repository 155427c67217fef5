"""Reads an EmbeddingGemma 2 folder in its published layout, without the tower that hears."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn import functional as F
from transformers import EmbeddingGemma2Config, EmbeddingGemma2Model

from engine.contract.errors import InklingError
from engine.encoders.gemma2 import attention
from engine.encoders.gemma2.pictures import Grid
from engine.encoders.gemma2.tokens import Marks, Prompts
from engine.encoders.jina_v4.weights import read_json

_REMEDY = "Get the files again with `inkling model download`, or add a complete folder."
WEIGHTS = "model.safetensors"


def read_config(folder: Path) -> dict[str, Any]:
    """config.json; InklingError if it is missing, damaged or of another model."""
    config = read_json(folder / "config.json")
    if config.get("model_type") != "embedding_gemma2" or not config.get("vision_config"):
        raise wrong("config.json is not that of EmbeddingGemma 2 with its eyes.", folder)
    return config


def load_network(folder: Path, dtype: torch.dtype) -> Any:
    """transformers' own class with packed attention, on the CPU; every tensor is accounted for."""
    read_config(folder)
    _check_file(folder / WEIGHTS)
    try:
        config = EmbeddingGemma2Config.from_pretrained(folder, local_files_only=True)
        config.audio_config = None
        network, report = EmbeddingGemma2Model.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            attn_implementation=attention.NAME,
            output_loading_info=True,
            local_files_only=True,
        )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise wrong(f"The model can't be loaded: {error}", folder) from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if names := sorted(map(str, report[kind])):
            what = kind.replace("_keys", "")
            raise wrong(f"{WEIGHTS} has {what} tensors, among them {names[0]}.", folder / WEIGHTS)
    return _with_fused_norms(network.eval().requires_grad_(False))


def check_folder(folder: Path) -> None:
    """InklingError naming what is missing, extra, misshapen or damaged."""
    load_network(folder, torch.bfloat16)
    config = read_config(folder)
    Prompts(folder, Marks.of(config), max_tokens=3)
    Grid.of(config)


def wrong(message: str, path: Path) -> InklingError:
    return InklingError(message, hint=_REMEDY, path=str(path))


def _check_file(path: Path) -> None:
    """InklingError unless it can be opened and is as long as it says."""
    try:
        with safe_open(path, framework="pt"):
            pass
    except (OSError, SafetensorError) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged: {error}"
        raise wrong(f"The model's file {path.name} {what}.", path) from error


class _Norm(nn.Module):
    """RMS normalisation in one call where the class has eight; fp32 inside, as there."""

    def __init__(self, weight: torch.Tensor | None, eps: float) -> None:
        super().__init__()
        self.weight = None if weight is None else nn.Parameter(weight, requires_grad=False)
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = None if self.weight is None else self.weight.float()
        return F.rms_norm(x.float(), x.shape[-1:], weight, self.eps).type_as(x)


def _with_fused_norms(network: Any) -> Any:
    for path, module in list(network.named_modules()):
        if type(module).__name__ in ("EmbeddingGemma2RMSNorm", "Gemma4RMSNorm"):
            parent, _, name = path.rpartition(".")
            weight = getattr(module, "weight", None)
            setattr(network.get_submodule(parent), name, _Norm(weight, module.eps))
    return network
