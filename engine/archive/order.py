"""What of an archive is not as it should be: what killed writers and damaged disks leave."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from engine.archive.ids import drawn_at
from engine.archive.reading import Reader
from engine.archive.tables import among

_KEY = ["file_id", "generation"]


class Stale(NamedTuple):
    """Units of no file."""

    units: int
    condition: str  # that they fulfil, and no others


def faults(archive: Reader) -> Iterator[str]:
    """A sentence for each kind of fault."""
    if wrong := incomplete(archive):
        yield f"{len(wrong)} files have not all of their units: inkling fill reads them again."
    classes = set(archive._files.column("rights").to_pylist()) - archive.readers().keys()
    if classes:
        yield f"Who may read is not known of {len(classes)} classes of files: nobody may."
    if orphans := sum(found.units for found in stale(archive)):
        yield f"{orphans} units are of no file, as a killed writer leaves them: they are swept."
    if changes := unpublished(archive):
        yield f"{len(changes)} changes are in no commit yet: the next writer numbers them."


def stale(archive: Reader, older_than: float = 0.0) -> list[Stale]:
    """Units whose generation no file's row names."""
    limit = time.time() - older_than
    counts = _counts(archive)  # before the files: what is put meanwhile is not among them
    files = archive._files.rows(_KEY)
    named = counts.join(files.append_column("known", pa.array(np.ones(len(files), bool))), _KEY)
    live = set(files["generation"].to_pylist())
    whole: dict[int, int] = {}  # of generations of which nothing is left
    part: dict[int, list[int]] = {}  # files by generation
    total: dict[int, int] = {}
    for row in named.filter(named["known"].is_null()).to_pylist():
        generation = row["generation"]
        if drawn_at(generation) > limit:
            continue
        total[generation] = total.get(generation, 0) + row["rows"]
        if generation in live:
            part.setdefault(generation, []).append(row["file_id"])
        else:
            whole[generation] = total[generation]
    found = [Stale(whole[g], f"generation = {g}") for g in whole]
    for generation, ids in part.items():
        conditions = [f"generation = {generation} AND {where}" for where in among("file_id", ids)]
        found += [
            Stale(total[generation] if first else 0, condition)
            for first, condition in zip(
                [True, *[False] * len(conditions)], conditions, strict=False
            )
        ]
    return found


def incomplete(archive: Reader) -> list[int]:
    """Files that have fewer units than their rows say."""
    counts = _counts(archive)
    files = archive._files.rows([*_KEY, "units"], "generation != 0")
    both = files.join(counts, _KEY)
    fewer = [row["file_id"] for row in both.to_pylist() if (row["distinct"] or 0) != row["units"]]
    return sorted(fewer)


def unpublished(archive: Reader) -> list[int]:
    """Changes whose writer was killed before they had a number, in the order they were made."""
    changes = np.unique(archive._files.column("change").to_numpy())
    known = np.array(archive.tokens(), dtype=np.int64)
    return [int(change) for change in np.setdiff1d(changes, known)]


def losses(archive: Reader, damaged: Mapping[str, int]) -> Iterator[str]:
    """What was lost with so many given up commits of tables, by table."""
    tokens = archive.tokens()
    changes = set(archive._files.column("change").to_pylist())
    last = len(tokens)
    while last and tokens[last - 1] not in changes:
        last -= 1
    uri = archive.place.uri
    if "files" in damaged:
        lost = ", ".join(str(number) for number in range(last + 1, len(tokens) + 1)) or "the last"
        yield (
            f"Of the archive {uri}, what commit {lost} changed can't be read; it stands as of "
            f"commit {last}. Files that differ since are read again."
        )
    if "units" in damaged:
        yield (
            f"Of the archive {uri}, units of {len(incomplete(archive))} files can't be read, of "
            f"commit {last} at the earliest {damaged['units']} before it. They are read again."
        )
    if "commits" in damaged:
        yield f"Of the archive {uri}, numbers of commits can't be read; there are new ones."
    if "rights" in damaged:
        yield (
            f"Of the archive {uri}, who may read some files can't be read: nobody may until "
            "inkling fill has looked again."
        )


def _counts(archive: Reader) -> pa.Table:
    """How many units there are of each file and generation: rows, and distinct ones."""
    units = archive._units.rows(["id", *_KEY])
    counted = units.group_by(_KEY).aggregate([("id", "count"), ("id", "count_distinct")])
    return counted.rename_columns({"id_count": "rows", "id_count_distinct": "distinct"})
