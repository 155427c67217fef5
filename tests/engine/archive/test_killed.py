"""Writers that are killed between their commits, and whatever they left: run again, all is as if
nothing had been."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.archive import Archive
from tests.archives import SPEC, contents
from tests.engine.archive.writer import change, fill

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive before the change."""
    archive = Archive.create(tmp_path_factory.mktemp("killed") / "before", "x", SPEC)
    fill(archive, "x", 2)
    return Path(archive.place.uri)


@pytest.fixture(scope="module")
def wanted(filled: Path) -> dict[str, object]:
    """What is in it after the change."""
    shutil.copytree(filled, filled.with_name("after"))
    archive = Archive.open(filled.with_name("after"))
    change(archive)
    assert archive.check() == []
    return contents(archive)


def write(uri: Path, *words: str) -> int:
    command = [sys.executable, "-m", "tests.engine.archive.writer", str(uri), *words]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=600).returncode


# Commits of the change: of readers, units, files, the number, units that are dropped; of readers,
# files, the number; of files, the number, units.
@pytest.mark.parametrize("kill_at", range(11))
def test_killed_anywhere_and_run_again_is_run_once(
    filled: Path, wanted: dict[str, object], tmp_path: Path, kill_at: int
) -> None:
    place = tmp_path / "archive"
    shutil.copytree(filled, place)
    follower = Archive.open(place, read_only=True)
    known = {f.file_id: f for f in follower.changes(0).files}
    at = follower.commit
    assert write(place, "x", "0", str(kill_at)) == -signal.SIGKILL

    between = contents(follower)  # what a reader sees is old or new, never half
    assert {len(units) for _, units in between.values()} <= {1, 2, 3}

    archive = Archive.open(place)
    assert [s for s in archive.check() if "units are of no file" not in s] == []
    change(archive)
    assert contents(archive) == wanted
    archive.sweep(older_than=0)
    assert archive.orphans() == 0
    assert archive.check() == []
    # Whoever follows it has the same in the end, from before the killing on.
    changes = follower.changes(at)
    assert not changes.rewound
    known |= {f.file_id: f for f in (*changes.files, *changes.rerighted)}
    for gone in changes.gone:
        known.pop(gone, None)
    assert {f.facts.path: f for f in known.values()} == {f.facts.path: f for f in archive.files()}


def test_a_change_that_has_no_number_gets_one(filled: Path, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    shutil.copytree(filled, place)
    before = Archive.open(place, read_only=True).commit
    assert write(place, "x", "0", "3") == -signal.SIGKILL  # files are written, the number is not
    assert Archive.open(place, read_only=True).commit == before
    assert Archive.open(place).commit == before + 1
    assert len(Archive.open(place, read_only=True).changes(before).files) == 3
