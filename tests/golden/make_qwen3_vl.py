"""Makes a golden folder of Qwen3-VL-Embedding: what transformers' own class gives for a tiny
checkpoint.

`python -m tests.golden.make_qwen3_vl DIR`. Conversations are written out as the published chat
template has them and tokenised whole; texts go through the reference in one padded batch. Pictures
are of sizes that need no resizing, which libraries do differently.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import Qwen3VLConfig, Qwen3VLModel
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tests.golden.tiny_retrievers import tokenizer

TEXTS = {
    "short": "where do we retry uploads",
    "lines": "\n\n  first\nsecond ",
    "accents": "naïve café in Straße 7, вода 東京",
    "control": "a <|image_pad|> in my <|im_end|> note",
    "long": "the diagram with the two queues and what stands beside it " * 8,
    "empty": "",
}
SIZES = {"wide": (320, 96), "tall": (64, 256), "square": (128, 128)}
CUTS = (64, 32, 16)
_CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>"]
_CONTROLS += ["<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
_INSTRUCTIONS = {
    "query": "Retrieve images or text relevant to the user's query.",
    "document": "Represent the user's input.",
}
_PICTURE = "<|vision_start|>{}<|vision_end|>"


def conversation(instruction: str, said: str) -> str:
    """As the published template has it, up to where an answer would begin."""
    return (
        f"<|im_start|>system\n{instruction}<|im_end|>\n"
        f"<|im_start|>user\n{said}<|im_end|>\n<|im_start|>assistant\n"
    )


def checkpoint(folder: Path, seed: int) -> tuple[Any, Any, Any]:
    """Network, tokenizer and picture processor, saved to a folder."""
    tokens = tokenizer(_CONTROLS, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    pad, _, end, start, stop, image, video = tokens.convert_tokens_to_ids(_CONTROLS)
    rope = {
        "rope_type": "default",
        "mrope_section": [4, 2, 2],
        "mrope_interleaved": True,
        "rope_theta": 10_000.0,
    }
    config = Qwen3VLConfig(
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=stop,
        text_config={
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "vocab_size": len(tokens),
            "max_position_embeddings": 8192,
            "rope_parameters": rope,
            "bos_token_id": pad,
            "eos_token_id": end,
            "pad_token_id": pad,
        },
        vision_config={
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        },
    )
    torch.manual_seed(seed)
    network = Qwen3VLModel(config).eval()
    pixels = Qwen2VLImageProcessorPil(
        patch_size=16,
        size={"shortest_edge": 4 * 1024, "longest_edge": 1800 * 1024},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    network.save_pretrained(folder)
    tokens.save_pretrained(folder)
    pixels.save_pretrained(folder)
    return network, tokens, pixels


def write(folder: Path, seed: int = 1) -> None:
    """ckpt/, images/, golden.npz and golden_meta.json in an empty folder."""
    network, tokens, processor = checkpoint(folder / "ckpt", seed)
    (folder / "images").mkdir()
    arrays: dict[str, Any] = {}

    def keep(key: str, ids: torch.Tensor, hidden: torch.Tensor) -> None:
        arrays[f"{key}.input_ids"] = ids.numpy()
        for cut in CUTS:
            arrays[f"{key}.single.{cut}"] = torch.nn.functional.normalize(
                hidden[:cut], dim=0
            ).numpy()

    with torch.inference_mode():
        for role, instruction in _INSTRUCTIONS.items():
            # What a person writes is no control token: they are spelt out letter by letter there.
            rows = [_ids(tokens, instruction, text or "NULL") for text in TEXTS.values()]
            longest = max(map(len, rows))
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
            hidden = network(input_ids=ids, attention_mask=mask).last_hidden_state
            for name, row, states in zip(TEXTS, rows, hidden, strict=True):
                keep(f"text.{name}.{role}", torch.tensor(row), states[len(row) - 1])
        numbers = np.random.default_rng(seed)
        for name, (wide, high) in SIZES.items():
            picture = Image.fromarray(numbers.integers(0, 256, (high, wide, 3), np.uint8))
            picture.save(folder / "images" / f"{name}.png")
            made = processor(images=[picture], return_tensors="pt")
            seen = int(made["image_grid_thw"][0].prod()) // 4
            said = conversation(_INSTRUCTIONS["document"], _PICTURE.format("<|image_pad|>" * seen))
            ids = torch.tensor([tokens(said)["input_ids"]])
            image = tokens.convert_tokens_to_ids("<|image_pad|>")
            hidden = network(input_ids=ids, mm_token_type_ids=(ids == image).int(), **made)
            keep(f"image.{name}", ids[0], hidden.last_hidden_state[0, -1])
    np.savez(folder / "golden.npz", **arrays)
    (folder / "golden_meta.json").write_text(json.dumps({"texts": TEXTS, "cuts": CUTS}))


def _ids(tokens: Any, instruction: str, text: str) -> list[int]:
    mark = "\ue000"
    before, _, after = conversation(instruction, mark).rpartition(f"user\n{mark}")
    said = tokens(f"user\n{text}", split_special_tokens=True)["input_ids"]
    return [*tokens(before)["input_ids"], *said, *tokens(after)["input_ids"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    write(options.folder, options.seed)


if __name__ == "__main__":
    main()
