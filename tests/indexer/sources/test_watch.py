"""The watcher on a real file system: what happens there reaches the ledger, soon and once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.ledger.ledger import Ledger, Root
from indexer.sources.changes import Changes
from indexer.sources.ignore import IgnoreRules
from indexer.sources.observers import Limits
from indexer.sources.scan import scan_paths, scan_root
from indexer.sources.watch import Watcher, is_remote
from tests.waiting import PATIENCE, until


class Desk:
    """A folder, its ledger, and a watcher whose hints are followed by scans, as in the indexer."""

    def __init__(self, base: Path) -> None:
        self.folder = base / "desk"
        self.folder.mkdir()
        (base / "base").mkdir()
        self.ledger = Ledger(base / "base" / "ledger.sqlite")
        self.rules = IgnoreRules()
        self.lock = threading.Lock()
        self.moved: list[tuple[int, str, str]] = []
        self.added = 0
        self.scans = 0
        self.watcher = Watcher(lambda: self.rules, self.look, closed=[str(base / "base")])

    def look(self, root: Root, changes: Changes) -> None:
        with self.lock:
            self.scans += 1
            root = next(r for r in self.ledger.roots() if r.id == root.id)
            if changes.whole:
                result = scan_root(self.ledger, root, self.rules)
            else:
                result = scan_paths(self.ledger, root, changes.paths, self.rules)
            self.moved.extend(result.moved)
            self.added += len(result.added)

    def watch(self, *folders: Path) -> None:
        for folder in folders or (self.folder,):
            self.ledger.add_root(folder)
        self.watcher.set_roots(self.ledger.roots())
        roots = {root.id for root in self.ledger.roots()}
        until(lambda: self.watcher.watching == roots)
        until(lambda: self.scans >= len(roots))
        time.sleep(0.3)

    def names(self) -> set[str]:
        return {os.path.relpath(r.path, self.folder) for r in self.ledger.files()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.watcher.start()
    yield desk
    desk.watcher.stop()
    desk.ledger.close()


def test_new_edited_and_removed_files_are_noticed(desk: Desk) -> None:
    desk.watch()
    note = desk.folder / "note.md"
    note.write_text("one")
    until(lambda: desk.names() == {"note.md"})
    note.write_text("one two")
    until(lambda: [r.size for r in desk.ledger.files()] == [7])
    note.unlink()
    until(lambda: desk.names() == set())


def test_an_editor_that_writes_beside_and_renames_keeps_the_file(desk: Desk) -> None:
    note = desk.folder / "note.md"
    note.write_text("one")
    desk.watch()
    (before,) = desk.ledger.files()
    beside = desk.folder / "note.md.tmp"
    beside.write_text("one two three")
    os.replace(beside, note)
    until(lambda: [r.size for r in desk.ledger.files()] == [13])
    (after,) = desk.ledger.files()
    assert after.id == before.id


def test_a_renamed_folder_keeps_its_files(desk: Desk) -> None:
    inner = desk.folder / "old" / "deep"
    inner.mkdir(parents=True)
    for number in range(30):
        (inner / f"{number}.txt").write_text(str(number) * (number + 1))
    desk.watch()
    before = {r.id for r in desk.ledger.files()}
    (desk.folder / "old").rename(desk.folder / "new")
    until(lambda: all(name.startswith("new") for name in desk.names()))
    assert {r.id for r in desk.ledger.files()} == before
    until(lambda: len(desk.moved) == 30)  # told after the ledger has it
    assert desk.added == 30
    # The renamed folder is still watched.
    (desk.folder / "new" / "deep" / "later.txt").write_text("later")
    until(lambda: "new/deep/later.txt" in desk.names())


def test_a_move_between_roots_keeps_the_file(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (desk.folder / "a.txt").write_text("contents")
    (desk.folder / "keep.txt").write_text("more contents")
    desk.watch(desk.folder, other)
    record = desk.ledger.file(desk.folder / "a.txt")
    assert record is not None
    (desk.folder / "a.txt").rename(other / "b.txt")
    until(lambda: desk.ledger.file(other / "b.txt") is not None)
    until(lambda: desk.ledger.file(desk.folder / "a.txt") is None)
    moved = desk.ledger.file(other / "b.txt")
    assert moved is not None
    assert moved.id == record.id
    until(lambda: len(desk.moved) == 1)
    assert desk.added == 2


def test_a_folder_moved_in_is_read_whole_and_watched(desk: Desk, tmp_path: Path) -> None:
    desk.watch()
    outside = tmp_path / "outside" / "deep"
    outside.mkdir(parents=True)
    (outside / "a.txt").write_text("a")
    (tmp_path / "outside").rename(desk.folder / "inside")
    until(lambda: "inside/deep/a.txt" in desk.names())
    (desk.folder / "inside" / "deep" / "b.txt").write_text("b")
    until(lambda: "inside/deep/b.txt" in desk.names())


def test_a_storm_becomes_few_scans_and_nothing_is_missed(desk: Desk) -> None:
    desk.watch()
    before = desk.scans
    for number in range(40):
        folder = desk.folder / f"d{number}"
        folder.mkdir()
        for inner in range(50):
            (folder / f"{inner}.txt").write_text("x")
    until(lambda: len(desk.ledger.files()) == 2000)
    assert desk.scans - before < 60
    shutil.rmtree(desk.folder / "d0")
    until(lambda: len(desk.ledger.files()) == 1950)


@pytest.mark.skipif(sys.platform == "darwin", reason="APFS refuses names that are not UTF-8")
def test_names_that_are_not_utf8(desk: Desk) -> None:
    desk.watch()
    path = os.fsencode(desk.folder) + b"/caf\xe9.txt"
    with open(path, "w") as stream:
        stream.write("x")
    until(lambda: [os.fsencode(r.path) for r in desk.ledger.files()] == [path])
    os.unlink(path)
    until(lambda: desk.ledger.files() == [])


def test_a_root_that_goes_is_offline_and_one_that_comes_back_is_itself(desk: Desk) -> None:
    (desk.folder / "a.txt").write_text("a")
    desk.watch()
    (before,) = desk.ledger.files()
    away = desk.folder.with_name("away")
    desk.folder.rename(away)
    until(lambda: [root.online for root in desk.ledger.roots()] == [False])
    assert desk.ledger.files() == [before]
    (away / "b.txt").write_text("b")
    away.rename(desk.folder)
    until(lambda: desk.names() == {"a.txt", "b.txt"})
    assert desk.ledger.file_by_id(before.id) == before
    (desk.folder / "c.txt").write_text("c")
    until(lambda: "c.txt" in desk.names())


def test_a_new_rule_removes_and_a_removed_rule_brings_back(desk: Desk) -> None:
    (desk.folder / "build").mkdir()
    (desk.folder / "build" / "out.txt").write_text("x")
    (desk.folder / "note.txt").write_text("x")
    desk.watch()
    assert desk.names() == {"note.txt", "build/out.txt"}
    rules = desk.folder / ".inklingignore"
    rules.write_text("build/\n")
    until(lambda: desk.names() == {"note.txt"})
    rules.unlink()
    until(lambda: desk.names() == {"note.txt", "build/out.txt"})
    (desk.folder / "build" / "second.txt").write_text("x")
    until(lambda: "build/second.txt" in desk.names())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_be_read_again_is_tried_again(desk: Desk) -> None:
    path = desk.folder / "a.txt"
    path.write_text("a")
    path.chmod(0)
    desk.watch()
    (record,) = desk.ledger.files()
    desk.ledger.set_state(record.id, "failed", "unreadable")
    path.chmod(0o600)
    until(lambda: [r.state for r in desk.ledger.files()] == ["pending"])


def test_the_watcher_survives_its_observer(desk: Desk) -> None:
    desk.watch()
    observer = desk.watcher._observer
    assert observer is not None
    observer.stop()
    observer.join(timeout=PATIENCE)
    until(lambda: desk.watcher._observer is not observer and bool(desk.watcher.watching))
    (desk.folder / "after.txt").write_text("x")
    until(lambda: "after.txt" in desk.names())


def test_a_callback_that_fails_does_not_end_the_watching(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    failures = []

    def fail_once(root: Root, changes: Changes) -> None:
        if not failures:
            failures.append(changes)
            raise RuntimeError("once")
        desk.look(root, changes)

    desk.watcher = Watcher(lambda: desk.rules, fail_once)
    desk.watcher.start()
    try:
        desk.watch()
        (desk.folder / "a.txt").write_text("x")
        until(lambda: desk.names() == {"a.txt"})
    finally:
        desk.watcher.stop()
        desk.ledger.close()


def test_left_out_folders_and_its_own_cost_no_watch(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for name in ("node_modules/a/b", ".git/objects", "src/lib"):
        (desk.folder / name).mkdir(parents=True)
    desk.watcher.start()
    try:
        desk.watch(tmp_path)
        fd = desk.watcher._observer._descriptor  # type: ignore[union-attr]
        paths = {os.fsdecode(w._initial_creation_path) for w in fd._watch_for_wd.values()}
        expected = {tmp_path, desk.folder, desk.folder / "src", desk.folder / "src" / "lib"}
        assert paths == {str(path) for path in expected}
    finally:
        desk.watcher.stop()
        desk.ledger.close()


_FEW_WATCHES = """
import sys, threading, time
from pathlib import Path
from indexer.sources.ignore import IgnoreRules
from indexer.ledger.ledger import Root
import indexer.sources.watch as watch
watch.POLL = 0.5
seen = threading.Semaphore(0)
watcher = watch.Watcher(IgnoreRules, lambda root, changes: changes.whole and seen.release())
watcher.start()
watcher.set_roots([Root(1, sys.argv[1], 0.0, True, "")])
for _ in range(3):  # the first look, then at least two polls
    assert seen.acquire(timeout=400)
(line,) = watcher.health
print(line["title"], line["hint"], sorted(watcher.watching))
watcher.stop()
"""


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_where_the_system_refuses_more_watches_folders_are_scanned(
    tmp_path: Path, limit: str
) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    for number in range(20):
        (tmp_path / str(number)).mkdir()
    value = 5 if limit == "max_inotify_watches" else 0
    # A user namespace of its own has limits of its own.
    script = f'echo {value} > /proc/sys/user/{limit} && exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    probe = subprocess.run([*command, "true"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("needs user namespaces")
    done = subprocess.run(
        [*command, sys.executable, "-c", _FEW_WATCHES, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    assert "sysctl fs.inotify." in done.stdout
    assert done.stdout.strip().endswith("[]")


def test_limits_are_named_once_with_their_remedy() -> None:
    limits = Limits()
    assert limits.may_try()
    for _ in range(3):
        limits.note(OSError(28, "inotify watch limit reached"))
    assert [line["level"] for line in limits.health()] == ["warning"]
    assert not limits.may_try()


def test_a_local_folder_is_not_remote(tmp_path: Path) -> None:
    assert not is_remote(str(tmp_path))
