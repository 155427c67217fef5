"""A real service in a process of its own, and what stands in for one that misbehaves."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.contract import launch
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.encoders.elsewhere import Elsewhere, no_samples
from engine.models.registry import ModelSpec
from indexer.asking.addresses import read_address
from indexer.encoder_service.elsewhere import Encoders

#: So that a test need not wait for the second try.
SOON = (0.1, 0.4)


@dataclass
class Service:
    """`inkling serve --encoder`, running."""

    process: subprocess.Popen[str]
    url: str
    token: str
    said: list[str]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def serving(base: BaseDir, *arguments: str) -> Iterator[Service]:
    """One on a free port unless told otherwise; ended at the end."""
    given = ("--base-dir", str(base.root), "--port", "0", *arguments)
    process = subprocess.Popen(
        launch.command("indexer", "serve", "--encoder", *given),
        env=launch.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        url = first.split()[-1]
        said, token = [first], ""
        if not (Path(base.root) / "old").exists():
            line = process.stdout.readline()
            token = line.split()[-1]
            said += [line, process.stdout.readline()]
            (Path(base.root) / "old").touch()
        yield Service(process, url, token, said)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@dataclass
class Laptop:
    """What the indexer of another machine has."""

    base: BaseDir
    settings: Settings
    encoders: Encoders

    def use(self, url: str, token: str, authority: str = "", model: str = "") -> None:
        self.encoders.kept.keep(read_address(url), token, authority)
        self.settings.encoder_address, self.settings.encoder_model = url, model

    def of(self, spec: ModelSpec) -> Elsewhere:
        return self.encoders.of(spec, no_samples)


@contextlib.contextmanager
def laptop_at(folder: Path) -> Iterator[Laptop]:
    """One with nothing named yet."""
    base = BaseDir(folder).create()
    settings = Settings.load(base)
    encoders = Encoders(base, settings, environment={}, pauses_s=SOON)
    try:
        yield Laptop(base, settings, encoders)
    finally:
        encoders.close()


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    with laptop_at(tmp_path / "laptop") as made:
        yield made


@pytest.fixture(scope="module")
def workstation(tmp_path_factory: pytest.TempPathFactory) -> BaseDir:
    return BaseDir(tmp_path_factory.mktemp("workstation")).create()


@pytest.fixture(scope="module")
def service(workstation: BaseDir) -> Iterator[Service]:
    """Serves the light model."""
    with serving(workstation, "--model", "minilm") as made:
        yield made
