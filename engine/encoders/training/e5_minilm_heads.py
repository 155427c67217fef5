"""Make the projections of E5 and MiniLM as one encoder:

    python -m engine.encoders.training.e5_minilm_heads --out FILE.npz

E5's mean directions and token states, of questions and of passages; a PCA rotation for both halves'
single vectors side by side; 768 → 128 heads for both halves' token states side by side, trained
with MaxSim over in-batch negatives on prose, or code, from the installed packages and on messages
of this system's programs in two languages. On the same machine, the same packages and seed give
the same file.
"""

from __future__ import annotations

import argparse
import logging
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.contract.types import TextInput
from engine.encoders.text_onnx.encoder import unit
from engine.encoders.text_onnx.halves import PASSAGE, Weights, aligned, joined, of_question
from engine.encoders.text_onnx.packages import load_trunk
from engine.encoders.text_onnx.trunk import Read, Trunk
from engine.encoders.text_onnx.weights import Floats
from engine.encoders.training.heads import TOKEN_DIM, States, principal_axes, save, train_head
from engine.encoders.training.pairs import code_pairs, prose_pairs, translated_pairs
from engine.models.registry import MODELS

log = logging.getLogger(__name__)

#: Of E5's, seen in training; enough to tell answers apart.
MOST_TOKENS = 64
BATCH, EPOCHS = 32, 3


@dataclass(frozen=True, slots=True)
class Side:
    """Questions, or answers, of one kind of pair as both halves see them."""

    weights: list[Weights]
    minilm: list[Floats]  # unit directions [width]
    e5: list[Floats]
    beside: list[Floats]  # MiniLM's unit states [n, width] of the characters of E5's tokens
    states: list[Floats]  # E5's [n, width] float16


def encoded(
    trunks: tuple[Trunk, Trunk], texts: Sequence[str], read: Callable[[Trunk, str], Read]
) -> Side:
    """Run both frozen models once; training only needs their outputs."""
    first, second = ([read(trunk, text) for text in texts] for trunk in trunks)
    made = Side(
        [of_question(a.pieces, b.pieces) for a, b in zip(first, second, strict=True)],
        [],
        [],
        [],
        [],
    )
    minilm = dict(trunks[0].states([each.ids for each in first]))
    e5 = dict(trunks[1].states([each.ids for each in second]))
    for i in range(len(texts)):
        beside = unit(aligned(minilm[i], first[i].places, second[i].places))
        made.minilm.append(unit(minilm[i].mean(0)))
        made.e5.append(unit(e5[i].mean(0)))
        made.beside.append(beside.astype(np.float16))
        made.states.append(e5[i].astype(np.float16))
    return made


def projections(questions: list[Side], answers: list[Side], seed: int) -> dict[str, Tensor]:
    """All arrays, from pairs of code, prose and translations."""
    made: dict[str, Tensor] = {}
    directions: list[Tensor] = []
    tokens: list[Tensor] = []
    states: list[list[States]] = []
    for name, sides in (("question", questions), ("passage", answers)):
        asked = name == "question"
        centre = np.mean([each for side in sides for each in side.e5], axis=0)
        every = np.concatenate([each for side in sides for each in side.states])
        centre_of_tokens = every.mean(0, dtype=np.float32)
        made[name] = torch.from_numpy(centre)
        made[f"{name}_tokens"] = torch.from_numpy(centre_of_tokens)
        rows, kinds = [], []
        for side in sides:
            weights = side.weights if asked else [PASSAGE] * len(side.e5)
            # Weighed as passages all: else questions in other languages speak for E5's half alone.
            for a, b in zip(side.minilm, side.e5, strict=True):
                rows.append(unit(joined(a, unit(b - centre), PASSAGE)))
            kinds.append(
                States.of(
                    [
                        joined(a.astype(np.float32), unit(b - centre_of_tokens), w)
                        for a, b, w in zip(side.beside, side.states, weights, strict=True)
                    ]
                )
            )
        directions.append(torch.from_numpy(np.stack(rows)))
        tokens.append(F.normalize(torch.cat([kind.tokens()[::3] for kind in kinds]), dim=1))
        states.append(kinds)
    made["single"] = principal_axes(directions, 768)
    axes = principal_axes(tokens, TOKEN_DIM)
    code, prose, translated = zip(*states, strict=True)
    for adapter, pairs in (("retrieval", prose), ("code", code)):
        made[adapter] = train_head(axes, [pairs, translated], seed, batch=BATCH, epochs=EPOCHS)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--packages", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--catalogues", type=Path, default=Path("/usr/share/locale"))
    parser.add_argument("--pairs", type=int, default=1600, help="of each kind; twice of messages")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(given.seed)
    started = time.process_time()
    pairs = [
        code_pairs(given.packages, given.pairs, given.seed),
        prose_pairs(given.packages, given.pairs, given.seed),
        translated_pairs(given.catalogues, 2 * given.pairs, given.seed),
    ]
    spec = MODELS["e5-minilm"]
    minilm, e5 = (
        load_trunk(name, spec.sha256, None, most, int8=True)
        for name, most in (("minilm", 2 * MOST_TOKENS), ("e5", MOST_TOKENS))
    )
    questions, answers = [], []
    for kind in pairs:
        asked, told = zip(*kind, strict=True)
        questions.append(encoded((minilm, e5), asked, Trunk.read_question))
        answers.append(
            encoded((minilm, e5), told, lambda trunk, text: trunk.read_passage(TextInput(text)))
        )
        log.info("%5.0f s CPU  %d pairs encoded", time.process_time() - started, len(kind))
    save(given.out, projections(questions, answers, given.seed))
    log.info("%5.0f s CPU  trained", time.process_time() - started)


if __name__ == "__main__":
    main()
