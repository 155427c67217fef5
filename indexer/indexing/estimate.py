"""What watching some folders would mean: how many files, how large, about how long."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from indexer.indexing.progress import TYPICAL_SECONDS
from indexer.ledger.roots_file import inside
from indexer.reading.extract import EXTRACTORS
from indexer.sources import systems
from indexer.sources.ignore import IgnoreRules, Scope

#: A person waits for the answer; what was counted until then is said as “at least”.
DEADLINE_SECONDS = 4.0
#: Kind by extension, as far as a name tells; the extractor knows better later.
KIND_OF = {ext: row.kind for row in EXTRACTORS for ext in row.extensions}


def estimate(
    paths: Sequence[str],
    rules: IgnoreRules,
    kinds: Mapping[str, str],
    workers: int,
    deadline_s: float = DEADLINE_SECONDS,
) -> dict[str, Any]:
    """Counts by the rules of the walk; `kinds` by extension, `complete` unless time ran out."""
    end = time.monotonic() + deadline_s
    by_kind: Counter[str] = Counter()
    size, complete = 0, True
    outermost = [p for p in dict.fromkeys(paths) if not any(inside(p, other) for other in paths)]
    for folder in outermost:
        for entry in _files(folder, rules):
            name, size_of_file = entry
            extension = os.path.splitext(name)[1].lower().removeprefix(".")
            by_kind[kinds.get(extension, "other")] += 1
            size += size_of_file
            if time.monotonic() > end:
                complete = False
                break
    seconds = sum(n * TYPICAL_SECONDS[kind] for kind, n in by_kind.items()) / workers
    return {
        "files": by_kind.total(),
        "bytes": size,
        "by_kind": dict(by_kind),
        "seconds": round(seconds, 1),
        "complete": complete,
    }


def _files(root: str, rules: IgnoreRules) -> Iterator[tuple[str, int]]:
    """Name and bytes of every file the walk would take."""
    waiting: list[tuple[str, Scope | None]] = [(root, None)]
    while waiting:
        folder, outer = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            continue  # the scan will list it as unreadable
        names = [entry.name for entry in entries if entry.name.startswith(".")]
        scope = rules.inner(outer, folder, names) if outer else rules.root_scope(folder, names)
        for entry in entries:
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                if scope.decision(folder, entry.name, is_folder) is not None:
                    continue
                found = entry.stat(follow_symlinks=False)
                if systems.is_link(found) or systems.in_cloud(entry.name, found):
                    continue
                if systems.is_hidden(found) and scope.decision(
                    folder, entry.name, is_folder, hidden=True
                ):
                    continue
                if is_folder:
                    waiting.append((entry.path, scope))
                elif entry.is_file(follow_symlinks=False):
                    yield entry.name, found.st_size
            except OSError:
                continue  # gone meanwhile
