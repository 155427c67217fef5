"""Each call of the disk syncs what it changed: contents, then the names in their directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.store.disk import Disk
from engine.store.segment_files import Pack, write_pack
from engine.store.segments import Segments, TokenRecord

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="directories are not synced there")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Number and size of each file or directory that the system was asked to sync, in order."""
    seen: list[tuple[int, int]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        seen.append((found.st_ino, found.st_size))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def numbers(synced: list[tuple[int, int]]) -> list[int]:
    return [number for number, _ in synced]


def test_what_is_appended_is_synced(tmp_path: Path, synced: list[tuple[int, int]]) -> None:
    path = tmp_path / "a"
    assert Disk().append(path, [b"abc", b"de"]) == [0, 3]
    assert Disk().append(path, [b"f"]) == [5]
    assert path.read_bytes() == b"abcdef"
    assert synced == [(path.stat().st_ino, 5), (path.stat().st_ino, 6)]


def test_a_new_file_and_its_name_are_synced(tmp_path: Path, synced: list[tuple[int, int]]) -> None:
    path = tmp_path / "a.pack"
    Disk().replace_with(path, [b"abc", b"de"])
    assert path.read_bytes() == b"abcde"
    assert synced[0] == (path.stat().st_ino, 5)
    assert numbers(synced) == [path.stat().st_ino, tmp_path.stat().st_ino]
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["a.pack"]


def test_names_are_synced(tmp_path: Path, synced: list[tuple[int, int]]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    Disk().create(here / "a")
    assert (here / "a").stat().st_mode & 0o777 == 0o600
    Disk().rename(here / "a", here / "b")
    Disk().rename(here / "b", there / "b")
    Disk().unlink([there / "b", there / "none", here / "none"])
    of_here, of_there = here.stat().st_ino, there.stat().st_ino
    assert numbers(synced)[:4] == [of_here, of_here, of_there, of_here]
    assert set(numbers(synced)[4:]) == {of_here, of_there}
    assert os.listdir(there) == []


def test_others_files_are_synced(tmp_path: Path, synced: list[tuple[int, int]]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    Disk().sync(path)
    Disk().sync_directory(tmp_path)
    assert numbers(synced) == [path.stat().st_ino, tmp_path.stat().st_ino]
    Disk().sync(tmp_path / "gone")
    Disk().sync_directory(tmp_path / "gone")
    assert len(synced) == 2
    # Only what is open here: a neighbour's file may be closed at any moment.
    left = [file.path for file in psutil.Process().open_files() if file.path.startswith(str(path))]
    folders = [os.path.realpath(f"/dev/fd/{fd}") for fd in os.listdir("/dev/fd")]
    assert left == []
    assert str(tmp_path) not in folders


def record(seed: int) -> TokenRecord:
    return TokenRecord(np.full((4, 8), seed, dtype=np.int8))


def test_segments_are_synced_with_their_folder(
    tmp_path: Path, synced: list[tuple[int, int]]
) -> None:
    segments = Segments(tmp_path / "s")
    assert numbers(synced) == [tmp_path.stat().st_ino]
    refs = segments.append([record(seed) for seed in range(1, 12)])
    [path] = (tmp_path / "s").iterdir()
    assert numbers(synced)[1:] == [(tmp_path / "s").stat().st_ino, path.stat().st_ino]
    assert synced[-1][1] == path.stat().st_size
    synced.clear()
    live = np.array(refs[:1], dtype=np.int64)
    assert segments.compact(live, force=True) > 0
    [pack] = (tmp_path / "s").iterdir()
    folder = (tmp_path / "s").stat().st_ino
    assert numbers(synced) == [pack.stat().st_ino, folder, folder]
    assert segments.read(refs[:1])[0].tokens[0, 0] == 1


def test_a_broken_pack_does_not_replace_what_it_was_made_of(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    refs = segments.append([record(1)])
    live = np.array(refs, dtype=np.int64)
    path = tmp_path / "00000000-00000000.1.pack"
    write_pack(path, live, segments._raw_bytes)  # and the power goes
    data = path.read_bytes()
    assert Pack(path, 0, 0, 1).whole
    path.write_bytes(data[:-16] + bytes(16))
    assert not Pack(path, 0, 0, 1).whole
    again = Segments(tmp_path)
    assert again.read(refs)[0].tokens[0, 0] == 1
    assert {p.name for p in tmp_path.iterdir()} == {"00000000.seg", path.name}
    path.write_bytes(data)
    again = Segments(tmp_path)  # a whole one does
    assert again.read(refs)[0].tokens[0, 0] == 1
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    path.write_bytes(bytes(len(data)))
    again = Segments(tmp_path)  # nothing answers for it, and its number is not used again
    assert len(again.read(refs)[0].tokens) == 0
    assert again.append([record(3)])[0].segment == 1
