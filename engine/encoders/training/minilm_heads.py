"""Make the projections of MiniLM: `python -m engine.encoders.training.minilm_heads --out FILE.npz`.

A PCA rotation for the single vector and one 384 → 128 head per task for the tokens: for code
trained with MaxSim over in-batch negatives on pairs from the installed packages, for prose the
PCA's. On the same machine, the same packages and seed give the same file.

A head trained on prose pairs in the same way does not beat the PCA. nDCG@10, single + 1 * MaxSim
over the best 30, PCA then trained: Cranfield 0.369, 0.369; ADI 0.509, 0.524 (35 queries); German
and French questions about English pages 0.682, 0.679. The code head trained on 2,400 pairs is worth
little more: CoSQA (1,678 functions, 500 queries), MaxSim alone 0.733, 0.738; single + 1 * MaxSim
0.766, 0.765. Rates from 2e-4 to 1e-3 and 2 to 4 epochs differ by less than that.
"""

from __future__ import annotations

import argparse
import logging
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.text_onnx.encoder import TextEncoder, load
from engine.encoders.training.pairs import Pair, code_pairs, prose_pairs
from engine.models.registry import MODELS

log = logging.getLogger(__name__)

TEMPERATURE = 0.03
BATCH = 64  # pairs; each has the other 63 answers as negatives
EPOCHS = 4
LEARNING_RATE = 1e-3
ANSWER_TOKENS = 96  # seen in training; enough to tell answers apart, and keeps 200 s on one core
TOKEN_DIM = 128


@dataclass(frozen=True, slots=True)
class States:
    """Last hidden states of texts: [texts, longest, 384] float16 with their lengths."""

    padded: Tensor
    lengths: Tensor

    def rows(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Float32 states of some texts and which of them [texts, longest] are real."""
        lengths = self.lengths[index]
        longest = int(lengths.max())
        real = torch.arange(longest) < lengths[:, None]
        return self.padded[index, :longest].float(), real

    def tokens(self) -> Tensor:
        """All real states [n, 384] float32."""
        real = torch.arange(self.padded.shape[1]) < self.lengths[:, None]
        return self.padded[real].float()

    def means(self) -> Tensor:
        """Mean-pooled, unit-length [texts, 384] float32."""
        real = (torch.arange(self.padded.shape[1]) < self.lengths[:, None])[..., None]
        return F.normalize((self.padded.float() * real).sum(1), dim=1)


def encode(encoder: TextEncoder, texts: list[str], longest: int) -> States:
    """Run the frozen model once; training only needs its outputs."""
    padded = torch.zeros((len(texts), longest, 384), dtype=torch.float16)
    lengths = torch.zeros(len(texts), dtype=torch.int64)
    for i, states in encoder.hidden_states(texts, longest):
        padded[i, : len(states)] = torch.from_numpy(states).half()
        lengths[i] = len(states)
    return States(padded, lengths)


def principal_axes(states: Tensor, dims: int) -> Tensor:
    """Rotation [384, dims] that keeps the most of dot products, by falling share."""
    # Not centred: cosines of the rotated vectors shall be those of the unrotated.
    moments = (states.T @ states).double()
    axes: Tensor = torch.linalg.eigh(moments).eigenvectors.flip(1)[:, :dims].float()
    return axes


def max_sim(questions: Tensor, asked: Tensor, answers: Tensor, real: Tensor) -> Tensor:
    """[questions, answers]: mean over question tokens of the best answer token's cosine."""
    count, length, dim = answers.shape
    similarity = questions.reshape(-1, dim) @ answers.reshape(-1, dim).T
    similarity = similarity.view(len(questions), -1, count, length)
    best = similarity.masked_fill(~real, -1).amax(3) * asked[..., None]
    return best.sum(1) / asked.sum(1, keepdim=True)


def train_head(start: Tensor, questions: States, answers: States, seed: int) -> Tensor:
    """A head [384, 128] for one kind of pair, begun at the PCA's."""
    generator = torch.Generator().manual_seed(seed)
    head = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([head], LEARNING_RATE)
    steps = EPOCHS * (len(questions.lengths) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        losses = []
        order = torch.randperm(len(questions.lengths), generator=generator)
        for index in order[: len(order) // BATCH * BATCH].view(-1, BATCH):
            asked_states, asked = questions.rows(index)
            answer_states, real = answers.rows(index)
            scores = max_sim(
                F.normalize(asked_states @ head, dim=2),
                asked,
                F.normalize(answer_states @ head, dim=2),
                real,
            )
            loss = F.cross_entropy(scores / TEMPERATURE, torch.arange(BATCH))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        log.info("epoch %d: loss %.4f", epoch + 1, np.mean(losses))
    return head.detach()


def states_of(encoder: TextEncoder, pairs: list[Pair]) -> tuple[States, States]:
    questions, answers = zip(*pairs, strict=True)
    return encode(encoder, list(questions), 40), encode(encoder, list(answers), ANSWER_TOKENS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--packages", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--pairs", type=int, default=2400, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(given.seed)
    started = time.process_time()

    def progress(step: str) -> None:
        log.info("%5.0f s CPU  %s", time.process_time() - started, step)

    encoder = load(None, MODELS["minilm"])
    code = code_pairs(given.packages, given.pairs, given.seed)
    prose = prose_pairs(given.packages, given.pairs, given.seed)
    progress(f"{len(code)} pairs of code, {len(prose)} of prose")
    code_questions, code_answers = states_of(encoder, code)
    prose_questions, prose_answers = states_of(encoder, prose)
    progress("encoded")
    everything = (code_questions, code_answers, prose_questions, prose_answers)
    single = principal_axes(torch.cat([s.means() for s in everything]), 384)
    axes = principal_axes(torch.cat([s.tokens()[::7] for s in everything]), TOKEN_DIM)
    matrices = {
        "single": single,
        "retrieval": axes,
        "code": train_head(axes, code_questions, code_answers, given.seed),
    }
    progress("trained")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {k: m.numpy().astype(np.float16) for k, m in matrices.items()}
    with given.out.open("wb") as stream:
        np.savez(stream, **arrays)


if __name__ == "__main__":
    main()
