"""What a worker may read where Inkling was started in the home folder, or lives in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.reading import sandbox
from indexer.reading.worker_process import WorkerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a secret and a folder to index; the current folder, and HOME."""
    home = tmp_path / "home"
    for name, text in {".ssh/id": "secret", "private.txt": "dear diary", "docs/a.txt": "a"}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


class Asked:
    """A worker as the pool starts it, asked without the pool's own checks."""

    def __init__(self, home: Path) -> None:
        scratch = home.parent / "scratch"
        scratch.mkdir(exist_ok=True)
        self._worker = WorkerProcess(scratch, (str(home / "docs"),), 4_500_000_000, 0, urgent=True)
        self._options = {"scratch": str(scratch)}
        self.layers = self._reply(home / "docs" / "a.txt")["layers"]

    def _reply(self, path: Path) -> dict[str, Any]:
        request = {"op": "extract", "path": os.fsencode(path), "options": self._options}
        return self._worker.ask(request, 60.0, 600.0, 1_500_000_000)

    def reads(self, path: Path) -> bool:
        reply = self._reply(path)
        return reply.get("reason") != "unreadable" and not reply.get("denied")

    def end(self) -> None:
        self._worker.kill()


@pytest.fixture
def asked(home: Path) -> Iterator[type[Asked]]:
    made: list[Asked] = []

    class Kept(Asked):
        """Ended after the test; skipped where the kernel holds nobody."""

        def __init__(self, home: Path) -> None:
            super().__init__(home)
            made.append(self)
            if "landlock" not in self.layers:
                pytest.skip("this kernel has no Landlock")

    yield Kept
    for one in made:
        one.end()


def assert_only_its_folder(worker: Asked, home: Path) -> None:
    assert worker.reads(home / "docs" / "a.txt")
    assert not worker.reads(home / ".ssh" / "id")
    assert not worker.reads(home / "private.txt")


def test_started_in_the_home_folder(
    home: Path, asked: type[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(home))
    monkeypatch.syspath_prepend(str(home))
    assert_only_its_folder(asked(home), home)


@pytest.mark.parametrize("place", [".", "apps/inkling"])
def test_an_environment_in_the_home_folder(
    home: Path, asked: type[Asked], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    venv = home / place
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    [packages] = venv.glob("lib/python*/site-packages")
    known = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "known.pth").write_text("\n".join([*known, str(home)]))
    (packages / "data.txt").write_text("of a library")
    monkeypatch.setattr(sys, "executable", str(venv / "bin" / "python"))
    worker = asked(home)
    assert_only_its_folder(worker, home)
    assert worker.reads(packages / "data.txt")


def test_nothing_python_needs_opens_the_home_or_where_we_were_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = home / "project"
    monkeypatch.setattr(sys, "prefix", str(home))
    monkeypatch.setattr(sys, "base_prefix", str(project))
    monkeypatch.syspath_prepend(str(home / "editable"))
    granted = sandbox.system_folders(str(home), str(project / "src"))
    assert not [path for path in granted if home.is_relative_to(path)]
    assert str(project) not in granted
    assert str(home / "editable") not in granted
    assert "/usr" in granted
    assert str(home.parent) not in sandbox.system_folders(str(home))
