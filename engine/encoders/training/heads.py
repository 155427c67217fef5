"""What scripts that train projections share: token states, axes, heads for late interaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.text_onnx.weights import Floats

log = logging.getLogger(__name__)

TEMPERATURE = 0.03
LEARNING_RATE = 1e-3
TOKEN_DIM = 128


@dataclass(frozen=True, slots=True)
class States:
    """Last hidden states of texts: [texts, longest, width] float16 with their lengths."""

    padded: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, states: Sequence[Floats]) -> States:
        """From the states [n, width] of each text."""
        lengths = torch.tensor([len(rows) for rows in states])
        size = (len(states), int(lengths.max()), states[0].shape[1])
        padded = torch.zeros(size, dtype=torch.float16)
        for row, own in zip(padded, states, strict=True):
            row[: len(own)] = torch.from_numpy(own)
        return cls(padded, lengths)

    def rows(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Float32 states of some texts and which of them [texts, longest] are real."""
        lengths = self.lengths[index]
        longest = int(lengths.max())
        real = torch.arange(longest) < lengths[:, None]
        return self.padded[index, :longest].float(), real

    def tokens(self) -> Tensor:
        """All real states [n, width] float32."""
        real = torch.arange(self.padded.shape[1]) < self.lengths[:, None]
        return self.padded[real].float()

    def means(self) -> Tensor:
        """Mean-pooled, unit-length [texts, width] float32."""
        # What is not real is zero.
        return F.normalize(self.padded.sum(1, dtype=torch.float32), dim=1)


Pairs = tuple[States, States]  # questions and answers


def principal_axes(rows: Sequence[Tensor], dims: int) -> Tensor:
    """Rotation [width, dims] that keeps the most of dot products, by falling share; of rows
    [n, width] of several kinds, which count alike."""
    # Not centred: cosines of the rotated vectors shall be those of the unrotated.
    moments = sum(((kind.T @ kind).double() / len(kind) for kind in rows), torch.zeros(()))
    axes: Tensor = torch.linalg.eigh(moments).eigenvectors.flip(1)[:, :dims].float()
    return axes


def max_sim(questions: Tensor, asked: Tensor, answers: Tensor, real: Tensor) -> Tensor:
    """[questions, answers]: mean over question tokens of the best answer token's cosine."""
    count, length, dim = answers.shape
    similarity = questions.reshape(-1, dim) @ answers.reshape(-1, dim).T
    similarity = similarity.view(len(questions), -1, count, length)
    best = similarity.masked_fill(~real, -1).amax(3) * asked[..., None]
    return best.sum(1) / asked.sum(1, keepdim=True)


def train_head(
    start: Tensor, kinds: Sequence[Pairs], seed: int, *, batch: int, epochs: int
) -> Tensor:
    """A head [width, TOKEN_DIM] for pairs of some kinds, begun at `start`.

    Each pair of a batch has the others' answers as negatives.
    """
    generator = torch.Generator().manual_seed(seed)
    head = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([head], LEARNING_RATE)
    steps = epochs * sum(len(questions.lengths) // batch for questions, _ in kinds)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for epoch in range(epochs):
        losses = []
        for (questions, answers), index in _batches(kinds, batch, generator):
            asked_states, asked = questions.rows(index)
            answer_states, real = answers.rows(index)
            scores = max_sim(
                F.normalize(asked_states @ head, dim=2),
                asked,
                F.normalize(answer_states @ head, dim=2),
                real,
            )
            loss = F.cross_entropy(scores / TEMPERATURE, torch.arange(batch))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        log.info("epoch %d: loss %.4f", epoch + 1, np.mean(losses))
    return head.detach()


def _batches(
    kinds: Sequence[Pairs], size: int, generator: torch.Generator
) -> list[tuple[Pairs, Tensor]]:
    """In any order. The pairs of one are of one kind: others' answers would be told by that."""
    made = []
    for pairs in kinds:
        order = torch.randperm(len(pairs[0].lengths), generator=generator)
        made += [(pairs, index) for index in order[: len(order) // size * size].view(-1, size)]
    return [made[i] for i in torch.randperm(len(made), generator=generator)]


def save(file: Path, matrices: dict[str, Tensor]) -> None:
    """Write arrays by name as float16."""
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {k: m.numpy().astype(np.float16) for k, m in matrices.items()}
    with file.open("wb") as stream:
        np.savez(stream, **arrays)
