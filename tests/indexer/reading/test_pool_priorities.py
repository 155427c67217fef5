"""People before work: previews and query pictures do not wait for indexing, nor it for them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image

from indexer.reading.extract.base import ExtractError
from indexer.reading.pool import ExtractorPool
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[ExtractorPool]:
    made = ExtractorPool(tmp_path / "scratch", workers=1)
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> str:
    Image.new("RGB", (400, 200), "teal").save(tmp_path / "p.png")
    return str(tmp_path / "p.png")


@pytest.fixture
def note(tmp_path: Path) -> str:
    (tmp_path / "note.md").write_text("# Tea\n\nGreen tea steeps for two minutes.\n")
    return str(tmp_path / "note.md")


def read(pool: ExtractorPool, path: str, *, urgent: bool = False) -> str:
    extraction, scratch = pool.extract(path, urgent=urgent)
    shutil.rmtree(scratch)
    return extraction.parts[0].text


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A worker that does nothing until the end of the block, whatever it was asked."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_preview_and_a_query_picture_pass_what_is_indexed(
    pool: ExtractorPool, picture: str, note: str
) -> None:
    text = read(pool, note)
    [indexing] = pool.pids()
    with ThreadPoolExecutor(2) as executor:
        with stopped(indexing):
            work = [executor.submit(read, pool, note) for _ in range(2)]  # one waits for the other
            assert pool.render(picture, None, 100).startswith(b"\x89PNG")
            assert read(pool, note, urgent=True) == text
            assert not any(future.done() for future in work)
        assert [future.result(timeout=PATIENCE) for future in work] == [text, text]
    assert pool.restarts == 0


def test_indexing_goes_on_while_people_keep_their_workers_busy(
    pool: ExtractorPool, picture: str, note: str
) -> None:
    text = read(pool, note)
    [indexing] = pool.pids()
    pool.render(picture, None, 100)
    [for_people] = set(pool.pids()) - {indexing}
    with ThreadPoolExecutor(2) as executor:
        with stopped(for_people):
            preview = executor.submit(pool.render, picture, None, 100)
            assert [read(pool, note) for _ in range(3)] == [text] * 3
            # A second person, or a second picture of the same, has a worker of its own.
            assert pool.render(picture, None, 100).startswith(b"\x89PNG")
            assert not preview.done()
        assert preview.result(timeout=PATIENCE).startswith(b"\x89PNG")


def test_only_indexing_is_of_idle_priority(pool: ExtractorPool, picture: str, note: str) -> None:
    read(pool, note)
    [indexing] = pool.pids()
    pool.render(picture, None, 100)
    read(pool, note, urgent=True)
    [for_people] = set(pool.pids()) - {indexing}  # one is enough while they take turns
    assert psutil.Process(indexing).nice() == 19
    assert psutil.Process(for_people).nice() == psutil.Process().nice()


def test_workers_for_people_start_on_demand_and_are_let_go(
    tmp_path: Path, picture: str, note: str
) -> None:
    pool = ExtractorPool(tmp_path / "scratch", workers=1, urgent_idle_s=0.2)
    try:
        assert pool.pids() == []
        pool.render(picture, None, 100)
        [first] = pool.pids()
        until(lambda: not psutil.pid_exists(first))
        assert pool.pids() == []
        assert pool.render(picture, None, 100).startswith(b"\x89PNG")  # and they come back
        read(pool, note)
        until(lambda: len(pool.pids()) == 1)  # the one of the index stays
        assert psutil.Process(pool.pids()[0]).nice() == 19
    finally:
        pool.close()


def test_closing_ends_workers_for_people_too(pool: ExtractorPool, picture: str) -> None:
    pool.render(picture, None, 100)
    [pid] = pool.pids()
    pool.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ExtractError):
        pool.render(picture, None, 100)
