"""jina-embeddings-v4 behind the Encoder protocol: text, code and pictures.

One forward gives both the single vector and the multi-vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Box, Encoding, TextInput
from engine.encoders.inference import late_chunking
from engine.encoders.inference.low_memory import LowMemory
from engine.encoders.jina_v4 import tokens as jina_v4_tokens
from engine.encoders.jina_v4.forward import Row, States, array
from engine.encoders.jina_v4.images import (
    Preprocessor,
    decode,
    has_fine_print,
    tiles,
    token_boxes,
)
from engine.encoders.jina_v4.placement import Placed, place
from engine.encoders.jina_v4.tokens import Prompt, Prompts
from engine.encoders.jina_v4.weights import Checkpoint, check_folder
from engine.models.files import weights_folder
from engine.models.registry import ModelSpec

_LEAST_PIXELS = 64 * 28 * 28  # of a picture when memory is short
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Part:
    """A picture, or a tile of one, on its way through the model."""

    owner: int  # which of the call's pictures
    row: Row
    box: Box  # of the picture that this part shows


class JinaV4:
    """The model with its three adapters. Safe to call from several threads."""

    concurrent_queries = True  # they take turns inside, between two forwards of a batch

    def __init__(self, spec: ModelSpec, checkpoint: Checkpoint, placed: Placed) -> None:
        if spec.dim not in checkpoint.dims:
            raise InklingError(
                "The model's vectors can't be cut to {dim} numbers.",
                hint="Possible are {dims}.",
                told={"dim": spec.dim, "dims": ", ".join(map(str, checkpoint.dims))},
            )
        if unknown := set(spec.adapters) - set(checkpoint.tasks):
            raise InklingError(
                "The model has no adapter {adapters}.",
                told={"adapters": ", ".join(sorted(unknown))},
            )
        self.spec = spec
        self.notes = placed.notes
        self.placed = placed
        self.fast = placed.to_cpu is not None  # on a card
        self._memory = LowMemory(placed.forward, self.notes, placed.to_cpu)
        self._prompts = Prompts(checkpoint.folder, spec.max_tokens)
        self._images = Preprocessor.from_settings(checkpoint.images)

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.query_prompt(query) for query in queries], adapter, urgent=True)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        return self._encode(
            [self._prompts.text(passage_prefix(adapter), t.text, t.context) for t in texts], adapter
        )

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        parts = [part for i, path in enumerate(images) for part in self._parts(i, path, adapter)]
        done: dict[int, States] = dict(self._memory.run([part.row for part in parts]))
        return [
            self._picture([(p, done[n]) for n, p in enumerate(parts) if p.owner == i])
            for i in range(len(images))
        ]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        prompt = self.document_prompt(text, context, adapter)
        done: dict[int, Encoding] = {}
        limit = min(self.spec.max_tokens, self.placed.window)
        for window in late_chunking.windows(prompt.spans, spans, limit):
            row = text_row([prompt.ids[i] for i in window.tokens], adapter)
            [(_, states)] = self._memory.run([row])
            places = prompt.spans[window.tokens]
            for i, (start, end) in zip(window.chunks, window.ranges, strict=True):
                done[i] = Encoding(
                    self.cut(states.hidden[start:end].mean(0)),
                    array(states.tokens[start:end]),
                    spans=late_chunking.relative(places[start:end], spans[i]),
                )
        return [done[i] for i in range(len(spans))]

    def query_prompt(self, query: str) -> Prompt:
        return self._prompts.text(jina_v4_tokens.QUERY, query)

    def document_prompt(self, text: str, context: str, adapter: str) -> Prompt:
        return self._prompts.document(passage_prefix(adapter), text, context)

    def image_row(self, picture: Tensor, adapter: str, max_pixels: int) -> Row:
        """A picture [3, h, w] uint8 in its prompt."""
        patches = self._images.patches(picture, max_pixels)
        ids, pooled = self._prompts.image(len(patches.pixels) // self._images.merge**2)

        def smaller() -> Row | None:
            fewer = min(max_pixels, picture.shape[1] * picture.shape[2]) // 2
            return self.image_row(picture, adapter, fewer) if fewer >= _LEAST_PIXELS else None

        return Row(ids, adapter, pooled, patches, pooled[0] + 1, smaller)

    def cut(self, mean: Tensor) -> NDArray[np.float32]:
        """A single vector [h] cut to the stored size, unit length."""
        return array(F.normalize(mean[: self.spec.dim], dim=0))

    def _encode(
        self, prompts: Sequence[Prompt], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        rows = [text_row(prompt.ids, adapter) for prompt in prompts]
        done: dict[int, Encoding] = {}
        for i, states in self._memory.run(rows, urgent=urgent):
            spans = prompts[i].spans
            done[i] = Encoding(self.cut(states.mean), array(states.tokens), spans=spans)
        return [done[i] for i in range(len(prompts))]

    def _parts(self, owner: int, path: str, adapter: Adapter) -> Iterator[_Part]:
        """The whole picture, then its tiles where print would be lost and the device can."""
        picture = decode(path)
        _, height, width = picture.shape
        budget = min(self.placed.max_pixels, self._images.max_pixels)
        yield _Part(owner, self.image_row(picture, adapter, budget), _WHOLE)
        if self.placed.tiles < 2 or height * width <= budget or not has_fine_print(picture):
            return
        for x0, x1, y0, y1 in tiles(height, width, budget, self.placed.tiles):
            row = self.image_row(picture[:, y0:y1, x0:x1].contiguous(), adapter, budget)
            yield _Part(owner, row, (x0 / width, y0 / height, x1 / width, y1 / height))

    def _picture(self, parts: Sequence[tuple[_Part, States]]) -> Encoding:
        """One Encoding: the whole picture's vectors, then the image tokens of each tile.

        Tokens of the prompt have the whole picture as their box.
        """
        tokens, boxes = [], []
        for n, (part, states) in enumerate(parts):
            row = states.row  # not part.row: memory may have run out
            assert row.patches is not None
            seen = token_boxes(row.patches, self._images.merge, part.box)
            first, last = row.image_start, row.image_start + len(seen)
            if n:
                tokens.append(states.tokens[first:last])
                boxes.append(seen)
            else:
                tokens.append(states.tokens)
                around = np.array([_WHOLE], np.float32).repeat(len(row.ids), 0)
                around[first:last] = seen
                boxes.append(around)
        return Encoding(
            self.cut(parts[0][1].mean),
            np.concatenate([array(t) for t in tokens]),
            boxes=np.concatenate(boxes),
            note=self._seen([states.row for _, states in parts]),
        )

    def _seen(self, rows: Sequence[Row]) -> str:
        """How exactly a picture was seen, in words."""
        whole, *cut = [row.patches for row in rows if row.patches is not None]
        side = self._images.patch
        said = f"seen at {whole.wide * side} × {whole.high * side} pixels"
        return f"{said} and in {len(cut)} tiles" if cut else said


def text_row(ids: list[int], adapter: str) -> Row:
    """A text's single vector pools all of its tokens, the prompt's included."""
    return Row(ids, adapter, (0, len(ids)))


def passage_prefix(adapter: str) -> str:
    """Find-similar compares like with like: its adapter was trained with one prompt only."""
    return jina_v4_tokens.QUERY if adapter == "text-matching" else jina_v4_tokens.PASSAGE


def load(folder: Path | None, spec: ModelSpec) -> JinaV4:
    """Load the published files from a model's folder, onto the device that suits."""
    if folder is None:
        raise InklingError("The model needs a folder with its weights.")
    checkpoint = Checkpoint.open(weights_folder(folder))
    return JinaV4(spec, checkpoint, place(checkpoint, folder))


def check(folder: Path) -> None:
    """InklingError if a file or tensor is missing, extra or misshapen, or a setting unknown."""
    check_folder(folder)
    checkpoint = Checkpoint.open(folder)
    Prompts(folder, max_tokens=1)
    Preprocessor.from_settings(checkpoint.images)
