"""jina-v4 held against a golden folder of the reference code's outputs, array by array."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from engine.contract.types import TextInput
from engine.encoders.jina_v4 import encoder as jina_v4
from engine.encoders.jina_v4 import forward as jina_v4_forward
from engine.encoders.jina_v4 import images as jina_v4_images
from engine.encoders.jina_v4 import tokens as jina_v4_tokens
from engine.encoders.jina_v4.forward import Forward, Row, States
from engine.encoders.jina_v4.placement import Placed
from engine.encoders.jina_v4.weights import Checkpoint, load_network
from engine.models.registry import model_spec
from tests.golden.comparison import Array, Difference, Only, load_arrays, near, same

TEXT_LIMIT = 2e-5  # greatest absolute difference, fp32
IMAGE_SINGLE_LIMIT = 1e-4
IMAGE_MULTI_LIMIT = 3e-4
API_LIMIT = 1e-3  # 1 - cosine: the published functions always run in bf16
MIXED = ("retrieval", "code", "text-matching")  # adapters of the mixed batch, in order


class Golden:
    """A golden folder, and our encoder on its checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arrays = load_arrays(folder)
        self.meta = json.loads((folder / "golden_meta.json").read_text(encoding="utf-8"))
        self.texts: dict[str, str] = {**self.meta["texts"], "empty": ""}
        self.checkpoint = Checkpoint.open(folder / "ckpt")
        self.full = max(self.checkpoint.dims)
        self.encoder = self._encoder(torch.float32)
        self.states = cache(self._states)
        self.pictures = {path.stem: path for path in sorted((folder / "images").iterdir())}
        self.prompts = cache(partial(jina_v4_tokens.Prompts, folder / "ckpt"))

    def _encoder(self, dtype: torch.dtype) -> jina_v4.JinaV4:
        forward = Forward(load_network(self.checkpoint, dtype), budget=1 << 20)
        self.max_pixels = int(self.checkpoint.images["max_pixels"])
        placed = Placed(forward, "fp32", self.max_pixels, 0, None)
        tasks: Any = self.checkpoint.tasks
        spec = replace(
            model_spec("jina-v4"),
            dims=self.checkpoint.dims,
            dim=self.full,
            token_dim=self.checkpoint.token_dim,
            adapters=tasks,
        )
        return jina_v4.JinaV4(spec, self.checkpoint, placed)

    @property
    def forward(self) -> Forward:
        return self.encoder.placed.forward

    def rows(self, rows: list[Row]) -> list[States]:
        return self.forward.run_batch(rows)

    def _states(self, row_of: Callable[..., Row], *arguments: Any) -> States:
        return self.rows([row_of(*arguments)])[0]

    # -- inputs -----------------------------------------------------------------------------

    def ids(self, name: str, role: str, max_tokens: int = 32768) -> tuple[int, ...]:
        prefix = jina_v4_tokens.QUERY if role == "query" else jina_v4_tokens.PASSAGE
        return tuple(self.prompts(max_tokens).text(prefix, self.texts[name]).ids)

    def text(self, ids: tuple[int, ...], adapter: str) -> Row:
        return jina_v4.text_row(list(ids), adapter)

    def image(self, name: str, adapter: str, max_pixels: int = 0) -> Row:
        picture = jina_v4_images.decode(str(self.pictures[name]))
        return self.encoder.image_row(picture, adapter, max_pixels or self.max_pixels)

    def outputs(self, states: States, what: str) -> Array:
        if what == "single":
            return self.encoder.cut(states.mean)
        return jina_v4_forward.array(states.tokens if what == "multi" else states.hidden)

    # -- arrays -----------------------------------------------------------------------------

    def text_ids(self, key: str, name: str, role: str, cut: str | None) -> Iterator[Difference]:
        ids = self.ids(name, role, int(cut or 32768))
        yield same(key, "token ids", self.arrays[key], np.array(ids))

    def text_output(
        self,
        key: str,
        name: str,
        role: str,
        cut: str | None,
        what: str,
        task: str = jina_v4_forward.NO_ADAPTER,
    ) -> Iterator[Difference]:
        states = self.states(self.text, self.ids(name, role, int(cut or 32768)), task)
        ours = self.outputs(states, what)
        yield near(key, f"text {what}", self.arrays[key], ours, TEXT_LIMIT)

    def batch_input(self, key: str, batch: str) -> Iterator[Difference]:
        """Taken as given by batch_output and image_batch, which must exist."""
        used = any(other.startswith(f"{batch}.") and "single" in other for other in self.arrays)
        yield Difference(key, "batch inputs", float(not used), 0)

    def batch_output(self, key: str, batch: str, task: str, what: str) -> Iterator[Difference]:
        ids, mask = self.arrays[f"{batch}.input_ids"], self.arrays[f"{batch}.attention_mask"]
        known = {self.ids(name, role) for name in self.texts for role in ("query", "passage")}
        found = [tuple(row[on > 0].tolist()) for row, on in zip(ids, mask, strict=True)]
        yield Difference(f"{batch} prompts", "token ids", float(not known >= set(found)), 0)
        adapters = MIXED if task == "mixed" else (task,) * len(found)
        states = self.rows([self.text(*pair) for pair in zip(found, adapters, strict=True)])
        for golden, one in zip(self.arrays[key], states, strict=True):
            ours = self.outputs(one, what)
            golden = golden[: len(ours)]
            yield near(key, f"text batch {what}", golden, ours, TEXT_LIMIT)

    def image_fact(self, key: str, name: str, what: str) -> Iterator[Difference]:
        row, golden = self.image(name, "retrieval"), self.arrays[key]
        assert row.patches is not None
        ours = {
            "input_ids": lambda: np.array(row.ids),
            "grid_thw": lambda: np.array([1, row.patches.high, row.patches.wide]),
            "position_ids": lambda: jina_v4_forward.positions(row).numpy(),
            "pixel_values": lambda: row.patches.pixels.numpy(),
        }[what]()
        yield same(key, what.replace("_", " "), golden, ours)

    def pixel_digests(self) -> Iterator[Difference]:
        for key, case in self.meta["cases"].items():
            if match := re.fullmatch(r"image\.(.+)\.pixel_values", key):
                row = self.image(match[1], "retrieval")
                assert row.patches is not None
                digest = hashlib.sha256(row.patches.pixels.numpy().tobytes()).hexdigest()
                yield Difference(key, "pixel values", float(digest != case["sha256_f32"]), 0)

    def image_vision(self, key: str, name: str) -> Iterator[Difference]:
        patches = self.image(name, "retrieval").patches
        assert patches is not None
        grid = torch.tensor([[1, patches.high, patches.wide]])
        tower = self.forward.network.get_base_model().model.visual
        with torch.inference_mode():
            ours = tower(patches.pixels, grid_thw=grid).pooler_output.numpy()
        yield near(key, "image vision tower", self.arrays[key], ours, IMAGE_MULTI_LIMIT)

    def image_output(
        self, key: str, name: str, task: str, what: str, first: str | None
    ) -> Iterator[Difference]:
        ours = self.outputs(self.states(self.image, name, task), what)
        golden = self.arrays[key]
        limit = IMAGE_SINGLE_LIMIT if what == "single" else IMAGE_MULTI_LIMIT
        yield near(key, f"image {what}", golden, ours[: int(first)] if first else ours, limit)

    def image_batch(self, key: str, batch: str, task: str, what: str) -> Iterator[Difference]:
        names = [self._picture_in_batch(batch, i) for i in range(len(self.arrays[key]))]
        states = self.rows([self.image(name, task) for name in names])
        limit = IMAGE_SINGLE_LIMIT if what == "single" else IMAGE_MULTI_LIMIT
        for golden, one in zip(self.arrays[key], states, strict=True):
            ours = self.outputs(one, what)
            yield near(key, f"image batch {what}", golden[: len(ours)], ours, limit)

    def _picture_in_batch(self, batch: str, i: int) -> str:
        """The golden does not name them: the picture of that grid whose own vector is nearest."""
        single = self.arrays[f"{batch}.retrieval.single"][i]
        grid = self.arrays[f"{batch}.grid_thw"][i]
        fitting = [n for n in self.pictures if (self.arrays[f"image.{n}.grid_thw"] == grid).all()]
        return max(fitting, key=lambda n: single @ self.arrays[f"image.{n}.retrieval.single"])

    def late(self, key: str, name: str, task: Any, what: str) -> Iterator[Difference]:
        facts = self.meta["late_chunking"]
        if what == "hidden":
            states = self.states(self.text, self.ids(name, "passage"), task)
            ours = self.outputs(states, "hidden")
        else:
            spans = [(a, b) for a, b in facts["char_spans"]]
            chunks = self.encoder.encode_chunks(self.texts[name], spans, "", task)
            ours = np.stack([chunk.single for chunk in chunks])
            prompt = self.encoder.document_prompt(self.texts[name], "", task)
            given = np.array(facts["offsets"]) - len(facts["prefix"])
            inside = given[:, 1] > 0
            yield same(key, "spans", given[inside].clip(0), prompt.spans[inside])
        yield near(key, f"late chunking {what}", self.arrays[key], ours, TEXT_LIMIT)

    def api_texts(
        self, key: str, api: str, task: Any, role: str, cut: str | None, turned: str | None
    ) -> Iterator[Difference]:
        """The published encode_text; its text-matching "passage" turns into a query (turned)."""
        role = "query" if turned else role
        dim = int(cut or self.full)
        for golden, name in zip(self.arrays[key], self.meta["texts"], strict=True):
            states = self.states(self.text, self.ids(name, role), task)
            ours = F.normalize(states.mean[:dim], dim=0).numpy()
            yield alike(key, "published functions", golden, ours)
            if dim != self.full or (role == "passage" and task == "text-matching"):
                continue
            front = self.encoder
            if role == "query" and not turned:
                [encoding] = front.encode_queries([self.texts[name]], task)
            else:
                [encoding] = front.encode_texts([TextInput(self.texts[name])], task)
            yield near(key, "encoder protocol", ours, encoding.single, TEXT_LIMIT)

    def api_text_tokens(
        self, key: str, api: str, task: str, role: str, name: str
    ) -> Iterator[Difference]:
        ours = self.outputs(self.states(self.text, self.ids(name, role), task), "multi")
        yield alike(key, "published functions", self.arrays[key], ours)

    def api_image_tokens(
        self, key: str, api: str, task: str, name: str, pixels: str | None
    ) -> Iterator[Difference]:
        states = self.states(self.image, name, task, int(pixels or 0))
        yield alike(key, "published functions", self.arrays[key], self.outputs(states, "multi"))

    def api_images(self, key: str, api: str, task: Any) -> Iterator[Difference]:
        tokens = re.compile(rf"{api}\.encode_image\.{task}\.multi\.([^.]+)$")
        names = [match[1] for other in self.arrays if (match := tokens.match(other))]
        for golden, name in zip(self.arrays[key], names, strict=True):
            ours = self.outputs(self.states(self.image, name, task), "single")
            yield alike(key, "published functions", golden, ours)


