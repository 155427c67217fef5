"""A made-up library of any size, put into a store and a ledger in bulk: a million passages in
minutes.

Words are real ones, as often as Zipf's law has them; a passage's direction is a mixture of those
that the model gives to short texts of such words, so that questions lie among them as they do among
real passages. Passages share some thousand token records.
"""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Iterator, Sequence
from operator import methodcaller
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import resources
from engine import Engine
from engine.contract.types import FileFacts
from engine.search.late_interaction import quantise
from engine.store import Store
from engine.store.analyzer import analyze
from engine.store.rows import file_fields
from engine.store.schema import schema
from engine.store.segments import TokenRecord, TokenRef
from indexer.ledger.ledger import Found, Ledger

UNITS = 5  # a file
WORDS, CONTEXT = 100, 5  # a passage, and beside it
SEEDS = 1_500  # short texts that directions are mixed of
NOISE = 0.35  # length of what is a passage's own, beside its mixture
TOKENS, RECORDS, AT_ONCE = 64, 8_000, 20_000


class MadeLibrary:
    """Draws texts, directions and tokens."""

    def __init__(self, dim: int, token_dim: int, seed: int = 1) -> None:
        self.dim, self.token_dim = dim, token_dim
        self.rng = np.random.default_rng(seed)
        words = importlib.resources.files(resources) / "words"
        frequent = [line.split("\t")[0] for line in _lines(words / "common.tsv")]
        others = sorted(set(_lines(words / "known.txt")) - set(frequent))
        np.random.default_rng(0).shuffle(others)
        self.words = [*frequent, *others]
        weights = 1.0 / np.arange(1, len(self.words) + 1)
        self._share = np.cumsum(weights / weights.sum())
        self._terms = [" ".join(analyze(word)) for word in self.words]
        self.seeds = np.zeros((0, dim), np.float32)

    def drawn(self, shape: tuple[int, ...]) -> NDArray[np.intp]:
        """Numbers of words."""
        return np.minimum(np.searchsorted(self._share, self.rng.random(shape)), len(self.words) - 1)

    def text(self, words: int) -> str:
        return " ".join(self.words[i] for i in self.drawn((words,)).tolist())

    def learn(self, engine: Engine) -> None:
        """Have directions from the model's encoder of questions."""
        adapter = engine.spec.adapters[0]
        texts = [self.text(12) for _ in range(SEEDS)]
        found = (engine.encoders.encode_queries_by_adapter([text], [adapter]) for text in texts)
        self.seeds = np.stack([made[adapter][0].single for made in found])

    def directions(self, files: int) -> NDArray[np.float16]:
        """[files, UNITS, d]: a file's passages have much in common."""
        picks = self.rng.integers(len(self.seeds), size=(files, 2 + UNITS))
        own = self.seeds[picks[:, 2:]] * np.float32(0.7)
        shared = self.seeds[picks[:, 0]] + np.float32(0.5) * self.seeds[picks[:, 1]]
        made = own + shared[:, None]
        made /= np.linalg.norm(made, axis=2, keepdims=True)
        noise = self.rng.standard_normal(made.shape, dtype=np.float32)
        made += noise * np.float32(NOISE / np.sqrt(self.dim))
        return np.asarray(made / np.linalg.norm(made, axis=2, keepdims=True), np.float16)

    def rows(self, facts: Sequence[FileFacts], refs: Sequence[TokenRef]) -> pa.Table:
        """All columns of these files' units."""
        count = len(facts) * UNITS
        numbers = self.drawn((count, WORDS + CONTEXT)).tolist()
        vectors = self.directions(len(facts))
        whole = vectors.astype(np.float32).sum(axis=1)
        whole /= np.linalg.norm(whole, axis=1, keepdims=True)
        picked = [refs[i] for i in self.rng.integers(len(refs), size=count).tolist()]
        fields = [file_fields(file) for file in facts]
        columns: dict[str, object] = {
            name: [f[name] for f in fields for _ in range(UNITS)] for name in fields[0]
        }
        texts = [[self.words[i] for i in some] for some in numbers]
        names = [" ".join(analyze(os.path.basename(file.path))) for file in facts]
        columns |= {
            "id": [f"{file.file_id}:{n}" for file in facts for n in range(UNITS)],
            "kind": [file.kind for file in facts for _ in range(UNITS)],
            "line_from": [10 * (i % UNITS) + 1 for i in range(count)],
            "line_to": [10 * (i % UNITS) + 9 for i in range(count)],
            "text": [" ".join(some[CONTEXT:]) for some in texts],
            "context": [" ".join(some[:CONTEXT]) for some in texts],
            "fts": [
                f" {' '.join(self._terms[n] for n in some)} {names[i // UNITS]} "
                for i, some in enumerate(numbers)
            ],
            "segment": [ref.segment for ref in picked],
            "offset": [ref.offset for ref in picked],
            "length": [ref.length for ref in picked],
            "vector": _lists(vectors.reshape(count, self.dim)),
            "document": _lists(np.repeat(whole.astype(np.float16), UNITS, axis=0)),
        }
        form = schema(self.dim)
        arrays = [
            value if isinstance(value := columns.get(field.name), pa.Array)
            else pa.array(value if value is not None else [None] * count, field.type)
            for field in form
        ]  # fmt: skip
        return pa.Table.from_arrays(arrays, schema=form)

    def records(self, count: int) -> list[TokenRecord]:
        tokens = self.rng.standard_normal((count, TOKENS, self.token_dim), dtype=np.float32)
        tokens /= np.linalg.norm(tokens, axis=2, keepdims=True)
        spans = np.stack([np.arange(TOKENS) * 9, np.arange(TOKENS) * 9 + 8], axis=1)
        return [TokenRecord(quantise(some), spans.astype(np.int32)) for some in tokens]


def name_files(ledger: Ledger, library: MadeLibrary, folder: Path, count: int) -> None:
    """Give the ledger as many files, with names of three words."""
    root = ledger.add_root(folder)
    for start in range(0, count, 1000):
        found = []
        for number in range(start, min(start + 1000, count)):
            words = library.text(3).replace(" ", "-")
            path = folder / f"folder{number % 97}" / f"{words}-{number}.txt"
            found.append(Found(os.fsencode(path), 1000, number, number, "note"))
        ledger.add_files(root, found)


def fill(store: Store, library: MadeLibrary, files: Sequence[FileFacts]) -> None:
    """Put these files into an empty store opened without arrays, and its indexes in order."""
    refs = store._segments.append(library.records(RECORDS // 4))
    store._segments.learn(np.array(refs, np.int64))
    refs += store._segments.append(library.records(RECORDS))
    for some in _parts(files, AT_ONCE // UNITS):
        rows = library.rows(some, refs)
        with store._writing([file.file_id for file in some]):
            store._table.write(methodcaller("add", rows))
    store.maintain(force=True)


def _parts(files: Sequence[FileFacts], size: int) -> Iterator[Sequence[FileFacts]]:
    for start in range(0, len(files), size):
        yield files[start : start + size]


def _lists(matrix: NDArray[np.float16]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])


def _lines(path: importlib.resources.abc.Traversable) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
