"""The walk: what can not be seen is not gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.indexer.sources.place import Place, nothing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


def test_a_root_that_is_not_there_keeps_its_files(place: Place) -> None:
    path = place.write("a.txt")
    place.scan()
    place.finish(path)
    away = place.folder.with_name("away")
    place.folder.rename(away)
    result = place.scan()
    assert result.offline
    assert nothing(result)
    assert [r.online for r in place.ledger.roots()] == [False]
    assert place.look(path).offline
    assert place.record(path).state == "done"
    away.rename(place.folder)
    assert nothing(place.scan())
    assert [r.online for r in place.ledger.roots()] == [True]


def test_a_root_emptied_on_its_own_drive_is_empty(place: Place) -> None:
    path = place.write("a.txt")
    place.scan()
    path.unlink()
    assert len(place.scan().removed) == 1


def test_another_device_number_alone_changes_nothing(place: Place) -> None:
    """After a restart drives have other numbers."""
    path = place.write("a.txt")
    place.scan()
    root = place.ledger.roots()[0]
    place.ledger.set_online(root.id, True, "12345")
    assert nothing(place.scan())
    assert place.ledger.roots()[0].identity == root.identity
    # But with the files gone as well it is the bare mount point, or another drive.
    place.ledger.set_online(root.id, True, "12345")
    path.unlink()
    assert place.scan().offline
    place.write("of another drive.txt")
    assert place.scan().offline
    assert len(place.ledger.files()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_can_not_be_read_keeps_its_files(place: Place) -> None:
    path = place.write("locked/a.txt")
    place.write("b.txt")
    place.scan()
    path.parent.chmod(0)
    try:
        result = place.scan()
        assert [p for p, _ in result.errors] == [str(path.parent)]
        assert result.removed == []
    finally:
        path.parent.chmod(0o700)
    assert nothing(place.scan())


def test_a_mounted_drive_that_goes_away_is_offline(tmp_path: Path) -> None:
    """A real mount, in a namespace of its own."""
    script = """
import os, subprocess, sys
from pathlib import Path
from indexer.sources.ignore import IgnoreRules
from indexer.ledger.ledger import Ledger
from indexer.sources.scan import scan_root
base, drive = Path(sys.argv[1]), Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "none", str(drive)], check=True)
(drive / "a.txt").write_text("x")
(drive / "inner").mkdir()
ledger = Ledger(base / "ledger.sqlite")
ledger.add_root(drive)
scan = lambda: scan_root(ledger, ledger.roots()[0], IgnoreRules())
assert len(scan().added) == 1
# Another file system inside the root is not entered.
subprocess.run(["mount", "-t", "tmpfs", "none", str(drive / "inner")], check=True)
(drive / "inner" / "b.txt").write_text("x")
assert scan().seen == 1
subprocess.run(["umount", str(drive / "inner")], check=True)
subprocess.run(["umount", str(drive)], check=True)
assert drive.is_dir()
result = scan()
assert result.offline and not result.removed, result
assert len(ledger.files()) == 1
ledger.close()
print("held")
"""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    probe = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True
    )
    if probe.returncode != 0:
        pytest.skip("needs user namespaces")
    base, drive = tmp_path / "base", tmp_path / "drive"
    base.mkdir()
    drive.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", script]
    done = subprocess.run(
        [*command, str(base), str(drive)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "held", done.stderr


def test_a_scan_that_is_stopped_removes_nothing(place: Place) -> None:
    place.write("a.txt")
    place.scan()
    (place.folder / "a.txt").unlink()
    stop = threading.Event()
    stop.set()
    result = place.scan(stop=stop)
    assert (result.complete, result.removed) == (False, [])
    assert place.names() == {"a.txt"}
