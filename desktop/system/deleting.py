"""The index deleted: when it is told, nothing of what was read is on the disk any more."""

from __future__ import annotations

import shutil
from contextlib import suppress

from filelock import FileLock

from desktop.client import end_indexer, read_endpoint
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir


def delete_index(base: BaseDir) -> None:
    """End the indexer, then remove its files: forgetting the folders would leave their words in old
    versions of tables and in freed pages for minutes. Blocking; whoever asks next starts a new one.

    Settings, models and the window's own state stay. InklingError where something is left.
    """
    endpoint = read_endpoint(base)
    if endpoint is not None and not end_indexer(base, endpoint):
        raise InklingError(
            "The indexer does not end, so the index is still there.",
            hint="End the process {pid} and try again.",
            told={"pid": endpoint.pid},
        )
    try:
        with FileLock(base.lock, timeout=0):  # no new one before all is gone
            # The list of folders first: whatever ends this half-way, nothing is read anew, and rows
            # that belong to no list are thrown away.
            for pattern in (
                "roots.json*",
                f"{base.ledger.name}*",
                "logs/indexer*",
                "agents.jsonl*",
            ):
                for file in base.root.glob(pattern):
                    file.unlink()
            for folder in (base.store, base.thumbs, base.pages, base.scratch):
                with suppress(FileNotFoundError):
                    shutil.rmtree(folder)
            base.create()
    except OSError as error:  # Timeout of the lock is one, too: another indexer began meanwhile
        raise InklingError(
            "Not all of the index could be deleted: {reason}.",
            hint="Try again in a moment.",
            path=str(base.root),
            told={"reason": error.strerror or error},
        ) from error
