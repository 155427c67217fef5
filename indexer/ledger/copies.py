"""Files with the same contents, by what was noted when they were read: the bytes' hash, and the
hash of the words where these are all there is to a file (indexer.reading.same_text)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from engine.contract.types import Filters
from indexer.ledger.name_filters import condition
from indexer.ledger.records import batches, marks

#: Copies looked at, the newest ones: a file that is there more often counts so many.
MOST = 1_000
#: Only what the index holds: a file that is pending, withheld or unreadable has no contents here.
#: The plus signs keep SQLite from going through all that is done, in the order of time.
_THERE = "+state = 'done' AND +content_hash != ''"


def find(connection: sqlite3.Connection, ids: Sequence[int], filters: Filters) -> list[list[int]]:
    """Ids of each group that these files are in, two at least: files whose drive is here first,
    then the newest, then the one with the shortest path."""
    asked: list[tuple[Any, ...]] = []
    for some in batches(ids):
        asked += connection.execute(
            f"SELECT id, content_hash, text_hash FROM files WHERE id IN ({marks(some)})"
            f" AND {_THERE}",
            some,
        ).fetchall()
    where = condition(filters)
    found: dict[int, tuple[Any, ...]] = {}
    repeated: set[str] = set()
    for number, column in enumerate(("content_hash", "text_hash"), start=1):
        hashes = list(dict.fromkeys(row[number] for row in asked if row[number]))
        counts = _repeated(connection, column, hashes)
        repeated.update(counts)
        for batch in batches(value for value, count in counts.items() if count <= MOST):
            chosen = f"{column} IN ({marks(batch)}) AND {_THERE} AND {where}"
            found.update(_files(connection, chosen, batch))
        for value in (value for value, count in counts.items() if count > MOST):
            chosen = f"{column} = ? AND {_THERE} AND {where} ORDER BY +mtime_ns DESC LIMIT {MOST}"
            found.update(_files(connection, chosen, (value,)))
    # Where there are more than that, those that were asked for may not be among them.
    left = [row[0] for row in asked if row[0] not in found and not repeated.isdisjoint(row[1:])]
    for some in batches(left):
        found.update(_files(connection, f"files.id IN ({marks(some)}) AND {where}", some))
    groups = _joined(found.values())
    wanted = set(ids)
    return [group for group in groups if len(group) > 1 and not wanted.isdisjoint(group)]


def _files(
    connection: sqlite3.Connection, chosen: str, values: Sequence[Any]
) -> dict[int, tuple[Any, ...]]:
    """By id: id, both hashes, online, time and path."""
    rows = connection.execute(
        "SELECT files.id, content_hash, text_hash, online, mtime_ns, files.path"
        f" FROM files JOIN roots ON roots.id = root_id WHERE {chosen}",
        values,
    )
    return {row[0]: row for row in rows}


def _repeated(connection: sqlite3.Connection, column: str, hashes: Sequence[str]) -> dict[str, int]:
    """How many files have each that several have: most have none, and cost no more than this."""
    repeated: dict[str, int] = {}
    for batch in batches(hashes):
        rows = connection.execute(
            f"SELECT {column}, count(*) FROM files WHERE {column} IN ({marks(batch)})"
            f" GROUP BY {column} HAVING count(*) > 1",
            batch,
        )
        repeated.update(rows)
    return repeated


def _joined(rows: Iterable[tuple[Any, ...]]) -> list[list[int]]:
    """Files that share a hash of either kind, also by way of others."""
    ordered = sorted(rows, key=lambda row: (not row[3], -row[4], len(row[5]), row[5]))
    groups: dict[str, list[int]] = {}
    for file_id, content, text, *_ in ordered:
        mine = groups.setdefault(content, [])
        other = groups.setdefault(text, mine) if text else mine
        mine.append(file_id)
        if other is not mine:
            other += mine
            groups.update((key, other) for key, group in list(groups.items()) if group is mine)
    places = {row[0]: place for place, row in enumerate(ordered)}
    distinct = {id(group): group for group in groups.values()}
    return [sorted(group, key=places.__getitem__) for group in distinct.values()]
