"""Finding a file of the index by its path, and whether it may be shown."""

from __future__ import annotations

import os
from collections.abc import Callable

from engine.contract.errors import InklingError
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.ledger.listed import as_listed
from indexer.ledger.roots_file import inside

#: Stands in what is said of a file a part of which was withheld.
WITHHELD = "withheld:"


def indexed_file(ledger: Ledger, path: str) -> FileRecord:
    """The record of a file in the index; InklingError if it is not in there."""
    whole = os.path.abspath(path)
    record = ledger.file(whole) or ledger.file(as_listed(whole))
    if record is None:
        raise InklingError(
            "{path} is not in the index.",
            hint="Add its folder with `inkling add`, or see `inkling explain`.",
            path=path,
            told={"path": path},
        )
    return record


def bare_file(ledger: Ledger, path: str, root_of: Callable[[str], str]) -> str:
    """As `shown_file`, of one whose pixels hold nothing that was withheld of its text, as far as
    that is known: it was read as it is now, and no secret was found in it."""
    shown = shown_file(ledger, path, root_of)
    record, now = indexed_file(ledger, path), os.stat(shown)
    if WITHHELD in record.detail or (now.st_mtime_ns, now.st_size) != (
        record.mtime_ns,
        record.size,
    ):
        raise InklingError(
            "Of {path} only the text is given, not how it looks.", path=path, told={"path": path}
        )
    return shown


def shown_file(ledger: Ledger, path: str, root_of: Callable[[str], str]) -> str:
    """The path of a file below its watched folder that may be drawn; InklingError if it may not."""
    record = indexed_file(ledger, path)
    if record.state == "withheld":
        raise InklingError(
            "{path} is withheld.",
            hint="Index it after all with `inkling allow`.",
            path=path,
            told={"path": path},
        )
    # What was a file when it was indexed may be a link by now.
    if not inside(os.path.realpath(record.path), os.path.realpath(root_of(record.path))):
        raise InklingError(
            "{path} leads out of the watched folders.", path=path, told={"path": path}
        )
    return record.path
