"""Inkling as mteb searches: an encoder's vectors as they are or as they are stored, or all lanes
over the corpus as files."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mteb.models.model_meta import ModelMeta, ScoringFunction
from numpy.typing import NDArray

from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.pool import EncoderPool
from engine.models.registry import ModelSpec
from engine.search.late_interaction import maxsim, pool, quantise
from tests.benchmarks.quality import index

#: What scores: the single vector whole, cut to what Inkling stores, late interaction of the nearest
#: by the whole one, or both as they are stored (cut to halves, tokens pooled, in bytes).
Mode = Literal["single", "truncated", "multi", "stored"]
MODES: tuple[Mode, ...] = ("single", "truncated", "multi", "stored")

#: Documents that late interaction looks at, nearest first.
RESCORED = 200
_BATCH = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")

Ranked = dict[str, dict[str, float]]


def meta(name: str, spec: ModelSpec, kinds: list[str]) -> ModelMeta:
    """What mteb notes of a model beside its results."""
    empty = ModelMeta.create_empty()
    known = empty.model_dump(exclude={"loader"}) | {
        "name": f"inkling/{name}",
        "revision": spec.revision.replace("/", "-"),
        "embed_dim": spec.dim,
        "max_tokens": spec.max_tokens,
        "open_weights": True,
        "framework": ["PyTorch" if spec.libraries else "ONNX"],
        "similarity_fn_name": ScoringFunction.MAX_SIM if "late-interaction" in kinds else "cosine",
        "modalities": sorted(spec.modalities),
        "model_type": kinds,
    }
    return ModelMeta(loader=None, **known)


class EncoderSearch:
    """One encoder by itself, in one mode; `folder` of its weights where they are not in place."""

    def __init__(
        self, spec: ModelSpec, base: BaseDir, mode: Mode, *, folder: Path | None = None
    ) -> None:
        whole = replace(spec, dim=max(spec.dims))
        self.spec = spec if mode in ("truncated", "stored") else whole
        self._late = mode in ("multi", "stored") or spec.late_only
        self._stored = mode == "stored"
        self._pool = EncoderPool(self.spec, base, folder=folder)
        self._adapter: Adapter = "retrieval"
        self.mteb_model_meta = meta(
            f"{spec.id}-{mode}", self.spec, ["late-interaction" if self._late else "dense"]
        )

    def close(self) -> None:
        self._pool.close()

    def index(self, corpus: Any, *, task_metadata: Any, **_: Any) -> None:
        """Encode all documents."""
        self._adapter = adapter_of(task_metadata, self.spec)
        self._ids = [str(row["id"]) for row in corpus]
        made = self._encoded(corpus)
        dtype = np.float16 if self._stored else np.float32
        self._singles = np.stack([one.single for one in made]).astype(dtype)
        self._tokens = [self._packed(one) for one in made] if self._late else []

    def _packed(self, one: Encoding) -> NDArray[np.int8] | NDArray[np.float32]:
        if not self._stored:
            return one.tokens
        return quantise(pool(one.tokens, self.spec.pool_factor, spans=one.spans).tokens)

    def search(self, queries: Any, *, top_k: int, **_: Any) -> Ranked:
        """The best documents for each question."""
        found: Ranked = {}
        for row in queries:
            asked = self._asked(row)
            cosines = self._singles.astype(np.float32) @ asked.single
            best = np.argsort(-cosines, kind="stable")[:top_k]
            scores = cosines[best]
            if self._late and len(asked.tokens):
                best, scores = self._rescored(asked, best, scores)
            pairs = zip(best.tolist(), scores.tolist(), strict=True)
            found[str(row["id"])] = {self._ids[i]: float(score) for i, score in pairs}
        return found

    def _rescored(
        self, asked: Encoding, best: NDArray[np.intp], cosines: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The nearest in the order of late interaction, then the rest as they were."""
        near = best[:RESCORED]
        late = np.array([self._likeness(asked, self._tokens[i]) for i in near], np.float32)
        below = cosines[RESCORED:] - 4.0  # after all that were compared
        order = np.argsort(-late, kind="stable")
        return np.concatenate([near[order], best[RESCORED:]]), np.concatenate([late[order], below])

    def _likeness(self, asked: Encoding, tokens: Any) -> float:
        if tokens.dtype == np.int8:
            return float(maxsim(asked.tokens, [tokens]).scores[0])
        return float((asked.tokens @ tokens.T).max(axis=1).mean()) if len(tokens) else -1.0

    def _asked(self, row: Mapping[str, Any]) -> Encoding:
        if row.get("image") is not None:
            with tempfile.TemporaryDirectory() as scratch:
                return self._pictures([row["image"]], Path(scratch))[0]
        return self._pool.encode_queries([text_of(row)], self._adapter)[0]

    def _encoded(self, corpus: Iterable[Mapping[str, Any]]) -> list[Encoding]:
        rows = list(corpus)
        made: list[Encoding] = []
        with tempfile.TemporaryDirectory() as scratch:
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                if batch[0].get("image") is not None:
                    made += self._pictures([row["image"] for row in batch], Path(scratch))
                else:
                    texts = [TextInput(text_of(row), str(row.get("title") or "")) for row in batch]
                    made += self._pool.encode_texts(texts, self._adapter)
        return made

    def _pictures(self, pictures: list[Any], scratch: Path) -> list[Encoding]:
        paths = [scratch / f"{n}.png" for n in range(len(pictures))]
        for picture, path in zip(pictures, paths, strict=True):
            picture.save(path)
        return self._pool.encode_images([str(path) for path in paths], self._adapter)


