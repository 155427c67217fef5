"""Fixtures for the window: a scripted indexer, a window on it, and no thread left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.connection import IndexerConnection
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.system import opening
from desktop.window.window import Window
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from tests.desktop.scripted_indexer import ScriptedIndexer
from tests.waiting import PATIENCE, PATIENCE_MS

WAIT_MS = PATIENCE_MS


class PatientBot(QtBot):
    """Waits for what must happen as long as a busy machine may need; it costs nothing on others."""

    def waitUntil(self, callback: Callable[[], Any], *, timeout: int = WAIT_MS) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = WAIT_MS, **more: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **more)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """pytest-qt's bot with more patience."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def qapp(qapp: object) -> Iterator[object]:
    """The application as Inkling sets it up."""
    from PySide6.QtWidgets import QApplication

    assert isinstance(qapp, QApplication)
    qapp.setStyle("Fusion")
    qapp.setQuitOnLastWindowClosed(False)
    theme.apply(qapp, "light")
    yield qapp
    # What Python made lies on it: it would be let go of after Python's end, which crashes.
    qapp.clipboard().clear()


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Every test ends with the threads that it began with."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    while (left := _own(set(threading.enumerate()) - before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left behind: {left}"


def _own(threads: set[threading.Thread]) -> set[threading.Thread]:
    # A Python view of a Qt thread that ended is not a thread of ours.
    return {t for t in threads if not isinstance(t, threading._DummyThread)}


@pytest.fixture
def indexer(base: BaseDir) -> Iterator[ScriptedIndexer]:
    """An indexer that answers from a script."""
    running = ScriptedIndexer(base)
    running.status["folders"] = [
        {"path": "/home/ada/Documents", "online": True, "files": 3, "done": 3, "pending": 0}
    ]
    running.status["totals"] = {"files": 3, "done": 3, "pending": 0, "failed": 0}
    yield running
    running.close()


@pytest.fixture
def service(base: BaseDir, indexer: ScriptedIndexer, qtbot: QtBot) -> Iterator[IndexerConnection]:
    """A line to the scripted indexer."""
    made = IndexerConnection(base)
    with qtbot.waitSignal(made.connected):
        made.start()
    yield made
    made.close()


@pytest.fixture
def window(qtbot: QtBot, base: BaseDir, indexer: ScriptedIndexer) -> Iterator[Window]:
    """The window, shown, its indexer answering."""
    service = IndexerConnection(base)
    state = State.load(base.root)
    state.onboarded = True
    made = Window(base, SettingsClient(base, Settings.load(base), service), state, service)
    qtbot.addWidget(made)
    made.show()
    with qtbot.waitSignal(service.status_changed):
        service.start()
    yield made
    made.shut_down()
    made.hide()


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    """An X server of its own; the environment for programs on it."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    environment = {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    manager = None
    if shutil.which("openbox"):
        manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL)
    yield environment
    for process in (manager, server):
        if process is not None:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that were opened."""
    paths: list[str] = []
    monkeypatch.setattr(opening, "open_file", lambda path, *_: paths.append(path))
    return paths
