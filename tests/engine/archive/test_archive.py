"""An archive in a folder: what is put comes back, changes are told by commit, nothing is half."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive, file_id, rights_class
from engine.contract.errors import InklingError, RefusedRowsError, StoreTooNewError
from tests.archives import SPEC, contents, entry, same_archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.create(tmp_path / "archive", "Team", SPEC, versions={"text": "1"})


def reopened(archive: Archive) -> Archive:
    archive.close()
    return Archive.open(archive.place.uri)


def test_what_is_put_comes_back(archive: Archive) -> None:
    file, units = entry(
        archive, "a\udcff.txt", readers=["user:mara", "group:staff"], note="as seen"
    )
    failed = entry(archive, "b.txt", 0, state="failed", reason="broken", thumb=None)[0]
    assert archive.put([(file, units), (failed, ())]) == 1

    again = reopened(archive)
    assert again.about == archive.about
    assert again.about.versions["text"] == "1"
    files = {f.facts.path: f for f in again.files()}
    assert files[file.facts.path] == dataclasses.replace(file, units=2)
    assert files[failed.facts.path] == failed
    stored = list(again.units([file.file_id, failed.file_id]))
    assert [s.unit for s in stored] == [u.unit for u in units]
    for found, given in zip(stored, units, strict=True):
        assert found.file == file.facts
        np.testing.assert_allclose(found.vector, given.vector, atol=1e-3)
        np.testing.assert_array_equal(found.tokens.tokens, given.tokens.tokens)
        np.testing.assert_array_equal(found.tokens.spans, given.tokens.spans)
    assert again.readers()[file.rights_class] == ("group:staff", "user:mara")
    assert again.file(file.file_id) == dataclasses.replace(file, units=2)
    assert next(f for f in again.files(["content"]) if f.units).thumb is None
    assert again.check() == []


def test_the_same_again_changes_nothing(archive: Archive, tmp_path: Path) -> None:
    other = Archive.create(tmp_path / "other", "Team", SPEC)
    for a in (archive, other):
        a.put([entry(a, "a"), entry(a, "b", 3)])
    archive.put([entry(archive, "a"), entry(archive, "b", 3)])
    assert same_archive(archive, other)
    archive.put([entry(archive, "b", 1)])
    assert not same_archive(archive, other)
    assert [len(u) for _, u in contents(archive).values()] == [2, 1]
    assert archive.check() == []
    assert archive._units.count() == 3


def test_changes_are_told_from_a_commit_on(archive: Archive) -> None:
    names = "abcd"
    ids = {name: entry(archive, name)[0].file_id for name in names}
    assert [archive.put([entry(archive, name)]) for name in names] == [1, 2, 3, 4]
    assert (
        archive.set_rights({ids["a"]: frozenset({"user:x"}), ids["b"]: frozenset({"user:y"})}) == 5
    )
    assert archive.remove([ids["d"], 12345]) == 6
    assert archive.commit == 6

    every = archive.changes(0)
    assert {f.file_id for f in every.files} == {ids["a"], ids["b"], ids["c"]}
    assert (every.commit, every.gone, every.rerighted, every.rewound) == (6, (ids["d"],), (), False)
    later = archive.changes(4)
    assert later.files == ()
    assert {f.file_id: f.rights for f in later.rerighted} == {
        ids["a"]: frozenset({"user:x"}),
        ids["b"]: frozenset({"user:y"}),
    }
    assert archive.changes(5).gone == (ids["d"],)
    assert archive.changes(6) == dataclasses.replace(archive.changes(6), files=(), gone=())
    assert archive.changes(7).rewound
    # What changes nothing is no commit.
    assert archive.remove([ids["d"]]) == archive.set_rights({ids["a"]: frozenset({"user:x"})}) == 6
    # A file that comes back is new.
    archive.put([entry(archive, "d")])
    assert [f.file_id for f in archive.changes(6).files] == [ids["d"]]
    assert archive.check() == []


def test_changes_with_a_limit_are_whole_commits(archive: Archive) -> None:
    for put in range(4):
        archive.put([entry(archive, f"{put}{i}") for i in range(3)])
    at, seen = 0, []
    while (changes := archive.changes(at, 4)).commit != at:
        assert len(changes.files) == 3
        seen += [f.facts.path for f in changes.files]
        at = changes.commit
    assert at == 4
    assert len(set(seen)) == len(seen) == 12
    assert len(archive.changes(0, 6).files) == 6
    assert len(archive.changes(0, 1).files) == 3


def test_a_reader_beside_a_writer_gets_old_units_or_new_ones(archive: Archive) -> None:
    words = ["apple", "pear"]
    sizes = {"apple": 1, "pear": 4}
    archive.put([entry(archive, "a", sizes["apple"], word="apple")])
    reader = Archive.open(archive.place.uri, read_only=True)
    number = entry(archive, "a")[0].file_id
    done = threading.Event()

    def write() -> None:
        for turn in range(6):
            word = words[turn % 2]
            archive.put([entry(archive, "a", sizes[word], word=word)])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not done.is_set():
        texts = [s.unit.text.split()[0] for s in reader.units([number])]
        assert len(texts) == sizes[texts[0]]
        assert len(set(texts)) == 1
    thread.join()
    with pytest.raises(InklingError, match="reading only"):
        reader.put([entry(archive, "b")])


def test_numbers_are_worked_out_alike() -> None:
    assert file_id("x", "/a/b") == file_id("x", "/a/b") != file_id("y", "/a/b")
    assert 0 < file_id("x", "/a/\udcff") < 2**63
    assert rights_class(["b", "a"]) == rights_class(("a", "b")) != rights_class(["ab"])


def test_rows_that_do_not_fit_are_refused_and_nothing_of_them_stored(archive: Archive) -> None:
    a, b = entry(archive, "a"), entry(archive, "b")
    wide = dataclasses.replace(a[1][0], vector=np.ones(17, np.float32))
    for wrong in ([(a[0], b[1])], [a, a], [(a[0], [a[1][0], a[1][0]])], [b, (a[0], [wide])]):
        with pytest.raises(RefusedRowsError):
            archive.put(wrong)
    assert archive.commit == archive._units.count() == 0


def test_other_places_are_told_in_a_sentence(archive: Archive, tmp_path: Path) -> None:
    uri = archive.place.uri
    with pytest.raises(InklingError, match=r"There is an archive at .* already"):
        Archive.create(uri, "Again", SPEC)
    with pytest.raises(InklingError, match=r"There is no archive at .*inkling fill"):
        Archive.open(tmp_path / "nothing")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("Dear")
    for wrong in (Archive.open, lambda place: Archive.create(place, "x", SPEC)):
        with pytest.raises(InklingError, match=r"no archive"):
            wrong(tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["letter.txt"]
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(InklingError, match="no place for an archive"):
        Archive.open("ftp://somewhere/else")
    with pytest.raises(InklingError, match="takes no option “aws_secret_access_key”"):
        Archive.open("s3://bucket/x", {"aws_secret_access_key": "secret"})
    with pytest.raises(InklingError, match="without encryption"):
        Archive.open("s3://bucket/x", {"endpoint": "http://store.example"})


@pytest.mark.parametrize("change", [{"dim": 8}, {"token_dim": 4}, {"revision": "other"}])
def test_another_models_archive_is_refused(archive: Archive, change: dict[str, object]) -> None:
    with pytest.raises(InklingError, match="vectors of another model"):
        Archive.open(archive.place.uri, spec=dataclasses.replace(SPEC, **change))
    Archive.open(archive.place.uri, spec=SPEC)


def test_a_later_format_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.archive.opening.FORMAT", 0)
    with pytest.raises(StoreTooNewError, match="newer Inkling"):
        Archive.open(archive.place.uri)


def test_a_making_that_was_cut_short_is_made_again(archive: Archive) -> None:
    archive.close()
    folder = archive.place.folder
    assert folder is not None
    shutil.rmtree(folder / "about.lance")
    shutil.rmtree(folder / "rights.lance")
    with pytest.raises(InklingError, match="no archive"):
        Archive.open(folder)
    again = Archive.create(folder, "Team", dataclasses.replace(SPEC, dim=8))
    again.put([entry(again, "a")])
    assert len(list(again.files())) == 1


def test_many_small_puts_are_put_in_order_meanwhile(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.archive.upkeep.COMMITS", 4)
    monkeypatch.setattr("engine.archive.upkeep.FRAGMENTS", 6)
    for number in range(16):
        archive.put([entry(archive, str(number), 1)])
    for table in (archive._units, archive._files, archive._commits):
        assert table.read(lambda t: t.stats())["fragment_stats"]["num_fragments"] < 12
    order = [next(iter(archive.changes(n, 1).files)).facts.path for n in range(16)]
    assert order == [f"/source/{number}" for number in range(16)]
    archive.compact()
    assert archive.check() == []
    assert archive.commit == 16
