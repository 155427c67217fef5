"""Looks follow the files, whatever ends in between, and passages are never touched for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import StoreBusyError, StoreDamagedError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Look
from engine.encoders.image_onnx import look
from engine.encoders.image_onnx.look import look_at
from engine.models.registry import ModelSpec
from engine.store import Looks, Store, drop_space, table_name
from indexer.indexing import filling, looking
from indexer.indexing.index import Index
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import facts_of
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_root
from tests.indexer.indexing.rig import SmallEngine
from tests.scenes import cut, scene
from tests.traces import files_below
from tests.waiting import until

PICTURES = 4
Start = Callable[[], Index]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PICTURES):
        scene(number, (320, 240)).save(folder / f"{number}.png")
    (folder / "note.md").write_text("# Ships\n\nThe keeper counted ships.\n")
    return folder


def make_index(base: BaseDir, folder: Path) -> Index:
    """An index over the folder as the process would open it; its vectors are made up."""
    settings = Settings.load(base)
    settings.min_free_disk_gb, settings.pause_on_battery, settings.ocr = 0, False, False
    index = Index(base, settings, ExtractorPool(base.scratch, 1), workers=1).open()
    if not index.ledger.roots():
        index.ledger.add_root(folder)
    index.reconcile()
    rescan(index)
    return index


def rescan(index: Index) -> None:
    """What a scan finds, taken as the scanner takes it."""
    (root,) = index.ledger.roots()
    found = scan_root(index.ledger, root, IgnoreRules())
    moved = index.ledger.files_by_ids([file_id for file_id, _, _ in found.moved])
    index.apply(moved=[facts_of(record) for record in moved.values()])
    index.forget([*found.removed, *found.dropped])
    index.wake()


def small(self: Index, spec: ModelSpec) -> SmallEngine:
    return SmallEngine(self.base)


@contextmanager
def starting(base: BaseDir, folder: Path) -> Iterator[Start]:
    """What starts an index over the folder, and ends the one before."""
    running: list[Index] = []

    def started() -> Index:
        while running:
            running.pop().stop()
        running.append(make_index(base, folder))
        running[0].start()
        return running[0]

    yield started
    for index in running:
        index.stop()


@pytest.fixture
def start(base: BaseDir, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(Index, "make_engine", small)
    monkeypatch.setattr(looking, "BACK_OFF_SECONDS", 0.2)
    monkeypatch.setattr(looking, "IDLE_WAIT", 0.05)

    with starting(base, folder) as start:
        yield start


def settled(index: Index) -> None:
    def rests() -> bool:
        return not index.waiting and not index.busy

    until(lambda: rests() and index.looking.counts()[0] == index.looking.counts()[1])


def check(index: Index) -> None:
    """Every indexed picture has one look, of what it holds; nothing else has any."""
    settled(index)
    pictures = {r.id: r for r in index.ledger.files() if r.kind == "image" and r.state == "done"}
    assert index.looks.contents() == {i: r.content_hash for i, r in pictures.items()}
    assert index.looks.places() == {i: (r.path, r.mtime_ns / 1e9) for i, r in pictures.items()}
    assert index.looks._store.count() == len(pictures) * (len(look.VIEWS) + 1)
    done = {r.id for r in index.ledger.files() if r.state == "done"}
    assert index.engine.file_ids() == done
    assert index.engine.count() == len(done)


def nearest(index: Index, asked: Look) -> str:
    (file_id, _), *_ = index.looks.nearest(asked, None, 1)
    record = index.ledger.file_by_id(file_id)
    assert record is not None
    return os.path.basename(record.path)


def test_pictures_are_looked_at_as_they_are_read(start: Start) -> None:
    index = start()
    check(index)
    assert index.looking.counts() == (PICTURES, PICTURES)
    assert nearest(index, look_at(cut(scene(2, (320, 240)), 0.8))) == "2.png"


def test_an_index_without_looks_gets_them_and_is_not_read_again(
    start: Start, base: BaseDir, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    check(index)
    before = {i: index.engine.file_rows(i) for i in index.engine.file_ids()}
    index.stop()
    drop_space(base.store, look.SPACE)  # as an earlier Inkling left it
    monkeypatch.setattr(FileReader, "_extracted", None)  # whoever reads a file fails
    index = start()
    check(index)
    assert {i: index.engine.file_rows(i) for i in index.engine.file_ids()} == before
    assert index.engine.encoded == []  # type: ignore[attr-defined]


def test_they_are_filled_in_behind_changes_but_not_for_ever(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    check(index)
    monkeypatch.setattr(filling, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(index.looking._filling, "_busy", lambda: True)
    index.looks.delete(index.looks.contents())
    check(index)


def test_a_picture_removed_moved_or_changed_is_so_in_both(start: Start, folder: Path) -> None:
    index = start()
    check(index)
    (folder / "0.png").unlink()
    (folder / "1.png").rename(folder / "one.png")
    scene(11, (320, 240)).save(folder / "2.png")
    (folder / "3.png").write_text("no picture any more")
    scene(12, (320, 240)).save(folder / "new.png")
    rescan(index)
    check(index)
    assert nearest(index, look_at(scene(1, (320, 240)))) == "one.png"
    assert nearest(index, look_at(scene(11, (320, 240)))) == "2.png"
    names = {os.path.basename(path) for path, _ in index.looks.places().values()}
    assert names == {"one.png", "2.png", "new.png"}


_KILLED = """
import os, signal, sys
from pathlib import Path
from engine.contract.paths import BaseDir
from indexer.indexing.both_spaces import BothSpaces
from indexer.indexing.index import Index
from indexer.ledger.read_files import ReadFiles
from engine.store import Looks
from tests.indexer.indexing.rig import SmallEngine
from tests.indexer.indexing.test_looking import make_index, small

