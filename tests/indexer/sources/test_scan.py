"""The walk: every difference between a folder and the ledger, and nothing else."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.ledger.ledger import Ledger
from indexer.sources import walk
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_paths, scan_root
from tests.indexer.sources.place import Place, nothing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


def test_what_is_there_is_found_once(place: Place) -> None:
    place.write("a.txt")
    place.write("deep/er/b.PDF")
    result = place.scan(kinds={"pdf": "pdf"})
    assert place.names() == {"a.txt", "deep/er/b.PDF"}
    assert (result.seen, len(result.added)) == (2, 2)
    assert {(r.ext, r.kind, r.state) for r in place.ledger.files()} == {
        ("txt", "other", "pending"), ("pdf", "pdf", "pending"),
    }  # fmt: skip
    again = place.scan()
    assert nothing(again)
    assert again.seen == 2


def test_changes_are_found_and_keep_the_file(place: Place) -> None:
    path = place.write("a.txt", "one")
    place.scan()
    before = place.record(path)
    place.finish(path)
    path.write_text("longer than one")
    result = place.scan()
    after = place.record(path)
    assert result.changed == [before.id]
    assert (after.id, after.state, after.size) == (before.id, "pending", 15)
    assert after.content_hash is not None  # to tell a touch from an edit


def test_an_edit_that_keeps_size_and_time_but_not_the_inode_is_found(place: Place) -> None:
    path = place.write("a.txt", "one")
    place.scan()
    stat = path.stat()
    other = place.folder.parent / "other"
    other.write_text("two")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(other, path)
    assert len(place.scan().changed) == 1


def test_removed_files_are_forgotten(place: Place) -> None:
    path = place.write("a.txt")
    place.write("b.txt")
    place.scan()
    file_id = place.record(path).id
    path.unlink()
    assert place.scan().removed == [file_id]
    assert place.names() == {"b.txt"}


def test_renames_and_moves_cost_nothing(place: Place) -> None:
    paths = [place.write(f"old/{n}.txt", "y" * (n + 1)) for n in range(5)]
    place.scan()
    place.finish(*paths)
    before = {r.id: r.content_hash for r in place.ledger.files()}
    (place.folder / "old").rename(place.folder / "new")
    (place.folder / "new" / "0.txt").rename(place.folder / "zero.txt")
    result = place.scan()
    assert (result.added, result.changed, result.removed) == ([], [], [])
    assert {i for i, _, _ in result.moved} == set(before)
    assert {old for _, old, _ in result.moved} == {str(path) for path in paths}
    assert {r.id: r.content_hash for r in place.ledger.files(state="done")} == before
    assert place.names() == {"zero.txt", *(f"new/{n}.txt" for n in range(1, 5))}


def test_a_move_to_another_file_system_is_known_by_its_contents(place: Place) -> None:
    path = place.write("a.txt", "contents")
    place.scan()
    place.finish(path)
    before = place.record(path)
    # What `mv` does across file systems: copy with times, then remove.
    (place.folder / "sub").mkdir()
    shutil.copy2(path, place.folder / "sub" / "b.txt")
    path.unlink()
    result = place.scan()
    assert [i for i, _, _ in result.moved] == [before.id]
    assert place.record(place.folder / "sub" / "b.txt").state == "done"


def test_a_copy_is_a_new_file(place: Place) -> None:
    path = place.write("a.txt", "contents")
    place.scan()
    place.finish(path)
    shutil.copy2(path, place.folder / "b.txt")
    result = place.scan()
    assert (len(result.added), result.moved) == (1, [])
    assert place.record(path).state == "done"


def test_another_file_of_the_same_size_and_time_is_no_move(place: Place) -> None:
    path = place.write("a.txt", "contents")
    place.scan()
    place.finish(path)
    stat = path.stat()
    other = place.write("b.txt", "CONTENTS")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    path.unlink()
    result = place.scan()
    assert (len(result.added), len(result.removed), result.moved) == (1, 1, [])


def test_a_new_extension_is_a_new_file(place: Place) -> None:
    path = place.write("a.txt", "x = 1")
    place.scan()
    place.finish(path)
    path.rename(place.folder / "a.py")
    result = place.scan()
    assert (len(result.added), len(result.removed)) == (1, 1)


def test_a_move_over_another_file_leaves_one(place: Place) -> None:
    one, two = place.write("one.txt", "first"), place.write("two.txt", "second!")
    place.scan()
    place.finish(one, two)
    os.replace(one, two)
    place.scan()
    assert place.names() == {"two.txt"}
    assert place.record(two).size == 5


def test_two_files_change_places(place: Place) -> None:
    one, two = place.write("one.txt", "first"), place.write("two.txt", "second!")
    place.scan()
    place.finish(one, two)
    one.rename(place.folder / "x.txt")
    two.rename(one)
    (place.folder / "x.txt").rename(two)
    result = place.scan()
    assert len(result.changed) == 2
    assert place.record(one).size == 7


# -- what is no file for the index -----------------------------------------------------------------


def test_links_are_not_followed_and_loops_do_no_harm(place: Place, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("x")
    place.write("a/b.txt")
    (place.folder / "a" / "loop").symlink_to(place.folder)
    (place.folder / "out").symlink_to(tmp_path / "outside")
    (place.folder / "file").symlink_to(place.folder / "a" / "b.txt")
    (place.folder / "broken").symlink_to("nowhere")
    place.scan()
    assert place.names() == {"a/b.txt"}
    place.look(place.folder / "out" / "secret.txt", place.folder / "file", place.folder / "out")
    assert place.names() == {"a/b.txt"}


def test_a_root_may_be_a_link(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    place.ledger.add_root(tmp_path / "link")
    place.scan(1)
    assert [r.path for r in place.ledger.files()] == [str(tmp_path / "link" / "a.txt")]
    place.ledger.close()


def test_devices_pipes_and_sockets_have_their_reason(place: Place) -> None:
    os.mkfifo(place.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(place.folder)  # a socket's path is short
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
        place.scan()
    assert {r.reason for r in place.ledger.files()} == {"not-regular"}
    assert {r.state for r in place.ledger.files()} == {"skipped"}
    assert len(place.names()) == 2


def test_its_own_folder_and_other_roots_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home" / "base").mkdir(parents=True)
    (tmp_path / "home" / "a.txt").write_text("x")
    ledger = Ledger(tmp_path / "home" / "base" / "ledger.sqlite")
    root = ledger.add_root(tmp_path / "home")
    scan_root(ledger, root, IgnoreRules())
    assert [os.path.basename(r.path) for r in ledger.files()] == ["a.txt"]
    scan_paths(ledger, root, [str(tmp_path / "home" / "base")], IgnoreRules())
    assert len(ledger.files()) == 1
    ledger.close()


def test_hidden_and_generated_files_are_left_out_but_their_secrets_are_listed(
    place: Place,
) -> None:
    for name in (".hidden", ".cache/x.txt", "node_modules/m/readme.md", "a.pyc", "b.txt"):
        place.write(name)
    place.write(".env", "KEY=1")
    place.write(".env.example", "KEY=")
    place.write("keys/server.pem")
    result = place.scan()
    assert place.names() == {"b.txt", ".env", "keys/server.pem"}
    assert place.record(place.folder / ".env").state == "withheld"
    assert place.record(place.folder / "keys" / "server.pem").rule == "*.pem"
    assert [r.id for r in place.ledger.next_pending(9)] == [place.record(place.folder / "b.txt").id]
    assert result.dropped == []
    # What the person leaves out is not even listed.
    place.rules = IgnoreRules([".env"])
    place.scan()
    assert place.names() == {"b.txt", "keys/server.pem"}


def test_an_allowed_file_stays_allowed_when_it_changes(place: Place) -> None:
    path = place.write("server.p12", "k")
    place.scan()
    place.ledger.allow([place.record(path).id])
    place.finish(path)
    path.write_text("another")
    result = place.scan()
    assert place.record(path).state == "pending"
    assert result.dropped == []


def test_a_file_that_gets_a_secret_name_leaves_the_index(place: Place) -> None:
    path = place.write("notes.txt", "k")
    place.scan()
    place.finish(path)
    path.rename(place.folder / "notes.env")
    result = place.scan()
    assert len(result.removed) == 1
    assert place.record(place.folder / "notes.env").state == "withheld"


def test_a_name_that_holds_secrets_by_a_new_rule_leaves_the_index(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is after an update: the file itself has not changed."""
    with monkeypatch.context() as before:
        before.setattr(walk, "secret_name", lambda name: None)
        before.setattr(walk, "names_digest", lambda: "before")
        path = place.write("server.p12", "k")
        place.scan()
        place.finish(path)
        assert nothing(place.scan())
    result = place.scan()
    assert place.record(path).state == "withheld"
    assert result.dropped == [place.record(path).id]