class WholeSearch:
    """All lanes of Inkling over the corpus as files, asked as a person asks."""

    def __init__(self, spec: ModelSpec, place: Path, sight: str = "") -> None:
        """`place`: an empty folder for corpora and indexes."""
        self.spec, self._place, self._sight = spec, place, sight
        self._close: Callable[[], None] = lambda: None
        name = f"whole-{spec.id}" + (f"-and-{sight}" if sight else "")
        self.mteb_model_meta = meta(name, spec, ["hybrid"])

    def close(self) -> None:
        self._close()

    def index(
        self, corpus: Any, *, task_metadata: Any, hf_split: str, hf_subset: str, **_: Any
    ) -> None:
        """Write the documents as files and have them indexed."""
        self._close()
        name = _NOT_IN_NAMES.sub("-", f"{task_metadata.name}-{hf_subset}-{hf_split}")
        folder = self._place / name / "corpus"
        folder.mkdir(parents=True)
        self._ids: dict[str, str] = {}
        for number, row in enumerate(corpus):
            # Numbers for names: those of a benchmark may give its answers away.
            if row.get("image") is not None:
                path = folder / f"{number:07}.png"
                row["image"].save(path)
            else:
                path = folder / f"{number:07}.{_ending(task_metadata)}"
                title = str(row.get("title") or "")
                text = f"# {title}\n\n{text_of(row)}" if title else text_of(row)
                path.write_text(text, encoding="utf-8", errors="replace")
            self._ids[str(path)] = str(row["id"])
        indexer, _ = index(folder.resolve(), self._place / name / "base", self.spec.id, self._sight)
        self._ask = indexer.ports.search
        self._close = indexer.close

    def search(self, queries: Any, *, top_k: int, **_: Any) -> Ranked:
        """The best files for each question; `Filters` in its words are words."""
        found: Ranked = {}
        for row in queries:
            *_, last = self._ask.search(text_of(row), limit=min(top_k, 200), plain=True)
            ranked = [self._ids[hit.path] for hit in last.hits]
            for hit in last.hits:  # copies are one hit
                ranked += [self._ids[copy.path] for copy in hit.copies]
            found[str(row["id"])] = {i: 1.0 - n / 1000 for n, i in enumerate(ranked)}
        return found


def text_of(row: Mapping[str, Any]) -> str:
    """A row's text; with the instruction before it, where there is one."""
    text = str(row.get("text") or "")
    instruction = str(row.get("instruction") or "")
    return f"{instruction} {text}".strip() if instruction else text


def adapter_of(task: Any, spec: ModelSpec) -> Adapter:
    """Whose vectors a task asks: code's where its subject is code."""
    code = "Programming" in (task.domains or ())
    return spec.adapter_for("code" if code else "note")


def _ending(task: Any) -> str:
    return "py" if "Programming" in (task.domains or ()) else "md"
