"""Which new files are old ones at another place, so that nothing is read and encoded again."""

from __future__ import annotations

import os
from collections.abc import Sequence

from indexer.ledger.ledger import Found, Ledger
from indexer.sources.contents import content_hash
from indexer.sources.presence import Presence, Sights

#: Reasons that hang on the name or the kind of entry, which a move changes.
_BY_NAME = frozenset({"secret-name", "not-regular", "placeholder"})


def moves_among(
    ledger: Ledger, found: Sequence[Found], sights: Sights
) -> list[tuple[int, Found, str]]:
    """File id, new facts and old path of files that are gone from their path and stand at a new
    one; a file whose drive is away is not gone, so that its copy is a new file."""
    gone: dict[tuple[int, int], list[tuple[int, int, str, str | None]]] = {}
    for record in ledger.same_facts(found):
        if record.reason in _BY_NAME:
            continue
        if sights.look(record.root_id, record.path) is Presence.GONE:
            facts = (record.size, record.mtime_ns)
            row = (record.inode, record.id, record.path, record.content_hash)
            gone.setdefault(facts, []).append(row)
    moves = []
    for item in found:
        rows = gone.get((item.size, item.mtime_ns), []) if item.state == "pending" else []
        chosen = next((row for row in rows if _same(row, item)), None)
        if chosen is not None:
            rows.remove(chosen)
            moves.append((chosen[1], item, chosen[2]))
    return moves


def _same(row: tuple[int, int, str, str | None], item: Found) -> bool:
    """Whether a record, size and time being equal, is this file: same inode, or same contents."""
    inode, _, old, known_hash = row
    # How a file is read depends on its extension: under another it is a new file.
    if os.path.splitext(old)[1] != os.path.splitext(os.fsdecode(item.path))[1]:
        return False
    if inode and inode == item.inode:
        return True
    try:
        return known_hash is not None and content_hash(item.path) == known_hash
    except OSError:
        return False
