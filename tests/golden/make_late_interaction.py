"""Makes a golden folder of a late-interaction retriever: what transformers' own classes give for a
tiny checkpoint.

`python -m tests.golden.make_late_interaction DIR --model colqwen2|colpali|colmodernvbert`: all
questions in one padded batch, pictures one at a time.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.golden.tiny_retrievers import MAKERS, make

TEXTS = {
    "short": "where do we retry uploads",
    "accents": "naïve café in Straße 7, вода 東京",
    "long": "the diagram with the two queues and what stands beside it " * 4,
}
SIZES = {"wide": (320, 96), "tall": (70, 260), "square": (128, 128), "small": (31, 17)}


def write(folder: Path, kind: str, seed: int = 1) -> None:
    """ckpt/, images/, golden.npz and golden_meta.json in an empty folder."""
    network, processor = make(kind, folder / "ckpt", seed)
    (folder / "images").mkdir()
    numbers = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    with torch.inference_mode():
        asked = processor.process_queries(list(TEXTS.values()))
        found = network(**asked).embeddings
        for name, ids, tokens, mask in zip(
            TEXTS, asked["input_ids"], found, asked["attention_mask"].bool(), strict=True
        ):
            arrays[f"text.{name}.query.input_ids"] = ids[mask].numpy()
            arrays[f"text.{name}.query.tokens"] = tokens[mask].numpy()
        for name, (wide, high) in SIZES.items():
            coarse = numbers.integers(0, 256, (5, 7, 3), np.uint8)
            picture = Image.fromarray(coarse).resize((wide, high), Image.Resampling.NEAREST)
            picture.save(folder / "images" / f"{name}.png")
            made = processor.process_images([picture])
            seen = network(**{k: v for k, v in made.items() if k != "labels"}).embeddings[0]
            arrays[f"image.{name}.input_ids"] = made["input_ids"][0].numpy()
            arrays[f"image.{name}.tokens"] = seen.numpy()
            scores = processor.score_retrieval(list(found), [seen])
            arrays[f"image.{name}.maxsim"] = scores[:, 0].numpy()
    np.savez(folder / "golden.npz", **arrays)
    (folder / "golden_meta.json").write_text(json.dumps({"texts": TEXTS, "model": kind}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=sorted(MAKERS), required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    write(options.folder, options.model, options.seed)


if __name__ == "__main__":
    main()
