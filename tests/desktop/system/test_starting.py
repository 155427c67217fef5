"""Starting from any folder: what lies in it is never imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import app as application
from desktop.system import autostart, launch
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from tests.desktop.scripted_indexer import ScriptedIndexer

ROOT = Path(__file__).resolve().parents[3]
#: What a folder may hold that Inkling, or a library it loads, would import by this name. (What
#: Python itself imports before it starts a module, such as `collections`, only -P can protect.)
PLANTED = ("json", "argparse", "__future__", "http", "tomllib", "platformdirs")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder with modules that say so when they are imported."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name} of this folder was run')")
    (folder / "desktop").mkdir()  # as every home folder has on some systems
    return folder


@pytest.mark.parametrize("flags", [[], ["-P"]])
def test_nothing_of_the_folder_is_imported(trap: Path, base: BaseDir, flags: list[str]) -> None:
    command = [sys.executable, *flags, "-m", "desktop", "--base-dir", str(base.root), "status"]
    done = subprocess.run(command, cwd=trap, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "of this folder was run" not in done.stderr
    assert "No indexer is running" in done.stdout


def test_a_checkout_is_started_from_itself(tmp_path: Path, base: BaseDir) -> None:
    """Not installed: the working directory is the only place where Inkling is."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for part in ("engine", "desktop", "resources"):
        (checkout / part).symlink_to(ROOT / part)
    # As installed here, but without this very checkout.
    others = os.pathsep.join(p for p in sys.path if p and Path(p).resolve() != ROOT)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "desktop", "--base-dir", str(base.root), "status"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": others},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No indexer is running" in done.stdout


def test_what_the_session_starts_trusts_no_folder(tmp_path: Path) -> None:
    assert "-P" in autostart.command(tmp_path)
    assert str(Path.home()) not in autostart.entry(tmp_path / "base").decode()


def test_opening_again_trusts_no_folder(
    qtbot: QtBot,
    qapp: QApplication,
    base: BaseDir,
    indexer: ScriptedIndexer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[object, ...]] = []
    monkeypatch.setattr(QProcess, "startDetached", lambda *given: started.append(given))
    whole = application.Application(qapp, base, Settings.load(base))
    qtbot.waitUntil(lambda: whole.service.ready)
    monkeypatch.setattr(qapp, "quit", lambda: None)
    whole.restart()
    whole.shut_down()
    program, *arguments = launch.window_command(base.root)
    assert started == [(program, arguments, str(base.root))]
    assert "-P" in arguments
