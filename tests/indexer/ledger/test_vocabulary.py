"""The vocabulary follows the names: added, moved, removed, carried over from an older ledger."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.ledger import name_rows
from indexer.ledger.ledger import Found, Ledger, Root
from indexer.ledger.schema import MIGRATIONS, folder_of
from tests.indexer.ledger.library import LIBRARY, ask, names_of
from tests.indexer.ledger.noted_files import add


def moved_to(path: str, folder: str) -> Found:
    head, name = os.path.split(path)
    return Found(os.fsencode(f"{head}/{folder}/{name}"), 1, 1, 1)


def vocabulary(ledger: Ledger) -> set[tuple[str, int, int]]:
    with ledger.database.read() as connection:
        return set(connection.execute("SELECT word, files, below FROM words"))


def counted_anew(ledger: Ledger) -> set[tuple[str, int, int]]:
    files, below = Counter[str](), Counter[str]()
    with ledger.database.read() as connection:
        for name, folder in connection.execute("SELECT name, folder FROM names"):
            files.update(set(name.split()))
            below.update(set(folder.split()))
    return {(word, files[word], below[word]) for word in files.keys() | below.keys()}


PLACES = st.integers(0, 11)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(LIBRARY), min_size=3, max_size=12, unique=True),
    st.dictionaries(PLACES, st.sampled_from(["neu", "old/Ärger", "a b"])),
    st.sets(PLACES),
)
def test_the_vocabulary_follows_every_change(
    ledger: Ledger, root: Root, names: list[str], moved: dict[int, str], removed: set[int]
) -> None:
    ledger.mark_removed([file.id for file in ledger.files()])
    assert vocabulary(ledger) == set()
    ids = dict(enumerate(add(ledger, root, *names)))
    records = ledger.files_by_ids(list(ids.values()))
    ledger.move_files(
        root.id,
        [(ids[n], moved_to(records[ids[n]].path, to)) for n, to in moved.items() if n in ids],
    )
    ledger.mark_removed([ids[n] for n in removed if n in ids])
    assert vocabulary(ledger) == counted_anew(ledger)
    with ledger.database.write() as connection:
        connection.execute("INSERT INTO word_parts (word_parts) VALUES ('integrity-check')")


def test_a_removed_folder_leaves_no_words(ledger: Ledger, root: Root) -> None:
    add(ledger, root, *LIBRARY)
    assert vocabulary(ledger)
    ledger.remove_root(root.path)
    assert vocabulary(ledger) == set()


def older_ledger(path: Path, names: list[str]) -> None:
    """A ledger as the version before the vocabulary left it."""
    folder = os.fsencode(path.parent)
    connection = sqlite3.connect(path)
    connection.create_function("folder_of", 1, folder_of)
    for statement in (statement for step in MIGRATIONS[:5] for statement in step):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('id', 'x')")
    connection.execute("INSERT INTO roots (path, added) VALUES (?, 1)", (folder,))
    for file_id, name in enumerate(names, 1):
        connection.execute(
            "INSERT INTO files (id, root_id, path, name_key, size, mtime_ns, inode, state)"
            " VALUES (?, 1, ?, ?, 1, 1, 1, 'done')",
            (file_id, os.path.join(folder, name.encode()), name.lower()),
        )
        words = name.lower().replace(".", " ")
        connection.execute(
            "INSERT INTO names (rowid, name, folder) VALUES (?, ?, 'docs')", (file_id, words)
        )
    connection.execute("PRAGMA user_version = 5")
    connection.commit()
    connection.close()


def test_an_older_ledger_is_carried_over_without_a_scan(tmp_path: Path) -> None:
    older_ledger(tmp_path / "ledger.sqlite", ["Smørrebrød.txt", "bread.md"])
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for typed, name in [
        ("smorrebrod", "Smørrebrød.txt"), ("smoerrebroed", "Smørrebrød.txt"), ("bread", "bread.md"),
        ("smorebrod", "Smørrebrød.txt"), ("*rebr*", "Smørrebrød.txt"),
    ]:  # fmt: skip
        assert names_of(ask(ledger, typed)) == [name]
    assert vocabulary(ledger) == counted_anew(ledger)
    ledger.close()


def test_carrying_over_goes_on_beside_other_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_rows, "_STEP", 2)
    older_ledger(tmp_path / "ledger.sqlite", [f"ærø {word}.txt" for word in "abcdefgh"])
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert names_of(ask(ledger, "aeroe a"))[0] == "ærø a.txt"
    assert names_of(ask(ledger, "ærø"))  # but its words are found as they stand
    (root,) = ledger.roots()
    add(ledger, root, "new.txt")
    for at in (1, 8):  # one that is carried over, one that is not
        ledger.move_files(root.id, [(at, moved_to(f"{root.path}/ærø {at}.txt", "away"))])
    ledger.mark_removed([2, 7])
    ledger.close()
    ledger = Ledger(tmp_path / "ledger.sqlite")  # it goes on after a restart
    steps = 1
    while ledger.carry_names_on():
        steps += 1
    assert steps == 3
    assert vocabulary(ledger) == counted_anew(ledger)
    assert names_of(ask(ledger, "aeroe e"))[0] == "ærø e.txt"
    assert len(ask(ledger, "aeroe")) == 6
    ledger.close()
