"""The small file beside a table's data that says of what version it is, and what else must last."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from engine.contract.errors import InklingError, StoreTooNewError
from engine.store.disk import DISK, Disk
from engine.store.schema import schema_version

NAME = "inkling.json"


class SpaceFile:
    """Schema version and durable notes (text by key) of one space; for any thread.

    A space without the file is of version 1, from before versions were counted; a file that can't
    be understood is no loss: the notes are gone, and the columns tell the version.
    """

    def __init__(self, folder: Path, disk: Disk = DISK, *, read_only: bool = False) -> None:
        self._path = folder / NAME
        self._disk = disk
        self._read_only = read_only
        self._lock = threading.Lock()
        #: Of the table's columns; None if nothing says it.
        self.schema: int | None = 1
        self._notes: dict[str, str] = {}
        self._load()

    def _load(self) -> None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        try:
            found = json.loads(data)
            self.schema = int(found["schema"])
            self._notes = {str(key): str(value) for key, value in found["notes"].items()}
        except (ValueError, TypeError, LookupError, AttributeError):
            self.schema, self._notes = None, {}

    def check(self) -> None:
        """StoreTooNewError if a later Inkling wrote this."""
        if self.schema is not None and self.schema > schema_version():
            raise too_new(self._path.parent)

    def get(self, key: str) -> str | None:
        """What was noted under a key."""
        return self._notes.get(key)

    def set(self, key: str, value: str) -> None:
        """Note something; it is on disk when this returns. OSError if that fails."""
        if self._read_only:
            raise InklingError("The search index is open for reading only; nothing was noted.")
        with self._lock:
            if self._notes.get(key) != value:
                self._write(self.schema or 1, {**self._notes, key: value})

    def carried_over(self) -> None:
        """The table has the columns of the present schema now; on disk when this returns."""
        with self._lock:
            self._write(schema_version(), self._notes)

    def _write(self, schema: int, notes: dict[str, str]) -> None:
        text = json.dumps({"schema": schema, "notes": notes}, indent=1, sort_keys=True)
        self._disk.replace_with(self._path, [text.encode()])
        self.schema, self._notes = schema, notes


def too_new(folder: Path) -> StoreTooNewError:
    """The refusal of a store of a later Inkling."""
    return StoreTooNewError(
        "The search index was written by a newer version of Inkling.",
        hint="Update Inkling, or choose another folder with --base-dir.",
        path=str(folder),
    )
