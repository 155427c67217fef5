"""Threads: the newest answers, errors come back readable, nothing runs after the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.jobs import Jobs
from engine.contract.errors import InklingError
from tests.waiting import PATIENCE


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    made = Jobs(threads=3)
    yield made
    made.close()


def test_work_runs_elsewhere_and_the_answer_comes_here(qtbot: QtBot, jobs: Jobs) -> None:
    seen: list[tuple[threading.Thread, threading.Thread]] = []
    jobs.run(threading.current_thread, lambda t: seen.append((t, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0][0] is not threading.current_thread()
    assert seen[0][1] is threading.current_thread()


def test_only_the_newest_of_a_key_answers(qtbot: QtBot, jobs: Jobs) -> None:
    gate = threading.Event()
    seen: list[str] = []

    def slow() -> str:
        gate.wait(5)
        return "old"

    jobs.run(slow, seen.append, key="k")
    jobs.run(lambda: "new", seen.append, key="k")
    qtbot.waitUntil(lambda: seen == ["new"])
    gate.set()
    jobs.run(lambda: "after", seen.append)
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen == ["new", "after"]


def test_a_cancelled_stream_ends_early(qtbot: QtBot, jobs: Jobs) -> None:
    given: list[int] = []
    ended = threading.Event()
    go_on = threading.Event()

    def work(give: Callable[[int], None]) -> None:
        try:
            for n in range(1000):
                give(n)
                if n == 0:
                    go_on.wait(PATIENCE)
        finally:
            ended.set()

    ticket = jobs.stream(work, given.append)
    qtbot.waitUntil(lambda: given == [0])
    ticket.cancel()
    go_on.set()
    assert ended.wait(PATIENCE)
    qtbot.wait(20)
    assert given == [0]


def test_errors_come_back_as_something_to_read(
    qtbot: QtBot, jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[InklingError] = []

    def known() -> None:
        raise InklingError("No.", hint="Do this.")

    def unknown() -> None:
        raise ZeroDivisionError("oops")

    jobs.run(known, None, errors.append)
    jobs.run(unknown, None, errors.append)
    qtbot.waitUntil(lambda: len(errors) == 2)
    assert {str(e) for e in errors} == {"No. Do this.", "Something went wrong: oops."}


def test_closing_does_not_wait_for_a_call_that_hangs(qtbot: QtBot) -> None:
    jobs = Jobs(threads=1)
    hang = threading.Event()
    ended = threading.Event()

    def work() -> None:
        hang.wait()
        ended.set()

    jobs.run(work)
    jobs.close(patience_s=0.1)
    assert not ended.is_set()
    hang.set()


def test_after_closing_nothing_is_delivered(qtbot: QtBot) -> None:
    jobs = Jobs(threads=1)
    seen: list[int] = []
    jobs.run(lambda: 1, seen.append)
    jobs.close()
    jobs.run(lambda: 2, seen.append)
    qtbot.wait(30)
    assert seen == []
