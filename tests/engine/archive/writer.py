"""A process that fills an archive, and may kill itself before one of its commits.

python -m tests.engine.archive.writer URI NAME PUTS [KILL_AT]: puts of two files each, called by
the name; with KILL_AT the archive has been filled by another before, and this one changes it:
a put over what is there, new readers, a removal.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from engine.archive import Archive
from engine.archive.tables import Table
from tests.archives import entry


def fill(archive: Archive, name: str, puts: int) -> None:
    """Files of two units each, by two."""
    for number in range(puts):
        archive.put([entry(archive, f"{name}{number}{half}") for half in "ab"])


def change(archive: Archive) -> None:
    """What can be done to `fill(archive, "x", 2)`; done twice it is the same."""
    shorter, longer = entry(archive, "x0a", 1, word="pear"), entry(archive, "x0b", 3, word="pear")
    archive.put([shorter, longer, entry(archive, "new", readers=["group:new"])])
    archive.set_rights({shorter[0].file_id: frozenset({"user:mara", "group:staff"})})
    archive.remove([entry(archive, "x1a")[0].file_id])


def arm(kill_at: int) -> None:
    """Have this process killed before its commit of that number."""
    left = kill_at
    write = Table.write

    def counted(self: Table, change: Callable[[Any], Any]) -> Any:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return write(self, change)

    Table.write = counted  # type: ignore[method-assign]


def main(uri: str, name: str, puts: str, kill_at: str = "") -> None:
    """See above."""
    archive = Archive.open(uri)
    if kill_at:
        arm(int(kill_at))
        change(archive)
    else:
        fill(archive, name, int(puts))
    archive.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
