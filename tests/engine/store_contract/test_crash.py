"""A process that writes is killed in the middle: what was counted is what there is, and `synced`
tells how far the points are right."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.contract.errors import InklingError, StoreBusyError
from engine.served import QdrantStore
from tests.engine.store_contract.comparing import check_questions, check_reads
from tests.engine.store_contract.made_units import About, made

FILES = list(range(1, 13))
_WRITER = """
import sys
from pathlib import Path
from engine.served import QdrantStore
from tests.engine.store_contract.made_units import About, made
store = QdrantStore.open(Path(sys.argv[1]), About())
files = list(range(1, 13))
store.upsert([s for i in files for s in made(i, i)], dict.fromkeys(files, 1))
store.synced = 1
print("first", flush=True)
turn = 0
while True:
    turn += 1
    chosen = [1 + (turn * 5 + n) % 12 for n in range(6)]
    store.upsert([s for i in chosen for s in made(i, 100 + i)], dict.fromkeys(chosen, 2))
    store.set_rights({i: 3 for i in chosen[:2]})
    store.delete(chosen[4:5])
    print(turn, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 3, 6])
def test_killed_while_it_writes(tmp_path: Path, turns: int) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == str(turns):
                break
        writer.send_signal(signal.SIGKILL)
    store = QdrantStore.open(tmp_path / "killed", About())
    assert store.synced == 1
    fresh = QdrantStore.open(tmp_path / "fresh", About())
    check_numbers(store)
    # The commit is written once more, as whoever follows the archive does it.
    for one in (store, fresh):
        one.upsert([s for i in FILES for s in made(i, 100 + i)], dict.fromkeys(FILES, 2))
        one.delete([3])
        one.synced = 2
    check_reads(store.view(), fresh.view(), FILES, most=4)
    for case in range(20):
        check_questions(store.view(), fresh.view(), random.Random(case), FILES)
    store.close()
    again = QdrantStore.open(tmp_path / "killed", About())
    assert again.synced == 2
    assert again.view().count() == fresh.view().count()
    again.close()
    fresh.close()


def check_numbers(store: QdrantStore) -> None:
    """Numbers of each class are those of its units."""
    for rights in (1, 2, 3):
        view = store.view(frozenset({rights}))
        texts = view.sampled_terms(10_000)
        assert view.totals() == (len(texts), sum(len(text.split()) for text in texts))
        held = {term for text in texts for term in text.split()}
        counted = view.held(sorted(held))
        assert counted == {t: sum(t in text.split() for text in texts) for t in held}


def test_numbers_that_are_lost_are_counted_again(tmp_path: Path) -> None:
    store = QdrantStore.open(tmp_path, About())
    store.upsert(made(1, 1), {1: 1})
    store.synced = 5
    count = store.view().count()
    store.close()
    (tmp_path / "statistics.sqlite").unlink()
    again = QdrantStore.open(tmp_path, About())
    assert again.synced == 5
    assert again.view().count() == count
    check_numbers(again)
    again.close()


def test_a_folder_of_another_archive_or_in_use_is_refused(tmp_path: Path) -> None:
    store = QdrantStore.open(tmp_path, About())
    store.synced = 1
    with pytest.raises(StoreBusyError, match="open in another process"):
        QdrantStore.open(tmp_path, About())
    store.close()
    with pytest.raises(InklingError, match="another archive"):
        QdrantStore.open(tmp_path, About(archive_id="other"))
