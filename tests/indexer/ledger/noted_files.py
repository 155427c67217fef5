"""Files put into a ledger as a scan and the pipeline would."""

from __future__ import annotations

import os
from collections.abc import Mapping

from engine.contract.attributes import Value
from indexer.ledger.ledger import Done, FileRecord, Found, Ledger, Root


def add(ledger: Ledger, root: Root, *names: str, kind: str = "other", size: int = 1) -> list[int]:
    """Files as a scan would note them, each newer than the one before."""
    start = len(ledger.files())
    return ledger.add_files(
        root,
        [
            Found(os.fsencode(f"{root.path}/{name}"), size, (start + n) * 10**9, 100 + n, kind)
            for n, name in enumerate(names)
        ],
    )


def done(
    file_id: int,
    kind: str = "note",
    content_hash: str = "h",
    picture: str | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Done:
    return Done(file_id, 3, content_hash, 1, kind, picture, attributes=attributes or {})


def record(ledger: Ledger, file_id: int) -> FileRecord:
    found = ledger.file_by_id(file_id)
    assert found is not None
    return found
