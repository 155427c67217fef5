"""The ledger: what it promises about states, crashes, threads, damage and names."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.attributes import ATTRIBUTES
from engine.contract.errors import InklingError
from indexer.ledger.ledger import Found, Ledger, Root
from indexer.ledger.schema import MIGRATIONS
from tests.indexer.ledger.noted_files import add, done, record
from tests.waiting import PATIENCE


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


@pytest.fixture
def ledger(base: Path) -> Iterator[Ledger]:
    ledger = Ledger(base / "ledger.sqlite")
    yield ledger
    ledger.close()


def test_another_revision_tells_that_something_is_known_anew(
    ledger: Ledger, tmp_path: Path
) -> None:
    (one,) = add(ledger, ledger.add_root(tmp_path), "a")
    before = ledger.database.revision
    record(ledger, one)
    ledger.requeue([])
    assert ledger.database.revision == before
    ledger.finish([done(one)], 1)
    assert ledger.database.revision > before


# -- roots ---------------------------------------------------------------------------------------


def test_roots_are_kept(base: Path, tmp_path: Path) -> None:
    ledger = Ledger(base / "ledger.sqlite")
    (tmp_path / "docs").mkdir()
    added = ledger.add_root(tmp_path / "docs")
    assert added.path == str(tmp_path / "docs")
    ledger.close()
    again = Ledger(base / "ledger.sqlite")
    assert again.roots() == [added]
    again.close()


def test_what_can_not_be_a_root_is_said(ledger: Ledger, base: Path, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    for path, word in (
        (tmp_path / "nowhere", "no folder"),
        (tmp_path / "file.txt", "not a folder"),
        (base, "own folder"),
        (base / "..", None),
    ):
        if word is None:
            assert ledger.add_root(path).path == str(tmp_path)
            continue
        with pytest.raises(InklingError, match=word) as raised:
            ledger.add_root(path)
        assert raised.value.hint


def test_a_folder_inside_a_root_is_covered_and_a_parent_takes_over(
    ledger: Ledger, tmp_path: Path
) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    child = ledger.add_root(inner)
    (file_id,) = add(ledger, child, "report.pdf")
    ledger.finish([done(file_id, "pdf")], 7)
    assert ledger.add_root(inner) == child
    parent = ledger.add_root(tmp_path / "a")
    assert ledger.roots() == [parent]
    kept = record(ledger, file_id)
    assert (kept.root_id, kept.state, kept.store_version) == (parent.id, "done", 7)
    assert ledger.add_root(inner) == parent
    # The parent's folder names are searchable now.
    assert [hit.file.id for hit in ledger.find_names(["a", "report"], 5)] == [file_id]


def test_a_folder_that_a_walk_does_not_reach_is_a_root_of_its_own(
    ledger: Ledger, tmp_path: Path
) -> None:
    hidden = tmp_path / ".notes"
    hidden.mkdir()
    outer = ledger.add_root(tmp_path, reaches=lambda root, folder: False)
    inner = ledger.add_root(hidden, reaches=lambda root, folder: False)
    assert [r.id for r in ledger.roots()] == [outer.id, inner.id]


def test_the_same_folder_under_another_name_is_the_same_root(
    ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    root = ledger.add_root(tmp_path / "real")
    assert ledger.add_root(tmp_path / "link") == root


def test_forgetting_a_folder_leaves_nothing_of_it(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "secret plans.txt", "b.txt")
    assert sorted(ledger.remove_root(root.path)) == ids
    assert ledger.roots() == []
    assert ledger.files() == []
    assert ledger.find_names(["secret"], 5) == []
    with pytest.raises(InklingError, match="not one of the watched folders"):
        ledger.remove_root(root.path)


def test_file_ids_are_never_given_twice(ledger: Ledger, root: Root) -> None:
    first = add(ledger, root, "a", "b")
    ledger.mark_removed(first)
    assert min(add(ledger, root, "a", "b")) > max(first)


# -- states --------------------------------------------------------------------------------------


def test_the_newest_pending_come_first_and_none_of_an_offline_root(
    ledger: Ledger, root: Root
) -> None:
    ids = add(ledger, root, "old", "middle", "new")
    assert [r.id for r in ledger.next_pending(2)] == [ids[2], ids[1]]
    assert [r.id for r in ledger.next_pending(2, {ids[2]})] == [ids[1], ids[0]]
    ledger.set_online(root.id, False)
    assert ledger.next_pending(2) == []


def test_done_is_remembered_whole(ledger: Ledger, root: Root) -> None:
    (file_id,) = add(ledger, root, "shot.png", kind="image")
    ledger.begin([file_id])
    assert record(ledger, file_id).attempts == 1
    assert ledger.finish([done(file_id, "screenshot", "abc", "screenshot")], 12) == []
    kept = record(ledger, file_id)
    assert (kept.state, kept.units, kept.content_hash, kept.kind) == (
        "done", 3, "abc", "screenshot",
    )  # fmt: skip
    assert (kept.picture, kept.store_version, kept.attempts) == ("screenshot", 12, 0)
    assert ledger.in_flight() == []


def test_a_file_that_changed_under_its_reader_is_not_done(ledger: Ledger, root: Root) -> None:
    (file_id,) = add(ledger, root, "a.txt")
    ledger.begin([file_id])
    kept = record(ledger, file_id)
    ledger.change_files([(file_id, Found(os.fsencode(kept.path), 9, 9, 9))])
    ledger.finish([done(file_id, content_hash="old")], 1)
    assert record(ledger, file_id).state == "pending"
    # What came back is what the store holds, and is said so.
    assert record(ledger, file_id).content_hash == "old"
    ledger.begin([file_id])
    ledger.finish([done(file_id, content_hash="new")], 2)
    assert record(ledger, file_id).state == "done"


def test_a_failure_of_a_version_that_is_gone_does_not_count(ledger: Ledger, root: Root) -> None:
    (file_id,) = add(ledger, root, "a.txt")
    ledger.begin([file_id])
    ledger.change_files([(file_id, Found(os.fsencode(f"{root.path}/a.txt"), 9, 9, 9))])
    ledger.set_state(file_id, "failed", "broken")
    assert (record(ledger, file_id).state, record(ledger, file_id).reason) == ("pending", "")


def test_a_file_removed_under_its_reader_is_named(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a", "b")
    ledger.begin(ids)
    ledger.mark_removed([ids[0]])
    assert ledger.finish([done(i) for i in ids], 1) == [ids[0]]
    assert [r.id for r in ledger.files()] == [ids[1]]


def test_reasons_are_counted_and_retried(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a", "b", "c", "d")
    ledger.set_state(ids[0], "failed", "timeout", "60 s")
    ledger.set_state(ids[1], "skipped", "unsupported")
    ledger.set_state(ids[2], "withheld", "secret-name", rule="*.key")
    counts = ledger.counts()
    assert counts == {"pending": 1, "done": 0, "failed": 1, "withheld": 1, "skipped": 1}
    assert ledger.counts(root.id) == counts
    assert ledger.counts(root.id + 1)["pending"] == 0
    assert ledger.reasons() == {"timeout": 1, "unsupported": 1, "secret-name": 1}
    assert {r.id for r in ledger.problems()} == set(ids[:3])
    assert [r.detail for r in ledger.problems(reason="timeout")] == ["60 s"]
    assert [r.rule for r in ledger.problems(state="withheld")] == ["*.key"]
    assert ledger.requeue() == 1  # only where trying again can help
    assert record(ledger, ids[0]).state == "pending"
    assert ledger.requeue([ids[1]]) == 1
    assert record(ledger, ids[1]).state == "pending"


def test_what_the_store_lost_is_done_again(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a", "b")
    ledger.finish([done(ids[0])], 5)
    ledger.finish([done(ids[1])], 6)
    assert ledger.redo_after(5) == 1
    kept = record(ledger, ids[1])
    assert (kept.state, kept.content_hash) == ("pending", None)
    assert record(ledger, ids[0]).state == "done"
    assert ledger.redo_all() == 1


def test_allowing_is_remembered(ledger: Ledger, root: Root) -> None:
    (file_id,) = add(ledger, root, "server.key")
    ledger.set_state(file_id, "withheld", "secret-name", rule="*.key")
    (hit,) = ledger.find_names(["server"], 5)
    assert (hit.file.state, hit.file.reason) == ("withheld", "secret-name")
    assert ledger.find_names([], 5) == []  # nobody asked for it
    assert ledger.allow([file_id]) == 1
    assert (record(ledger, file_id).state, record(ledger, file_id).allowed) == ("pending", True)
    assert [hit.file.id for hit in ledger.find_names(["server"], 5)] == [file_id]


def test_files_in_flight_when_the_process_died_are_found_again(base: Path, tmp_path: Path) -> None:
    """A real process, killed in the middle of its work, again and again."""
    (tmp_path / "docs").mkdir()
    ledger = Ledger(base / "ledger.sqlite")
    (file_id,) = add(ledger, ledger.add_root(tmp_path / "docs"), "bomb.pdf")
    ledger.close()
    script = (
        "import os, sys; from pathlib import Path; from indexer.ledger.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "ledger.recover(give_up_after=2)\n"
        "ledger.begin([r.id for r in ledger.next_pending(5)]); os.kill(os.getpid(), 9)"
    )
    for _ in range(2):
        command = [sys.executable, "-c", script, str(base / "ledger.sqlite")]
        assert subprocess.run(command, cwd=Path(__file__).parents[3]).returncode == -9
    again = Ledger(base / "ledger.sqlite")
    assert [r.id for r in again.in_flight()] == [file_id]
    assert [r.id for r in again.recover(give_up_after=2)] == [file_id]
    assert again.in_flight() == []
    assert (record(again, file_id).state, record(again, file_id).reason) == ("failed", "crashed")
    again.close()


def test_files_put_back_are_not_blamed(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a")
    ledger.begin(ids)
    ledger.put_back(ids)
    assert (record(ledger, ids[0]).attempts, ledger.in_flight()) == (0, [])


# -- threads and processes -------------------------------------------------------------------------


def test_readers_do_not_wait_for_a_writer(ledger: Ledger, root: Root) -> None:
    add(ledger, root, "a")
    with ledger.database.write() as connection:
        connection.execute("UPDATE files SET size = 99")
        seen: list[int] = []
        reader = threading.Thread(target=lambda: seen.extend(r.size for r in ledger.files()))
        reader.start()
        reader.join(timeout=PATIENCE)
        assert seen == [1]
    assert [r.size for r in ledger.files()] == [99]


def test_many_threads_write_and_read(ledger: Ledger, root: Root) -> None:
    failures: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for number in range(20):
                (file_id,) = add(ledger, root, f"{worker}-{number}.txt")
                ledger.begin([file_id])
                ledger.finish([done(file_id)], number)
                ledger.find_names([str(worker)], 5)
                ledger.counts()
        except Exception as error:  # noqa: BLE001 - it is looked at below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert ledger.counts()["done"] == 120


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger, root: Root) -> None:
    (file_id,) = add(ledger, root, "a")
    with pytest.raises(sqlite3.IntegrityError):
        add(ledger, root, "b", "a")
    assert [r.id for r in ledger.files()] == [file_id]
    assert ledger.find_names(["b"], 5) == []


# -- damage ----------------------------------------------------------------------------------------


def fill(base: Path, tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "docs").mkdir()
    ledger = Ledger(base / "ledger.sqlite")
    root = ledger.add_root(tmp_path / "docs")
    add(ledger, root, *(f"{n}.txt" for n in range(500)))
    identity = ledger.ledger_id
    ledger.close()
    return identity, root.path


@pytest.mark.parametrize("damage", ["overwritten", "truncated", "pages", "not a database"])
def test_a_damaged_file_is_set_aside_and_the_roots_survive(
    base: Path, tmp_path: Path, damage: str
) -> None:
    identity, root_path = fill(base, tmp_path)
    file = base / "ledger.sqlite"
    data = bytearray(file.read_bytes())
    if damage == "overwritten":
        data[:100] = os.urandom(100)
    elif damage == "truncated":
        del data[len(data) // 2 :]
    elif damage == "pages":
        data[8192 : len(data) - 4096] = os.urandom(len(data) - 12288)
    else:
        data = bytearray(b"hello" * 1000)
    file.write_bytes(bytes(data))
    ledger = Ledger(file)
    assert ledger.damage is not None
    assert "set aside" in ledger.damage.hint
    assert [root.path for root in ledger.roots()] == [root_path]
    assert ledger.files() == []
    assert ledger.ledger_id != identity
    kept = [path for path in base.iterdir() if ".damaged-" in path.name]
    assert len(kept) == 1
    assert kept[0].read_bytes() == bytes(data)
    ledger.close()
    again = Ledger(file)
    assert again.damage is None
    again.close()


def test_a_missing_ledger_still_knows_the_roots(base: Path, tmp_path: Path) -> None:
    _, root_path = fill(base, tmp_path)
    (base / "ledger.sqlite").unlink()
    ledger = Ledger(base / "ledger.sqlite")
    assert ledger.damage is None
    assert [root.path for root in ledger.roots()] == [root_path]
    ledger.close()


def test_roots_with_undecodable_names_survive_as_well(base: Path, tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system refuses such names")
    ledger = Ledger(base / "ledger.sqlite")
    ledger.add_root(folder)
    ledger.close()
    (base / "ledger.sqlite").write_bytes(b"broken" * 999)
    again = Ledger(base / "ledger.sqlite")
    assert [root.path for root in again.roots()] == [folder]
    again.close()


def test_a_newer_ledger_is_left_alone(base: Path) -> None:
    Ledger(base / "ledger.sqlite").close()
    connection = sqlite3.connect(base / "ledger.sqlite")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(InklingError, match="newer version"):
        Ledger(base / "ledger.sqlite")
    assert [p.name for p in base.iterdir() if "damaged" in p.name] == []


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InklingError, match="can't write"):
        Ledger(tmp_path / "nowhere" / "ledger.sqlite")


def test_a_full_disk_is_said_and_nothing_is_lost(ledger: Ledger, root: Root) -> None:
    add(ledger, root, "a")
    with ledger.database.write() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own full disk
    with pytest.raises(InklingError, match="disk is full"):
        add(ledger, root, *(f"{n}{'x' * 200}" for n in range(2000)))
    assert len(ledger.files()) == 1
    with ledger.database.write() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    add(ledger, root, "b")
    assert len(ledger.files()) == 2


def test_a_closed_ledger_says_so(base: Path) -> None:
    ledger = Ledger(base / "ledger.sqlite")
    ledger.close()
    with pytest.raises(InklingError, match="closed"):
        ledger.counts()
    with pytest.raises(InklingError, match="closed"):
        ledger.set_meta("a", "b")


# -- what there is to ask for ----------------------------------------------------------------------


def test_values_are_those_of_files_that_can_be_found(ledger: Ledger, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for folder in ("Work/Plans", "Notes"):
        (docs / folder).mkdir(parents=True)
    root = ledger.add_root(docs)
    texts = {row.word for row in ATTRIBUTES.values() if row.type == "text"}
    assert ledger.values_held(9) == {
        key: {} for key in {"kind", "ext", "lang", "in", "album"} | texts
    }
    add(ledger, root, "Work/a.md", "Work/Plans/b.md", "Notes/c.rs", "d.pdf")
    held = ledger.values_held(9)
    assert held["ext"] == {"md": 2, "rs": 1, "pdf": 1}
    work, notes = str(docs / "Work"), str(docs / "Notes")
    assert held["in"] == {work: 2, str(docs / "Work" / "Plans"): 1, notes: 1}
    assert list(ledger.values_held(1)["ext"]) == ["md"]
    assert list(ledger.values_held(1)["in"]) == [work]
