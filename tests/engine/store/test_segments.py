"""Segment files: written is read, damage is noticed, compaction keeps references."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.store import segments as segments_module
from engine.store.segments import LOST, Segments, TokenRecord, TokenRef
from engine.store.token_record import pack_record, unpack_record


def make(seed: int, n: int = 20) -> TokenRecord:
    rng = np.random.default_rng(seed)
    return TokenRecord(
        rng.integers(-127, 128, size=(n, 16), dtype=np.int8),
        spans=rng.integers(0, 999, size=(n, 2), dtype=np.int32),
        word_spans=rng.integers(0, 99, size=(3, 2), dtype=np.int32),
        word_boxes=rng.integers(0, 65535, size=(3, 4), dtype=np.uint16),
    )


def same(a: TokenRecord, b: TokenRecord) -> bool:
    names = ("tokens", "spans", "boxes", "word_spans", "word_boxes")
    pairs = [(getattr(a, name), getattr(b, name)) for name in names]
    return all((x is None) == (y is None) and (x is None or np.array_equal(x, y)) for x, y in pairs)


def table(refs: list[TokenRef]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array(refs, dtype=np.int64).reshape(-1, 3)


@pytest.mark.parametrize(
    "record",
    [
        make(1),
        TokenRecord(np.zeros((0, 0), np.int8)),
        TokenRecord(np.ones((2, 4), np.int8), boxes=np.full((2, 4), 65535, np.uint16)),
        TokenRecord(np.zeros((0, 8), np.int8), word_boxes=np.ones((5, 4), np.uint16)),
    ],
)
def test_record_round_trip(record: TokenRecord) -> None:
    assert same(unpack_record(pack_record(record)), record)


def test_every_flipped_byte_is_noticed() -> None:
    data = pack_record(make(2, n=3))
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x41
        with pytest.raises(ValueError):
            unpack_record(bytes(broken))
    for length in (0, 5, len(data) - 1):
        with pytest.raises(ValueError):
            unpack_record(data[:length])


def test_append_and_read_across_reopening(tmp_path: Path) -> None:
    store = Segments(tmp_path / "s")
    first = store.append([make(1), make(2)])
    store.close()
    store = Segments(tmp_path / "s")
    second = store.append([make(3)])
    found = store.read([second[0], first[1], first[0]])
    assert all(same(a, make(b)) for a, b in zip(found, (3, 2, 1), strict=True))
    assert {ref.segment for ref in first + second} == {0}


def test_segments_roll_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_BYTES", 1000)
    store = Segments(tmp_path)
    refs = [store.append([make(i)])[0] for i in range(10)]
    assert len({ref.segment for ref in refs}) > 3
    assert all(same(a, make(i)) for i, a in enumerate(store.read(refs)))


def test_truncated_and_missing_segments_are_lost_not_fatal(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    refs = store.append([make(1), make(2)])
    path = tmp_path / "00000000.seg"
    os.truncate(path, path.stat().st_size - 1)
    store = Segments(tmp_path)
    assert store.readable(table(refs)).tolist() == [True, False]
    found = store.read(refs)
    assert same(found[0], make(1))
    assert found[1] is LOST
    path.unlink()
    assert Segments(tmp_path).readable(table(refs)).tolist() == [False, False]


def test_compaction_keeps_references_and_frees_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_BYTES", 2000)
    store = Segments(tmp_path)
    refs = [store.append([make(i)])[0] for i in range(60)]
    live = {i: ref for i, ref in enumerate(refs) if i % 5 == 0}
    before = store.size_bytes()
    for _ in range(3):  # a second and third round: packs of packs
        freed = store.compact(table(list(live.values())), force=True)
        assert freed > 0
        assert store.size_bytes() <= before - freed
        assert all(path.exists() for path in store._open_files)  # else the disk keeps them
        before = store.size_bytes()
        for reader in (store, Segments(tmp_path)):
            found = reader.read(list(live.values()))
            assert all(same(a, make(i)) for i, a in zip(live, found, strict=True))
        dead = [ref for i, ref in enumerate(refs) if i not in live]
        assert all(record is LOST for record in store.read(dead))
        live = {i: ref for n, (i, ref) in enumerate(live.items()) if n % 4 == 0}
    assert store.compact(table(list(live.values())), force=True) == 0
    fresh = store.append([make(77)])[0]
    assert fresh.segment > max(ref.segment for ref in refs)
    assert same(store.read([fresh])[0], make(77))


def test_segment_numbers_are_not_used_twice_when_all_is_dead(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    old = store.append([make(1)])[0]
    store.compact(table([]), force=True)
    new = Segments(tmp_path).append([make(1)])[0]
    assert new.segment > old.segment
    assert Segments(tmp_path).read([old])[0] is LOST


def test_a_number_that_was_lost_is_not_used_again(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.append([make(1)])
    store.seal(above=7)  # a row refers to segment 7, which is gone
    assert store.append([make(2)])[0].segment == 8


def test_more_files_than_may_be_open_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "OPEN_FILES", 2)
    store, refs = Segments(tmp_path), []
    for seed in range(5):
        refs += store.append([make(seed)])
        store.seal()
    for _ in range(2):
        assert all(same(a, make(seed)) for seed, a in enumerate(store.read(refs)))
    assert len(store._open_files) == 2


def test_the_file_being_written_is_never_packed(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    [old] = store.append([make(1)])
    store.seal()
    [dead] = store.append([make(2)])
    assert store.compact(table([])) > 0  # the first one
    [alive] = store.append([make(3)])
    assert alive.segment == dead.segment > old.segment
    assert same(Segments(tmp_path).read([alive])[0], make(3))


def test_one_pack_is_made_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a commit waits for one file at most."""
    monkeypatch.setattr(segments_module, "SEGMENT_BYTES", 1000)
    store, refs = Segments(tmp_path), []
    for seed in range(3):
        refs += store.append([make(seed)])
        store.seal()
    kept = table([refs[1]])  # in the middle, and nothing of it is dead
    assert store.compact(kept) > 0
    assert len(list(tmp_path.glob("*.pack"))) == 1
    assert store.compact(kept) > 0
    assert len(list(tmp_path.glob("*.pack"))) == 2
    assert store.compact(kept) == 0
    assert same(store.read([refs[1]])[0], make(1))


