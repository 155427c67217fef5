"""Failures that repeat are said, waited out longer and longer, and end no loop."""

from __future__ import annotations

import threading

import pytest

from indexer.indexing import failures as module
from indexer.indexing.failures import MOST_SECONDS, RepeatedFailures
from indexer.indexing.guarded_loop import GuardedLoop
from tests.waiting import PATIENCE, until


class Panic(BaseException):
    """As a library written in Rust raises them."""


def test_the_wait_grows_with_equal_failures_and_the_third_is_said() -> None:
    failures = RepeatedFailures()
    waits = [failures.failed("Writing", RuntimeError(f"row {n} is bad")) for n in range(2)]
    assert failures.health() == []
    waits.append(failures.failed("Writing", RuntimeError("row 77 is bad")))
    (said,) = failures.health()
    assert "Writing" in said["title"]
    assert "row 0 is bad" in said["hint"]
    assert waits == [1.0, 2.0, 4.0]
    for _ in range(50):
        last = failures.failed("Writing", RuntimeError("row 1 is bad"))
    assert last == MOST_SECONDS


def test_another_failure_and_a_success_begin_anew() -> None:
    failures = RepeatedFailures()
    for error in (OSError("a"), OSError("a"), OSError("b"), OSError("b")):
        failures.failed("Writing", error)
    assert failures.health() == []
    failures.failed("Reading", OSError("b"))
    assert failures.health() == []
    failures.failed("Writing", OSError("b"))
    assert len(failures.health()) == 1
    failures.succeeded("Reading")
    assert len(failures.health()) == 1
    failures.succeeded("Writing")
    assert failures.health() == []
    assert failures.failed("Writing", OSError("b")) == 1.0


@pytest.mark.parametrize("error", [Panic("poisoned"), ValueError("bug"), SystemExit(1)])
def test_a_loop_outlives_whatever_its_step_raises(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.001)
    failures, stop, calls = RepeatedFailures(), threading.Event(), list[int]()
    healed = threading.Event()

    def step() -> bool:
        calls.append(1)
        if not healed.is_set():
            raise error
        stop.wait(0.01)
        return True

    def on_error(_: BaseException) -> None:
        raise error  # even this

    loop = GuardedLoop("x", "Working", step, stop=stop, failures=failures, on_error=on_error)
    loop.start()
    until(lambda: len(calls) > 3 and any("Working" in h["title"] for h in failures.health()))
    healed.set()
    until(lambda: not any(h["title"].startswith("Working fails") for h in failures.health()))
    stop.set()
    assert loop.join(PATIENCE)


def test_a_waiting_loop_ends_at_once() -> None:
    """However long the wait after a failure has become."""
    failures, stop, failed = RepeatedFailures(), threading.Event(), threading.Event()
    for _ in range(20):
        failures.failed("Working", ValueError("bug"))

    def step() -> bool:
        failed.set()
        raise ValueError("bug")

    loop = GuardedLoop(
        "x", "Working", step, stop=stop, failures=failures, on_error=lambda error: None
    )
    loop.start()
    assert failed.wait(PATIENCE)
    stop.set()
    assert loop.join(MOST_SECONDS / 2)


def test_a_loop_that_never_began_has_ended() -> None:
    stop = threading.Event()
    loop = GuardedLoop(
        "x", "Working", lambda: True, stop=stop, failures=RepeatedFailures(),
        on_error=lambda error: None,
    )  # fmt: skip
    assert loop.join(1)
