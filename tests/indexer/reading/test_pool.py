"""The pool with real workers: answers, deaths, deadlines, memory, confinement."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from indexer.reading import messages
from indexer.reading.extract.base import ExtractError, Extraction, Part
from indexer.reading.pool import ExtractorPool
from tests.waiting import PATIENCE, until


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[Callable[..., ExtractorPool]]:
    pools: list[ExtractorPool] = []

    def make(**options: object) -> ExtractorPool:
        pools.append(ExtractorPool(tmp_path / "scratch", **options))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def note(tmp_path: Path) -> str:
    path = tmp_path / "note.md"
    path.write_text("# Tea\n\nGreen tea steeps for two minutes.\n")
    return str(path)


def read(pool: ExtractorPool, path: str) -> Extraction:
    extraction, scratch = pool.extract(path)
    assert scratch.is_dir()
    shutil.rmtree(scratch)
    return extraction


def reason(pool: ExtractorPool, path: Path | str) -> str:
    with pytest.raises(ExtractError) as caught:
        pool.extract(str(path))
    return caught.value.reason


def in_background(call: Callable[[], object]) -> Future[object]:
    executor = ThreadPoolExecutor(1)
    future = executor.submit(call)
    executor.shutdown(wait=False)
    return future


def test_answers_and_keeps_its_worker(make_pool: Callable[..., ExtractorPool], note: str) -> None:
    pool = make_pool(workers=1)
    first, second = read(pool, note), read(pool, note)
    assert first == second
    assert first.parts[0].heading == ("Tea",)
    assert len(pool.pids()) == 1
    assert pool.restarts == 0


def test_failures_leave_no_scratch(make_pool: Callable[..., ExtractorPool], tmp_path: Path) -> None:
    pool = make_pool(workers=1)
    (tmp_path / "empty.md").touch()
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 50)
    os.mkfifo(tmp_path / "pipe.txt")
    assert reason(pool, tmp_path / "empty.md") == "empty"
    assert reason(pool, tmp_path / "noise.txt") == "binary"
    assert reason(pool, tmp_path / "pipe.txt") == "not-regular"
    assert reason(pool, tmp_path / "gone.txt") == "unreadable"
    assert reason(pool, tmp_path) == "not-regular"
    assert list(pool.scratch.iterdir()) == []
    assert pool.restarts == 0


def test_names_of_any_bytes(make_pool: Callable[..., ExtractorPool], tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe \n'$(touch x).txt"
    with open(name, "wb") as file:
        file.write(b"odd name")
    assert read(make_pool(workers=1), os.fsdecode(name)).parts[0].text == "odd name"


def signalled(pool: ExtractorPool, path: str, with_signal: signal.Signals) -> Future[object]:
    """A file in the hands of a worker that gets this signal."""
    [pid] = pool.pids()
    os.kill(pid, signal.SIGSTOP)
    waiting = in_background(lambda: read(pool, path))
    time.sleep(0.2)
    os.kill(pid, with_signal)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    return waiting


def test_a_worker_killed_from_outside_costs_no_file(
    make_pool: Callable[..., ExtractorPool], note: str
) -> None:
    pool = make_pool(workers=1)
    first = read(pool, note)
    assert signalled(pool, note, signal.SIGKILL).result(timeout=PATIENCE) == first
    assert pool.restarts == 1
    os.kill(pool.pids()[0], signal.SIGKILL)  # between two files
    time.sleep(0.2)
    assert read(pool, note) == first


def test_a_crashed_worker_is_replaced(make_pool: Callable[..., ExtractorPool], note: str) -> None:
    pool = make_pool(workers=1)
    read(pool, note)
    [pid] = pool.pids()
    with pytest.raises(ExtractError) as caught:
        signalled(pool, note, signal.SIGSEGV).result(timeout=PATIENCE)
    assert caught.value.reason == "crashed"
    assert read(pool, note).title == "Tea"
    assert pool.restarts == 1
    assert pid not in pool.pids()


def test_a_hung_worker_is_replaced(make_pool: Callable[..., ExtractorPool], note: str) -> None:
    pool = make_pool(workers=1, idle_s=0.5)
    read(pool, note)
    [pid] = pool.pids()
    os.kill(pid, signal.SIGSTOP)
    assert reason(pool, note) == "timeout"
    assert not psutil.pid_exists(pid)
    assert read(pool, note).title == "Tea"


def test_deadlines_count_what_is_computed_not_the_clock(
    make_pool: Callable[..., ExtractorPool], tmp_path: Path, note: str
) -> None:
    pool = make_pool(workers=1, processor_s=0.3)
    first = read(pool, note)
    [pid] = pool.pids()
    os.kill(pid, signal.SIGSTOP)  # as good as beside programs that leave it nothing
    waiting = in_background(lambda: read(pool, note))
    time.sleep(0.7)
    os.kill(pid, signal.SIGCONT)
    assert waiting.result(timeout=PATIENCE) == first
    assert pool.pids() == [pid]
    (tmp_path / "long.md").write_text("# A *heading* with `code`\n\n" * 200_000)
    with pytest.raises(ExtractError) as caught:
        pool.extract(str(tmp_path / "long.md"))
    assert (caught.value.reason, caught.value.detail) == ("timeout", "0 s of processor time")
    assert not psutil.pid_exists(pid)


def test_memory_is_capped(
    make_pool: Callable[..., ExtractorPool], tmp_path: Path, note: str
) -> None:
    pool = make_pool(workers=1, memory_bytes=120_000_000)
    cells = [{"cell_type": "code", "source": "x", "metadata": [[0]] * 4_000_000}]
    (tmp_path / "huge.ipynb").write_text(json.dumps({"cells": cells}))
    assert reason(pool, tmp_path / "huge.ipynb") == "too-complex"
    assert read(pool, note).title == "Tea"
    assert pool.restarts == 1


def test_nesting_without_end(make_pool: Callable[..., ExtractorPool], tmp_path: Path) -> None:
    pool = make_pool(workers=1)
    (tmp_path / "deep.ipynb").write_text('{"cells":' + "[" * 200_000)
    assert reason(pool, tmp_path / "deep.ipynb") == "too-complex"
    # 2,048 levels are libxml2's limit; what lies deeper is dropped.
    (tmp_path / "deep.html").write_text("<div>" * 1_500 + "at the bottom")
    assert "at the bottom" in read(pool, str(tmp_path / "deep.html")).parts[-1].text
    (tmp_path / "bottomless.html").write_text("<div>" * 200_000 + "at the bottom")
    assert reason(pool, tmp_path / "bottomless.html") == "no-text"
    (tmp_path / "deep.py").write_text("(\n" * 200_000 + "x")
    assert read(pool, str(tmp_path / "deep.py")).language == "python"
    assert pool.restarts == 0


def test_many_threads_share_few_workers(
    make_pool: Callable[..., ExtractorPool], tmp_path: Path
) -> None:
    pool = make_pool(workers=2)
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"note {number}")
    with ThreadPoolExecutor(8) as threads:
        texts = threads.map(
            lambda n: read(pool, str(tmp_path / f"{n}.txt")).parts[0].text, range(40)
        )
        assert list(texts) == [f"note {number}" for number in range(40)]
    assert len(pool.pids()) <= 2


def test_close_ends_workers_and_waiting(make_pool: Callable[..., ExtractorPool], note: str) -> None:
    pool = make_pool(workers=1)
    read(pool, note)
    [pid] = pool.pids()
    os.kill(pid, signal.SIGSTOP)
    waiting = in_background(lambda: pool.extract(note))
    time.sleep(0.2)
    pool.close()
    with pytest.raises(ExtractError):
        waiting.result(timeout=PATIENCE)
    assert not psutil.pid_exists(pid)
    assert reason(pool, note) == "crashed"


def test_a_worker_ends_with_its_parent(tmp_path: Path, note: str) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from indexer.reading.pool import ExtractorPool\n"
        "pool = ExtractorPool(Path(sys.argv[1])); pool.extract(sys.argv[2])\n"
        "print(*pool.pids(), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "s"), note]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not psutil.pid_exists(pid))


def test_only_roots_are_readable_to_a_confined_worker(
    make_pool: Callable[..., ExtractorPool], tmp_path: Path, note: str
) -> None:
    pool = make_pool(workers=1)
    read(pool, note)
    if "landlock" not in pool.layers:
        pytest.skip("this kernel has no Landlock")
    inside = tmp_path / "root"
    inside.mkdir()
    (inside / "a.txt").write_text("inside")
    (inside / "link.txt").symlink_to(note)
    pool.confine([str(inside)])
    assert read(pool, str(inside / "a.txt")).parts[0].text == "inside"
    # A query's picture may lie anywhere: the pool, not the worker, reads it then.
    assert read(pool, note).title == "Tea"
    assert "Green tea" in read(pool, str(inside / "link.txt")).parts[0].text


def test_made_up_answers_are_refused() -> None:
    data = messages.pack_extraction(Extraction("image", [Part("x", image="page.webp")]))
    assert messages.unpack_extraction(data).parts[0].image == "page.webp"
    for part in (
        {"thumb": "../../ledger"},
        {"image": "/etc/passwd"},
        {"words": b"xyz"},
        {"page": "first"},
    ):
        forged = {**data, "parts": [{**data["parts"][0], **part}]}
        with pytest.raises(ExtractError):
            messages.unpack_extraction(forged)
    for forged in ({**data, "parts": ["x"]}, {**data, "ocr_pages": [[1, "x"]]}, {}):
        with pytest.raises(ExtractError):
            messages.unpack_extraction(forged)


def test_workers_do_not_see_the_environment(
    make_pool: Callable[..., ExtractorPool], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    pool = make_pool(workers=1)
    read(pool, note)
    environment = psutil.Process(pool.pids()[0]).environ()
    assert "MY_TOKEN" not in environment
    assert environment["HOME"] == str(pool.scratch)


def test_a_root_that_comes_later_is_read_all_the_same(
    make_pool: Callable[..., ExtractorPool], tmp_path: Path
) -> None:
    pool = make_pool(workers=1)
    early, late = tmp_path / "early", tmp_path / "late"
    early.mkdir()
    (early / "a.txt").write_text("early")
    pool.confine([str(early), str(late)])
    assert read(pool, str(early / "a.txt")).parts[0].text == "early"
    late.mkdir()
    (late / "a.txt").write_text("late")
    assert read(pool, str(late / "a.txt")).parts[0].text == "late"


def test_workers_are_idle_priority(make_pool: Callable[..., ExtractorPool], note: str) -> None:
    pool = make_pool(workers=1)
    read(pool, note)
    assert psutil.Process(pool.pids()[0]).nice() == 19


def test_for_a_language_model_pictures_are_small(
    make_pool: Callable[..., ExtractorPool], tmp_path: Path
) -> None:
    """No more pixels than were asked for, whatever their shape; only photos as JPEG."""
    from PIL import Image

    photo = Image.effect_noise((900, 3_000), 80).convert("RGB")
    photo.save(tmp_path / "photo.png")
    Image.new("RGB", (2_000, 100), "white").save(tmp_path / "drawing.png")
    pool = make_pool()
    for name, form in (("photo", "JPEG"), ("drawing", "PNG")):
        data = pool.render(str(tmp_path / f"{name}.png"), None, 1_000, 250_000)
        with Image.open(io.BytesIO(data)) as shown:
            assert shown.format == form
            assert shown.width * shown.height <= 251_000
            assert shown.width <= 1_000


def test_render_gives_a_picture(make_pool: Callable[..., ExtractorPool], tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (400, 200), "teal").save(tmp_path / "p.png")
    pool = make_pool(workers=1)
    data = pool.render(str(tmp_path / "p.png"), None, 100)
    assert data.startswith(b"\x89PNG")
    assert list(pool.scratch.iterdir()) == []
