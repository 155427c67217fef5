"""What can't be seen is not gone: drives that go away before and in the middle of scans."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.sources import walk
from indexer.sources.presence import Presence, Sight, look_at
from indexer.sources.walk import Walk
from tests.indexer.sources.place import Place, nothing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


@pytest.fixture
def usb(place: Place, tmp_path: Path) -> Path:
    """A second root, which can be unplugged, with a file that is indexed."""
    drive = tmp_path / "usb"
    drive.mkdir()
    (drive / "a.md").write_text("hello")
    (drive / "keep.md").write_text("k")
    place.ledger.add_root(drive)
    place.scan(1)
    place.finish(drive / "a.md", drive / "keep.md")
    return drive


def test_a_copy_of_a_file_whose_drive_is_away_is_a_new_file(place: Place, usb: Path) -> None:
    copy = place.folder / "a.md"
    shutil.copy2(usb / "a.md", copy)
    away = usb.rename(usb.with_name("unplugged"))
    assert place.scan(1).offline
    result = place.scan(0)
    assert (len(result.added), result.moved) == (1, [])
    assert place.record(usb / "a.md").state == "done"
    away.rename(usb)
    assert nothing(place.scan(1))


def test_a_copy_of_a_file_in_a_folder_that_can_not_be_searched_is_a_new_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = place.write("locked/a.md", "hello")
    place.scan()
    place.finish(original)
    shutil.copy2(original, place.folder / "copy.md")
    no_entry(monkeypatch, original.parent, PermissionError(13, "Permission denied"))
    result = place.scan()
    assert (len(result.added), result.moved, result.removed) == (1, [], [])
    assert place.record(original).state == "done"


def test_a_file_moved_between_two_drives_is_moved(place: Place, usb: Path) -> None:
    file_id = place.record(usb / "a.md").id
    shutil.move(usb / "a.md", place.folder / "a.md")
    assert [moved[0] for moved in place.scan(0).moved] == [file_id]


def no_entry(monkeypatch: pytest.MonkeyPatch, folder: Path, error: OSError) -> None:
    """Nothing in this folder can be seen, as on a failing disk."""
    scandir, lstat = os.scandir, os.lstat

    def below(path: object) -> bool:
        return os.fsdecode(path).startswith(str(folder))  # type: ignore[arg-type]

    def failing_scandir(path: object = ".") -> object:
        if below(path):
            raise error
        return scandir(path)  # type: ignore[call-overload]

    def failing_lstat(path: object, **rest: object) -> os.stat_result:
        if below(path) and os.fsdecode(path) != str(folder):  # type: ignore[arg-type]
            raise error
        return lstat(path, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "scandir", failing_scandir)
    monkeypatch.setattr(os, "lstat", failing_lstat)


def at_the_listing_of(
    monkeypatch: pytest.MonkeyPatch, folder: Path, act: Callable[[], object], *, after: bool = False
) -> None:
    """Something happens while the walk lists this folder, once."""
    listing, acted = Walk._list, list[int]()

    def hooked(self: Walk, path: bytes) -> list[os.DirEntry[bytes]]:
        mine = path == os.fsencode(folder) and not acted
        if mine:
            acted.append(1)
        if mine and not after:
            act()
        found = listing(self, path)
        if mine and after:
            act()
        return found

    monkeypatch.setattr(walk.Walk, "_list", hooked)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("stand_in", [False, True])
def test_a_root_that_goes_away_in_the_middle_is_not_emptied(
    place: Place, monkeypatch: pytest.MonkeyPatch, after: bool, stand_in: bool
) -> None:
    paths = [place.write("a.md"), place.write("deep/b.md"), place.write("deep/er/c.md")]
    place.scan()
    place.finish(*paths)

    def unplug() -> None:
        place.folder.rename(place.folder.with_name("unplugged"))
        if stand_in:  # the bare mount point
            place.folder.mkdir()

    with monkeypatch.context() as patch:
        at_the_listing_of(patch, place.folder, unplug, after=after)
        result = place.scan()
    assert (result.removed, result.complete) == ([], False)
    assert place.names() == {"a.md", "deep/b.md", "deep/er/c.md"}
    if stand_in:
        place.folder.rmdir()
    else:
        assert result.offline
        assert [root.online for root in place.ledger.roots()] == [False]
    place.folder.with_name("unplugged").rename(place.folder)
    assert nothing(place.scan())
    assert place.record(paths[0]).state == "done"


def test_a_root_that_is_away_for_a_moment_is_not_emptied(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back before the walk ends: nothing at the end tells of it."""
    paths = [place.write("a.md"), place.write("deep/b.md")]
    place.scan()
    place.finish(*paths)
    away = place.folder.with_name("away")
    with monkeypatch.context() as patch:
        listing = Walk._list

        def blind(self: Walk, path: bytes) -> list[os.DirEntry[bytes]]:
            place.folder.rename(away)
            try:
                return listing(self, path)
            finally:
                away.rename(place.folder)

        patch.setattr(Walk, "_list", blind)
        assert place.scan().removed == []
        assert place.look(place.folder / "deep").removed == []
    assert place.names() == {"a.md", "deep/b.md"}


