"""Qwen3-VL-Embedding held against a golden folder, array by array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from engine.contract.types import Encoding, TextInput
from engine.encoders.jina_v4.images import decode
from engine.encoders.qwen3_vl.encoder import PASSAGE, QUESTION, Qwen3VL, load_exactly
from engine.models.registry import model_spec
from tests.golden.comparison import Difference, load_arrays, near, same

SINGLE_LIMIT = 2e-5  # greatest absolute difference, fp32


def differences(folder: Path) -> Iterator[Difference]:
    """All comparisons of a golden folder."""
    meta = json.loads((folder / "golden_meta.json").read_text(encoding="utf-8"))
    texts: dict[str, str] = meta["texts"]
    dims = tuple(sorted(map(int, meta["cuts"]), reverse=True))
    spec = replace(model_spec("qwen3-vl-embedding"), dims=dims, dim=dims[0])
    whole = load_exactly(folder / "ckpt", spec)
    pictures = {path.stem: str(path) for path in (folder / "images").iterdir()}

    @cache
    def encoder(cut: int) -> Qwen3VL:
        return load_exactly(folder / "ckpt", replace(spec, dim=cut))

    def made(kind: str, name: str, role: str, cut: int) -> Encoding:
        if kind == "image":
            [found] = encoder(cut).encode_images([pictures[name]], "retrieval")
        elif role == "query":
            [found] = encoder(cut).encode_queries([texts[name]], "retrieval")
        else:
            [found] = encoder(cut).encode_texts([TextInput(texts[name])], "code")
        return found

    for key, golden in load_arrays(folder).items():
        kind, name, *what = key.split(".")
        role = what[0] if kind == "text" else ""
        if what[-1] == "input_ids":
            row = (
                whole.image_row(decode(pictures[name]))
                if kind == "image"
                else whole.text_row(texts[name], QUESTION if role == "query" else PASSAGE)
            )
            yield same(key, f"{kind} input ids", golden, np.array(row.ids))
        elif what[-2:-1] == ["single"]:
            found = made(kind, name, role, int(what[-1])).single
            yield near(key, f"{kind} single", golden, found, SINGLE_LIMIT)
        else:
            yield Difference(key, "not understood", np.inf, 0)
