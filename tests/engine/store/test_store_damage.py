"""The store survives damage, a busy writer and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import RefusedQueryError, StoreDamagedError
from engine.store import Store, drop_space
from tests.engine.store.store_units import DIM, facts, found, unit, vector, word


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, "model-1", DIM)
    yield opened
    opened.close()


def newest(folder: Path, pattern: str) -> Path:
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes(len(data) // 2) + data[len(data) // 2 :])


@pytest.mark.parametrize("spoil", [zero, empty, half, Path.unlink])
@pytest.mark.parametrize("pattern", ["_versions/*.manifest", "data/*.lance"])
def test_a_broken_newest_commit_is_given_up(
    tmp_path: Path, pattern: str, spoil: Callable[[Path], None]
) -> None:
    store = Store.open(tmp_path, "m", DIM)
    versions = [store.replace_files({n: [unit(facts(n), text=word(n))]}) for n in range(5)]
    store.close()
    spoil(newest(tmp_path / "m.lance", pattern))
    store = Store.open(tmp_path, "m", DIM)
    assert store.file_ids() == {0, 1, 2, 3}
    assert store.version == versions[3]
    assert found(store, word(3)) == ["3:0"]
    assert store.search_vector(vector(300), None, 1)[0].unit_id == "3:0"
    store.replace_files({4: [unit(facts(4), text=word(4))]})
    store.maintain(force=True)
    assert found(store, word(4)) == ["4:0"]
    store.close()


def test_old_damage_says_that_it_will_be_rebuilt(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    for n in range(6):
        store.replace_files({n: [unit(facts(n))]})
    store.close()
    zero(min((tmp_path / "m.lance" / "data").iterdir(), key=lambda p: p.stat().st_mtime_ns))
    with pytest.raises(StoreDamagedError, match="rebuilds it from your files"):
        Store.open(tmp_path, "m", DIM)
    drop_space(tmp_path, "m")
    assert Store.open(tmp_path, "m", DIM).count() == 0


def test_damage_while_open_is_named(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({1: [unit(facts(1))]})
    (newest(tmp_path / "m.lance", "data/*.lance")).unlink()
    store._arrays = None  # which would answer on
    with pytest.raises(StoreDamagedError):
        store.rows(["1:0"])


def test_a_wrong_question_is_no_damage(store: Store) -> None:
    store.replace_files({1: [unit(facts(1))]})
    with pytest.raises(RefusedQueryError):
        store.search_vector(np.zeros(3, dtype=np.float32), None, 5)
    assert store.count() == 1


def test_broken_indexes_are_built_anew(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({n: [unit(facts(n), text=word(n))] for n in range(9)})
    store.maintain(force=True)
    store.close()
    for path in (tmp_path / "m.lance" / "_indices").rglob("*.*"):
        zero(path)
    store = Store.open(tmp_path, "m", DIM)
    assert store.count() == 9
    assert found(store, word(5)) == ["5:0"]
    assert store.file_rows(5)[0].unit_id == "5:0"


@pytest.mark.parametrize("spoil", [empty, Path.unlink])
def test_files_without_their_tokens_are_named(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({1: [unit(facts(1))], 2: [unit(facts(2))]})
    bare = replace(unit(facts(3)), tokens=None)
    store.replace_files({3: [bare]})
    store.close()
    spoil(newest(tmp_path / "m.segments", "*.seg"))
    store = Store.open(tmp_path, "m", DIM)
    assert store.broken_files == {1, 2}
    old = store.rows(["1:0"])["1:0"].ref
    assert old is not None
    store.replace_files({2: [unit(facts(2))]})
    assert len(store.tokens([old])[0].tokens) == 0  # not another unit's
    store.close()
    assert Store.open(tmp_path, "m", DIM).broken_files == {1}


# Others at work


def test_searches_while_the_writer_works(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    steady = {n: [unit(facts(n), text=word(n))] for n in range(100, 120)}
    store.replace_files(steady)
    done = threading.Event()
    problems: list[str] = []
    newest_round = [0]

    def look(thread: int) -> None:
        while not done.is_set():
            try:
                floor = newest_round[0]
                n = 100 + thread
                if found(store, word(n)) != [f"{n}:0"]:
                    problems.append(f"steady{n} missing")
                if store.search_vector(vector(n * 100), None, 1)[0].unit_id != f"{n}:0":
                    problems.append("vector missing")
                rows = store.file_rows(1)
                rounds = {int(row.text.split()[1]) for row in rows}
                if floor and (len(rounds) != 1 or min(rounds) < floor or len(rows) != 4):
                    problems.append(f"stale or torn: {rounds} after {floor}")
                refs = [row.ref for row in rows if row.ref]
                if any(r.tokens.size and r.tokens[0, 0] > 103 for r in store.tokens(refs)):
                    problems.append("foreign tokens")
            except Exception as error:  # noqa: BLE001 (a thread's error has to reach the test)
                problems.append(repr(error))

    threads = [threading.Thread(target=look, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for round_ in range(1, 25):
        store.replace_files({1: [unit(facts(1), k, f"round {round_}") for k in range(4)]})
        newest_round[0] = round_
        if round_ % 6 == 0:
            store.maintain(force=True)
    done.set()
    for thread in threads:
        thread.join()
    store.close()
    assert problems == []


_WRITER = """
import sys
from pathlib import Path
from engine.store import segments
from engine.store import Store
from tests.engine.store.test_store import DIM, facts, unit, word
segments.SEGMENT_BYTES = 20_000
store = Store.open(Path(sys.argv[1]), "m", DIM)
start = int(sys.argv[2])
for i in range(start, start + 10**6):
    file = facts(i % 40)
    store.replace_files({file.file_id: [unit(file, n, word(i)) for n in range(1 + i % 5)]})
    print(i, store.version, flush=True)
    if i % 7 == 0:
        store.maintain(force=i % 14 == 0)
