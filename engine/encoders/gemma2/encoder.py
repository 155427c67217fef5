"""EmbeddingGemma 2 behind the Encoder protocol: text, code and pictures in one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.gemma2.forward import GemmaRow
from engine.encoders.gemma2.pictures import Grid, smaller_budget
from engine.encoders.gemma2.quality import Trial
from engine.encoders.gemma2.tokens import FIRST_OF_IMAGE, Marks, Prompts
from engine.encoders.inference.low_memory import LowMemory, RunsBatches
from engine.encoders.jina_v4.forward import States, array
from engine.encoders.jina_v4.images import decode, token_boxes
from engine.encoders.jina_v4.tokens import Prompt
from engine.models.registry import ModelSpec


class Gemma2:
    """The model on either back end. Safe to call from several threads."""

    concurrent_queries = True  # they take turns inside

    def __init__(
        self,
        spec: ModelSpec,
        folder: Path,
        config: Mapping[str, Any],
        forward: RunsBatches,
        picture_budget: int,
        memory: LowMemory,
        trial: Trial | None = None,
        window: int | None = None,
    ) -> None:
        """`picture_budget`: tokens of a picture. `trial`: of weights that are not exact. `window`:
        tokens of a text, where the device can take fewer than the model."""
        self.spec = spec
        self.notes: list[str] = memory.notes
        self.fast = forward.device.type != "cpu"
        self.forward = forward
        self.prompts = Prompts(folder, Marks.of(config), window or spec.max_tokens)
        self._memory = memory
        self._grid = Grid.of(config)
        self._picture_budget = picture_budget
        self._trial = trial

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.prompts.query(query, adapter) for query in queries], urgent=True)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.prompts.passage(text, adapter) for text in texts])

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        """The model sees pictures without any prompt."""
        rows = [self.image_row(decode(path, max_aspect=None)) for path in images]
        done = dict(self._memory.run(rows))
        if self._trial is not None:
            self._trial.saw("pictures", rows)
        return [self._picture(done[i]) for i in range(len(images))]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the model was not trained to be pooled in parts."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)

    def image_row(self, picture: Tensor, budget: int | None = None) -> GemmaRow:
        """A picture [3, h, w] uint8 in its prompt."""
        budget = budget or self._picture_budget
        patches = self._grid.patches(picture, budget)
        ids = self.prompts.image(len(patches.pixels) // self._grid.pool**2)

        def smaller() -> GemmaRow | None:
            fewer = smaller_budget(budget)
            return None if fewer is None else self.image_row(picture, fewer)

        return GemmaRow(ids, "", (0, len(ids)), patches, FIRST_OF_IMAGE, smaller)

    def cut(self, states: States) -> Any:
        """The single vector cut to the stored size, unit length."""
        return array(F.normalize(states.mean[: self.spec.dim], dim=0))

    def _encode(self, prompts: Sequence[Prompt], *, urgent: bool = False) -> list[Encoding]:
        rows = [text_row(prompt.ids) for prompt in prompts]
        done = dict(self._memory.run(rows, urgent=urgent))
        if self._trial is not None and not urgent:
            self._trial.saw("passages", rows)
        return [
            Encoding(self.cut(done[i]), array(done[i].tokens), spans=prompts[i].spans)
            for i in range(len(prompts))
        ]

    def _picture(self, states: States) -> Encoding:
        """The tokens around the picture have all of it as their box."""
        patches = states.row.patches
        assert patches is not None
        seen = token_boxes(patches, self._grid.pool)
        boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(states.tokens), 1))
        boxes[FIRST_OF_IMAGE : FIRST_OF_IMAGE + len(seen)] = seen
        side = self._grid.patch
        note = f"seen at {patches.wide * side} × {patches.high * side} pixels"
        return Encoding(self.cut(states), array(states.tokens), boxes=boxes, note=note)


def text_row(ids: list[int]) -> GemmaRow:
    """A text's single vector pools all of its tokens, the prompt's included."""
    return GemmaRow(ids, "", (0, len(ids)))
