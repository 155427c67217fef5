"""The arrays are never believed over the table: damage, other commits, failures, kills."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from engine.store import Store, arrays
from engine.store.array_files import PARTS
from engine.store.array_rows import COLUMNS
from engine.store.array_view import View
from tests.engine.store.arrays_checks import by_the_table, check_agreement, made, view_of
from tests.engine.store.store_units import DIM


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, "m", DIM)
    yield opened
    opened.close()


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"torn")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with postings on disk, and some since."""
    folder = tmp_path_factory.mktemp("whole")
    store = Store.open(folder, "m", DIM)
    store.replace_files({n: made(n, 3, n) for n in range(5)})
    assert store._arrays is not None
    store._make_arrays(store._arrays)
    for n in range(3, 6):
        store.replace_files({n: made(n, 3, n), n + 10: made(n + 10, 3, n)})
    store.close()
    return folder


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("spoil", [truncated, zeroed, flipped, longer, Path.unlink])
def test_a_damaged_file_is_made_anew(
    tmp_path: Path, whole: Path, part: str, spoil: Callable[[Path], object]
) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    (file,) = (tmp_path / "m.lance" / "arrays").glob(f"*.{part}")
    spoil(file)
    store = Store.open(tmp_path, "m", DIM)
    assert view_of(store) is not None
    store.close()
    kept = sorted(path.name for path in file.parent.iterdir())
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {0o600}
    assert [Path(name).stem for name in kept] == ["00000003"] * len(PARTS)
    store = Store.open(tmp_path, "m", DIM)  # and those are taken as they are
    check_agreement(store)
    assert sorted(path.name for path in file.parent.iterdir()) == kept
    store.close()


def test_arrays_of_another_commit_are_not_believed(tmp_path: Path) -> None:
    """Older ones, newer ones, and those of a commit that was given up and its number used again."""
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({1: made(1, 3, 1)})
    folder = tmp_path / "m.lance" / "arrays"
    older = {path.name: path.read_bytes() for path in folder.iterdir()}
    store.replace_files({2: made(2, 3, 2)})
    store.close()
    for name, data in older.items():
        (folder / name).write_bytes(data)
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    version = store.version
    store.close()
    newest = min((tmp_path / "m.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(bytes(newest.stat().st_size))
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    store._arrays = None  # another commit of the number that the arrays are of
    while store.version < version:
        store.replace_files({3: made(3, 3, 3)})
    store.close()
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    store.close()


def test_while_the_table_is_ahead_the_table_answers(store: Store) -> None:
    store.replace_files({1: made(1, 3, 1)})
    kept, store._arrays = store._arrays, None
    store.replace_files({1: made(1, 2, 5), 2: made(2, 2, 6)})
    store._arrays = kept
    check_agreement(store, answers=False)
    store.replace_files({3: made(3, 2, 7)})
    check_agreement(store, answers=False)
    store.maintain(force=True)
    check_agreement(store)


def test_a_failing_disk_is_no_fault_of_a_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.replace_files({1: made(1, 3, 1)})
    monkeypatch.setattr(arrays, "AGAIN_S", 0.0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("engine.store.array_files.ArrayFiles.append", full)
        store.replace_files({2: made(2, 3, 2)})
        check_agreement(store, answers=False)
        store.maintain(force=True)
        check_agreement(store, answers=False)
    store.replace_files({4: made(4, 3, 4)})
    store.maintain(force=True)
    check_agreement(store)


def test_vectors_that_can_not_be_read_are_asked_of_the_table(store: Store, tmp_path: Path) -> None:
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    (file,) = (tmp_path / "m.lance" / "arrays").glob("*.vectors")
    os.truncate(file, 10)
    plain = by_the_table(store)
    assert store.vectors(["1:0"]).keys() == plain.vectors(["1:0"]).keys()
    check_agreement(store, answers=False)
    store.maintain(force=True)
    check_agreement(store)


def test_a_reader_of_outdated_files_spoils_nothing(store: Store) -> None:
    """Its view was replaced while it read, and the files went."""
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    assert store._arrays is not None
    mark = store._table.mark()

    def slowly(view: View) -> None:
        assert store._arrays is not None
        store._make_arrays(store._arrays)
        raise FileNotFoundError(2, "No such file", str(view.files.path("vectors")))

    assert store._arrays.ask(mark, slowly) is None
    check_agreement(store)


def test_a_making_that_breaks_off_leaves_none(store: Store) -> None:
    store.replace_files({n: made(n, 3, n) for n in range(1, 5)})
    assert store._arrays is not None

    def batches() -> Iterator[pa.Table]:
        yield store._scan("file_id < 3", COLUMNS, lambda found: found)
        raise RuntimeError("LanceError(IO)")

    with pytest.raises(RuntimeError):
        store._arrays.build(store._table.mark(), batches())
    check_agreement(store, answers=False)
    store.replace_files({1: made(1, 2, 9)})
    check_agreement(store, answers=False)


_WRITER = """
import sys
import threading
from pathlib import Path
from engine.store import Store
from tests.engine.store.arrays_checks import made
from tests.engine.store.store_units import DIM

store = Store.open(Path(sys.argv[1]), "m", DIM)
print("open", flush=True)
for i in range(int(sys.argv[2]), 10**9):
    store.replace_files({i % 9: made(i % 9, i % 5, i)})
    print(i, flush=True)
    if i % 6 == 0:
        store.maintain(force=i % 12 == 0)
"""


@pytest.mark.slow
def test_kill_at_any_moment(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(int(os.environ.get("INKLING_TEST_KILLS", "6"))):
        start = str(rng.randrange(10**6))
        command = [sys.executable, "-c", _WRITER, str(tmp_path), start]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 12)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        store = Store.open(tmp_path, "m", DIM)
        check_agreement(store)
        store.close()


def test_opened_without_arrays_a_space_keeps_none(tmp_path: Path) -> None:
    """What is deleted from a space that nobody searches must not live on in them."""
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({n: made(n, 3, n) for n in range(3)})
    store.close()
    folder = tmp_path / "m.lance" / "arrays"
    assert any(folder.iterdir())
    store = Store.open(tmp_path, "m", DIM, arrays=False)
    store.delete_files([1])
    store.maintain(force=True)
    store.close()
    assert not folder.exists()
    store = Store.open(tmp_path, "m", DIM)
    check_agreement(store)
    store.close()
