"""Arrays beside the table: what searches look up most, without LanceDB's cost of a query.

The table is the store of record. The arrays stand for one commit of it, and answer only while that
is the newest; each of the store's commits carries them along, and where they are not whole, or of
another commit, they are made anew from the table.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.store.array_files import Append, ArrayFiles, UnsoundError
from engine.store.array_rows import ROW, Block, Names, block_of
from engine.store.array_scan import Codes
from engine.store.array_signs import Signs
from engine.store.array_terms import PARTS, Postings, PostingsWriter, Run, Terms, run_of
from engine.store.array_view import Places, View
from engine.store.manifests import Mark

log = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S", bound=np.generic)
#: Up to so many units the arrays find what is near or holds words; above, LanceDB's indexes do.
MOST_ROWS = 3_000_000
#: Up to so many each vector is compared as bytes, which finds exactly the nearest; above, a bit a
#: dimension takes less time and an eighth of the memory.
EXACT_ROWS = 300_000
WASTE = 0.3  # share of outdated rows at which the arrays are made anew
_SMALL_WASTE = 256
AGAIN_S = 300.0  # after a failure, which may cost seconds each time
#: Postings in memory, in units: so many, or that share of all, and they are put on disk.
_FRESH, FRESH = 20_000, 1 / 6
#: Vectors read at once, and of how many one tells where the middle of all is.
_AT_ONCE, _EACH = 8_192, 8
_NOBODY = np.zeros(0, np.uint32)


class Arrays:
    """One space's arrays. `view` for any thread, all else for the one that writes."""

    def __init__(self, folder: Path, dim: int) -> None:
        self._folder, self._dim = folder, dim
        self._files = ArrayFiles(folder, 0, dim)
        self._looked = False  # at what is on disk
        self._not_before = 0.0  # when to try again to make them
        self._forget()

    def _forget(self) -> None:
        self._view: View | None = None
        self._names = Names()
        self._rows = np.zeros(0, ROW)
        self._alive = np.zeros(0, np.bool_)
        self._count = 0
        self._codes: Codes | None = Codes(self._dim)
        self._signs: Signs | None = None
        self._terms: Terms | None = Terms(None)

    def view(self, mark: Mark) -> View | None:
        """What they hold, if they stand for that commit."""
        view = self._view
        return view if view is not None and view.mark == mark else None

    def ask(self, mark: Mark, question: Callable[[View], T | None]) -> T | None:
        """What the arrays say of that commit; None if they can't."""
        view = self.view(mark)
        if view is None:
            return None
        try:
            return question(view)
        except (OSError, ValueError, UnsoundError) as error:
            if view is self._view:  # the files of one that was replaced meanwhile may be gone
                self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        log.warning("the arrays beside the search index are made anew: %s", error)
        self._view = None

    def wanting(self, mark: Mark) -> bool:
        """Whether they should be made anew: they don't stand for that commit, also when they have
        been taken from disk, or too much of them is outdated."""
        if not self._looked:
            self._looked = True
            self.load(mark)
        if time.monotonic() < self._not_before:
            return False
        if self.view(mark) is None:
            return True
        dead = self._count - int(np.count_nonzero(self._alive[: self._count]))
        if self._terms is not None and self._count - self._terms.rows > max(
            FRESH * self._count, _FRESH
        ):
            return True
        return dead > max(WASTE * self._count, _SMALL_WASTE)

    def load(self, mark: Mark) -> bool:
        """Take what is on disk, if it is whole and stands for that commit."""
        self._forget()
        for generation in ArrayFiles.generations(self._folder)[:1]:
            files = ArrayFiles(self._folder, generation, self._dim)
            last = None
            try:
                base = self._postings(files)
                self._terms = None if base is None else Terms(base)
                for added in files.load():
                    self._take(files, added)
                    last = added.mark
                if self._count <= MOST_ROWS and (base is None or base.rows > self._count):
                    raise UnsoundError("the postings are missing")
                if last == mark:
                    self._publish(mark, files, self._order())
                    return True
                log.info("the arrays beside the search index are of another commit")
            except (OSError, ValueError, LookupError, TypeError, UnsoundError) as error:
                log.info("the arrays beside the search index can't be read: %s", error)
        self._forget()
        return False

    def build(self, mark: Mark, batches: Iterable[pa.Table]) -> None:
        """Make them anew of all the table's units in `COLUMNS`. None if that fails: the table
        answers, too. What there was answers until then, where it stands for that commit."""
        view = self._view
        self._forget()
        self._view = view
        self._terms = None  # its postings go to disk, none are collected in memory
        newest = next(iter(ArrayFiles.generations(self._folder)), 0)
        files = ArrayFiles(self._folder, newest + 1, self._dim)
        documents: dict[int, int] = {}
        try:
            files.create()
            with PostingsWriter(self._folder) as postings:
                for batch in batches:
                    self._add(files, batch, documents, None, postings=postings)
                if self._count <= MOST_ROWS:
                    postings.finish(*map(files.path, PARTS))
                    self._terms = Terms(self._postings(files))
            self._append(files, Append(mark, _nothing(self._dim), _NOBODY, []))
            self._publish(mark, files, self._order())
        except (OSError, ValueError, UnsoundError) as error:
            log.warning("no arrays could be made beside the search index: %s", error)
            self._fail()
        except BaseException:
            self._fail()
            raise
        for generation in ArrayFiles.generations(self._folder):
            if self._view is None or generation != files.generation:
                ArrayFiles(self._folder, generation, self._dim).remove()

    def _fail(self) -> None:
        self._forget()  # what is in memory is no one's any more, also where a view answered
        self._not_before = time.monotonic() + AGAIN_S

    def replaced(self, before: Mark, after: Mark, files: Iterable[int], rows: pa.Table) -> None:
        """A commit has made these rows the files' only ones."""
        view = self.view(before)
        if view is None:
            self._view = None
            return
        gone = list(files)
        dead = [row for file in gone for row in view.places.of_file(file)]
        first = self._count
        try:
            self._add(self._files, rows, {}, after, np.array(dead, np.uint32))
        except (OSError, ValueError) as error:
            self._give_up(error)
            return
        changes: dict[int, dict[int, int]] = {file: {} for file in gone}
        fresh = self._rows[first : self._count]
        pairs = zip(fresh["file"].tolist(), fresh["ordinal"].tolist(), strict=True)
        for row, (file, ordinal) in enumerate(pairs, first):
            changes.setdefault(file, {})[ordinal] = row
        self._follow(view, after, changes)

    def kept(self, before: Mark, after: Mark) -> None:
        """The table has another commit with the same rows."""
        view = self.view(before)
        if view is None or before == after:
            return
        try:
            self._append(self._files, Append(after, _nothing(self._dim), _NOBODY, []))
        except OSError as error:
            self._give_up(error)
            return
        self._view = replace(view, mark=after)

    def _follow(self, view: View, mark: Mark, changes: Mapping[int, Mapping[int, int]]) -> None:
        places = view.places.with_files(changes)
        self._publish(mark, self._files, self._order() if places.are_many else places)

    def _order(self) -> Places:
        return Places.of(self._rows[: self._count], self._alive[: self._count])

    def _publish(self, mark: Mark, files: ArrayFiles, places: Places) -> None:
        self._files = files
        rows, alive = self._rows[: self._count], self._alive[: self._count].copy()
        near = self._signs if self._codes is None else self._codes
        self._view = View(mark, rows, alive, places, self._names, files, near, self._terms)

    def _postings(self, files: ArrayFiles) -> Postings | None:
        """Those on disk, if there are; ValueError, OSError if they are not whole."""
        paths = [files.path(part) for part in PARTS]
        return Postings(*paths) if any(path.exists() for path in paths) else None

    def _add(
        self,
        files: ArrayFiles,
        rows: pa.Table,
        documents: dict[int, int],
        mark: Mark | None,
        dead: NDArray[np.uint32] = _NOBODY,
        postings: PostingsWriter | None = None,
    ) -> None:
        known = len(self._names)
        block = block_of(rows, self._dim, self._names, documents, files.ends)
        run, block.rows["words"][:] = run_of(block.texts(), self._count)
        self._append(files, Append(mark, block, dead, self._names.since(known)), run)
        if postings is not None and self._count <= MOST_ROWS:
            postings.add(run, self._count)

    def _append(self, files: ArrayFiles, added: Append, run: Run | None = None) -> None:
        files.append(added)
        self._take(files, added, run)

    def _take(self, files: ArrayFiles, added: Append, run: Run | None = None) -> None:
        """Into memory; readers of a view see nothing of it."""
        self._take_terms(added.block, run)
        self._names.add(added.names)
        end = self._count + len(added.block.rows)
        if end > len(self._rows):
            size = end + end // 4 + 1024
            self._rows, self._alive = _grown(self._rows, size), _grown(self._alive, size)
        self._rows[self._count : end] = added.block.rows
        self._alive[self._count : end] = True
        self._alive[added.dead] = False
        if end <= min(EXACT_ROWS, MOST_ROWS):
            assert self._codes is not None
            self._codes.append(added.block.vectors)
        else:
            self._codes = None
            self._take_signs(files, added.block, end)
        self._count = end

    def _take_signs(self, files: ArrayFiles, block: Block, end: int) -> None:
        if end > MOST_ROWS:
            self._signs = None
        elif self._signs is None:  # from here on instead of bytes
            parts = range(0, end, _AT_ONCE)
            some = [files.stretch(at, min(at + _AT_ONCE, end))[::_EACH] for at in parts]
            self._signs = Signs(np.concatenate(some).mean(axis=0, dtype=np.float32))
            for at in parts:
                self._signs.append(files.stretch(at, min(at + _AT_ONCE, end)))
        else:
            self._signs.append(block.vectors)

    def _take_terms(self, block: Block, run: Run | None) -> None:
        """The run is its postings, if they are known."""
        if self._terms is None or len(block.rows) == 0:
            return
        end = self._count + len(block.rows)
        if end > MOST_ROWS:
            self._terms = None
        elif end > self._terms.rows:
            if self._count < self._terms.rows:
                raise UnsoundError("the postings end within a block")
            run = run_of(block.texts(), self._count)[0] if run is None else run
            self._terms = self._terms.with_run(run)

    def close(self) -> None:
        """Answer no more, and let go of the files."""
        self._forget()
        self._files = ArrayFiles(self._folder, 0, self._dim)


def _grown(array: NDArray[S], size: int) -> NDArray[S]:
    new = np.zeros(size, array.dtype)
    new[: len(array)] = array
    return new


def _nothing(dim: int) -> Block:
    half = np.zeros((0, dim), np.float16)
    return Block(np.zeros(0, ROW), half, half, b"", b"")
