"""Qwen3-VL-Embedding behind the Encoder protocol, over transformers' own class.

A conversation of an instruction and what is to be found is read to its end: the last token's state
is the vector. There are no token vectors, and one space for everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import DynamicCache, Qwen3VLModel

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.inference.low_memory import LowMemory
from engine.encoders.inference.whole_weights import REMEDY, load_whole
from engine.encoders.jina_v4.forward import Forward, Row, array
from engine.encoders.jina_v4.images import Preprocessor, decode
from engine.encoders.jina_v4.placement import bf16_is_faster
from engine.encoders.jina_v4.weights import read_json
from engine.encoders.prompts import QWEN_NOTHING as NOTHING
from engine.encoders.prompts import QWEN_PASSAGE as PASSAGE
from engine.encoders.prompts import QWEN_QUESTION as QUESTION
from engine.models.files import options, weights_folder
from engine.models.registry import ModelSpec

_BUDGET = {"cpu": 1024, "cuda": 16_384}  # tokens of a batch
#: The maker's bounds of a picture: 4 to 1,800 tokens. On a processor a quarter of that is minutes.
_LEAST_PIXELS, _MOST_PIXELS = 4 * 1024, 1800 * 1024
_MOST_PIXELS_CPU = 450 * 1024
_CHARACTERS_PER_TOKEN = 32  # looked at; what is beyond the window can't be seen
_SURROGATES = re.compile("[\ud800-\udfff]")


class QwenForward(Forward):
    """The same rows through a network without adapters and token vectors."""

    def _call(
        self, adapters: list[str], inputs: dict[str, Tensor], cache: DynamicCache | None = None
    ) -> tuple[Tensor, Tensor]:
        device = self.device
        sent = {name: value.to(device, non_blocking=True) for name, value in inputs.items()}
        made = self.network(**sent, past_key_values=cache, use_cache=cache is not None)
        hidden = made.last_hidden_state.float()
        return hidden, hidden[..., :0]


class Qwen3VL:
    """The model on one device. Safe to call from several threads."""

    concurrent_queries = True  # they take turns inside

    def __init__(self, spec: ModelSpec, folder: Path, forward: Forward) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self._memory = LowMemory(forward, self.notes)
        self.fast = forward.device.type != "cpu"
        settings = read_json(folder / "tokenizer.json")
        self._special = {token["content"]: int(token["id"]) for token in settings["added_tokens"]}
        settings["added_tokens"] = []  # what a person writes never becomes a control token
        self._tokenizer = Tokenizer.from_str(json.dumps(settings))
        given = read_json(folder / "preprocessor_config.json")
        size = {"shortest_edge": _LEAST_PIXELS, "longest_edge": _MOST_PIXELS}
        self._pictures = Preprocessor.from_settings({**given, "size": size})
        self._most_pixels = _MOST_PIXELS if self.fast else _MOST_PIXELS_CPU

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.text_row(query, QUESTION) for query in queries], urgent=True)

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        joined = (f"{text.context}\n{text.text}" if text.context else text.text for text in texts)
        return self._encode([self.text_row(text, PASSAGE) for text in joined])

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return self._encode([self.image_row(decode(path)) for path in images])

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """Each chunk by itself: the last token alone speaks for what is before it."""
        return self.encode_texts([TextInput(text[a:b], context) for a, b in spans], adapter)

    def text_row(self, text: str, instruction: str) -> Row:
        """A conversation about a text, cut to the window."""
        before, after = self._around(instruction)
        room = self.spec.max_tokens - len(before) - len(after)
        clean = _SURROGATES.sub("\ufffd", text[: room * _CHARACTERS_PER_TOKEN]) or NOTHING
        ids = [*before, *self._ids(f"user\n{clean}")[:room], *after]
        return Row(ids, "", (len(ids) - 1, len(ids)))

    def image_row(self, picture: Tensor, most_pixels: int | None = None) -> Row:
        """A conversation about a picture."""
        most = most_pixels or self._most_pixels
        patches = self._pictures.patches(picture, most)
        before, after = self._around(PASSAGE)
        before = [*before, *self._ids("user\n"), self._token("<|vision_start|>")]
        seen = [self._token("<|image_pad|>")] * (
            patches.high * patches.wide // self._pictures.merge**2
        )
        ids = [*before, *seen, self._token("<|vision_end|>"), *after]

        def smaller() -> Row | None:
            fewer = min(most, picture.shape[1] * picture.shape[2]) // 2
            return self.image_row(picture, fewer) if fewer >= 64 * 1024 else None

        return Row(ids, "", (len(ids) - 1, len(ids)), patches, len(before), smaller)

    def _around(self, instruction: str) -> tuple[list[int], list[int]]:
        """Ids before what the user says, and after it, to where an answer would begin."""
        start, end, line = self._token("<|im_start|>"), self._token("<|im_end|>"), self._ids("\n")
        said = self._ids(f"system\n{instruction}")
        return [start, *said, end, *line, start], [end, *line, start, *self._ids("assistant\n")]

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _token(self, name: str) -> int:
        if name not in self._special:
            raise InklingError(
                "The model's tokenizer has no token {name}.", hint=REMEDY, told={"name": name}
            )
        return self._special[name]

    def _encode(self, rows: Sequence[Row], *, urgent: bool = False) -> list[Encoding]:
        done = dict(self._memory.run(rows, urgent=urgent))
        none = np.zeros((0, 0), np.float32)
        return [
            Encoding(array(F.normalize(done[i].mean[: self.spec.dim], dim=0)), none)
            for i in range(len(rows))
        ]


def load(folder: Path | None, spec: ModelSpec) -> Qwen3VL:
    """Load the published files; every tensor must be there, and none besides."""
    if folder is None:
        raise InklingError("The model needs a folder with its weights.")
    files = weights_folder(folder)
    wanted = options(folder)
    card = torch.cuda.is_available() and wanted.device != "cpu"
    exact = wanted.precision == "fp32" or not (card or bf16_is_faster(folder))
    network = _load_weights(files, torch.float32 if exact else torch.bfloat16)
    device = "cuda" if card else "cpu"
    return Qwen3VL(spec, files, QwenForward(network.to(device).eval(), budget=_BUDGET[device]))


def load_exactly(files: Path, spec: ModelSpec) -> Qwen3VL:
    """On the processor with all digits, from a folder of nothing but the files."""
    network = _load_weights(files, torch.float32).eval()
    return Qwen3VL(spec, files, QwenForward(network, budget=_BUDGET["cpu"]))


def check(folder: Path) -> None:
    """InklingError naming what is missing, extra or misshapen."""
    _load_weights(folder, torch.bfloat16)
    for name in ("tokenizer.json", "preprocessor_config.json"):
        read_json(folder / name)


def _load_weights(folder: Path, dtype: torch.dtype) -> Any:
    read_json(folder / "config.json")
    # The head that would write an answer is the table of tokens once more.
    return load_whole(Qwen3VLModel.from_pretrained, folder, dtype, beside=["lm_head.weight"])
