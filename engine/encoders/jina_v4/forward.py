"""Runs rows of tokens through jina-v4's network: batches by length, long rows in slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from torch import Tensor
from transformers import DynamicCache

from engine.encoders.inference.turns import Turns
from engine.encoders.jina_v4.images import Patches

NO_ADAPTER = "__base__"  # peft's name for the model without any
_MERGE = 2  # patches on a side of the square that becomes one image token
#: A row joins a batch only while this share of the padded batch is tokens.
_LEAST_FILL = 0.75


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence to run."""

    ids: list[int]
    adapter: str
    pooled: tuple[int, int]  # tokens whose mean is the single vector, end exclusive
    patches: Patches | None = None
    image_start: int = 0  # position of the first image token
    #: The same picture with fewer pixels, for when memory runs out; None at the smallest.
    smaller: Callable[[], Row | None] | None = None

    @property
    def cost(self) -> int:
        """Tokens, and the vision tower's work in about the same unit."""
        seen = 0 if self.patches is None else len(self.patches.pixels) // _MERGE**2
        return len(self.ids) + seen


@dataclass(frozen=True, slots=True)
class States:
    """What a row gave: fp32, on the network's device."""

    row: Row
    hidden: Tensor  # [n, h] after the final norm
    tokens: Tensor  # [n, t] unit length

    @property
    def mean(self) -> Tensor:
        """[h]: the single vector before it is cut and brought to unit length."""
        start, end = self.row.pooled
        return self.hidden[start:end].mean(0)


def positions(row: Row) -> Tensor:
    """[3, n] int64: temporal, height and width position of each token.

    Text counts up on all three. Image tokens share their temporal position and carry the row and
    column of their square; text goes on after the longer side.
    """
    if row.patches is None:
        return torch.arange(len(row.ids)).expand(3, -1)
    start, high, wide = row.image_start, row.patches.high // _MERGE, row.patches.wide // _MERGE
    before = torch.arange(start).expand(3, -1)
    square = torch.stack(
        [
            torch.zeros(high * wide, dtype=torch.int64),
            torch.arange(high).repeat_interleave(wide),
            torch.arange(wide).repeat(high),
        ]
    )
    rest = len(row.ids) - start - high * wide
    after = torch.arange(rest).expand(3, -1) + max(high, wide)
    return torch.cat([before, square + start, after + start], dim=1)


class Forward:
    """The network on its device. Safe to call from several threads."""

    def __init__(self, network: PeftModel, *, budget: int, turns: Turns | None = None) -> None:
        self.network = network
        self.budget = budget  # cost of a batch, and length of a slice, at most
        self._turns = turns or Turns()
        self._active = ""

    @property
    def device(self) -> torch.device:
        device: torch.device = next(self.network.parameters()).device
        return device

    def exchange(self, network: Callable[[], PeftModel], budget: int) -> None:
        """Let go of the network, then go on with another."""
        with self._turns.take(urgent=True):
            del self.network
            self.network, self.budget, self._active = network(), budget, ""

    def run_batch(self, rows: Sequence[Row], *, urgent: bool = False) -> list[States]:
        """All rows in one forward, or a single long text in slices."""
        if len(rows) == 1 and rows[0].patches is None and len(rows[0].ids) > self.budget:
            return [self._in_slices(rows[0], urgent=urgent)]
        with self._turns.take(urgent=urgent):
            return self._together(rows)

    @torch.inference_mode()
    def _together(self, rows: Sequence[Row]) -> list[States]:
        longest = max(len(row.ids) for row in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.int64)
        places = torch.zeros((3, len(rows), longest), dtype=torch.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row.ids)] = torch.tensor(row.ids)
            places[:, i, : len(row.ids)] = positions(row)
        # Padding stands at the right and attention looks left only: no token ever sees it. Without
        # a mask the fused causal kernel is used.
        inputs = {"input_ids": ids, "position_ids": places}
        seen = [row.patches for row in rows if row.patches is not None]
        if seen:
            inputs["pixel_values"] = torch.cat([p.pixels for p in seen])
            inputs["image_grid_thw"] = torch.tensor([[1, p.high, p.wide] for p in seen])
        hidden, tokens = self._call([row.adapter for row in rows], inputs)
        return [
            States(row, hidden[i, : len(row.ids)], tokens[i, : len(row.ids)])
            for i, row in enumerate(rows)
        ]

    @torch.inference_mode()
    def _in_slices(self, row: Row, *, urgent: bool) -> States:
        """A long text piece by piece over cached keys and values: the same numbers, less memory.

        Other callers get their turn between slices.
        """
        cache = DynamicCache()
        ids, places = torch.tensor([row.ids]), positions(row)[:, None]
        parts = []
        for start in range(0, len(row.ids), self.budget):
            piece = slice(start, start + self.budget)
            inputs = {"input_ids": ids[:, piece], "position_ids": places[:, :, piece]}
            with self._turns.take(urgent=urgent):
                parts.append(self._call([row.adapter], inputs, cache))
        hidden, tokens = (torch.cat(column, dim=1)[0] for column in zip(*parts, strict=True))
        return States(row, hidden, tokens)

    def _call(
        self, adapters: list[str], inputs: dict[str, Tensor], cache: DynamicCache | None = None
    ) -> tuple[Tensor, Tensor]:
        device = self.device
        sent = {name: value.to(device, non_blocking=True) for name, value in inputs.items()}
        arguments = {**sent, "past_key_values": cache, "use_cache": cache is not None}
        if len(set(adapters)) > 1 or NO_ADAPTER in adapters:
            hidden, tokens = self.network(adapter_names=adapters, **arguments)
            return hidden, tokens
        if adapters[0] != self._active:
            self.network.base_model.set_adapter(adapters[0], inference_mode=True)
            self._active = adapters[0]
        hidden, tokens = self.network.get_base_model()(**arguments)
        return hidden, tokens


def array(tensor: Tensor) -> NDArray[np.float32]:
    """A tensor of any device and precision as numbers to give away."""
    result: NDArray[np.float32] = tensor.float().cpu().numpy()
    return result


def batches(rows: Sequence[Row], budget: int) -> Iterator[list[int]]:
    """Indices of rows grouped by length, longest first; each group within budget when padded."""
    order = sorted(range(len(rows)), key=lambda i: rows[i].cost, reverse=True)
    batch: list[int] = []
    tokens = 0
    for i in order:
        cost = rows[i].cost
        if batch:
            padded = rows[batch[0]].cost * (len(batch) + 1)
            if padded > budget or tokens + cost < _LEAST_FILL * padded:
                yield batch
                batch, tokens = [], 0
        batch.append(i)
        tokens += cost
    if batch:
        yield batch
