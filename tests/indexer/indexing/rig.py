"""A ledger, a store and readers, all real; only the vectors are made up."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import Engine
from engine.contract.errors import InklingError, RefusedRowsError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import FileFacts, Unit
from engine.encoders.image_onnx import look
from engine.encoders.pool import State
from engine.models.registry import ModelSpec, model_spec
from engine.sight import SightModel
from engine.store import Looks, Reword, StoredUnit, table_name
from engine.store.token_record import TokenRecord
from indexer.indexing.file_states import FileStates
from indexer.indexing.progress import Progress
from indexer.indexing.throttle import Throttle
from indexer.indexing.write_queue import WriteQueue
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import Work, facts_of
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_root


class SmallEngine(Engine):
    """The engine over a real store, without a model: `encode` makes up vectors, and writes end as
    the tests say."""

    def __init__(self, base: BaseDir, spec: ModelSpec | None = None) -> None:
        super().__init__(base, spec or model_spec("minilm"), lambda words, limit, filters: [])
        self.encoded: list[int] = []  # file ids, one a unit
        self.unable = False  # no model can be had
        self.twice: set[int] = set()  # files of which the store gets the same row twice
        self.immovable: set[int] = set()  # files whose rows can't be moved
        self.down: BaseException | None = None  # what every write ends in
        self.untidy: BaseException | None = None

    @property
    def encoder_state(self) -> State:
        return "failed" if self.unable else super().encoder_state

    def encode(self, units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
        self.encoded += [facts.file_id for facts, _ in units]
        return [StoredUnit(unit, facts, self._vector(facts.file_id), None) for facts, unit in units]

    def _vector(self, seed: int) -> NDArray[np.float32]:
        made = np.random.default_rng(seed).normal(size=self.spec.dim).astype(np.float32)
        return np.asarray(made / np.linalg.norm(made), np.float32)

    def replace(self, files: Mapping[int, Sequence[StoredUnit]]) -> int:
        self._check()
        return super().replace(
            {i: [*rows, *(rows if i in self.twice else ())] for i, rows in files.items()}
        )

    def delete(self, file_ids: Sequence[int]) -> int:
        if file_ids:  # else the store has nothing to write
            self._check()
        return super().delete(file_ids)

    def move(self, files: Sequence[FileFacts], reword: Reword) -> int:
        self._check()
        if any(facts.file_id in self.immovable for facts in files):
            raise RefusedRowsError("The search index refused these rows.")
        return super().move(files, reword)

    def maintain(self, *, force: bool = False) -> None:
        if self.untidy is not None:
            raise self.untidy
        super().maintain(force=force)

    def _check(self) -> None:
        if self.down is not None:
            raise self.down


class Rig:
    """A folder of notes, scanned; what stages need."""

    def __init__(self, base: BaseDir, folder: Path) -> None:
        self.base, self.folder = base, folder
        folder.mkdir(exist_ok=True)
        self.ledger = Ledger(base.ledger)
        self.root = self.ledger.add_root(folder)
        self.settings = Settings.load(base)
        self.settings.min_free_disk_gb = 0
        self.settings.pause_on_battery = False
        self.engine = SmallEngine(base)
        self.looks = Looks(base.store, look.SPACE, look.DIM, len(look.VIEWS))
        self.throttle = Throttle(base, self.settings, lambda: 0)
        self.progress = Progress(self.ledger, 1)
        self.stop, self.running = threading.Event(), threading.Event()
        self.running.set()
        self.queue = WriteQueue()
        self.states = FileStates(self.ledger, self.queue, self.stop)
        self.extractors = ExtractorPool(base.scratch, 1)

    def close(self) -> None:
        self.stop.set()
        self.extractors.close()
        self.engine.close()
        self.looks.close()
        self.ledger.close()

    def notes(self, *names: str, kind: str = "note") -> list[FileRecord]:
        """Notes, each newer than the one before, as the scan has noted them."""
        for number, name in enumerate(names):
            path = self.folder / name
            path.write_text(f"# {name}\n\nThe keeper of {name} counted ships.\n")
            os.utime(path, (1_000_000 + number * 60,) * 2)
        self.scan(kind)
        return [self.record(name) for name in names]

    def scan(self, kind: str = "note") -> None:
        root = next(r for r in self.ledger.roots() if r.id == self.root.id)
        scan_root(self.ledger, root, IgnoreRules(), kinds=dict.fromkeys(("md", "png"), kind))

    def record(self, name: str) -> FileRecord:
        found = self.ledger.file(self.folder / name)
        assert found is not None
        return found

    def work(self, record: FileRecord, units: int = 1, text: str = "some words") -> Work:
        """A claimed file as the reading stage hands it on."""
        assert self.states.claim(record)
        self.ledger.begin([record.id])
        made = [Unit(record.id, n, "note", text, context="old words") for n in range(units)]
        return Work(record, facts_of(record), f"hash {record.id}", "markup", 1, made)

    def encoded(self, record: FileRecord, units: int = 1) -> Work:
        """The same as the encoding stage hands it on."""
        work = self.work(record, units)
        work.stored = self.engine.encode([(work.facts, unit) for unit in work.units])
        return work

    def states_by_name(self) -> dict[str, str]:
        return {os.path.basename(r.path): r.reason or r.state for r in self.ledger.files()}


def spoil_newest_commit(directory: Path, spec: ModelSpec) -> None:
    """As a power cut leaves what was not synced: the newest manifest is all zeros."""
    manifest = min((directory / f"{table_name(spec.space)}.lance" / "_versions").glob("*.manifest"))
    manifest.write_bytes(bytes(manifest.stat().st_size))


class SmallSight(SightModel):
    """The role of sight over a real store, without a model: a picture is its mean colour."""

    DIM = 8
    BAD = (1, 2, 3)  # a picture of this colour can't be seen
    seen: ClassVar[list[tuple[str, int | None]]] = []  # files, and pages where they are some
    unable: ClassVar[bool] = False  # no model can be had

    def __init__(self, base: BaseDir, spec: ModelSpec, **more: Any) -> None:
        super().__init__(base, replace(spec, dim=self.DIM), **more)
        self.spec = spec  # for whoever compares it with what is wanted

    @classmethod
    def vector_of(cls, colour: Sequence[float]) -> NDArray[np.float32]:
        made = np.zeros(cls.DIM, np.float32)
        made[:3] = np.array(colour, np.float32) / 255 - 0.5
        made[3] = 0.01
        return np.asarray(made / np.linalg.norm(made), np.float32)

    @property
    def state(self) -> State:
        return "failed" if self.unable else super().state

    def see(self, pictures: Sequence[str]) -> tuple[NDArray[np.float32], list[TokenRecord]]:
        if self.unable:
            raise InklingError("There is no memory for the model.")
        colours = [np.asarray(Image.open(p).convert("RGB")).mean(axis=(0, 1)) for p in pictures]
        if any(np.allclose(colour, self.BAD) for colour in colours):
            raise InklingError("This picture ended the encoder.")
        for path in pictures:
            kind, _, page = Path(path).stem.partition("-")
            self.seen.append((kind, int(page) if page else None))
        return np.stack([self.vector_of(colour) for colour in colours]), []
