"""The log stays small, whatever a loop does, and says how often."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract import log
from engine.contract.log import LogFile


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Iterator[LogFile]:
    handler = LogFile(tmp_path / "indexer.log", clock)
    yield handler
    handler.close()


@pytest.fixture
def logger(file: LogFile) -> logging.Logger:
    made = logging.Logger("indexer.loop")  # noqa: LOG001 (of this test alone)
    made.addHandler(file)
    return made


def lines(tmp_path: Path) -> list[str]:
    text = (tmp_path / "indexer.log").read_text()
    return [line.partition(" INFO ")[2] for line in text.splitlines() if " INFO " in line]


def test_the_same_is_said_once_and_counted(
    tmp_path: Path, logger: logging.Logger, clock: Clock
) -> None:
    for _ in range(5):
        logger.info("file %d waits", 7)
        logger.info("file %d waits", 8)
    assert lines(tmp_path) == ["indexer.loop: file 7 waits", "indexer.loop: file 8 waits"]
    clock.now = 59.9
    logger.info("file %d waits", 7)
    assert len(lines(tmp_path)) == 2
    clock.now = 60.0
    logger.info("another")
    assert lines(tmp_path)[2:] == [
        "indexer.loop: file 7 waits (and 5 more)",
        "indexer.loop: file 8 waits (and 4 more)",
        "indexer.loop: another",
    ]
    logger.info("file %d waits", 7)
    assert lines(tmp_path)[5:] == ["indexer.loop: file 7 waits"]
    clock.now = 130.0
    logger.info("at last")  # what came once is not said again
    assert lines(tmp_path)[6:] == ["indexer.loop: at last"]


def test_other_loggers_levels_and_errors_are_other_messages(
    tmp_path: Path, logger: logging.Logger, file: LogFile
) -> None:
    other = logging.Logger("desktop")  # noqa: LOG001
    other.addHandler(file)
    logger.info("stumbled")
    logger.warning("stumbled")
    other.info("stumbled")
    for error in (ValueError("a"), ValueError("a"), ValueError("b"), KeyError("a")):
        try:
            raise error
        except (ValueError, KeyError):
            logger.exception("stumbled")
    text = (tmp_path / "indexer.log").read_text()
    assert text.count("stumbled") == 6
    assert text.count("Traceback") == 3


def test_a_spinning_loop_fills_no_disk(
    tmp_path: Path, logger: logging.Logger, clock: Clock
) -> None:
    for second in range(120):
        clock.now = float(second)
        for _ in range(50):
            try:
                raise RuntimeError("rust future panicked")
            except RuntimeError:
                logger.exception("write stumbled")
    size = (tmp_path / "indexer.log").stat().st_size
    assert 0 < size < 5_000


def test_what_was_counted_is_said_at_the_end(
    tmp_path: Path, logger: logging.Logger, file: LogFile
) -> None:
    logger.info("x")
    logger.info("x")
    file.close()
    assert lines(tmp_path) == ["indexer.loop: x", "indexer.loop: x (and 1 more)"]


def test_many_different_messages_are_not_remembered_for_ever(
    tmp_path: Path, logger: logging.Logger, file: LogFile
) -> None:
    logger.info("first")
    logger.info("first")
    for n in range(3 * log.MOST_HELD):
        logger.info("message %d", n)
    assert len(file._said) <= log.MOST_HELD
    assert "first (and 1 more)" in (tmp_path / "indexer.log").read_text()


def test_the_file_is_rotated(tmp_path: Path, logger: logging.Logger) -> None:
    for n in range(60):
        logger.info("%d %s", n, "x" * 100_000)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"indexer.log", *(f"indexer.log.{n}" for n in (1, 2, 3))}
    assert max(sizes.values()) <= 1_000_000


def test_set_up_sends_everything_there(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    try:
        log.set_up(tmp_path / "logs", "indexer")
        logging.getLogger("any").warning("lone \udcff surrogate")
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level = before, level
    assert "any: lone \\udcff surrogate" in (tmp_path / "logs" / "indexer.log").read_text()
