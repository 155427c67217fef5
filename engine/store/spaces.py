"""The vector spaces of a store: a table and a folder of segments each, under the space's name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from engine.store.disk import DISK, Disk
from engine.store.guard import guarded
from engine.store.lance_table import LanceTable
from engine.store.opening import is_making

_PARTS = (".lance", ".segments")


def table_name(space: str) -> str:
    """A space's name as a table and a file may have it."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", space)


def list_spaces(directory: Path) -> list[str]:
    """Names of the tables in a store."""
    return sorted(path.stem for path in directory.glob("*.lance") if not is_making(path.stem))


def space_dim(directory: Path, space: str) -> int:
    """Dimensions of a space's vectors, as its table has them. StoreDamagedError."""
    table = LanceTable(directory / f"{table_name(space)}.lance")
    return table.read(lambda t: int(t.schema.field("vector").type.list_size))


def drop_space(directory: Path, space: str) -> None:
    """Remove a space's table, segments and notes; close its Store first."""
    for suffix in _PARTS:
        shutil.rmtree(directory / (table_name(space) + suffix), ignore_errors=True)


def set_space_aside(directory: Path, space: str, disk: Disk = DISK) -> Path:
    """Move a damaged space out of the way, and no other; the folder that it is in now.

    Close its Store first; remove the folder once the space is made anew. StoreBusyError if it
    can't be moved: then it is where it was, or can be moved again.
    """
    name = table_name(space)
    number = 1
    while (aside := directory / f"{name}.damaged-{number}").exists():
        number += 1
    with guarded("write"):
        aside.mkdir(mode=0o700)
        for suffix in _PARTS:  # rows first: segments without rows are only waste
            if (part := directory / (name + suffix)).exists():
                disk.rename(part, aside / part.name)
    return aside
