"""What a scan does not enter is on record, by the rule that says so, and leaves it with that."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.ledger.ledger import Ledger
from indexer.ledger.left_out import LeftOutCount
from indexer.sources import walk
from indexer.sources.ignore import IgnoreRules
from tests.indexer.sources.place import Place, nothing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


def counts(ledger: Ledger) -> set[tuple[str, str, int, int]]:
    return {(c.code, c.rule, c.files, c.folders) for c in ledger.left_out_counts()}


def left_out(place: Place) -> dict[str, str]:
    """Code by path below the root."""
    found = place.ledger.left_out()
    return {os.path.relpath(path, place.folder): entry.code for path, entry in found}


def test_every_entry_is_counted_under_its_rule_and_a_folder_once(place: Place) -> None:
    place.rules = IgnoreRules(["*.bak"])
    place.write("code/.git/config")
    place.write("code/.gitignore", "# mine\n*.log\n/out/\n")
    place.write("code/.inklingignore", "drafts/\n")
    for name in ("a.log", "deep/b.log", "out/1.md", "out/2.md", "drafts/x.md", "n.bak"):
        place.write(f"code/{name}")
    place.write("code/main.o")
    place.write(".env")  # withheld, which is told elsewhere
    (place.folder / "elsewhere").symlink_to("/usr")
    assert nothing(place.scan()) is False
    assert counts(place.ledger) == {
        ("hidden", ".*", 2, 1),
        ("gitignore", "*.log", 2, 0),
        ("gitignore", "/out/", 0, 1),
        ("inklingignore", "drafts/", 0, 1),
        ("setting", "*.bak", 1, 0),
        ("default", "*.o", 1, 0),
        ("link", "", 1, 0),
    }
    assert place.ledger.withheld_by_rule() == {"*.env": 1}
    [(path, entry)] = place.ledger.left_out("gitignore", "/out/")
    assert path == str(place.folder / "code/out")
    assert entry.source == f"{place.folder}/code/.gitignore:3"


def test_what_is_let_in_or_gone_leaves_the_record(place: Place) -> None:
    gone, kept = place.write("a/gone.tmp"), place.write("a/kept.tmp")
    place.write("b/c.tmp")
    place.scan()
    assert set(left_out(place)) == {"a/gone.tmp", "a/kept.tmp", "b/c.tmp"}
    gone.unlink()
    place.look(gone)
    assert set(left_out(place)) == {"a/kept.tmp", "b/c.tmp"}
    (place.folder / "a/.inklingignore").write_text("!*.tmp\n")
    place.look(kept.parent)
    assert place.names() == {"a/kept.tmp"}
    assert left_out(place) == {"a/.inklingignore": "hidden", "b/c.tmp": "default"}
    place.rules = IgnoreRules(["b/"])
    place.scan()
    assert left_out(place)["b"] == "setting"
    assert "b/c.tmp" not in left_out(place)


def test_an_unchanged_folder_writes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("a.tmp")
    place.scan()
    before = left_out(place)
    monkeypatch.setattr(Ledger, "note_left_out", None)  # a call would fail
    assert nothing(place.scan())
    assert left_out(place) == before


def test_a_walk_that_is_cut_short_forgets_nothing(place: Place) -> None:
    for number in range(3):
        place.write(f"{number}/x.tmp")
    place.scan()
    place.folder.rename(place.folder.with_name("away"))
    assert place.scan().offline
    assert len(left_out(place)) == 3


def test_a_folder_that_is_closed_to_us_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("shut/a.tmp")
    place.scan()
    listing = os.scandir

    def refused(path: str | bytes) -> object:
        if os.fsencode(path).endswith(b"/shut"):  # root may look into everything
            raise PermissionError(errno.EACCES, "Permission denied")
        return listing(path)

    with monkeypatch.context() as patch:
        patch.setattr(walk.os, "scandir", refused)
        place.scan()
    assert left_out(place) == {"shut": "no-access", "shut/a.tmp": "default"}
    place.scan()
    assert left_out(place) == {"shut/a.tmp": "default"}


def test_another_disk_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("disk/a.md")
    met = walk.Walk._on_this_disk
    real = os.stat(place.folder)

    def on_another(self: walk.Walk, path: bytes, found: os.stat_result) -> bool:
        moved = os.stat_result((*found[:2], real.st_dev + 1, *found[3:]))
        return met(self, path, moved)

    monkeypatch.setattr(walk.Walk, "_on_this_disk", on_another)
    place.scan()
    assert left_out(place) == {"disk": "other-disk"}


def test_a_hidden_folder_that_becomes_a_root_is_not_left_out(place: Place) -> None:
    place.write(".notes/a.md")
    place.write(".notes/b.tmp")
    place.scan()
    assert left_out(place) == {".notes": "hidden"}
    place.ledger.add_root(place.folder / ".notes", reaches=lambda root, folder: False)
    assert left_out(place) == {}
    place.scan()
    place.scan(1)
    assert left_out(place) == {".notes/b.tmp": "default"}
    place.ledger.remove_root(place.folder / ".notes")
    assert left_out(place) == {}
    place.scan()
    assert left_out(place) == {".notes": "hidden"}


def test_rules_and_names_that_are_no_text(place: Place) -> None:
    (place.folder / ".gitignore").write_bytes(b"")
    os.mkdir(os.fsencode(place.folder) + b"/repo")
    os.mkdir(os.fsencode(place.folder) + b"/repo/.git")
    Path(place.folder / "repo/.gitignore").write_bytes(b"odd\xff*\n")
    open(os.fsencode(place.folder) + b"/repo/odd\xff1", "wb").close()
    place.scan()
    [found] = [c for c in place.ledger.left_out_counts() if c.code == "gitignore"]
    assert found == LeftOutCount("gitignore", r"odd\udcff*", found.source, 1, 0)
    [(path, _)] = place.ledger.left_out("gitignore", found.rule)
    assert os.fsencode(path).endswith(b"/odd\xff1")
