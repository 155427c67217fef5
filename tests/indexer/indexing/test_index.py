"""The index over a folder: what a new version reads better is read again while the old answers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.registry import ModelSpec
from indexer.indexing.index import Index
from indexer.ledger.ledger import FileRecord
from indexer.reading import chunking, extract
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import Work
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_root
from tests.indexer.indexing.rig import SmallEngine
from tests.waiting import PATIENCE, until

FILES = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(FILES):
        path = folder / f"{number}.md"
        path.write_text(f"# Note {number}\n\nThe keeper counted {number} ships.\n")
        os.utime(path, (1_000_000 + number,) * 2)
    return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read, in order."""
    names: list[str] = []
    extracted = FileReader._extracted

    def note(self: FileReader, record: FileRecord, *rest: object) -> Work:
        names.append(os.path.basename(record.path))
        return extracted(self, record, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FileReader, "_extracted", note)
    return names


@pytest.fixture
def start(
    base: BaseDir, folder: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> Iterator[Callable[[], Index]]:
    """Starts an index over the folder, as a new process would."""
    running: list[Index] = []

    def small(self: Index, spec: ModelSpec) -> SmallEngine:
        return SmallEngine(self.base)

    monkeypatch.setattr(Index, "make_engine", small)

    def started() -> Index:
        for before in running:
            before.stop()
        settings = Settings.load(base)
        settings.min_free_disk_gb, settings.pause_on_battery = 0, False
        index = Index(base, settings, ExtractorPool(base.scratch, 1), workers=1).open()
        running[:] = [index]
        if not index.ledger.roots():
            scan_root(index.ledger, index.ledger.add_root(folder), IgnoreRules())
        index.reconcile()
        index.start()
        return index

    yield started
    for index in running:
        index.stop()


def all_done(index: Index) -> bool:
    return not index.waiting and index.ledger.counts()["done"] == FILES


def test_nothing_is_read_twice_without_a_new_version(
    start: Callable[[], Index], read: list[str]
) -> None:
    index = start()
    until(lambda: all_done(index))
    assert len(read) == FILES
    index = start()
    assert index.improving == 0
    assert all_done(index)
    assert len(read) == FILES


@pytest.mark.parametrize("what", ["extractor", "chunking"])
def test_a_new_version_reads_again_newest_first_while_the_old_answers(
    start: Callable[[], Index], read: list[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    index = start()
    until(lambda: all_done(index))
    read.clear()
    if what == "chunking":
        monkeypatch.setattr(chunking, "VERSION", chunking.VERSION + 1)
    else:
        row = next(row for row in extract.EXTRACTORS if "md" in row.extensions)
        newer = type(row)(**{f: getattr(row, f) for f in row.__slots__} | {"version": 99})
        rows = tuple(newer if r is row else r for r in extract.EXTRACTORS)
        monkeypatch.setattr(extract, "EXTRACTORS", rows)
        monkeypatch.setitem(extract._BY_EXTENSION, "md", newer)
    third, go_on = threading.Event(), threading.Event()
    extracted = FileReader._extracted

    def hold_at_the_third(self: FileReader, *arguments: object) -> Work:
        if len(read) == 2 and not go_on.is_set():
            third.set()
            go_on.wait(PATIENCE)
        return extracted(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(FileReader, "_extracted", hold_at_the_third)
    index = start()
    assert third.wait(PATIENCE)
    until(lambda: index.improving == FILES - 2)
    # All of them answer, and none counts as not read.
    assert index.ledger.counts()["done"] == FILES
    assert index.engine.store.file_ids() == {r.id for r in index.ledger.files()}
    assert index.waiting
    # The process ends in the middle; the next one goes on from there.
    index.pipeline._stop.set()
    go_on.set()
    index = start()
    until(lambda: index.improving == 0 and not index.busy)
    assert all_done(index)
    again = [f"{n}.md" for n in reversed(range(FILES))]
    assert list(dict.fromkeys(read)) == again
    assert read.count("5.md") == read.count("4.md") == 1
    assert len(read) <= FILES + 1  # the one in hand when it ended
    read.clear()
    index = start()
    assert index.improving == 0
    assert all_done(index)
    assert read == []


def test_what_gave_nothing_is_pending_when_its_reader_has_a_new_version(
    start: Callable[[], Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    until(lambda: all_done(index))
    broken = index.ledger.files()[0].id
    index.ledger.set_state(broken, "failed", "broken")
    index.engine.delete([broken])
    monkeypatch.setattr(chunking, "VERSION", chunking.VERSION + 1)
    index = start()
    until(lambda: all_done(index) and index.improving == 0)


def test_the_end_comes_even_if_something_stumbles_on_the_way(
    start: Callable[[], Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    until(lambda: all_done(index))
    pids = index.extractors.pids()

    def fail(*_: object) -> None:
        raise OSError("the ledger's disk is away")

    monkeypatch.setattr("indexer.indexing.file_states.FileStates.put_all_back", fail)
    with pytest.raises(OSError, match="disk is away"):
        index.stop()
    assert pids
    assert index.extractors.pids() == []
    with pytest.raises(InklingError, match="closed"):
        index.ledger.counts()
    monkeypatch.undo()
