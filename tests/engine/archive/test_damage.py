"""A damaged disk: the last state that can be read answers, and what was lost is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.contract.errors import StoreDamagedError
from tests.archives import SPEC, contents, entry

Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four commits of a file each."""
    archive = Archive.create(tmp_path_factory.mktemp("damage") / "whole", "x", SPEC)
    for name in "abcd":
        archive.put([entry(archive, name, readers=[f"user:{name}"])])
    return Path(archive.place.uri)


def newest(folder: Path, pattern: str) -> Path:
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)


def cut_manifest(table: Path) -> None:
    path = min((table / "_versions").glob("*.manifest"))  # names count down
    path.write_bytes(path.read_bytes()[:-20])


def empty_manifest(table: Path) -> None:
    path = min((table / "_versions").glob("*.manifest"))
    path.write_bytes(bytes(path.stat().st_size))


def cut_data(table: Path) -> None:
    path = newest(table / "data", "*.lance")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove_data(table: Path) -> None:
    newest(table / "data", "*.lance").unlink()


@pytest.mark.parametrize("damage", [cut_manifest, empty_manifest, cut_data, remove_data])
@pytest.mark.parametrize("table", ["units", "files", "commits"])
def test_the_last_state_that_can_be_read_answers(
    whole: Path, tmp_path: Path, table: str, damage: Damage
) -> None:
    place = tmp_path / "archive"
    shutil.copytree(whole, place)
    damage(place / f"{table}.lance")
    if damage is not cut_data and damage is not remove_data:
        with pytest.raises(StoreDamagedError, match="inkling fill"):
            Archive.open(place, read_only=True)

    archive = Archive.open(place)
    assert archive.lost
    said = " ".join(archive.lost)
    if table == "files":
        assert "what commit 4 changed" in said
        assert "as of commit 3" in said
        assert {f.facts.path[-1] for f in archive.files()} == set("abc")
    if table == "units":
        states = {f.facts.path[-1]: (f.state, f.units) for f in archive.files()}
        assert states == {**dict.fromkeys("abc", ("done", 2)), "d": ("pending", 0)}
    follower = archive.changes(4)
    assert follower.rewound  # whoever followed it begins anew
    archive.sweep(older_than=0)
    assert archive.check() == []

    # What is put again makes it whole.
    for name in "abcd":
        archive.put([entry(archive, name, readers=[f"user:{name}"])])
    assert contents(archive) == contents(Archive.open(whole, read_only=True))
    again = Archive.open(place)
    assert again.lost == ()
    assert again.check() == []


def test_readers_that_are_lost_are_nobody(whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    shutil.copytree(whole, place)
    cut_data(place / "rights.lance")
    archive = Archive.open(place)
    assert "who may read" in " ".join(archive.lost)
    assert {f.facts.path[-1]: f.rights for f in archive.files()}["d"] == frozenset()
    assert "nobody may" in " ".join(archive.check())
    archive.put([entry(archive, "d", readers=["user:d"])])
    assert {f.facts.path[-1]: f.rights for f in archive.files()}["d"] == {"user:d"}
    assert archive.check() == []


def test_what_can_not_be_read_at_all_is_said_and_left_as_it_is(whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    shutil.copytree(whole, place)
    for path in (place / "units.lance" / "data").iterdir():
        path.write_bytes(b"x")
    before = sorted(path.relative_to(place) for path in place.rglob("*") if path.is_file())
    with pytest.raises(StoreDamagedError, match="can't be read"):
        Archive.open(place)
    after = sorted(path.relative_to(place) for path in place.rglob("*.manifest"))
    assert set(after) <= set(before)


def test_a_commit_that_was_made_twice_counts_once(whole: Path, tmp_path: Path) -> None:
    """As where an object store stores a commit and fails to say so: the library makes it again."""
    place = tmp_path / "archive"
    shutil.copytree(whole, place)
    archive = Archive.open(place)
    before = contents(archive)
    for table in (archive._units, archive._commits):
        table.add(table.read(lambda t: t.to_arrow()).slice(0, 2))
    assert contents(archive) == before
    assert archive.check() == []
    assert {f.facts.path[-1] for f in archive.changes(2).files} == set("abcd")
