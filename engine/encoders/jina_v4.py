"""jina-embeddings-v4 behind the Encoder protocol: text, code and pictures, one forward for both
the single vector and the multi-vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.jina_v4_forward import Forward, Row
from engine.encoders.jina_v4_images import Preprocessor, decode, token_boxes
from engine.encoders.jina_v4_tokens import PASSAGE, QUERY, Prompt, Prompts
from engine.encoders.jina_v4_weights import Checkpoint, load_network
from engine.errors import InklingError
from engine.models import ModelSpec
from engine.types import Adapter, Encoding, TextInput


class JinaV4:
    """The model with its three adapters."""

    concurrent_queries = True  # they take turns inside, between two forwards of a batch

    def __init__(self, spec: ModelSpec, checkpoint: Checkpoint, forward: Forward) -> None:
        if spec.dim not in checkpoint.dims:
            raise InklingError(
                f"The model's vectors can't be cut to {spec.dim} numbers.",
                hint=f"Possible are {', '.join(map(str, checkpoint.dims))}.",
            )
        self.spec = spec
        self.notes: list[str] = []
        self._forward = forward
        self._prompts = Prompts(checkpoint.folder, spec.max_tokens)
        self._images = Preprocessor.from_settings(checkpoint.images)

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self._encode([self._prompts.text(QUERY, q) for q in queries], adapter, urgent=True)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        # Find-similar compares like with like: that adapter was trained with one prompt.
        prefix = QUERY if adapter == "text-matching" else PASSAGE
        return self._encode([self._prompts.text(prefix, t.text, t.context) for t in texts], adapter)

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return [self._encode_image(path, adapter) for path in images]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        raise NotImplementedError

    def _encode(
        self, prompts: Sequence[Prompt], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        rows = [Row(prompt.ids, adapter) for prompt in prompts]
        done: dict[int, Encoding] = {}
        for i, states in self._forward.run(rows, urgent=urgent):
            done[i] = Encoding(
                self._single(states.hidden), array(states.tokens), spans=prompts[i].spans
            )
        return [done[i] for i in range(len(prompts))]

    def _encode_image(self, path: str, adapter: Adapter) -> Encoding:
        patches = self._images.patches(decode(path), self._images.max_pixels)
        boxes = token_boxes(patches, self._images.merge)
        ids, (start, end) = self._prompts.image(len(boxes))
        row = Row(ids, adapter, patches, start + 1)
        [states] = self._forward.run_batch([row])
        around = np.array([(0, 0, 1, 1)], np.float32)
        before, after = start + 1, len(ids) - end + 1
        boxes = np.concatenate([around.repeat(before, 0), boxes, around.repeat(after, 0)])
        return Encoding(self._single(states.hidden[start:end]), array(states.tokens), boxes=boxes)

    def _single(self, hidden: Tensor) -> NDArray[np.float32]:
        """Mean of [n, h], cut, unit length."""
        return array(F.normalize(hidden.mean(0)[: self.spec.dim], dim=0))


def array(tensor: Tensor) -> NDArray[np.float32]:
    result: NDArray[np.float32] = tensor.float().cpu().numpy()
    return result


def load(folder: Path | None, spec: ModelSpec) -> JinaV4:
    """Load the published files from a folder."""
    if folder is None:
        raise InklingError("jina-v4 needs a folder with its weights.")
    checkpoint = Checkpoint.open(folder)
    network = load_network(checkpoint, torch.float32)
    return JinaV4(spec, checkpoint, Forward(network, budget=512))
