"""Writes an EmbeddingGemma 2 checkpoint of true width with random weights, for measuring speed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import EmbeddingGemma2Config, EmbeddingGemma2Model

TINY = Path(__file__).resolve().parents[1] / "golden" / "gemma2" / "ckpt"
LAYERS, VISION_LAYERS = 24, 16  # of the published model
#: Rows of the word table: as many as the tiny tokenizer has tokens. Looking up is no work.
_WORDS = 974


def write(folder: Path, layers: int = LAYERS, vision_layers: int = VISION_LAYERS) -> Path:
    """A folder in the published layout; the tokenizer is the tiny golden one."""
    shutil.copytree(TINY, folder)
    config = json.loads((folder / "config.json").read_text())
    marks = {key: config[key] for key in config if key.endswith(("token_id", "token_index"))}
    kinds = ["full_attention" if n % 6 == 5 else "sliding_attention" for n in range(layers)]
    kinds[-1] = "full_attention"
    sizes = EmbeddingGemma2Config(
        text_config={"num_hidden_layers": layers, "layer_types": kinds, "vocab_size": _WORDS},
        vision_config={"num_hidden_layers": vision_layers},
        audio_config=None,
        **marks,
    )
    torch.manual_seed(0)
    sizes.dtype = torch.bfloat16
    network = EmbeddingGemma2Model(sizes)
    weights = {}
    for name, value in network.state_dict().items():
        if value.ndim > 1:
            drawn = torch.randn_like(value) * value.shape[-1] ** -0.5
        elif name.endswith(("q_norm.weight", "k_norm.weight")):
            # Scores of about one: with larger ones every token would see a single other.
            drawn = torch.full_like(value, len(value) ** -0.25)
        else:
            drawn = value
        weights[name] = drawn.bfloat16().contiguous()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    sizes.save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**written, "audio_config": None}))
    return folder
