"""The window's line to a real indexer that is killed, or told to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from desktop import connection
from desktop.client import Client, read_endpoint
from desktop.connection import IndexerConnection, Question
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Answer
from tests.waiting import PATIENCE_MS, until

pytestmark = pytest.mark.slow


@pytest.fixture
def base(tmp_path: Path) -> Iterator[BaseDir]:
    made = BaseDir(tmp_path / "base").create()
    yield made
    if (client := Client.find(made)) is not None:
        client.stop()
        until(lambda: has_ended(client.endpoint.pid))


@pytest.fixture
def service(qtbot: QtBot, base: BaseDir) -> Iterator[IndexerConnection]:
    made = IndexerConnection(base)
    with qtbot.waitSignal(made.connected, timeout=PATIENCE_MS):
        made.start()
    yield made
    made.close()


def pid_of(base: BaseDir) -> int:
    found = read_endpoint(base)
    assert found is not None
    return found.pid


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # a child of these tests
    except psutil.NoSuchProcess:
        return True


def test_one_that_was_killed_is_started_again_and_asked_again(
    qtbot: QtBot, base: BaseDir, service: IndexerConnection
) -> None:
    said: list[InklingError] = []
    answers: list[Answer] = []
    service.unavailable.connect(said.append)
    service.stage_arrived.connect(answers.append)
    for _ in range(2):
        before = pid_of(base)
        os.kill(before, signal.SIGKILL)
        until(lambda pid=before: has_ended(pid))
        answers.clear()
        with qtbot.waitSignal(service.connected, timeout=PATIENCE_MS):
            service.refresh()
            qtbot.waitUntil(lambda: not service.ready)
            service.search(Question("ships"), 5)  # asked while nobody is there
        assert pid_of(base) != before
        qtbot.waitUntil(lambda: any(a.stage == "rescored" for a in answers))
    first = f"{said[0].message} {said[0].hint}"
    assert "started again" in first
    assert "command" not in first  # nor any other word of the terminal's


def test_one_that_was_told_to_end_stays_ended(
    qtbot: QtBot, base: BaseDir, service: IndexerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LOOK_MS", (0,))
    looked: list[None] = []
    found = Client.find_current
    monkeypatch.setattr(Client, "find_current", lambda at: looked.append(None) or found(at))
    pid = pid_of(base)
    service.stop_indexer()
    until(lambda: has_ended(pid))
    service.refresh()
    qtbot.waitUntil(lambda: len(looked) > 2)
    assert not base.endpoint.exists()
    assert not service.ready


def test_one_that_can_not_start_is_tried_less_and_less_often(
    qtbot: QtBot, base: BaseDir, service: IndexerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LOOK_MS", (0, 1, 2, 3))
    waits: list[int] = []
    start = service._look.start
    monkeypatch.setattr(service._look, "start", lambda ms: (waits.append(ms), start(ms)))

    def failing(_: BaseDir) -> Client:
        raise InklingError("The indexer did not start.", hint="No space is left.")

    monkeypatch.setattr(Client, "connect", failing)
    said: list[InklingError] = []
    service.unavailable.connect(said.append)
    os.kill(pid_of(base), signal.SIGKILL)
    service.refresh()
    qtbot.waitUntil(lambda: len(waits) > 5)
    assert waits[:6] == [0, 1, 2, 3, 3, 3]
    assert said[-1].hint == "No space is left."