def killing(owner, name, before):
    action = getattr(owner, name)
    def killed(self, *arguments):
        if before:
            os.kill(os.getpid(), signal.SIGKILL)
        action(self, *arguments)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, killed)

Index.make_engine = small
place = sys.argv[3]
if place == "before looks":
    killing(Looks, "replace", True)
elif place == "after looks":
    killing(Looks, "replace", False)
elif place == "after passages":
    killing(SmallEngine, "replace", False)
elif place == "after the ledger":
    killing(ReadFiles, "finish", False)
index = make_index(BaseDir(Path(sys.argv[1])), Path(sys.argv[2]))
index.start()
import threading
threading.Event().wait()
"""


@pytest.mark.parametrize(
    "place", ["before looks", "after looks", "after passages", "after the ledger"]
)
def test_killed_between_the_commits_nothing_is_lost_or_doubled(
    start: Start, base: BaseDir, folder: Path, place: str
) -> None:
    command = [sys.executable, "-P", "-c", _KILLED, str(base.root), str(folder), place]
    paths = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    check(start())


def test_what_a_crash_left_over_goes_at_the_next_start(start: Start, folder: Path) -> None:
    index = start()
    check(index)
    ids = {os.path.basename(r.path): r.id for r in index.ledger.files()}
    index.pipeline.stop()
    # Removed and moved, and then the process died before looks had heard of it.
    (folder / "0.png").unlink()
    (folder / "1.png").rename(folder / "one.png")
    (root,) = index.ledger.roots()
    scan_root(index.ledger, root, IgnoreRules())
    assert ids["0.png"] in index.looks.contents()
    check(start())


def test_what_could_not_be_written_is_looked_at_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, failures = Looks.replace, [StoreBusyError("The disk is full.")] * 2

    def failing(self: Looks, pictures: object) -> None:
        if failures:
            raise failures.pop()
        replace(self, pictures)  # type: ignore[arg-type]

    monkeypatch.setattr(Looks, "replace", failing)
    check(start())
    assert not failures


def test_a_damaged_space_is_made_anew_by_itself(start: Start, base: BaseDir) -> None:
    index = start()
    check(index)
    version = index.engine.version
    for path in files_below(base.store / f"{table_name(look.SPACE)}.lance"):
        if path.suffix == ".lance":
            path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(StoreDamagedError):
        index.looks.places()
    until(lambda: not index.looks.damaged)
    check(index)
    assert index.engine.version == version
    assert not [entry for entry in index.health() if entry["level"] == "error"]


def test_damage_while_a_picture_is_written_does_not_stop_passages(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    check(index)
    replace, torn = Store.replace_files, [1]

    def tearing(self: Store, files: object) -> int:
        if self is index.looks._store and torn:
            torn.clear()
            raise StoreDamagedError("The search index is damaged.")
        return replace(self, files)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "replace_files", tearing)
    scene(20, (320, 240)).save(folder / "new.png")
    rescan(index)
    check(index)
    assert not torn
    assert index.looking.counts() == (PICTURES + 1, PICTURES + 1)


def test_what_cannot_be_looked_at_is_left_alone_and_said_of_nobody_else(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    check(index)
    asked: list[str] = []
    seen = ExtractorPool.look

    def failing(self: ExtractorPool, path: str) -> Look:
        asked.append(os.path.basename(path))
        if path.endswith("1.png"):
            raise ExtractError("broken", "it ends in the middle")
        return seen(self, path)

    monkeypatch.setattr(ExtractorPool, "look", failing)
    monkeypatch.setattr(filling, "AGAIN_SECONDS", 0.1)
    index.looks.delete(index.looks.contents())
    until(lambda: len(index.looks.contents()) == PICTURES - 1 and asked.count("1.png") == 2)
    settled(index)
    assert asked.count("1.png") == 2
    assert index.looking.counts() == (PICTURES, PICTURES)  # no more is to be had


def test_without_the_network_it_is_said_and_indexing_is_done(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    check(index)

    def missing(self: ExtractorPool, path: str) -> Look:
        raise ExtractError("encoder", "The package with the model's weights is not installed.")

    monkeypatch.setattr(looking, "BACK_OFF_SECONDS", 60.0)
    monkeypatch.setattr(ExtractorPool, "look", missing)
    index.looks.delete(index.looks.contents())
    until(lambda: index.looking._held_until > 0)
    until(lambda: not index.waiting)
    assert index.looking.counts() == (PICTURES, 0)


def test_rows_of_another_ledger_go(start: Start, base: BaseDir) -> None:
    index = start()
    check(index)
    (base.store / "ledger-id").write_text("of another one")
    index = start()
    check(index)
    assert np.array_equal(sorted(index.looks.contents()), sorted(index.looks.places()))


def test_looks_that_are_not_wanted_go_and_come_back_without_passages(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    check(index)
    before = {i: index.engine.file_rows(i) for i in index.engine.file_ids()}
    index.settings.sight = False
    until(lambda: not index.looks.contents())
    assert index.looking.counts() == (0, 0)
    assert not index.waiting
    scene(30, (320, 240)).save(folder / "new.png")
    rescan(index)
    until(lambda: not index.waiting and index.ledger.counts()["done"] == PICTURES + 2)
    assert not index.looks.contents()
    encoded = len(index.engine.encoded)  # type: ignore[attr-defined]
    index.settings.sight = True
    check(index)
    assert index.looking.counts() == (PICTURES + 1, PICTURES + 1)
    assert len(index.engine.encoded) == encoded  # type: ignore[attr-defined]
    assert {i: index.engine.file_rows(i) for i in before} == before