"""


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Commits, optimisation, segment compaction and opening are all hit by SIGKILL."""
    rng = np.random.default_rng(11)
    expected: dict[int, int] = {}
    start = 0
    for _ in range(int(os.environ.get("INKLING_TEST_KILLS", "6"))):
        command = [sys.executable, "-c", _WRITER, str(tmp_path), str(start)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(int(rng.integers(1, 16)))]
        time.sleep(float(rng.random()) * 0.3)
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        said = [
            tuple(map(int, line.split())) for line in lines if line.endswith("\n") and line.strip()
        ]
        expected |= {i % 40: i for i, _ in said}
        last = said[-1][0] if said else start - 1
        start = last + 2  # the one after the last may or may not have been committed
        store = Store.open(tmp_path, "m", DIM)
        assert not said or store.version >= said[-1][1]
        assert store.broken_files == set()
        file = facts((last + 1) % 40)
        if word(last + 1) in {row.text for row in store.file_rows(file.file_id)}:
            # Stored, and perhaps killed before what was over of a longer file went: nobody was
            # told that it is done, so it is done again.
            units = [unit(file, n, word(last + 1)) for n in range(1 + (last + 1) % 5)]
            store.replace_files({file.file_id: units})
            expected[file.file_id] = last + 1
        for file_id, i in expected.items():
            rows = store.file_rows(file_id)
            assert {row.text for row in rows} == {word(i)}
            assert [row.unit_id for row in rows] == [f"{file_id}:{n}" for n in range(1 + i % 5)]
            assert sorted(found(store, word(i))) == sorted(row.unit_id for row in rows)
            records = store.tokens([row.ref for row in rows if row.ref])
            seeds = [(file_id * 100 + n) % 100 for n in range(len(rows))]
            assert [int(record.tokens[0, 0]) for record in records] == seeds
        store.close()
