"""One vector space: a LanceDB table and its segment files, with one writer and many readers."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.contract.conditions import one_of
from engine.contract.errors import InklingError, RefusedRowsError
from engine.contract.types import FileFacts
from engine.store import memory
from engine.store.array_files import UnsoundError
from engine.store.array_rows import COLUMNS
from engine.store.arrays import Arrays
from engine.store.disk import DISK, Disk
from engine.store.guard import guarded
from engine.store.indexes import Upkeep, create_indexes
from engine.store.lance_table import LanceTable
from engine.store.opening import open_table, patiently
from engine.store.reading import Reader
from engine.store.rows import Reword, StoredUnit, moved, same_context, sql_ids, to_arrow
from engine.store.schema import schema
from engine.store.segments import Segments
from engine.store.space_file import SpaceFile
from engine.store.spaces import drop_space, list_spaces, set_space_aside, table_name

log = logging.getLogger(__name__)

#: Up to so many units the arrays are had before opening returns; more are had in the background.
AT_ONCE_ROWS = 20_000
MOVES_AT_ONCE = 1_000  # files whose rows are rewritten in one commit


class Store(Reader):
    """Units of one vector space. Reads from any thread; writes and maintenance from one.

    Whatever fails leaves as an InklingError: StoreDamagedError (open it again), StoreBusyError
    (try again later), RefusedRowsError (these rows never), RefusedQueryError.
    """

    def __init__(
        self,
        table: LanceTable,
        meta: SpaceFile,
        segments: Segments,
        dim: int,
        read_only: bool,
        arrays: bool = True,
    ) -> None:
        folder = table.folder / "arrays"
        if not read_only and not arrays:
            shutil.rmtree(folder, ignore_errors=True)
        made = Arrays(folder, dim) if arrays and not read_only else None
        super().__init__(table, segments, dim, made)
        #: Durable notes of this space, the version of its contents for instance.
        self.meta = meta
        self._read_only = read_only
        #: Number of the newest commit that opening found; carrying over and tidying make others.
        self.found_version = table.found_version
        self._write = threading.RLock()
        self._upkeep = Upkeep(table)
        #: Files with rows whose tokens are gone: to be indexed again.
        self.broken_files: frozenset[int] = self._find_broken()
        self._closing = False
        self._start_arrays()

    @classmethod
    def open(
        cls,
        directory: Path,
        space: str,
        dim: int,
        *,
        read_only: bool = False,
        arrays: bool = True,
        disk: Disk = DISK,
    ) -> Store:
        """Open a space, or make it; one of an earlier Inkling is carried over.

        Without `arrays` there are none afterwards, on disk either: for a space that nobody
        searches, from which rows are to go without a trace.

        The newest commits are given up if they can't be read: compare `found_version` with what
        you remember and index later files again. StoreDamagedError if nothing can be read,
        StoreBusyError if the system does not let us now, StoreTooNewError.
        """
        name = table_name(space)
        with guarded("write"):
            directory.mkdir(parents=True, exist_ok=True)
        table, meta = open_table(directory, name, dim, read_only=read_only, disk=disk)

        def whole() -> Store:
            with guarded("read"):
                folder = directory / f"{name}.segments"
                segments = Segments(folder, read_only=read_only, disk=disk)
            return cls(table, meta, segments, dim, read_only, arrays)

        return patiently(whole)

    def _find_broken(self) -> frozenset[int]:
        refs, owners = self._references()
        with guarded("read"):
            broken = frozenset(owners[~self._segments.readable(refs)].tolist())
        if broken and not self._read_only:
            # No new record may come to lie where a lost one was.
            self._segments.seal(above=int(refs[:, 0].max()))
        return broken

    def _start_arrays(self) -> None:
        """Have arrays: at once where that takes a moment, else the table answers meanwhile."""
        if self._arrays is None:
            return
        if self.count() <= AT_ONCE_ROWS:
            self._renew_arrays()
        else:
            threading.Thread(target=self._renew_arrays, name="arrays", daemon=True).start()

    def _renew_arrays(self) -> None:
        """Take them from disk if that was not tried yet; make them of the table where need be."""
        if self._arrays is None:
            return
        with self._write, suppress(InklingError):  # whoever asks the table next hears of it
            if not self._closing and self._arrays.wanting(self._table.mark()):
                self._make_arrays(self._arrays)

    def _make_arrays(self, arrays: Arrays) -> None:
        """Of what the table has now; nothing may be written meanwhile."""
        mark = self._table.mark()

        def batches(t: Any) -> Iterator[pa.Table]:
            for batch in t.search().select(COLUMNS).to_batches(batch_size=8192):
                if self._closing:
                    raise UnsoundError("the search index is being closed")
                yield pa.Table.from_batches([batch])

        started = time.perf_counter()
        self._table.read(lambda t: arrays.build(mark, batches(t)))
        log.info("arrays were made in %.1f s", time.perf_counter() - started)

    def replace_files(self, files: Mapping[int, Sequence[StoredUnit]]) -> int:
        """Make these the files' only rows; returns the version that holds them.

        When this returns, rows and tokens are on disk and every search sees them. RefusedRowsError
        if a row can't be stored: then none of them was. One commit, unless a file has become
        shorter: if it does not return then, what is over of that file may still be there. Whoever
        keeps account of files notes them done only when this has returned, and does them again.
        """
        units = [stored for group in files.values() for stored in group]
        _check_units(files, units)
        if not units:
            return self.delete_files(files)
        with self._writing(files) as now:
            records = [stored.tokens for stored in units if stored.tokens is not None]
            with guarded("write"):
                places = iter(self._segments.append(records))  # on disk before a row refers to them
                refs = [None if stored.tokens is None else next(places) for stored in units]
                rows = to_arrow(units, refs, self._dim)
            self._put(rows, files)
            now.append(rows)
        return self.version

    def delete_files(self, file_ids: Iterable[int]) -> int:
        """Remove the files' rows; returns the version."""
        gone = list(file_ids)
        if gone:
            with self._writing(gone):
                self._table.write(lambda t: t.delete(f"file_id IN ({sql_ids(gone)})"))
        return self.version

    def update_paths(self, files: Mapping[int, FileFacts], reword: Reword = same_context) -> int:
        """Give files' rows new facts (they were renamed), in few commits; nothing is encoded again.

        `reword` renews the words that say where a unit is from, which full text finds.
        """
        ids = list(files)
        columns = schema(self._dim).names
        for start in range(0, len(ids), MOVES_AT_ONCE):
            some = ids[start : start + MOVES_AT_ONCE]
            rows = self._scan(f"file_id IN ({sql_ids(some)})", columns, lambda found: found)
            if rows.num_rows:
                with self._writing(some) as now:
                    with guarded("write"):
                        changed = moved(rows, files, reword)
                    self._merge(changed)  # they are all of these files' rows: nothing is over
                    now.append(changed)
        return self.version

    def _put(self, rows: pa.Table, file_ids: Iterable[int]) -> None:
        """Store whole files' rows, and remove what these files had beside them.

        In one commit a merge can do both (`when_not_matched_by_source_delete`), but then it looks
        at every row of the table: 20 files took 170 ms of processor time at 100,000 units and 500
        at 300,000, and 60 to 70 in two commits (tests.benchmarks.store_commits). The merge comes
        first: a search between the two commits, or after a crash there, finds the new passages and
        besides them the end of a file that has become shorter. In the other order it would find
        the file's old beginning without its end, or, if all its rows went first, no file at all.
        """
        before = self._unit_ids(file_ids)
        if not before:
            self._table.write(lambda t: t.add(rows, on_bad_vectors="null"))
            return
        self._merge(rows)
        if over := before - set(rows["id"].to_pylist()):
            self._table.write(lambda t: t.delete(one_of("id", sorted(over))))

    def _merge(self, rows: pa.Table) -> None:
        self._table.write(
            lambda t: (
                t.merge_insert("id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .execute(rows, on_bad_vectors="null")
            )
        )

    @contextmanager
    def _writing(self, files: Iterable[int]) -> Iterator[list[pa.Table]]:
        """A change of these files' rows; those that they have then are put into the list."""
        with self._write:
            if self._closed:
                raise InklingError("The search index is closed; nothing was stored.")
            if self._read_only:
                raise InklingError("The search index is open for reading only: nothing was stored.")
            before = self._table.mark()
            now: list[pa.Table] = []
            yield now
            if self._arrays is not None:
                rows = now[0] if now else schema(self._dim).empty_table()
                self._arrays.replaced(before, self._table.mark(), files, rows)
            self._table.sync()
            self._upkeep.committed()

    def maintain(self, force: bool = False) -> None:
        """Keep queries fast and the disk small; the writer calls it between commits and when idle.

        Returns at once if nothing is due. Force it at the start: it also removes what a crash left.
        """
        if self._read_only or self._closed:
            return
        rests = self._upkeep.rests
        if force or self._upkeep.due():
            self._tidy(force)
        if not force:
            self._renew_codes(rests)
        self._renew_arrays()

    def _tidy(self, force: bool) -> None:
        with self._write:
            rests = self._upkeep.rests
            before = self._table.mark()
            self._upkeep.run(sweep=force)
            if self._arrays is not None:
                self._arrays.kept(before, self._table.mark())
            self._table.sync()
            live, _ = self._references()
            with guarded("write"):
                self._segments.compact(live, force=force or rests)
            if rests:
                self._table.reopen()
                memory.release()

    def _renew_codes(self, rests: bool) -> None:
        """Learn a codebook once there is something to learn from; where nothing else is written
        (`rests`), make codes of some of what was stored before, at most a segment (6 s): so an
        index of an earlier Inkling becomes small in the background."""
        learns, codes = self._segments.wants_codebook, rests and self._segments.wants_coding
        if not (learns or codes):
            return
        with self._write:
            live, _ = self._references()
            with guarded("write"):
                if learns:
                    self._segments.learn(live)
                else:
                    self._segments.code_some(live)

    def each_text(self, visit: Callable[[int, str], None]) -> None:
        """Tell of each unit its file and all that its row says in words, from the table."""
        said = ["text", "context", "path", "symbol", "fts"]

        def tell(t: Any) -> None:
            for batch in t.search().select(["file_id", *said]).to_batches(batch_size=8192):
                for row in batch.to_pylist():
                    visit(row["file_id"], "\n".join(row[name] or "" for name in said))

        self._table.read(tell)

    def purge(self, batch_rows: int = 8192) -> None:
        """Write all rows anew and remove whatever was there before: of rows that were deleted
        nothing is left, neither in fragments, indexes and old versions nor in segments.

        Nobody else may have the space open: searches under way would lose what they read.
        """
        columns = schema(self._dim)

        def batches(t: Any) -> Iterator[pa.RecordBatch]:
            for batch in t.search().select(columns.names).to_batches(batch_size=batch_rows):
                yield from pa.Table.from_batches([batch]).select(columns.names).to_batches()

        with self._writing(()):
            self._table.write(
                lambda t: t.add(
                    pa.RecordBatchReader.from_batches(t.schema, batches(t)), mode="overwrite"
                )
            )
            create_indexes(self._table)
            self._table.reopen()
            self._upkeep.run(sweep=True, age=timedelta(milliseconds=1))
            self._table.sync()
            live, _ = self._references()
            with guarded("write"):
                self._segments.purge(live)

    def size_bytes(self) -> int:
        """Bytes on disk, segments included."""
        rows = 0
        with guarded("read"):
            for parent, _, names in os.walk(self._table.folder):
                for name in names:
                    try:
                        rows += os.stat(os.path.join(parent, name)).st_size
                    except FileNotFoundError:  # removed by maintenance meanwhile
                        continue
            return rows + self._segments.size_bytes()

    def close(self) -> None:
        """Let go of the files; a write in progress is finished first."""
        self._closing = True
        with self._write:
            self._closed = True
            self._segments.close()
            if self._arrays is not None:
                self._arrays.close()


def _check_units(files: Mapping[int, Sequence[StoredUnit]], units: Sequence[StoredUnit]) -> None:
    """Two rows of one id would be stored twice without a word."""
    if len({stored.unit.unit_id for stored in units}) != len(units):
        raise RefusedRowsError(
            "The search index refused these rows: units of a file need different ordinals.",
            hint="The file is left out; logs/indexer.log says why.",
        )
    if any(stored.unit.file_id not in files for stored in units):
        raise RefusedRowsError(
            "The search index refused these rows: a unit is of a file that is not being replaced.",
            hint="The file is left out; logs/indexer.log says why.",
        )


__all__ = ["Store", "drop_space", "list_spaces", "set_space_aside", "table_name"]
