"""NeoMME retrievers behind the Encoder protocol, over transformers' own class.

One bidirectional encoder for text and raw picture patches; dense vector and multi-vector come from
one forward. There are no adapters: all kinds of units share one space.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import NeoMMEForRetrieval, PreTrainedTokenizerFast

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.inference.low_memory import LowMemory
from engine.encoders.inference.whole_weights import REMEDY, load_whole
from engine.encoders.jina_v4.forward import Forward, Row, States, array
from engine.encoders.jina_v4.images import Patches, decode, token_boxes
from engine.encoders.jina_v4.placement import bf16_is_faster
from engine.encoders.jina_v4.tokens import Prompt
from engine.encoders.jina_v4.weights import read_json
from engine.models.files import options, weights_folder
from engine.models.registry import ModelSpec

_BUDGET = {"cpu": 2048, "cuda": 32_768}  # tokens of a batch
_MAX_SIDE = 2048  # pixels, where the checkpoint says nothing
_MARK = "\ue000text\ue001"  # stands for the text while the template is rendered


class NeoMMEForward(Forward):
    """Batches under a padding mask: attention looks both ways, so nothing runs in slices."""

    def run_batch(self, rows: Sequence[Row], *, urgent: bool = False) -> list[States]:
        with self._turns.take(urgent=urgent):
            return self._together(rows)

    @torch.inference_mode()
    def _together(self, rows: Sequence[Row]) -> list[States]:
        longest = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), longest), self.network.config.pad_token_id or 0)
        places = torch.zeros((2, len(rows), longest), dtype=torch.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row.ids)] = torch.tensor(row.ids)
            places[:, i, : len(row.ids)] = positions(row)
        lengths = torch.tensor([len(row.ids) for row in rows])
        inputs = {
            "input_ids": ids,
            "position_ids": places,
            "attention_mask": (torch.arange(longest) < lengths[:, None]).long(),
        }
        if seen := [row.patches.pixels for row in rows if row.patches is not None]:
            inputs["pixel_values"] = torch.cat(seen)
        device = self.device
        out = self.network(**{k: v.to(device) for k, v in inputs.items()}, output_dense=False)
        return [
            States(row, out.last_hidden_state[i, :n].float(), out.embeddings[i, :n].float())
            for i, (row, n) in enumerate(zip(rows, lengths.tolist(), strict=True))
        ]


class NeoMME:
    """The model on one device. Safe to call from several threads."""

    concurrent_queries = True  # they take turns inside

    def __init__(self, spec: ModelSpec, folder: Path, forward: Forward) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self._memory = LowMemory(forward, self.notes)
        self.fast = forward.device.type != "cpu"
        self._config = forward.network.config
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        self._row_token = self._tokenizer.convert_tokens_to_ids(self._tokenizer.row_token)
        settings = read_json(folder / "tokenizer.json")
        settings["added_tokens"] = []  # what a person writes never becomes a control token
        self._plain = type(self._tokenizer.backend_tokenizer).from_str(json.dumps(settings))
        self._around = {task: self._template(task) for task in ("query", "document")}
        self._pictures = read_json(folder / "preprocessor_config.json")

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.prompt("query", query) for query in queries], urgent=True)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.prompt("document", t.text, t.context) for t in texts])

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        done = dict(self._memory.run([self.image_row(decode(path)) for path in images]))
        return [self._picture(done[i]) for i in range(len(images))]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the model was not trained to be pooled in parts."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)

    def prompt(self, task: str, text: str, context: str = "") -> Prompt:
        """The checkpoint's own template around context and text, cut to the window."""
        before, after = self._around[task]
        lead = f"{context}\n" if context else ""
        room = self.spec.max_tokens - len(before) - len(after)
        whole = (lead + text[: room * 32]).encode("utf-8", "replace").decode()
        encoded = self._plain.encode(whole, add_special_tokens=False)
        encoded.truncate(room)
        spans = np.array(encoded.offsets, np.int32).reshape(-1, 2) - len(lead)
        spans = np.where(spans[:, 1:] <= 0, -1, np.maximum(spans, 0))
        return Prompt(
            [*before, *encoded.ids, *after],
            np.pad(spans, ((len(before), len(after)), (0, 0)), constant_values=-1).astype(np.int32),
        )

    def image_row(self, picture: Tensor, max_side: int | None = None) -> Row:
        """`<doc><img>`, then each row's patches and a row marker."""
        side = max_side or int(self._pictures.get("max_side") or _MAX_SIDE)
        patches = self._patches(picture, side)
        image, document = self._config.image_token_id, self._config.document_token_id
        line = [image] * patches.wide + [self._row_token]
        ids = [document, image, *line * patches.high]

        def smaller() -> Row | None:
            half = min(side, max(picture.shape[1:])) * 7 // 10
            return self.image_row(picture, half) if half >= 8 * self._config.patch_size else None

        return Row(ids, "", (0, len(ids)), patches, 2, smaller)

    def _patches(self, picture: Tensor, max_side: int) -> Patches:
        """[n, 3 * patch^2] rows first; black below and to the right up to whole patches."""
        p = int(self._config.patch_size)
        height, width = picture.shape[1:]
        scale = min(1.0, max_side / max(height, width))
        if scale < 1:
            size = max(1, round(height * scale)), max(1, round(width * scale))
            picture = F.interpolate(picture[None], size=size, mode="bilinear", antialias=True)[0]
            height, width = size
        high, wide = -(-height // p), -(-width // p)
        whole = F.pad(picture, (0, wide * p - width, 0, high * p - height))
        mean, std = (
            torch.tensor(self._pictures.get(key, [0.5] * 3))[:, None, None] * 255
            for key in ("image_mean", "image_std")
        )
        normal = (whole.float() - mean) / std
        cut = normal.reshape(3, high, p, wide, p).permute(1, 3, 2, 4, 0)
        return Patches(cut.reshape(high * wide, -1).contiguous(), high, wide)

    def _picture(self, states: States) -> Encoding:
        patches = states.row.patches
        assert patches is not None
        boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(states.tokens), 1))
        grid = boxes[2:].reshape(patches.high, patches.wide + 1, 4)
        grid[:, :-1] = token_boxes(patches, 1).reshape(patches.high, patches.wide, 4)
        return Encoding(self._single(states), array(states.tokens), boxes=boxes)

    def _encode(self, prompts: Sequence[Prompt], *, urgent: bool = False) -> list[Encoding]:
        rows = [Row(p.ids, "", (0, len(p.ids))) for p in prompts]
        done = dict(self._memory.run(rows, urgent=urgent))
        return [
            Encoding(self._single(done[i]), array(done[i].tokens), spans=prompts[i].spans)
            for i in range(len(prompts))
        ]

    def _single(self, states: States) -> Any:
        return array(F.normalize(states.mean[: self.spec.dim], dim=0))

    def _template(self, task: str) -> tuple[list[int], list[int]]:
        """Token ids before and after the text, as the checkpoint's template puts them."""
        said = [{"role": "user", "content": [{"type": "text", "text": _MARK}]}]
        text = self._tokenizer.apply_chat_template(said, tokenize=False, task=task)
        before, mark, after = text.partition(_MARK)
        if not mark:
            raise InklingError("The model's template leaves out the text.", hint=REMEDY)
        ids = [self._tokenizer.encode(part, add_special_tokens=False) for part in (before, after)]
        return ids[0], ids[1]