def test_a_folder_that_vanishes_between_listing_and_entering_is_gone_if_it_stays_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("keep.md")
    gone = place.write("deep/b.md").parent
    place.scan()
    with monkeypatch.context() as patch:
        at_the_listing_of(patch, gone, lambda: shutil.rmtree(gone))
        assert len(place.scan().removed) == 1
    assert place.names() == {"keep.md"}


def test_an_error_of_the_disk_in_the_middle_removes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.write("deep/b.md")
    place.write("a.md").unlink()
    place.scan()
    with monkeypatch.context() as patch:
        no_entry(patch, path.parent, OSError(5, "Input/output error"))
        assert place.scan().removed == []
        assert place.look(path).removed == []
        assert look_at(place.ledger, str(path)) is Presence.UNSEEN
    assert place.names() == {"deep/b.md"}


def test_what_another_drive_covers_is_not_gone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.write("deep/b.md")
    place.scan()
    sight = Sight.of(place.ledger, place.ledger.roots()[0])
    assert sight is not None
    assert sight.look(os.fsencode(path)) is Presence.THERE
    other = Sight(sight.path, (sight.device + 1, sight.identity[1]))
    assert other.look(os.fsencode(path)) is Presence.UNSEEN  # not the root that it was
    lstat = os.lstat

    def covered(found: object, **rest: object) -> os.stat_result:
        result = lstat(found, **rest)  # type: ignore[arg-type]
        if os.fsdecode(found) != str(path.parent):  # type: ignore[arg-type]
            return result
        values = list(result)
        values[2] = sight.device + 1
        return os.stat_result(values)

    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", covered)
        path.unlink()
        assert sight.again().look(os.fsencode(path)) is Presence.UNSEEN
    assert sight.again().look(os.fsencode(path)) is Presence.GONE


def test_a_file_that_the_rules_leave_out_now_still_leaves_the_index(place: Place) -> None:
    place.write("a.md")
    place.write("deep/b.md")
    place.write("deep/c.md")
    place.scan()
    place.write(".inklingignore", "deep/\n")
    assert len(place.scan().removed) == 2
    place.write(".inklingignore", "a.md\n")
    place.look(place.folder)
    assert place.names() == {"deep/b.md", "deep/c.md"}


def test_a_folder_on_another_drive_takes_over_what_the_outer_root_had_there(
    place: Place,
) -> None:
    path = place.write("inner/a.md")
    place.scan()
    inner = place.ledger.add_root(path.parent, reaches=lambda root, folder: False)
    assert place.record(path).root_id == inner.id
    assert nothing(place.scan(1))
    assert place.scan(0).removed == []


def test_presence_of_a_path_outside_or_in_the_place_of_a_folder(place: Place) -> None:
    path = place.write("deep/b.md")
    place.scan()
    assert look_at(place.ledger, "/nowhere/at/all.md") is Presence.UNSEEN
    shutil.rmtree(path.parent)
    path.parent.write_text("a file now")
    assert look_at(place.ledger, str(path)) is Presence.GONE


def test_the_outer_root_takes_nothing_from_the_inner_one(place: Place) -> None:
    path = place.write("inner/a.md")
    place.scan()
    inner = place.ledger.add_root(path.parent, reaches=lambda root, folder: False)
    place.scan(1)
    assert nothing(place.look(path))  # an event of the outer root's watch
    assert place.record(path).root_id == inner.id
