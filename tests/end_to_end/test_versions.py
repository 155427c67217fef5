"""A front end that meets an indexer of another version of Inkling."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from desktop import client as client_module
from desktop.client import Client, end_older, read_endpoint
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.version import VERSION, release
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow


@pytest.fixture
def running(base: BaseDir) -> Iterator[Client]:
    """A real indexer; whichever runs at the end is ended."""
    client = Client.connect(base)
    first = psutil.Process(client.endpoint.pid)
    yield client
    family = [first] if first.is_running() else []
    endpoint = read_endpoint(base)
    if endpoint is not None and psutil.pid_exists(endpoint.pid):
        family.append(psutil.Process(endpoint.pid))
    for process in family:
        process.terminate()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    for process in alive:
        process.kill()


def say_version(base: BaseDir, version: str | None, **other: object) -> None:
    """Have the endpoint's file tell another version, or none as something very old would."""
    told = json.loads(base.endpoint.read_text()) | other
    told["version"] = version
    if version is None:
        del told["version"]
    base.endpoint.write_text(json.dumps(told))


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("older", ["0.0.9", None])
def test_an_older_indexer_is_replaced(base: BaseDir, running: Client, older: str | None) -> None:
    say_version(base, older)
    assert running.status()["state"]
    fresh = Client.find_current(base)
    assert fresh is not None
    assert fresh.endpoint.version == VERSION
    assert fresh.endpoint.pid != running.endpoint.pid
    assert gone(running.endpoint.pid)
    assert Client.connect(base).endpoint == fresh.endpoint  # and stays


def test_an_older_indexer_that_hangs_is_ended_by_its_process(
    base: BaseDir, running: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(client_module, "ORDERLY_SECONDS", 0.5)
    monkeypatch.setattr(client_module, "ENDED_SECONDS", 5.0)
    say_version(base, "0.0.9")
    os.kill(running.endpoint.pid, signal.SIGSTOP)
    assert Client.connect(base).endpoint.version == VERSION
    assert gone(running.endpoint.pid)


def test_a_process_that_is_not_the_indexer_is_left_alone(
    base: BaseDir, running: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(client_module, "ORDERLY_SECONDS", 0.5)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        say_version(base, "0.0.9", pid=other.pid, url="http://127.0.0.1:9")
        endpoint = read_endpoint(base)
        assert endpoint is not None
        with pytest.raises(InklingError, match="does not end"):
            end_older(base, endpoint)
        assert other.poll() is None
        other.kill()
    assert running.status()["state"]


def test_what_an_old_indexer_left_behind_is_no_hindrance(base: BaseDir) -> None:
    told = {"url": "http://127.0.0.1:9", "token": "x", "pid": os.getpid(), "version": "0.0.9"}
    base.endpoint.write_text(json.dumps(told))
    fresh = Client.connect(base)
    try:
        assert fresh.endpoint.version == VERSION
    finally:
        fresh.stop()
        psutil.wait_procs([psutil.Process(fresh.endpoint.pid)], timeout=PATIENCE)


def test_a_newer_indexer_is_not_replaced(base: BaseDir, running: Client) -> None:
    say_version(base, "99.0.0")
    for meet in (Client.connect, Client.find_current):
        with pytest.raises(InklingError, match=r"newer Inkling \(99.0.0\)"):
            meet(base)
    assert running.status()["version"] == VERSION


def test_versions_compare_as_numbers() -> None:
    assert release("0.9.1") < release("0.10.0")
    assert release("") < release("0.0.1")
    assert release("1.2.0.dev1") == release("1.2.0")
