"""Deadlines of real processes: one that computes, one that sleeps, one that gets no processor."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from indexer.reading.deadline import Deadline
from indexer.reading.extract.base import ExtractError
from tests.waiting import until


@contextmanager
def running(program: str) -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def end_of(deadline: Deadline) -> str:
    """What it says once it is over."""

    said: list[str] = []

    def over() -> list[str]:
        try:
            deadline.check()
        except ExtractError as error:
            said.append(str(error))
        return said

    until(over)
    return said[0]


def test_computing_is_counted() -> None:
    with running("while True: pass") as process:
        assert "processor time" in end_of(Deadline(process, 0.2, idle_s=60.0))


def test_sleeping_is_given_up_by_the_clock() -> None:
    with running("while True: __import__('time').sleep(0.02)") as process:
        assert "stood still" in end_of(Deadline(process, 60.0, idle_s=0.3))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who waits for the processor")
def test_waiting_for_the_processor_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("while True: pass") as process:
        until(lambda: process.cpu_times().user > 0)
        deadline = Deadline(process, 60.0, idle_s=0.05)
        # As beside programs that leave it nothing: it wants to run, and its time stands still.
        frozen = process.cpu_times()
        monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: frozen)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            deadline.check()


def test_a_process_that_has_ended_is_left_to_who_waits_for_it() -> None:
    with running("pass") as process:
        deadline = Deadline(process, 60.0, idle_s=60.0)
        until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
        deadline.check()