def test_a_name_that_holds_secrets_no_more_is_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(walk, "secret_name", lambda name: "monkey*")
        before.setattr(walk, "names_digest", lambda: "before")
        path = place.write("monkey.key", "notes for the piano")
        place.scan()
        assert place.record(path).state == "withheld"
    place.scan()
    assert place.record(path).state == "pending"
    assert nothing(place.scan())


@pytest.mark.parametrize("seconds", [16_725_225_600, -9_000_000_000])
def test_a_time_beyond_what_the_ledger_can_keep(seconds: int, place: Place) -> None:
    path = place.write("far.txt", "words")
    os.utime(path, (seconds, seconds))
    place.scan()
    assert place.names() == {"far.txt"}
    place.finish(path)
    assert nothing(place.scan())


def test_an_edit_that_puts_size_and_time_back_is_seen(place: Place) -> None:
    path = place.write("a.txt", "apple")
    place.scan()
    place.finish(path)
    before = path.stat()
    path.write_text("mango")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert place.scan().changed == [place.record(path).id]
    assert place.record(path).state == "pending"
    place.finish(path)
    assert nothing(place.scan())


def test_a_path_too_long_to_be_listed_is_told(place: Place) -> None:
    inner = os.open(place.folder, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=inner)
        inner, outer = os.open("d" * 200, os.O_RDONLY, dir_fd=inner), inner
        os.close(outer)
    os.close(os.open("deep.md", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
    os.close(inner)
    for _ in range(2):
        place.scan()
        [told] = place.ledger.problems()
        assert (told.state, told.reason) == ("failed", "unreadable")
    shutil.rmtree(place.folder / ("d" * 200))
    place.scan()
    assert place.ledger.problems() == []


def test_new_rules_remove_and_old_ones_bring_back(place: Place) -> None:
    place.write("a/draft.txt")
    place.write("a/b/draft.txt")
    place.write("a/final.txt")
    place.scan()
    place.write("a/.gitignore", "draft.txt\n")
    assert len(place.scan().removed) == 2
    assert place.names() == {"a/final.txt"}
    place.write("a/b/.inklingignore", "!draft.txt\n")
    place.scan()
    assert place.names() == {"a/final.txt", "a/b/draft.txt"}
    (place.folder / "a" / ".gitignore").unlink()
    place.scan()
    assert place.names() == {"a/final.txt", "a/b/draft.txt", "a/draft.txt"}
    place.rules = IgnoreRules(["final.*"])
    place.scan()
    assert place.names() == {"a/b/draft.txt", "a/draft.txt"}
    place.rules = IgnoreRules()
    place.scan()
    assert len(place.names()) == 3


def test_a_look_at_a_single_path_forgets_no_rule_of_another_folder(place: Place) -> None:
    place.write("b/list.pyc")  # left out by the rules that come with Inkling
    exception = place.write("b/.inklingignore", "!*.pyc\n")
    place.scan()
    assert place.names() == {"b/list.pyc"}
    place.look(place.write("c/a.txt"))
    exception.unlink()
    place.scan()
    assert place.names() == {"c/a.txt"}


# -- single paths ----------------------------------------------------------------------------------


def test_single_paths_see_what_the_walk_would(place: Place) -> None:
    path = place.write("d/a.txt")
    place.write("d/node_modules/b.txt")
    place.write("d/.gitignore", "*.log\n")
    log = place.write("d/x.log")
    place.look(path, log, place.folder / "d" / "node_modules" / "b.txt")
    assert place.names() == {"d/a.txt"}
    path.write_text("changed")
    assert len(place.look(path).changed) == 1
    assert nothing(place.look(path))
    path.unlink()
    assert len(place.look(path).removed) == 1
    assert nothing(place.look(path, place.folder.parent / "elsewhere", "/"))


def test_a_folder_is_looked_at_with_all_below_it(place: Place) -> None:
    place.write("d/e/a.txt")
    place.write("f/b.txt")
    place.look(place.folder / "d")
    assert place.names() == {"d/e/a.txt"}
    shutil.rmtree(place.folder / "d")
    place.write("d2.txt")
    place.look(place.folder / "d")
    assert place.names() == set()
    place.look(place.folder)
    assert place.names() == {"f/b.txt", "d2.txt"}


def test_names_that_begin_alike_are_not_inside(place: Place) -> None:
    place.write("d/a.txt")
    place.write("d2/b.txt")
    place.write("d.txt")
    place.scan()
    shutil.rmtree(place.folder / "d")
    assert len(place.look(place.folder / "d").removed) == 1
    assert place.names() == {"d2/b.txt", "d.txt"}


def test_a_folder_becomes_a_file_and_back(place: Place) -> None:
    place.write("x/a.txt")
    place.scan()
    shutil.rmtree(place.folder / "x")
    path = place.write("x", "now a file")
    place.look(path)
    assert place.names() == {"x"}
    path.unlink()
    place.write("x/a.txt")
    place.look(path)
    assert place.names() == {"x/a.txt"}


def test_undecodable_names(place: Place) -> None:
    raw = os.fsencode(place.folder) + b"/\xff\xfe.txt"
    try:
        with open(raw, "w") as stream:
            stream.write("x")
    except OSError:
        pytest.skip("this file system refuses such names")
    place.scan()
    (record,) = place.ledger.files()
    assert os.fsencode(record.path) == raw
    assert nothing(place.scan())
    os.unlink(raw)
    assert len(place.look(record.path).removed) == 1


def test_progress_is_told(place: Place) -> None:
    for number in range(2500):
        place.write(f"{number % 7}/{number}.txt")
    told: list[int] = []
    place.scan(on_progress=told.append)
    assert told[0] < 2500
    assert told[-1] == 2500


def test_a_film_is_read_again_when_its_subtitles_come_change_or_go(place: Place) -> None:
    film, photo, other = (place.write(name) for name in ("a/film.MKV", "b.jpg", "a/other.mkv"))
    kinds = {"mkv": "video", "jpg": "image"}
    place.scan(kinds=kinds)
    place.finish(film, photo, other)
    beside = {film: place.write("a/film.en.srt"), photo: place.write("b.jpg.xmp")}
    for change in (lambda p: None, lambda p: p.write_text("another"), Path.unlink):
        for path in beside.values():
            change(path)
        result = place.scan(kinds=kinds)
        for path in beside:
            assert place.record(path).state == "pending"
            assert place.record(path).id in result.changed
        assert place.record(other).state == "done"
        place.finish(*beside)
        assert nothing(place.scan(kinds=kinds))
