"""Late-interaction retrievers held against a golden folder, array by array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from engine.contract.types import Encoding
from engine.encoders.late_interaction.encoder import load_exactly
from engine.models.registry import MODELS
from engine.search.late_interaction import maxsim, quantise
from tests.golden.comparison import Difference, load_arrays, near

TOKENS_LIMIT = 3e-4  # greatest absolute difference, fp32
#: Of a score, a mean over the question's tokens, from tokens that are stored in a byte each.
SCORE_LIMIT = 4e-3


def differences(folder: Path) -> Iterator[Difference]:
    """All comparisons of a golden folder."""
    texts = json.loads((folder / "golden_meta.json").read_text(encoding="utf-8"))["texts"]
    config = json.loads((folder / "ckpt" / "config.json").read_text(encoding="utf-8"))
    mark = f"model_type={config['model_type']}"
    spec = next(spec for spec in MODELS.values() if mark in spec.recognised_by)
    encoder = load_exactly(folder / "ckpt", spec)
    pictures = {path.stem: str(path) for path in (folder / "images").iterdir()}

    @cache
    def asked(name: str) -> Encoding:
        [made] = encoder.encode_queries([texts[name]], "retrieval")
        return made

    @cache
    def seen(name: str) -> Encoding:
        [made] = encoder.encode_images([pictures[name]], "retrieval")
        return made

    for key, golden in load_arrays(folder).items():
        kind, name, *what = key.split(".")
        made = asked(name) if kind == "text" else seen(name)
        match what[-1]:
            case "tokens":
                yield near(key, f"{kind} tokens", golden, made.tokens, TOKENS_LIMIT)
            case "input_ids":
                ours = len(made.tokens) if made.boxes is None else len(made.boxes)
                yield near(key, f"{kind} length", np.array(len(golden)), np.array(ours), 0)
            case "maxsim":
                stored = quantise(made.tokens)
                scores = [
                    float(maxsim(asked(text).tokens, [stored]).scores[0]) * len(asked(text).tokens)
                    for text in texts
                ]
                lengths = np.array([len(asked(text).tokens) for text in texts])
                yield near(key, "maxsim", golden / lengths, np.array(scores) / lengths, SCORE_LIMIT)
            case _:
                yield Difference(key, "not understood", np.inf, 0)
