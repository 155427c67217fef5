"""Two processes that write to one archive at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.archive import Archive
from tests.archives import SPEC, contents
from tests.engine.archive.test_killed import ROOT


def written_by_two(uri: str, puts: int) -> Archive:
    """An archive that two processes filled at once, as it must be then."""
    archive = Archive.create(uri, "Two", SPEC)
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.engine.archive.writer", uri, name, str(puts)], cwd=ROOT
        )
        for name in ("left", "right")
    ]
    assert [writer.wait(600) for writer in writers] == [0, 0]
    names = {f"/source/{n}{i}{h}" for n in ("left", "right") for i in range(puts) for h in "ab"}
    found = contents(archive)
    assert found.keys() == names
    assert {len(units) for _, units in found.values()} == {2}
    assert archive.commit == 2 * puts
    assert len(set(archive.tokens())) == 2 * puts
    commits = [archive.changes(number, 1) for number in range(archive.commit)]
    assert {len(commit.files) for commit in commits} == {2}  # each commit is of one put
    assert archive._units.count() == 8 * puts
    assert archive.check() == []
    return archive


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    written_by_two(str(tmp_path / "archive"), 10)