def test_leftovers_of_an_interrupted_compaction_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Segments(tmp_path)
    refs = store.append([make(i) for i in range(9)])
    raw = (tmp_path / "00000000.seg").read_bytes()
    store.compact(table(refs[:2]), force=True)
    (tmp_path / "00000000.seg").write_bytes(raw)  # as if the process ended before removing it
    (tmp_path / "00000000-00000000.2.tmp").write_bytes(b"half")
    again = Segments(tmp_path)
    assert [same(a, make(i)) for i, a in enumerate(again.read(refs[:2]))] == [True, True]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pack"]


def test_readers_during_compaction_always_see_live_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_BYTES", 4000)
    store = Segments(tmp_path)
    refs = [store.append([make(i)])[0] for i in range(80)]
    steady = refs[::8]
    done = threading.Event()
    wrong: list[int] = []

    def reader() -> None:
        while not done.is_set():
            found = store.read(steady)
            wrong.extend(i for i, r in enumerate(found) if not same(r, make(i * 8)))

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for keep in (2, 4, 8):
        store.compact(table(refs[::keep]), force=True)
        time.sleep(0.05)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


_WRITER = """
import sys, numpy as np
from pathlib import Path
from engine.store import segments
from tests.engine.store.test_segments import make, table
segments.SEGMENT_BYTES = 4000
store = segments.Segments(Path(sys.argv[1]))
kept = []
for i in range(10**9):
    ref = store.append([make(i % 500)])[0]
    kept.append((i % 500, ref))
    print(i % 500, *ref, flush=True)
    if i % 10 == 9:
        kept = kept[-6:]
        store.compact(table([ref for _, ref in kept]), force=i % 20 == 19)
        print("kept", len(kept), flush=True)
"""


@pytest.mark.slow
def test_kill_at_any_moment_loses_no_acknowledged_record(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(int(rng.integers(15, 60)))]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        acknowledged: list[tuple[int, TokenRef]] = []
        for line in lines:
            if line.startswith("kept"):
                acknowledged = acknowledged[-6:]
            elif line.endswith("\n"):
                seed, *ref = map(int, line.split())
                acknowledged.append((seed, TokenRef(*ref)))
        # The last compaction may have been told of fewer than we heard of.
        acknowledged = acknowledged[-6:]
        found = Segments(tmp_path).read([ref for _, ref in acknowledged])
        wanted = [make(seed) for seed, _ in acknowledged]
        assert all(same(a, b) for a, b in zip(found, wanted, strict=True))
