"""Folders that take a name in several writings: a file that is renamed in them alone is one file.

No such file system can be mounted here: looks by name are made to find what Windows and macOS find.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.query import parse
from indexer.ledger.listed import as_listed, folders_as_listed
from indexer.server.indexed_file import indexed_file
from indexer.sources.presence import Presence, look_at
from tests.indexer.sources.place import Place, nothing

COMPOSED, APART = "Café.txt", unicodedata.normalize("NFD", "Café.txt")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(tmp_path)
    lstat, stat, listdir = os.lstat, os.stat, os.listdir

    def key(name: bytes) -> str:
        return unicodedata.normalize("NFC", os.fsdecode(name)).casefold()

    def found(path: object) -> bytes | object:
        """The path as it is on the disk."""
        if isinstance(path, int):
            return path
        raw, at = os.fsencode(path), os.fsencode(tmp_path)  # type: ignore[call-overload]
        if not raw.startswith(at + b"/"):
            return path
        for name in raw[len(at) + 1 :].split(b"/"):
            try:
                names = listdir(at)
            except OSError:
                names = []
            same = next((one for one in names if key(one) == key(name)), name)
            at = os.path.join(at, name if name in names else same)
        return at

    monkeypatch.setattr(os, "lstat", lambda path, **more: lstat(found(path), **more))
    monkeypatch.setattr(os, "stat", lambda path, **more: stat(found(path), **more))
    monkeypatch.setattr(os, "listdir", lambda path=".": listdir(found(path)))
    yield place
    monkeypatch.undo()
    place.ledger.close()


def test_the_folder_is_as_the_tests_below_take_it(place: Place) -> None:
    path = place.write("a.txt")
    assert os.path.samestat(os.lstat(path.with_name("A.TXT")), os.lstat(path))
    assert not os.path.lexists(path.with_name("b.txt"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("report.txt", "Report.txt"),
        ("Folder/deep/a.txt", "folder/deep/a.txt"),
        (COMPOSED, APART),
        (APART, COMPOSED),
        ("straße.txt", "STRASSE.txt"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_file_renamed_in_its_capitals_is_neither_lost_nor_doubled(
    place: Place, before: str, after: str, whole: bool
) -> None:
    old, new = place.write(before), place.folder / after
    place.scan()
    place.finish(old)
    known = place.record(old).id
    top, name = (place.folder / part for part in (before.split("/")[0], after.split("/")[0]))
    top.rename(name)
    result = place.scan() if whole else place.look(top, name)
    assert [(i, p) for i, _, p in result.moved] == [(known, str(new))]
    assert not result.removed
    assert not result.added
    assert place.names() == {after}
    assert place.record(new).state == "done"
    again = place.scan()
    assert [again.added, again.removed, again.moved] == [[], [], []]


def test_a_look_by_another_writing_finds_the_file_as_it_is_listed(place: Place) -> None:
    """Events on macOS may write a name in another way than its folder does."""
    path = place.write(f"Notes/{COMPOSED}")
    assert len(place.look(place.folder / "notes" / APART).added) == 1
    assert place.names() == {f"Notes/{COMPOSED}"}
    assert nothing(place.look(path))
    assert look_at(place.ledger, str(path)) is Presence.THERE
    assert look_at(place.ledger, str(path.with_name(COMPOSED.upper()))) is Presence.GONE


def test_a_folder_is_watched_once_whatever_its_capitals(place: Place) -> None:
    (place.folder.parent / "More").mkdir()
    first = place.ledger.add_root(place.folder.parent / "more")
    assert first.path == str(place.folder.parent / "More")
    assert place.ledger.add_root(place.folder.parent / "MORE").id == first.id
    assert len(place.ledger.roots()) == 2


def test_a_folder_is_searched_whatever_its_capitals(place: Place) -> None:
    place.write("Work/a.txt")
    typed = str(place.folder.parent / "DOCS" / "work")
    asked = folders_as_listed(parse(f"in:{typed} -in:{typed}/b in:notes").filters)
    assert asked.folders == (str(place.folder / "Work"), "notes")
    assert asked.not_folders == (str(place.folder / "Work" / "b"),)


def test_a_file_is_asked_for_whatever_its_capitals(place: Place) -> None:
    path = place.write("Work/a.txt")
    place.scan()
    assert indexed_file(place.ledger, str(path.parent.with_name("WORK") / "A.txt")).path == str(
        path
    )
    with pytest.raises(InklingError):
        indexed_file(place.ledger, str(path.with_name("b.txt")))


def test_names_are_found_however_their_accents_are_written(place: Place) -> None:
    place.write("a" + APART)
    place.write("b" + COMPOSED)
    place.scan()
    for typed in (COMPOSED, APART, "CAFÉ"):
        hits = {
            os.path.basename(hit.file.path) for hit in place.ledger.find_names([f"a{typed}"], 5)
        }
        assert "a" + APART in hits, typed


def test_where_capitals_count_two_files_are_two(tmp_path: Path) -> None:
    """The file system of these tests itself."""
    for name in ("a.txt", "A.txt", COMPOSED, APART):
        (tmp_path / name).write_text("x")
        assert as_listed(str(tmp_path / name)) == str(tmp_path / name)
    os.link(tmp_path / "a.txt", tmp_path / "b.txt")
    os.link(tmp_path / "a.txt", tmp_path / "B.txt")
    assert as_listed(str(tmp_path / "B.txt")) == str(tmp_path / "B.txt")
    assert as_listed(str(tmp_path / "none" / "c")) == str(tmp_path / "none" / "c")
