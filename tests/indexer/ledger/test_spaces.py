"""The book of vector spaces: what each holds, going over, and what has to leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.paths import BaseDir
from indexer.ledger.ledger import Done, Found, Ledger
from indexer.ledger.spaces import Built, Spaces

OLD, NEW = "old-space", "new-space"


@pytest.fixture
def ledger(base: BaseDir) -> Iterator[Ledger]:
    made = Ledger(base.ledger)
    yield made
    made.close()


@pytest.fixture
def spaces(ledger: Ledger) -> Spaces:
    made = Spaces(ledger)
    made.start_with("minilm")
    return made


@pytest.fixture
def files(ledger: Ledger, tmp_path: Path) -> list[int]:
    """Three files, all in the old space."""
    folder = tmp_path / "files"
    folder.mkdir()
    root = ledger.add_root(folder)
    found = [Found(bytes(folder / f"{n}.txt"), 10, n, n) for n in range(3)]
    ids = ledger.add_files(root, found)
    ledger.begin(ids)
    ledger.finish([Done(i, 2, f"hash {i}", 1, "note") for i in ids], 7)
    return ids


def built(file_id: int, version: int = 3, units: int = 5) -> Built:
    return Built(file_id, f"hash {file_id}", 1, units, version, "seen at 56 × 56 pixels")


def states(ledger: Ledger) -> dict[int, str]:
    return {record.id: record.state for record in ledger.files()}


def test_newest_first_until_nothing_is_left(spaces: Spaces, files: list[int]) -> None:
    assert [r.id for r in spaces.todo(NEW, 2)] == files[:0:-1]
    assert spaces.note(NEW, [built(files[2])]) == []
    assert spaces.progress(NEW) == (1, 3)
    assert [r.id for r in spaces.todo(NEW, 9, {files[1]})] == [files[0]]
    spaces.note(NEW, [built(i) for i in files])
    assert spaces.todo(NEW, 9) == []


def test_an_edited_file_is_built_again(ledger: Ledger, spaces: Spaces, files: list[int]) -> None:
    spaces.note(NEW, [built(i) for i in files])
    ledger.begin(files[:1])
    ledger.finish([Done(files[0], 2, "another hash", 1, "note")], 8)
    assert [r.id for r in spaces.todo(NEW, 9)] == files[:1]


def test_files_of_an_offline_drive_wait(ledger: Ledger, spaces: Spaces, files: list[int]) -> None:
    ledger.set_online(ledger.roots()[0].id, False)
    assert spaces.todo(NEW, 9) == []
    assert spaces.progress(NEW) == (0, 0)


def test_going_over_and_back(ledger: Ledger, spaces: Spaces, files: list[int]) -> None:
    spaces.note(NEW, [built(i) for i in files[:2]])
    spaces.switch(OLD, NEW, "jina-v4", sees=True)
    assert spaces.model == "jina-v4"
    assert states(ledger) == {files[0]: "done", files[1]: "done", files[2]: "pending"}
    first = ledger.file_by_id(files[0])
    assert first is not None
    assert (first.units, first.store_version, first.detail) == (5, 3, "seen at 56 × 56 pixels")
    assert spaces.is_whole(OLD)
    assert not spaces.is_whole(NEW)
    assert spaces.units_by_file(OLD) == dict.fromkeys(files, 2)
    # While the new one is used one file is edited and one is removed.
    ledger.begin(files[:1])
    ledger.finish([Done(files[0], 4, "edited", 1, "note")], 9)
    ledger.mark_removed(files[1:2])
    assert spaces.leftovers() == {OLD: files[1:2]}
    spaces.switch(NEW, OLD, "minilm", sees=False)
    # The third was not read again yet: it is looked at, and found to be the same.
    assert states(ledger) == {files[0]: "pending", files[2]: "pending"}
    back = ledger.file_by_id(files[0])
    assert back is not None
    assert (back.units, back.content_hash, back.store_version) == (2, f"hash {files[0]}", 7)
    third = ledger.file_by_id(files[2])
    assert third is not None
    assert third.content_hash == f"hash {files[2]}"
    assert spaces.units_by_file(NEW) == {files[0]: 4}


def test_what_the_new_model_can_not_take_is_pending(
    ledger: Ledger, spaces: Spaces, files: list[int]
) -> None:
    spaces.note(NEW, [built(files[0], units=0)])
    assert len(spaces.todo(NEW, 9)) == 2  # not asked again while it is built
    spaces.switch(OLD, NEW, "jina-v4", sees=True)
    assert states(ledger)[files[0]] == "pending"


def test_failures_of_the_model_before_are_tried_again(
    ledger: Ledger, spaces: Spaces, files: list[int]
) -> None:
    ledger.set_state(files[0], "failed", "encoder")
    ledger.set_state(files[1], "failed", "no-text")
    ledger.set_state(files[2], "failed", "crashed")
    spaces.switch(OLD, NEW, "neither", sees=False)
    assert list(states(ledger).values()) == ["pending", "failed", "failed"]
    spaces.switch(NEW, "third", "sees", sees=True)
    assert list(states(ledger).values()) == ["pending", "pending", "failed"]


def test_a_file_that_is_to_be_redone_leaves_every_space(
    ledger: Ledger, spaces: Spaces, files: list[int]
) -> None:
    spaces.note(NEW, [built(i) for i in files])
    ledger.requeue(files[:1])  # other settings: other units of the same contents
    assert spaces.leftovers() == {NEW: files[:1]}
    assert spaces.units_by_file(NEW).keys() == set(files[1:])
    spaces.taken_away(NEW, files[:1])
    assert spaces.leftovers() == {}


def test_a_file_removed_while_it_was_encoded(
    ledger: Ledger, spaces: Spaces, files: list[int]
) -> None:
    ledger.mark_removed(files[:1])
    assert spaces.note(NEW, [built(i) for i in files]) == files[:1]
    assert spaces.units_by_file(NEW).keys() == set(files[1:])


def test_commits_that_a_power_cut_took(spaces: Spaces, files: list[int]) -> None:
    spaces.note(NEW, [built(i, version=n) for n, i in enumerate(files)])
    spaces.lost_after(NEW, 1)
    assert spaces.units_by_file(NEW).keys() == set(files[:2])


def test_a_forgotten_space(spaces: Spaces, files: list[int]) -> None:
    spaces.switch(OLD, NEW, "jina-v4", sees=True)
    assert spaces.known() == {OLD}
    spaces.forget(OLD)
    assert spaces.known() == set()
    assert not spaces.is_whole(OLD)
