"""What a walk decides by the system it runs on, tested for all three on any of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.contract.errors import REASONS
from engine.contract.file_names import reserved, windows_takes
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.indexing.estimate import estimate
from indexer.ledger.ledger import Found
from indexer.reading import sandbox, worker
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.sources import ignore, moves, systems
from indexer.sources.facts import facts_of
from indexer.sources.ignore import IgnoreRules, default_patterns
from indexer.sources.walk import READ_LATER
from tests.indexer.sources.place import Place, nothing

LINUX, MACOS, WINDOWS = "linux", "darwin", "win32"
ALL = (LINUX, MACOS, WINDOWS)
FILE, FOLDER, LINK = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK


def entry(mode: int = FILE, **facts: int) -> Any:
    """What a look at an entry gives, with what only some systems tell."""
    return SimpleNamespace(st_mode=mode, st_ino=7, st_dev=3, **facts)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


@pytest.mark.parametrize(
    ("what", "found", "links"),
    [
        ("a file", entry(), ()),
        ("a symbolic link", entry(LINK), ALL),
        ("a junction", entry(FOLDER, st_reparse_tag=0xA0000003), (WINDOWS,)),
        ("a link of WSL", entry(FILE, st_reparse_tag=0xA000001D), (WINDOWS,)),
        ("a file of OneDrive", entry(FILE, st_reparse_tag=0x9000601A), ()),
        ("a folder of OneDrive", entry(FOLDER, st_reparse_tag=0x9000001A), ()),
        ("a deduplicated file", entry(FILE, st_reparse_tag=0x80000013), ()),
        ("a file compressed by the system", entry(FILE, st_reparse_tag=0x80000017), ()),
    ],
)
def test_links_lead_elsewhere(what: str, found: Any, links: tuple[str, ...]) -> None:
    assert tuple(s for s in ALL if systems.is_link(found, s)) == links, what


@pytest.mark.parametrize(
    ("name", "found", "away"),
    [
        ("a.pdf", entry(), ()),
        ("a.pdf", entry(st_file_attributes=0x20), ()),
        ("a.pdf", entry(st_file_attributes=0x400020), (WINDOWS,)),  # recall on data access
        ("a.pdf", entry(st_file_attributes=0x40000), (WINDOWS,)),  # recall on open
        ("a.pdf", entry(st_file_attributes=0x1020), (WINDOWS,)),  # offline
        ("a.pdf", entry(st_file_attributes=0x80220), ()),  # pinned, and here
        ("a.pdf", entry(st_flags=0x40000000), (MACOS,)),
        ("a.pdf", entry(st_flags=0x40), ()),  # tracked
        (".a.pdf.icloud", entry(), (MACOS,)),
        (".icloud", entry(), ()),
        ("a.icloud", entry(), ()),
    ],
)
def test_what_is_in_the_cloud_is_known_unopened(
    name: str, found: Any, away: tuple[str, ...]
) -> None:
    assert tuple(s for s in ALL if systems.in_cloud(name, found, s)) == away


@pytest.mark.parametrize(
    ("found", "hidden"),
    [
        (entry(), ()),
        (entry(st_file_attributes=0x22), (WINDOWS,)),
        (entry(st_file_attributes=0x20), ()),
        (entry(FOLDER, st_flags=0x8000), (MACOS,)),  # ~/Library
    ],
)
def test_hidden_by_the_system(found: Any, hidden: tuple[str, ...]) -> None:
    assert tuple(s for s in ALL if systems.is_hidden(found, s)) == hidden


@pytest.mark.parametrize("code", [32, 33])
def test_a_file_in_use_is_told_from_one_that_is_forbidden(code: int) -> None:
    error = PermissionError(13, "The process cannot access the file")
    error.winerror = code  # type: ignore[attr-defined]
    assert [systems.in_use(error, s) for s in ALL] == [False, False, True]
    assert not systems.in_use(PermissionError(13, "Access is denied"), WINDOWS)


LONG = "\\".join(["folder with a long name"] * 12)


@pytest.mark.parametrize(
    ("path", "opened"),
    [
        ("C:\\d\\a.txt", "C:\\d\\a.txt"),
        (f"C:\\{LONG}\\a.txt", f"\\\\?\\C:\\{LONG}\\a.txt"),
        (f"C:/{LONG}/a.txt", f"\\\\?\\C:\\{LONG}\\a.txt"),
        (f"\\\\server\\share\\{LONG}", f"\\\\?\\UNC\\server\\share\\{LONG}"),
        (f"\\\\?\\C:\\{LONG}", f"\\\\?\\C:\\{LONG}"),
        ("C:\\d\\con.txt", "\\\\?\\C:\\d\\con.txt"),
        ("C:\\d\\ends with a dot.\\a", "\\\\?\\C:\\d\\ends with a dot.\\a"),
        ("C:\\d\\..\\a", "C:\\d\\..\\a"),
        ("C:\\d\\contract.txt", "C:\\d\\contract.txt"),
    ],
)
def test_every_path_is_within_reach_on_windows(path: str, opened: str) -> None:
    assert systems.reachable(path, WINDOWS) == opened
    assert systems.reachable(os.fsencode(path), WINDOWS) == os.fsencode(opened)
    assert systems.reachable(path, LINUX) == systems.reachable(path, MACOS) == path


@pytest.mark.parametrize(
    ("name", "kept", "taken"),
    [
        ("nul", True, False), ("COM1.txt", True, False), ("lpt¹", True, False),
        ("aux .tar.gz", True, False), ("con", True, False), ("conout$", True, False),
        ("a.", True, False), ("a ", True, False), ("com0.txt", False, True),
        ("console.txt", False, True), (".txt", False, True), ("a?b", False, False),
        ("a:b", False, False), ("tab\t", False, False), ("日本.txt", False, True),
    ],
)  # fmt: skip
def test_names_that_windows_keeps(name: str, kept: bool, taken: bool) -> None:
    assert (reserved(name), windows_takes(name)) == (kept, taken)


@pytest.mark.parametrize(
    ("system", "folder", "start"),
    [
        (LINUX, b"/d", b"/d/"), (LINUX, b"/", b"/"), (LINUX, b"/a\\", b"/a\\/"),
        (MACOS, b"/d", b"/d/"),
        (WINDOWS, b"C:\\d", b"C:\\d\\"), (WINDOWS, b"C:\\", b"C:\\"),
        (WINDOWS, b"\\\\server\\share", b"\\\\server\\share\\"),
    ],
)  # fmt: skip
def test_paths_below_a_folder_begin_so(system: str, folder: bytes, start: bytes) -> None:
    assert systems.prefix(folder, system) == start


@pytest.mark.parametrize(
    ("system", "path", "folder", "inside"),
    [
        (LINUX, "/d/a", "/d", True), (LINUX, "/d", "/d", True), (LINUX, "/da", "/d", False),
        (LINUX, "/D/a", "/d", False), (LINUX, "/a", "/", True),
        (WINDOWS, "C:\\D\\a", "c:\\d", True), (WINDOWS, "C:\\da", "C:\\d", False),
        (WINDOWS, "D:\\a", "C:\\", False), (WINDOWS, "C:\\a", "C:\\", True),
        (WINDOWS, "C:\\a", "/", False),
        (WINDOWS, "\\\\Server\\s\\a", "\\\\server\\s", True),
    ],
)  # fmt: skip
def test_within(system: str, path: str, folder: str, inside: bool) -> None:
    """Folders of two drives are compared like any others, and none raises."""
    assert systems.within(path, folder, system) is inside


@pytest.mark.parametrize(
    ("system", "path", "remote"),
    [
        (LINUX, "/home/a", False), (LINUX, "/net/a", True), (LINUX, "/network", False),
        (MACOS, "/Volumes/s/a", True),
        (WINDOWS, "C:\\a", False), (WINDOWS, "z:\\a", True), (WINDOWS, "\\\\server\\s", True),
        (WINDOWS, "\\\\?\\C:\\a", False),
    ],
)  # fmt: skip
def test_network_drives(system: str, path: str, remote: bool) -> None:
    mounts = {
        LINUX: [("/", "ext4", "rw"), ("/net", "nfs4", "rw")],
        MACOS: [("/", "apfs", "rw"), ("/Volumes/s", "smbfs", "rw")],
        WINDOWS: [("C:\\", "NTFS", "rw,fixed"), ("Z:\\", "NTFS", "rw,remote")],
    }
    assert systems.on_network(path, mounts[system], system) is remote


def test_a_listing_on_windows_tells_neither_inode_nor_disk() -> None:
    listed, looked_at = entry(), entry()
    listed.st_ino = listed.st_dev = 0  # as os.scandir has it there
    assert systems.inode(listed, WINDOWS) == systems.inode(looked_at, WINDOWS) == 0
    assert systems.inode(looked_at, LINUX) == systems.inode(looked_at, MACOS) == 7
    assert systems.same_disk(listed, 3, WINDOWS)
    assert [systems.same_disk(entry(), 4, s) for s in (LINUX, MACOS)] == [False, False]
    assert systems.same_disk(entry(), 3, LINUX)


def test_without_inodes_equal_size_and_time_are_no_move(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contents decide."""
    monkeypatch.setattr("indexer.sources.facts.inode_of", lambda found: 0)
    old, kept = place.write("a.txt", "one"), place.write("b.txt", "two")
    for path in (old, kept):
        os.utime(path, ns=(1, 1))
    place.scan()
    place.finish(old, kept)
    first, second = place.record(old).id, place.record(kept).id
    for path, name in ((old, "c.txt"), (kept, "d.txt")):
        path.rename(path.with_name(name))
    assert {i for i, _, _ in place.scan().moved} == {first, second}
    assert place.record(place.folder / "c.txt").id == first
    gone = Found(os.fsencode(place.folder / "e.txt"), 3, 1, 0, "other")
    assert not moves._same((0, 1, "/c.txt", "another"), gone)
    assert facts_of(os.stat(place.folder / "c.txt")) == (3, 1, 0)


