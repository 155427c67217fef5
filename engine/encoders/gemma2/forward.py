"""Runs rows of tokens through EmbeddingGemma 2: one long row of many, no padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.gemma2.attention import segments
from engine.encoders.gemma2.pictures import places
from engine.encoders.jina_v4.forward import Forward, Row, States
from engine.encoders.jina_v4.images import Patches


@dataclass(frozen=True, slots=True)
class GemmaRow(Row):
    """A row whose picture costs as many tokens as it has patches: there is no merging before."""

    @property
    def cost(self) -> int:
        return len(self.ids) + (0 if self.patches is None else len(self.patches.pixels))


class PackedForward(Forward):
    """The network on its device. Safe to call from several threads."""

    token_dim: int

    def __init__(self, network: Any, *, budget: int, token_dim: int) -> None:
        super().__init__(network, budget=budget)
        self.token_dim = token_dim

    def run_batch(self, rows: Sequence[Row], *, urgent: bool = False) -> list[States]:
        """All rows in one forward, pictures one after another before it."""
        soft = {}
        for i, row in enumerate(rows):
            if row.patches is not None:  # a question gets its turn between two pictures
                with self._turns.take(urgent=urgent):
                    soft[i] = self.see(row.patches)
        with self._turns.take(urgent=urgent):
            return self._read(rows, soft)

    @torch.inference_mode()
    def see(self, patches: Patches) -> Tensor:
        """[s, h] what the layers for text get of a picture."""
        network, device = self.network, self.device
        seen = network.vision_tower(
            pixel_values=patches.pixels[None].to(device),
            pixel_position_ids=places(patches)[None].to(device),
        )
        features: Tensor = network.embed_vision(inputs_embeds=seen.last_hidden_state)
        return features

    @torch.inference_mode()
    def _read(self, rows: Sequence[Row], soft: dict[int, Tensor]) -> list[States]:
        text, device = self.network.language_model, self.device
        lengths = [len(row.ids) for row in rows]
        ids = torch.tensor([i for row in rows for i in row.ids])
        pictured = ids == self.network.config.image_token_id
        ids = ids.masked_fill(pictured, text.config.pad_token_id).to(device)
        embedded = text.embed_tokens(ids)
        if soft:
            features = torch.cat([soft[i] for i in sorted(soft)]).to(embedded.dtype)
            embedded[pictured.to(device)] = features
        out = text(
            inputs_embeds=embedded[None],
            position_ids=torch.cat([torch.arange(n) for n in lengths])[None].to(device),
            attention_mask={"full_attention": None, "sliding_attention": None},
            segments=segments(lengths),
        ).last_hidden_state[0]
        return [
            states_of(row, hidden.float(), self.token_dim)
            for row, hidden in zip(rows, out.split(lengths), strict=True)
        ]


def states_of(row: Row, hidden: Tensor, token_dim: int) -> States:
    """Token vectors are the model's own, cut as the single vector is."""
    return States(row, hidden, F.normalize(hidden[:, :token_dim], dim=-1))
