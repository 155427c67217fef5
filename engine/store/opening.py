"""Opens a table and makes sure that it answers; after a power cut the last commits may not.

What can't be opened for a passing reason is waited for. A commit is given up only if it is proven
damaged: it can't be read, twice, with descriptors to spare, and an older one can; even then its
manifest is set aside, not deleted.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from engine.contract.errors import InklingError, StoreBusyError, StoreDamagedError
from engine.store.disk import DISK, Disk
from engine.store.guard import REBUILD_HINT, TornError, guarded, short_of_descriptors, starved
from engine.store.indexes import check_indexes, create_indexes
from engine.store.lance_table import LanceTable
from engine.store.manifests import Manifests
from engine.store.migrating import check_columns, migrate, missing_columns
from engine.store.space_file import SpaceFile

log = logging.getLogger(__name__)

T = TypeVar("T")
DROPPED_AT_MOST = 3  # commits given up to reach a state that answers
WAITS = (0.05, 0.2, 0.8)  # seconds, before opening again what could not be opened
_MAKING = ".making"  # ends the name of a table that is not whole yet


def open_table(
    directory: Path, name: str, dim: int, *, read_only: bool, disk: Disk = DISK
) -> tuple[LanceTable, SpaceFile]:
    """The table and the file beside it, made if there is none, carried over if it is older.

    Drops broken newest commits and rebuilds broken indexes; StoreDamagedError if that does not
    help, StoreTooNewError, StoreBusyError: then nothing has changed.
    """
    folder = directory / f"{name}.lance"
    return patiently(lambda: _open(folder, dim, read_only, disk))


def patiently(action: Callable[[], T]) -> T:
    """What it returns; again after a while where the system refuses, StoreBusyError in the end."""
    for wait in WAITS:
        try:
            return action()
        except StoreBusyError as error:
            log.info("the search index is waited for: %s", error)
            time.sleep(wait)
    return action()


def is_making(name: str) -> bool:
    """Whether a table of that name is one that was never finished."""
    return name.endswith(_MAKING)


def _open(folder: Path, dim: int, read_only: bool, disk: Disk) -> tuple[LanceTable, SpaceFile]:
    with guarded("read"):
        if not read_only:
            manifests = Manifests(folder, disk)
            manifests.put_back()
            if folder.exists() and not manifests.all() and not _has_data(folder):
                shutil.rmtree(folder)  # its making was cut short, before anything was in it
        there = folder.exists()
    if not there:
        if read_only:
            raise StoreDamagedError("There is no search index yet.", hint=REBUILD_HINT)
        _create(folder, dim, disk)
    with guarded("read"):
        file = SpaceFile(folder, disk, read_only=read_only)
    file.check()
    if read_only:
        table = _answering(folder, dim, disk)
        if missing_columns(table):
            raise InklingError(
                "The search index is of an earlier version.",
                hint="Start Inkling once: it carries it over.",
            )
        return table, file
    table, _ = newest_that_answers(folder, lambda: _answering(folder, dim, disk), disk)
    migrate(table, file)
    check_indexes(table, dim)
    table.sync()
    return table, file


def _has_data(folder: Path) -> bool:
    """Whether rows were ever written; OSError where that can't be told (a glob would say no)."""
    try:
        return bool(os.listdir(folder / "data"))
    except FileNotFoundError:
        return False


def _create(folder: Path, dim: int, disk: Disk) -> None:
    """An empty table with all its indexes: there is all of it, or none."""
    making = folder.with_name(f"{folder.stem}{_MAKING}.lance")
    with guarded("write"):
        if making.exists():
            shutil.rmtree(making)
    table = LanceTable.create(making, dim, disk)
    create_indexes(table)
    with guarded("write"):
        SpaceFile(making, disk).carried_over()
    table.sync()
    with guarded("write"):
        disk.rename(making, folder)


def _answering(folder: Path, dim: int, disk: Disk) -> LanceTable:
    table = LanceTable(folder, disk)
    check_columns(table, dim)
    _check_rows(table)
    return table


def _check_rows(table: LanceTable) -> None:
    """Read a narrow column of every row, all columns of some and of the newest."""

    def look(t: Any) -> None:
        found = t.search().select(["file_id"]).to_arrow().num_rows
        if found != t.count_rows():
            raise TornError("rows are missing")
        newest = range(max(found - 32, 0), found)
        sample = sorted({*range(0, found, max(found // 100, 1)), *newest})
        if sample and t.take_offsets(sample).to_arrow().num_rows != len(sample):
            raise TornError("rows are missing")

    table.read(look)


def newest_that_answers(
    folder: Path, answering: Callable[[], T], disk: Disk = DISK
) -> tuple[T, int]:
    """What `answering` gives of the table in a folder, and how many of its newest commits had to
    be given up for that. StoreDamagedError if that does not help."""
    for attempt in range(2):
        try:
            return answering(), 0
        except StoreDamagedError as error:
            damage = error
            log.warning("the newest commit can't be read (%d): %s", attempt + 1, _why(error))
    manifests = Manifests(folder, disk)
    try:
        for _ in range(DROPPED_AT_MOST):
            with guarded("read"):
                found = manifests.all()
            if len(found) < 2:
                break
            if starved():  # the proof would be worth nothing
                raise short_of_descriptors()
            with guarded("write"):
                manifests.set_aside(found[0])
            try:
                table = answering()
            except StoreDamagedError as error:
                log.warning("nor can the one before: %s", _why(error))
                continue
            with guarded("write"):
                names = [path.name for path in manifests.on_trial()]
                manifests.condemn()
            log.warning("commits were given up: %s", ", ".join(names))
            return table, len(names)
    finally:
        with guarded("write"):
            manifests.put_back()
    raise damage


def _why(error: StoreDamagedError) -> str:
    return "; ".join([*getattr(error, "__notes__", []), str(error.__cause__ or "")])