def test_programs_are_left_out_where_they_are_folders() -> None:
    decide = {s: default_patterns(system=s).match("/d", "Notes.app", True) for s in ALL}
    assert [s for s in ALL if decide[s] >= 0] == [MACOS]
    for name in (".Trash-1000", "Songs.musiclibrary", "$RECYCLE.BIN", "$Recycle.Bin"):
        assert default_patterns(hidden=True).match("/d", name, True) >= 0


def test_a_folder_that_the_system_hides_is_left_out_as_hidden(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By no name, so that each look asks: of a whole scan, of one path, of what is watched."""
    inside = place.write("Library/Caches/a.txt")
    shown = place.write("b.txt")
    library = (place.folder / "Library").stat().st_ino
    monkeypatch.setattr(systems, "is_hidden", lambda found, *_: found.st_ino == library)
    monkeypatch.setattr(ignore, "hidden_at", lambda path: path == str(inside.parents[1]))
    place.scan()
    place.look(inside)
    assert place.names() == {shown.name}
    assert [(c.code, c.folders) for c in place.ledger.left_out_counts()] == [("hidden", 1)]
    root = str(place.folder)
    assert IgnoreRules().scope_inside(root, str(inside.parent), {}) is None
    assert IgnoreRules(hidden=True).scope_inside(root, str(inside.parent), {}) is not None
    place.rules = IgnoreRules(["!Library/"])
    place.scan()
    assert "Library/Caches/a.txt" in place.names()


def test_a_file_in_the_cloud_is_read_once_it_is_here_and_not_before(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither size nor time tells that it came, nor that it went again."""
    away = True
    monkeypatch.setattr(systems, "in_cloud", lambda name, found, *_: name == "a.txt" and away)
    path = place.write("a.txt", "one")
    place.scan()
    assert (place.record(path).state, place.record(path).reason) == ("skipped", "placeholder")
    assert nothing(place.scan())
    away = False
    assert place.scan().changed == [place.record(path).id]
    assert place.record(path).state == "pending"
    place.finish(path)
    away = True
    path.chmod(0o600)  # the system notes that it took it away
    assert nothing(place.scan())
    assert place.record(path).state == "done"
    assert READ_LATER == ("unreadable", "in-use", "placeholder")


def test_what_went_into_the_cloud_since_the_scan_is_not_fetched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.write("a.txt", "one")
    place.scan()
    monkeypatch.setattr("indexer.reading.file_reader.in_cloud", lambda name, found: True)
    base = BaseDir(place.folder.parent / "base")
    reader = FileReader(base, place.ledger, ExtractorPool(base.scratch), Settings(), pixels=False)
    with pytest.raises(ExtractError) as raised:
        reader.read(place.record(path))
    assert raised.value.reason == "placeholder"


def test_no_worker_fetches_a_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to read it nor for its picture."""
    path = str(place.write("a.txt", "one"))
    pool = ExtractorPool(place.folder.parent / "base")
    monkeypatch.setattr("indexer.reading.pool.in_cloud", lambda name, found: name == "a.txt")
    for ask in (pool.extract, pool.look, pool.pixels, lambda p: pool.render(p, None, 64)):
        with pytest.raises(ExtractError) as raised:
            ask(path)
        assert raised.value.reason == "placeholder"
    pool.close()


def test_a_file_in_use_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.write("a.txt", "one")
    request = {"op": "extract", "path": os.fsencode(path), "options": {"scratch": ""}}
    monkeypatch.setattr(worker, "in_use", lambda error: True)
    monkeypatch.setattr(sandbox, "allow_cpu", lambda seconds: None)  # of this very process

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(worker, "read_file", locked)
    assert worker.answer(request)["reason"] == "in-use"
    assert REASONS["in-use"].retry


def test_an_estimate_walks_in_no_circle(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Junctions are folders to Python 3.11."""
    place.write("junction/a.txt")
    place.write("hidden/b.txt")
    place.write("c.txt")
    place.write("away.txt")
    inodes = {p.name: p.stat().st_ino for p in place.folder.iterdir()}
    monkeypatch.setattr(systems, "is_link", lambda found: found.st_ino == inodes["junction"])
    monkeypatch.setattr(systems, "is_hidden", lambda found: found.st_ino == inodes["hidden"])
    monkeypatch.setattr(systems, "in_cloud", lambda name, found: name == "away.txt")
    assert estimate([str(place.folder)], place.rules, {}, 1)["files"] == 1
    assert len(place.scan().added) == 2  # the one in the cloud by its name