def positions(row: Row) -> Tensor:
    """[2, n] int64: row and column of each token; text counts up on both."""
    if row.patches is None:
        return torch.arange(len(row.ids)).expand(2, -1)
    high, wide = row.patches.high, row.patches.wide + 1  # each row ends with its marker
    grid = torch.stack(
        [torch.arange(high).repeat_interleave(wide), torch.arange(wide).repeat(high)]
    )
    return torch.cat([torch.arange(2).expand(2, -1), grid + 2], dim=1)


def load(folder: Path | None, spec: ModelSpec) -> NeoMME:
    """Load the published files; every tensor must be there, and none besides."""
    if folder is None:
        raise InklingError("The model needs a folder with its weights.")
    files = weights_folder(folder)
    wanted = options(folder)
    card = torch.cuda.is_available() and wanted.device != "cpu"
    exact = wanted.precision == "fp32" or not (card or bf16_is_faster(folder))
    model = _load_weights(files, torch.float32 if exact else torch.bfloat16)
    device = "cuda" if card else "cpu"
    forward = NeoMMEForward(model.to(device).eval(), budget=_BUDGET[device])
    return NeoMME(spec, files, forward)


def check(folder: Path) -> None:
    """InklingError naming what is missing, extra or misshapen."""
    _load_weights(folder, torch.bfloat16)
    for name in ("tokenizer.json", "preprocessor_config.json"):
        read_json(folder / name)


def _load_weights(folder: Path, dtype: torch.dtype) -> Any:
    read_json(folder / "config.json")
    return load_whole(NeoMMEForRetrieval.from_pretrained, folder, dtype)
