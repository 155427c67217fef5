"""EmbeddingGemma 2 on both back ends held against a golden folder, array by array.

What the reference code gives are ids, token vectors, single vectors and patches; spans, cut token
vectors and what becomes of control tokens in a text are definitions of Inkling's.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from engine.contract.types import TextInput
from engine.encoders.gemma2.encoder import Gemma2, text_row
from engine.encoders.gemma2.forward import GemmaRow, PackedForward
from engine.encoders.gemma2.placement import graph_forward
from engine.encoders.gemma2.tokens import Marks, Prompts
from engine.encoders.gemma2.weights import load_network, read_config
from engine.encoders.inference.low_memory import LowMemory, RunsBatches
from engine.encoders.jina_v4.forward import States, array
from engine.encoders.jina_v4.images import decode
from engine.encoders.jina_v4.tokens import Prompt
from engine.models.registry import ModelSpec, model_spec
from tests.golden.comparison import Array, Difference, Only, load_arrays, near, same

SINGLE_LIMIT = 2e-5  # greatest absolute difference, fp32
TOKENS_LIMIT = 2e-4
BACK_ENDS = ("transformers", "onnxruntime")
_WINDOW = 8192
_TITLE = re.compile(r"title: (.*) \| text: ")


class Golden:
    """A golden folder, and our encoder on its checkpoint."""

    def __init__(self, folder: Path, back_end: str = BACK_ENDS[0]) -> None:
        self.folder = folder
        self.back_end = back_end
        self.arrays = load_arrays(folder)
        self.meta = json.loads((folder / "golden_meta.json").read_text(encoding="utf-8"))
        self.texts: dict[str, str] = self.meta["texts"]
        checkpoint = folder / "ckpt"
        self.config = read_config(checkpoint)
        width = int(self.config["text_config"]["embedding_dim"])
        dims = tuple(sorted({*map(int, self.meta["cuts"]), width}, reverse=True))
        self.spec = replace(
            model_spec("embeddinggemma-2"),
            dims=dims,
            dim=width,
            token_dim=width,
            max_tokens=_WINDOW,
        )
        self.forward = forward_on(back_end, checkpoint, self.config, self.spec)
        self.encoder = cache(self._encoder)
        self.prompts = cache(lambda most: Prompts(checkpoint, Marks.of(self.config), most))
        self.states = cache(self._states)
        self.pictures = {path.stem: path for path in sorted((folder / "images").iterdir())}

    def _encoder(self, budget: int) -> Gemma2:
        memory = LowMemory(self.forward, [])
        checkpoint = self.folder / "ckpt"
        return Gemma2(self.spec, checkpoint, self.config, self.forward, budget, memory)

    # -- inputs -----------------------------------------------------------------------------

    def prompt(self, name: str, role: str, most: int = _WINDOW) -> Prompt:
        """By the encoder's own ways into its prompts."""
        prompts, text = self.prompts(most), self.texts[name]
        match role:
            case "query":
                return prompts.query(text, "retrieval")
            case "code":
                return prompts.query(text, "code")
            case "similarity":
                return prompts.query(text, "text-matching")
            case "document":
                return prompts.passage(TextInput(text), "retrieval")
            case "titled":
                found = _TITLE.fullmatch(self.meta["prompts"]["titled"])
                return prompts.passage(TextInput(text, found[1] if found else ""), "code")
            case _:
                return prompts.text(self.meta["prompts"][role], text)

    def image(self, name: str, budget: int) -> GemmaRow:
        picture = decode(str(self.pictures[name]), max_aspect=None)
        return self.encoder(budget).image_row(picture)

    def _states(self, name: str, role: str, most: int) -> States:
        row = (
            self.image(name, most)
            if role == "image"
            else text_row(self.prompt(name, role, most).ids)
        )
        return self.forward.run_batch([row])[0]

    # -- arrays -----------------------------------------------------------------------------

    def text(
        self, key: str, name: str, role: str, most: str | None, what: str, cut: str | None
    ) -> Iterator[Difference]:
        window = int(most or _WINDOW)
        prompt = self.prompt(name, role, window)
        if what in ("input_ids", "spans"):
            ours = np.array(prompt.ids) if what == "input_ids" else prompt.spans
            yield same(key, what.replace("_", " "), self.arrays[key], ours)
            return
        yield self._output(key, "text", self.states(name, role, window), what, cut)
        if what == "single" and most is None and int(cut or 0) == self.spec.dim:
            yield from self._protocol(key, name, role)

    def _protocol(self, key: str, name: str, role: str) -> Iterator[Difference]:
        """The same through the methods that the pool calls."""
        encoder, text = self.encoder(70), self.texts[name]
        if role == "query":
            [made] = encoder.encode_queries([text], "retrieval")
        elif role == "document":
            [made] = encoder.encode_texts([TextInput(text)], "code")
        else:
            return
        yield near(key, "encoder protocol", self.arrays[key], made.single, SINGLE_LIMIT)

    def image_fact(self, key: str, name: str, budget: str, what: str) -> Iterator[Difference]:
        row, golden = self.image(name, int(budget)), self.arrays[key]
        patches = row.patches
        assert patches is not None
        pool = int(self.config["vision_config"]["pooling_kernel_size"])
        ours: dict[str, Callable[[], Array]] = {
            "input_ids": lambda: np.array(row.ids),
            "grid": lambda: np.array([patches.high // pool, patches.wide // pool]),
            "patches_head": lambda: patches.pixels[: len(golden)].numpy(),
        }
        yield same(key, f"image {what.replace('_', ' ')}", golden, ours[what]())

    def image_soft(self, key: str, name: str, budget: str) -> Iterator[Difference]:
        row = self.image(name, int(budget))
        see: Any = self.forward
        ours = torch.as_tensor(see.see(row.patches)).numpy()
        yield near(key, "image seen", self.arrays[key], ours, TOKENS_LIMIT)

    def image_output(
        self, key: str, name: str, budget: str, what: str, cut: str | None
    ) -> Iterator[Difference]:
        states = self.states(name, "image", int(budget))
        yield self._output(key, "image", states, what, cut)
        if what == "single" and int(cut or 0) == self.spec.dim:
            encoder = self.encoder(int(budget))
            [made] = encoder.encode_images([str(self.pictures[name])], "retrieval")
            yield near(key, "encoder protocol", self.arrays[key], made.single, SINGLE_LIMIT)

    def batch(self, key: str, cut: str) -> Iterator[Difference]:
        """Documents together, whichever side the reference padded."""
        rows = [text_row(self.prompt(name, "document").ids) for name in self.meta["batch_keys"]]
        made = [F.normalize(s.mean[: int(cut)], dim=0) for s in self.forward.run_batch(rows)]
        ours = torch.stack(made).numpy()
        yield near(key, "text batch single", self.arrays[key], ours, SINGLE_LIMIT)

    def pixel_digests(self) -> Iterator[Difference]:
        for key, facts in self.meta["images"].items():
            _, name, budget = key.split(".")
            patches = self.image(name, int(budget)).patches
            assert patches is not None
            digest = hashlib.sha256(patches.pixels.numpy().tobytes()).hexdigest()
            wrong = digest != facts["pixels_sha256"]
            yield Difference(f"{key}.patches", "image patches", float(wrong), 0)

    def _output(self, key: str, of: str, states: States, what: str, cut: str | None) -> Difference:
        golden, size = self.arrays[key], int(cut or self.spec.dim)
        if what == "single":
            ours = array(F.normalize(states.mean[:size], dim=0))
            return near(key, f"{of} single", golden, ours, SINGLE_LIMIT)
        hidden = states.hidden
        vectors = hidden if what == "tokens" else F.normalize(hidden[:, :size], dim=-1)
        return near(key, f"{of} {what}", golden, array(vectors), TOKENS_LIMIT)


def forward_on(
    back_end: str, checkpoint: Path, config: dict[str, Any], spec: ModelSpec
) -> RunsBatches:
    """The checkpoint in fp32."""
    if back_end == "transformers":
        network = load_network(checkpoint, torch.float32)
        return PackedForward(network, budget=1 << 20, token_dim=spec.token_dim)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return graph_forward(Path(folder), checkpoint, config, spec, int8=False, most=_WINDOW)


_TEXT = r"text\.(?P<name>[^.]+)\.(?P<role>[a-z]+)(?:\.max(?P<most>\d+))?"
_IMAGE = r"image\.(?P<name>[^.]+)\.(?P<budget>\d+)"
_OUTPUT = r"(?P<what>tokens|single|multi)(?:\.(?P<cut>\d+))?"
#: Which method looks at an array, by its name; the groups are the method's arguments.
_RULES: tuple[tuple[str, Callable[..., Iterator[Difference]]], ...] = (
    (rf"{_TEXT}\.(?P<what>input_ids|spans)(?P<cut>)", Golden.text),
    (rf"{_TEXT}\.{_OUTPUT}", Golden.text),
    (r"batch\.(?:right|left)\.single\.(?P<cut>\d+)", Golden.batch),
    (rf"{_IMAGE}\.(?P<what>input_ids|grid|patches_head)", Golden.image_fact),
    (rf"{_IMAGE}\.soft", Golden.image_soft),
    (rf"{_IMAGE}\.{_OUTPUT}", Golden.image_output),
)


def differences(golden: Golden, only: Only = lambda key: True) -> Iterator[Difference]:
    """Every array, and the digests of the patches, held against ours."""
    for key in golden.arrays:
        if only(key):
            for difference in _look(golden, key):
                yield replace(difference, kind=f"{golden.back_end}: {difference.kind}")
    if only("patches"):
        yield from golden.pixel_digests()


def _look(golden: Golden, key: str) -> Iterator[Difference]:
    for pattern, look in _RULES:
        if match := re.fullmatch(pattern, key):
            yield from look(golden, key, **match.groupdict())
            return
    yield Difference(key, "not understood", np.inf, 0)
