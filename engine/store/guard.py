"""Opens a table and makes sure that it answers; after a power cut the last commits may not.

LanceDB never calls fsync, and a manifest of zeros opens as an empty table without columns.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb

from engine.contract.errors import StoreDamagedError
from engine.store.indexes import create_indexes
from engine.store.rows import schema

log = logging.getLogger(__name__)

DROPPED_AT_MOST = 3  # commits given up to reach a state that answers
REBUILD_HINT = "Inkling rebuilds it from your files; the files themselves are not affected."


class _TornError(Exception):
    """Rows can't be read: this version of the table is of no use."""


#: What damaged bytes end in; or in a panic of the library, whose class can't be imported.
_UNREADABLE = (_TornError, RuntimeError, ValueError, OSError)


def open_table(directory: Path, name: str, dim: int, *, read_only: bool) -> Any:
    """The table, made if there is none; drops broken newest commits, rebuilds broken indexes.

    StoreDamagedError if that does not help.
    """
    folder = directory / f"{name}.lance"
    if not read_only and _unfinished(folder):
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        if read_only:
            raise StoreDamagedError("There is no search index yet.", hint=REBUILD_HINT)
        table = _connect(directory).create_table(name, schema=schema(dim))
        create_indexes(table)
        return table
    for _ in range(DROPPED_AT_MOST + 1):
        try:
            table = _connect(directory).open_table(name)
            _check_rows(table, dim)
            break
        except Exception as error:
            if not isinstance(error, _UNREADABLE) and type(error).__name__ != "RustPanic":
                raise
            log.warning("store version can't be read: %s", error)
            if read_only or not _drop_newest(folder):
                raise _damaged(folder) from error
    else:
        raise _damaged(folder)
    if not read_only:
        _check_indexes(table, dim)
    return table


def reopened(folder: Path) -> Any:
    """The same table with empty caches.

    What was read of outdated versions stays in LanceDB's caches: 100 MB after 2,400 commits, of
    which this gives 58 back.
    """
    return _connect(folder.parent).open_table(folder.stem)


def _damaged(folder: Path) -> StoreDamagedError:
    return StoreDamagedError("The search index is damaged.", hint=REBUILD_HINT, path=str(folder))


def _connect(directory: Path) -> Any:
    # Caches are bounded (LanceDB's default is 6 GB). Interval 0 makes every read see the newest
    # commit; the check costs 0.2 ms.
    session = lancedb.Session(index_cache_size_bytes=96 << 20, metadata_cache_size_bytes=32 << 20)
    return lancedb.connect(directory, session=session, read_consistency_interval=timedelta(0))


def _manifests(folder: Path) -> list[Path]:
    """Newest first: LanceDB names them so that the newest sorts first."""
    return sorted((folder / "_versions").glob("*.manifest"))


def _unfinished(folder: Path) -> bool:
    """Whether a table's making was cut short, before anything was in it."""
    return folder.exists() and not _manifests(folder) and not any(folder.glob("data/*"))


def _drop_newest(folder: Path) -> bool:
    """Give up the newest commit; False if it is the only one."""
    manifests = _manifests(folder)
    if len(manifests) < 2:
        return False
    manifests[0].unlink()
    (folder / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)
    return True


def _check_rows(table: Any, dim: int) -> None:
    """Read a narrow column of every row, all columns of some and of the newest."""
    if table.schema.names != schema(dim).names or table.schema != schema(dim):
        raise _TornError("its columns are not those of a store")
    found = table.search().select(["file_id"]).to_arrow().num_rows
    if found != table.count_rows():
        raise _TornError("rows are missing")
    newest = range(max(found - 32, 0), found)
    sample = sorted({*range(0, found, max(found // 100, 1)), *newest})
    if sample and table.take_offsets(sample).to_arrow().num_rows != len(sample):
        raise _TornError("rows are missing")


def _check_indexes(table: Any, dim: int) -> None:
    """Ask every index something; make them anew if one fails."""
    try:
        for question in _questions(table, dim):
            question()
    except (RuntimeError, ValueError, OSError) as error:
        log.warning("search indexes can't be read and are built anew: %s", error)
        for index in list(table.list_indices()):
            table.drop_index(index.name)
        create_indexes(table)


def _questions(table: Any, dim: int) -> list[Callable[[], object]]:
    from lancedb.query import MatchQuery

    conditions = ("id = 'x'", "file_id = -1", "kind = 'x'", "ext = 'x'", "mtime < 0", "path = 'x'")
    vector = [1.0] + [0.0] * (dim - 1)
    text = MatchQuery("x", "fts")
    return [
        *(lambda c=c: table.search().where(c).select(["id"]).to_arrow() for c in conditions),
        lambda: table.search(text, query_type="fts").limit(1).select(["id", "_score"]).to_arrow(),
        lambda: (
            table.search(vector, vector_column_name="vector")
            .distance_type("cosine")
            .limit(1)
            .select(["id", "_distance"])
            .to_arrow()
        ),
    ]
