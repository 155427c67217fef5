"""What an index says, read from its files after the indexer ended, to compare with a fresh one."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from desktop.client import read_endpoint
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.registry import model_spec
from engine.store import Store
from indexer.ledger.ledger import Ledger
from tests.end_to_end.conftest import Inkling
from tests.light_model import light
from tests.waiting import PATIENCE

Places = dict[str, Counter[tuple[Any, ...]]]
_WORDS = [
    "river",
    "stone",
    "lamp",
    "winter",
    "cellar",
    "harvest",
    "copper",
    "letter",
    "engine",
    "window",
    "garden",
    "salt",
    "market",
    "cloud",
    "ladder",
    "thunder",
    "orchard",
    "needle",
    "bridge",
    "violin",
    "pepper",
    "lantern",
    "meadow",
    "anchor",
]


@dataclass
class Index:
    """Files of the ledger with state and reason; of the store with their units' text and place."""

    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    units: Places = field(default_factory=dict)
    ghosts: list[int] = field(default_factory=list)  # rows of no file

    @classmethod
    def read(cls, base: BaseDir) -> Index:
        """Read it as it lies there; the indexer has to be stopped."""
        made = cls()
        spec = model_spec(Settings.load(base).model)
        ledger = Ledger(base.ledger)
        store = Store.open(base.store, spec.space, spec.dim, read_only=True)
        try:
            records = {record.id: record for record in ledger.files()}
            for record in records.values():
                made.states[record.path] = (record.state, record.reason)
            for file_id in store.file_ids():
                record_or_none = records.get(file_id)
                if record_or_none is None:
                    made.ghosts.append(file_id)
                    continue
                rows = store.file_rows(file_id)
                tokens = store.tokens([row.ref for row in rows if row.ref is not None])
                assert all(len(record.tokens) for record in tokens)
                assert {row.file.mtime for row in rows} == {record_or_none.mtime_ns / 1e9}
                made.units[rows[0].file.path] = Counter(
                    (row.file.path, row.text, row.context, row.page, row.lines, row.symbol)
                    for row in rows
                )
        finally:
            store.close()
            ledger.close()
        return made


def assert_same(index: Index, fresh: Index) -> None:
    """The same files in the same states, with the same units, and nothing besides."""
    assert index.ghosts == []
    assert index.states == fresh.states
    assert index.units.keys() == fresh.units.keys()
    for path, units in fresh.units.items():
        missing, extra = units - index.units[path], index.units[path] - units
        assert (list(missing), list(extra)) == ([], []), path


def fresh_index(tmp: Path, *folders: Path) -> Index:
    """An index of the same folders made in one go."""
    other = Inkling(light(BaseDir(tmp / f"fresh-{time.monotonic_ns()}").create()))
    try:
        other.ok("add", *map(str, folders))
        settle(other)
    finally:
        end(other)
    return Index.read(other.base)


def settle(inkling: Inkling) -> dict[str, Any]:
    """Wait until nothing is left to do, twice in a row a second apart; the status."""
    deadline = time.monotonic() + PATIENCE
    quiet = 0
    status: dict[str, Any] = {}
    while quiet < 3:
        assert time.monotonic() < deadline, status
        try:
            status = inkling.client().status()
        except InklingError:  # it is starting anew
            time.sleep(0.3)
            continue
        quiet = quiet + 1 if status["state"] == "idle" and not status["totals"]["pending"] else 0
        time.sleep(0.4)
    return status


def end(inkling: Inkling) -> None:
    """Stop the indexer and wait until its lock is free."""
    endpoint = read_endpoint(inkling.base)
    if endpoint is None or not psutil.pid_exists(endpoint.pid):
        return
    process = psutil.Process(endpoint.pid)
    family = [process, *process.children(recursive=True)]
    inkling.run("stop")
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert not alive


def kill_one(inkling: Inkling, chance: random.Random) -> str:
    """kill -9 of the indexer, its encoder worker or one of its extractors; which it was."""
    endpoint = read_endpoint(inkling.base)
    if endpoint is None or not psutil.pid_exists(endpoint.pid):
        return ""
    found = {"indexer": [endpoint.pid]}
    for child in psutil.Process(endpoint.pid).children(recursive=True):
        try:
            line = " ".join(child.cmdline())
        except psutil.Error:
            continue
        for kind in ("engine.encoders.worker", "indexer.reading.worker"):
            if kind in line:
                found.setdefault(kind, []).append(child.pid)
    kind = chance.choice(sorted(found))
    try:
        os.kill(chance.choice(found[kind]), signal.SIGKILL)
    except ProcessLookupError:
        return ""
    return kind


class Unrest:
    """Changes a folder of text files at random: creates, edits, renames, deletes."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance, self._number = folder, random.Random(seed), 0
        folder.mkdir(parents=True, exist_ok=True)

    def text(self) -> str:
        count = self.chance.choice((1, 2, 3, 4, 30))  # one file in five is of several units
        lines = [" ".join(self.chance.choices(_WORDS, k=12)) for _ in range(count)]
        return f"Number {self.chance.random()}.\n\n" + ".\n\n".join(lines) + ".\n"

    def create(self, count: int = 1) -> None:
        for _ in range(count):
            self._number += 1
            inner = self.folder / f"part{self._number % 5}"
            inner.mkdir(exist_ok=True)
            (inner / f"note{self._number}.txt").write_text(self.text())

    def step(self) -> None:
        """One random change."""
        files = sorted(self.folder.rglob("*.txt"))
        if not files:
            return self.create(3)
        path = self.chance.choice(files)
        change = self.chance.random()
        if change < 0.35:
            self.create()
        elif change < 0.6:
            path.write_text(self.text())
        elif change < 0.7:  # as editors save
            fresh = path.with_name(f".{path.name}.swp")
            fresh.write_text(self.text())
            fresh.replace(path)
        elif change < 0.85:
            self._number += 1
            path.rename(path.with_name(f"renamed{self._number}.txt"))
        elif change < 0.97:
            path.unlink()
        else:
            self._number += 1
            path.parent.rename(path.parent.with_name(f"folder{self._number}"))
        return None
