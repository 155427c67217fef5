"""Logistic models: probabilities of yes from numbers with names, and products of two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from engine.search.ranker import ALWAYS, Logistic, product

RIDGE = 1e-4
STEPS = 200


def with_products(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """All of them, and each of the first by each of the others."""
    return (*names, *others, *(f"{name}*{other}" for name in names for other in others))


def numbers(names: Sequence[str], told: Mapping[str, float]) -> NDArray[np.float64]:
    """[1 + n] one, and what each name stands for."""
    return np.array([1.0, *(product(name, told) for name in names)])


def fit_logistic(
    names: Sequence[str],
    told: NDArray[np.float64],
    right: NDArray[np.bool_],
    sets: Sequence[str],
    missed: float,
) -> Logistic:
    """told [k, 1 + n] as `numbers` gives them; right [k]; sets [k]: within each set the right ones
    count as much as the others, and every set counts alike. The threshold leaves at most the share
    `missed` of the right ones below it."""
    counts: dict[tuple[str, bool], int] = {}
    keys = [(name, bool(yes)) for name, yes in zip(sets, right, strict=True)]
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    share = torch.tensor([1.0 / counts[key] for key in keys], dtype=torch.float64)
    share /= share.sum()
    values, wanted = torch.from_numpy(told), torch.from_numpy(right.astype(np.float64))
    weights = torch.zeros(values.shape[1], dtype=torch.float64).requires_grad_()
    optimiser = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        errors = torch.nn.functional.binary_cross_entropy_with_logits(
            values @ weights, wanted, reduction="none"
        )
        value = (errors * share).sum() + RIDGE * (weights[1:] ** 2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    kept = weights.detach().numpy().round(4)
    certain = np.sort(1.0 / (1.0 + np.exp(-(told[right] @ kept))))
    below = math.floor(float(certain[int(missed * len(certain))]) * 1e4) / 1e4
    return Logistic(dict(zip((ALWAYS, *names), kept.tolist(), strict=True)), below)