_TEXT = r"text\.(?P<name>[^.]+)\.(?P<role>query|passage)(?:\.maxlen(?P<cut>\d+))?"
_TASK = r"(?P<task>retrieval|text-matching|code)"
_WHAT = r"(?P<what>single|multi|hidden)"
_API = r"(?P<api>api_\w+)"
#: Which method looks at an array, by its name; the groups are the method's arguments.
_RULES: tuple[tuple[str, Callable[..., Iterator[Difference]]], ...] = (
    (rf"{_TEXT}\.input_ids", Golden.text_ids),
    (rf"{_TEXT}\.{_TASK}\.{_WHAT}", Golden.text_output),
    (rf"noadapter\.{_TEXT}\.{_WHAT}", Golden.text_output),
    (rf"(?P<batch>batch\d+)\.(?P<task>[a-z-]+)\.{_WHAT}", Golden.batch_output),
    (r"(?P<batch>(?:img)?batch\d+)\.(?:input_ids|attention_mask|grid_thw)", Golden.batch_input),
    (
        r"image\.(?P<name>[^.]+)\.(?P<what>input_ids|grid_thw|position_ids|pixel_values)",
        Golden.image_fact,
    ),
    (r"image\.(?P<name>[^.]+)\.visual_merged", Golden.image_vision),
    (
        rf"image\.(?P<name>[^.]+)\.{_TASK}\.(?P<what>single|multi)(?:_first(?P<first>\d+))?",
        Golden.image_output,
    ),
    (rf"(?P<batch>imgbatch\d+)\.{_TASK}\.{_WHAT}", Golden.image_batch),
    (rf"late\.(?P<name>[^.]+)\.{_TASK}\.(?P<what>hidden|chunks)", Golden.late),
    (
        rf"{_API}\.encode_text\.(?P<turned>task_property\.)?{_TASK}\.(?P<role>query|passage)"
        r"\.(?:single|trunc(?P<cut>\d+))",
        Golden.api_texts,
    ),
    (
        rf"{_API}\.encode_text\.{_TASK}\.(?P<role>query|passage)\.multi\.(?P<name>[^.]+)",
        Golden.api_text_tokens,
    ),
    (
        rf"{_API}\.encode_image\.{_TASK}\.multi\.(?P<name>[^.]+)(?:\.max_pixels(?P<pixels>\d+))?",
        Golden.api_image_tokens,
    ),
    (rf"{_API}\.encode_image\.{_TASK}\.single", Golden.api_images),
)


def alike(key: str, kind: str, golden: Array, ours: Array) -> Difference:
    """1 - mean cosine of rows."""
    if golden.shape != ours.shape:
        return Difference(key, kind, np.inf, API_LIMIT)
    norms = np.linalg.norm(golden, axis=-1) * np.linalg.norm(ours, axis=-1)
    return Difference(key, kind, 1 - float(((golden * ours).sum(-1) / norms).mean()), API_LIMIT)


def differences(golden: Golden, only: Only = lambda key: True) -> Iterator[Difference]:
    """Every array, and the digests of the pixel values, held against ours."""
    for key in golden.arrays:
        if not only(key):
            continue
        for pattern, look in _RULES:
            if match := re.fullmatch(pattern, key):
                yield from look(golden, key, **match.groupdict())
                break
        else:
            yield Difference(key, "not understood", np.inf, 0)
    if only("pixel_values"):
        yield from golden.pixel_digests()
