"""The list of what agents were given: bounded, for its owner, and without what is to be gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contract import agent_log
from engine.contract.agent_log import AgentLog
from engine.contract.paths import BaseDir


@pytest.fixture
def log(tmp_path: Path) -> AgentLog:
    return AgentLog(BaseDir(tmp_path).create())


def test_newest_first_and_of_bounded_size(log: AgentLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_log, "MOST_BYTES", 1_000)
    for number in range(100):
        log.note("read", [f"/a/{number}"], number)
    kept = [entry.characters for entry in log.entries()]
    assert kept == list(range(99, 99 - len(kept), -1))
    assert 5 < len(kept) < 20
    log.clear()
    assert log.entries() == []
    log.clear()


def test_files_that_are_to_be_gone(log: AgentLog) -> None:
    log.note("search", ["/a/1", "/b/2"], 3)
    log.note("read", ["/a/1"], 4)
    log.forget(lambda path: path.startswith("/a/"))
    (left,) = log.entries()
    assert left.files == ("/b/2",)
    assert b"/a/" not in log.path.read_bytes()
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_broken_line_hides_no_other(log: AgentLog) -> None:
    log.note("read", ["/a/\udcff"], 1)
    with log.path.open("ab") as file:
        file.write(b"no json\n[]\n{}\n")
    log.note("read", ["/b"], 2)
    assert [entry.files for entry in log.entries()] == [("/b",), ("/a/\udcff",)]
