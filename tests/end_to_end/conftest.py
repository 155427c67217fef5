"""Real processes: the command line and the indexer it starts, each test in its own base dir."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from desktop.client import Client, read_endpoint
from engine.contract.paths import BaseDir
from tests.light_model import light
from tests.waiting import PATIENCE


@dataclass
class Inkling:
    """The command line over one base directory."""

    base: BaseDir

    def run(self, *arguments: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "desktop", "--base-dir", str(self.base.root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)

    def ok(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def json(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.returncode in (0, 1), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def paths(self, query: str, *options: str) -> list[str]:
        """Paths of the hits, best first."""
        return [hit["path"] for hit in self.json("search", query, *options)["hits"]]

    @property
    def pid(self) -> int:
        endpoint = read_endpoint(self.base)
        assert endpoint is not None
        return endpoint.pid

    def client(self) -> Client:
        return Client.connect(self.base)


@pytest.fixture
def light_model(base: BaseDir) -> None:
    light(base)


@pytest.fixture
def inkling(base: BaseDir) -> Iterator[Inkling]:
    """A command line whose indexer and workers are gone after the test."""
    made = Inkling(base)
    yield made
    endpoint = read_endpoint(base)
    family = []
    if endpoint is not None and psutil.pid_exists(endpoint.pid):
        family = psutil.Process(endpoint.pid).children(recursive=True)
    made.run("stop")
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert not alive, "workers outlived the indexer"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A small folder of notes and code."""
    folder = tmp_path / "notes"
    (folder / "cooking").mkdir(parents=True)
    (folder / "cooking" / "bread.md").write_text(
        "# Sourdough\n\nFeed the starter every evening.\n\n"
        "## Baking\n\nPreheat the oven with the cast iron pot inside for forty minutes.\n"
    )
    (folder / "upload.py").write_text(
        "import time\n\n\ndef send(chunk):\n    raise OSError(chunk)\n\n\n"
        "def send_with_retry(chunk, attempts=5):\n"
        '    """Try again with a growing pause until the server takes the chunk."""\n'
        "    for attempt in range(attempts):\n        try:\n            return send(chunk)\n"
        "        except OSError:\n            time.sleep(2**attempt)\n    raise TimeoutError\n"
    )
    (folder / "invoice-2024.txt").write_text(
        "Invoice number 4711. Amount due: 250 euros for the repair of the bicycle.\n"
    )
    return folder
