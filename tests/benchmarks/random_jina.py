"""Writes a jina-v4 checkpoint of true layer width with random weights, for measuring speed."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from engine.encoders.jina_v4.weights import Checkpoint, build_empty

TINY = Path(__file__).resolve().parents[1] / "golden" / "jina_v4" / "ckpt"
#: Width of the published model.
_TEXT = {
    "hidden_size": 2048,
    "intermediate_size": 11008,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "vocab_size": 151_936,
}
_VISION = {"hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048}
FULL_LAYERS, FULL_VISION_LAYERS = 36, 32


def write(folder: Path, layers: int, vision_layers: int) -> Path:
    """A folder in the published layout; the tokenizer is the tiny golden one."""
    shutil.copytree(TINY, folder)
    config = json.loads((folder / "config.json").read_text())
    scaled = {**_TEXT, "num_hidden_layers": layers}
    config["text_config"] |= {
        **scaled,
        "rope_scaling": {"rope_type": "default", "type": "default", "mrope_section": [16, 24, 24]},
    }
    # One block in eight looks at the whole picture.
    whole = sorted({*range(7, vision_layers, 8), vision_layers - 1})
    config["vision_config"] |= {**_VISION, "depth": vision_layers, "fullatt_block_indexes": whole}
    config |= {"multi_vector_projector_dim": 128, "matryoshka_dims": [128, 256, 512, 1024, 2048]}
    (folder / "config.json").write_text(json.dumps(config))
    adapter = json.loads((folder / "adapters" / "adapter_config.json").read_text())
    adapter |= {"r": 32, "lora_alpha": 32}
    (folder / "adapters" / "adapter_config.json").write_text(json.dumps(adapter))
    (folder / "model.safetensors").unlink()
    _write_weights(folder)
    return folder


def _write_weights(folder: Path) -> None:
    torch.manual_seed(0)
    base: dict[str, torch.Tensor] = {}
    adapters: dict[str, torch.Tensor] = {}
    for name, empty in build_empty(Checkpoint.open(folder)).get_base_model().state_dict().items():
        values = _values(name, empty)
        if ".lora_" in name:
            adapters[f"base_model.model.{name}"] = values
        else:
            plain = name.replace(".base_layer", "").replace("model.visual.", "visual.")
            base[plain.replace("model.language_model.", "model.")] = values
    save_file(base, folder / "model.safetensors")
    save_file(adapters, folder / "adapters" / "adapter_model.safetensors")


def _values(name: str, empty: Any) -> torch.Tensor:
    shape = tuple(empty.shape)
    if len(shape) == 1:
        return (torch.ones if "norm" in name or "ln_q" in name else torch.zeros)(
            shape, dtype=torch.bfloat16
        )
    return torch.empty(shape, dtype=torch.bfloat16).normal_(std=0.02)


def parameters(folder: Path) -> int:
    """Weights of the decoder's layers: what each token is multiplied with."""
    text = copy.copy(json.loads((folder / "config.json").read_text())["text_config"])
    hidden, wide = text["hidden_size"], text["intermediate_size"]
    keys = 2 * hidden * hidden * text["num_key_value_heads"] // text["num_attention_heads"]
    return int(text["num_hidden_layers"] * (2 * hidden * hidden + keys + 3 * hidden * wide))
