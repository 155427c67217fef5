"""The ledger: what it was read with, and what is to be read again for it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from indexer.ledger.ledger import Done, Ledger, Root
from indexer.ledger.records import Reader
from indexer.ledger.schema import MIGRATIONS
from tests.indexer.ledger.noted_files import add, done, record


def readers(markdown: int = 1, pdf: int = 1) -> list[Reader]:
    return [Reader("markdown", markdown, ("md", "txt")), Reader("pdf", pdf, ("pdf",))]


def read_by(ledger: Ledger, file_id: int, extractor: str, version: int = 1) -> None:
    ledger.finish([Done(file_id, 1, "h", version, "note", extractor=extractor)], 1)


def test_only_what_an_older_version_read_is_stale_newest_first(ledger: Ledger, root: Root) -> None:
    old, pdf, new, pending, better = add(ledger, root, "a.md", "b.pdf", "c.md", "d.md", "e.md")
    for file_id in (old, new):
        read_by(ledger, file_id, "markdown")
    read_by(ledger, pdf, "pdf")
    read_by(ledger, better, "markdown", 2)
    assert ledger.note_versions(readers()) == 0
    assert ledger.note_versions(readers(markdown=2)) == 2
    assert [r.id for r in ledger.next_stale(9)] == [new, old]
    assert [r.id for r in ledger.next_stale(9, {new})] == [old]
    assert ledger.stale_count() == 2
    assert ledger.counts()["done"] == 4
    assert [r.id for r in ledger.next_pending(9)] == [pending]
    ledger.set_online(root.id, False)
    assert ledger.stale_count() == 0
    assert ledger.next_stale(9) == []
    ledger.set_online(root.id, True)
    read_by(ledger, new, "markdown", 2)
    ledger.keep_as_read([old])
    assert ledger.stale_count() == 0
    assert ledger.note_versions(readers(markdown=2)) == 0


def test_who_read_a_file_counts_more_than_its_name(ledger: Ledger, root: Root) -> None:
    (disguised, unnoted, sniffed) = add(ledger, root, "a.txt", "b.txt", "c.odd")
    read_by(ledger, disguised, "pdf")  # by its first bytes
    for file_id in (unnoted, sniffed):
        read_by(ledger, file_id, "")
    assert ledger.note_versions(readers(markdown=2)) == 1
    assert [r.id for r in ledger.next_stale(9)] == [unnoted]
    ledger.note_versions(readers(markdown=2, pdf=2))
    assert {r.id for r in ledger.next_stale(9)} == {unnoted, disguised, sniffed}


def test_what_gave_nothing_is_tried_by_a_new_version(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a.md", "b.pdf", "c.md")
    ledger.set_state(ids[0], "failed", "broken")
    ledger.set_state(ids[1], "failed", "broken")
    ledger.set_state(ids[2], "withheld", "secret-name", rule="x")
    ledger.note_versions(readers())
    assert ledger.next_pending(9) == []  # nobody knows what read them
    ledger.note_versions(readers(markdown=2))
    assert [r.id for r in ledger.next_pending(9)] == [ids[0]]


def test_a_stale_file_that_ends_the_indexer_keeps_its_rows(ledger: Ledger, root: Root) -> None:
    (file_id,) = add(ledger, root, "a.md")
    read_by(ledger, file_id, "markdown")
    ledger.recover()
    ledger.note_versions(readers(markdown=2))
    for _ in range(8):
        ledger.begin([file_id])
    ledger.recover()
    kept = record(ledger, file_id)
    assert (kept.state, kept.units, kept.stale) == ("done", 1, False)
    assert ledger.in_flight() == []


def test_a_ledger_from_before_keeps_what_it_knew(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    for statements in MIGRATIONS[:3]:
        for statement in statements:
            connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('id', 'x')")
    connection.execute("INSERT INTO roots (path, added) VALUES (?, 1)", (bytes(tmp_path),))
    connection.execute(
        "INSERT INTO files (root_id, path, name_key, ext, size, mtime_ns, inode, state, units,"
        " extractor_version) VALUES (1, ?, 'a', 'md', 1, 1, 1, 'done', 3, 1)",
        (bytes(tmp_path / "a.md"),),
    )
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()
    ledger = Ledger(path)
    (kept,) = ledger.files()
    assert (kept.reading_version, kept.extractor, kept.stale) == (1, "", False)
    assert ledger.note_versions(readers()) == 0
    assert ledger.note_versions(readers(markdown=2)) == 1
    ledger.close()


def test_what_an_earlier_version_left_half_read_is_read_on(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    ledger = Ledger(tmp_path / "base" / "ledger.sqlite")
    root = ledger.add_root(tmp_path)
    left = {
        "scan.pdf": ("pdf", "Pages without text not read by OCR: 10, from page 3 on."),
        "fax.tif": ("image", "Only the first 30 of 44 pages were read."),
        "whole.pdf": ("pdf", "Damaged pages were left out: 1, the first is page 3."),
    }
    for file_id, (kind, said) in zip(add(ledger, root, *left), left.values(), strict=True):
        ledger.finish([Done(file_id, 1, f"h{file_id}", 1, kind, detail=said)], 1)
    with ledger.database.write() as connection:
        connection.execute("DROP INDEX files_unread")
        connection.execute("ALTER TABLE files DROP COLUMN unread")
        connection.execute("DROP INDEX files_partly")
        connection.execute("ALTER TABLE files DROP COLUMN partly")
        connection.execute("DROP TABLE left_out")
        connection.execute("PRAGMA user_version = 7")
    ledger.close()
    ledger = Ledger(tmp_path / "base" / "ledger.sqlite")
    assert [(r.state, r.reason, r.unread, r.units) for r in ledger.files()] == [
        ("pending", "partly-read", 1, 1),
        ("pending", "partly-read", 1, 1),
        ("done", "", 0, 1),
    ]
    assert len(ledger.partly_read()) == 3  # with the damaged page of one that is done
    ledger.close()


def test_counts_below_a_folder(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "in/a.md", "in/deep/b.md", "inner.md", "c.md")
    ledger.finish([done(ids[0]), done(ids[3])], 1)
    assert ledger.counts_below(f"{root.path}/in") == {
        "pending": 1, "done": 1, "failed": 0, "withheld": 0, "skipped": 0,
    }  # fmt: skip
    assert ledger.counts_below(root.path)["done"] == 2


def test_roots_in_memory_follow_every_change(ledger: Ledger, root: Root, tmp_path: Path) -> None:
    inner = tmp_path / "docs" / "hidden"
    inner.mkdir()
    assert ledger.root_of(f"{root.path}/a.md") == root
    assert ledger.root_of(f"{root.path}er/a.md") is None
    added = ledger.add_root(inner, reaches=lambda outer, folder: False)
    assert ledger.root_of(f"{inner}/a.md") == added
    assert ledger.root_of(str(inner)) == added
    ledger.set_online(root.id, False, "7")
    assert [(r.online, r.identity) for r in ledger.roots()] == [(False, "7"), (True, "")]
    ledger.remove_root(inner)
    found = ledger.root_of(f"{inner}/a.md")
    assert found is not None
    assert found.id == root.id
