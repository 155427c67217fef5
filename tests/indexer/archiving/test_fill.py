"""Filling an archive in one process: what is read, what is not, and what a kill leaves."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.archive import Archive
from engine.contract.paths import BaseDir
from engine.models.registry import model_spec
from indexer.archiving.command import FAILED, INCOMPLETE
from indexer.archiving.job import Job
from indexer.archiving.reading import DEATHS, Attempts, Reading
from indexer.archiving.survey import Task
from indexer.ledger.ledger import FileRecord
from tests.indexer.archiving.archives import contents, differences, fill, started
from tests.waiting import PATIENCE, until


class Place(NamedTuple):
    base: BaseDir
    folder: Path
    uri: Path

    def fill(self, *more: str) -> int:
        return fill(self.base, self.uri, self.folder, more=list(more))

    def fresh(self) -> dict[str, dict[str, object]]:
        """What a new archive of the same folder tells."""
        uri = self.uri.with_name(f"{self.uri.name}-fresh")
        shutil.rmtree(uri, ignore_errors=True)
        assert fill(self.base, uri, self.folder) in (0, INCOMPLETE)
        return contents(uri)


@pytest.fixture
def place(tmp_path: Path, base: BaseDir) -> Place:
    """A few files of several kinds, one of them with a name that is no text."""
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# Boats\n\nThe ferry leaves at nine.\n")
    (folder / "sub" / "b.py").write_text("def moor(boat):\n    return boat\n")
    (folder / "empty.txt").touch()
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("A menu with coffee.\n")
    (folder / ".env").write_text("TOKEN=1\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing follows")
    return Place(base, folder, tmp_path / "archive")


def by_name(uri: Path) -> dict[str, dict[str, object]]:
    return {os.path.basename(path): file for path, file in contents(uri).items()}


def written(uri: Path) -> int:
    """Commits of an archive that somebody may be making just now; -1: it is not there."""
    if not (uri / "about.lance").is_dir():
        return -1
    return len(list((uri / "commits.lance" / "data").glob("*")))


def test_what_is_there_is_read_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.fill("--name", "boats") == INCOMPLETE
    said = capsys.readouterr().out
    assert "damaged or not what its name says" in said
    made = by_name(place.uri)
    assert {name: file["state"] for name, file in made.items()} == {
        "a.md": "done",
        "b.py": "done",
        "empty.txt": "skipped",
        "café.txt" if sys.platform == "darwin" else os.fsdecode(b"caf\xe9.txt"): "done",
        ".env": "withheld",
        "broken.pdf": "failed",
    }
    (passage,) = made["a.md"]["passages"]  # type: ignore[misc]
    assert "ferry" in passage["unit"][0]
    archive = Archive.open(place.uri)
    before, name = archive.commit, archive.about.name
    archive.close()
    assert name == "boats"
    assert place.fill() == INCOMPLETE  # nothing has changed: nothing is written
    assert "0 files to read, 0 to remove, 0 with other readers, 6 as they were" in (
        capsys.readouterr().out
    )
    archive = Archive.open(place.uri)
    assert archive.commit == before
    archive.close()


def test_changes_alone_are_read(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.fill()
    (place.folder / "a.md").write_text("# Trains\n\nThe night train to Vienna.\n")
    touched = place.folder / "sub" / "b.py"
    os.utime(touched, (1_000_000_000, 1_000_000_000))
    (place.folder / "new.txt").write_text("A new file about bridges.\n")
    (place.folder / "empty.txt").unlink()
    (place.folder / "broken.pdf").unlink()
    (place.folder / ".inklingignore").write_text("caf*\n")
    capsys.readouterr()
    assert place.fill() == 0
    said = capsys.readouterr().out
    assert "3 files to read, 3 to remove" in said
    assert "2 files read, 1 only touched" in said
    made = by_name(place.uri)
    assert "train" in made["a.md"]["passages"][0]["unit"][0]  # type: ignore[index]
    assert made["b.py"]["passages"][0]["mtime"] == 1e9  # type: ignore[index]
    assert made.keys() == {"a.md", "b.py", "new.txt", ".env"}
    assert differences(contents(place.uri), place.fresh()) == []


def test_a_folder_that_is_away_keeps_its_files(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.fill()
    before = contents(place.uri)
    aside = place.folder.rename(place.folder.with_name("aside"))
    place.folder.mkdir()
    assert place.fill() == FAILED
    assert "can be seen" in capsys.readouterr().err
    other = place.folder.with_name("other")
    other.mkdir()
    (other / "c.txt").write_text("Another folder.\n")
    assert fill(place.base, place.uri, place.folder, other) == INCOMPLETE
    assert "what the archive has of it stays" in capsys.readouterr().out
    assert contents(place.uri).keys() - before.keys() == {str(other / "c.txt")}
    place.folder.rmdir()
    aside.rename(place.folder)
    place.fill()
    assert differences(before, {k: v for k, v in contents(place.uri).items() if k in before}) == []


def test_other_readers_alone(place: Place, tmp_path: Path) -> None:
    table = tmp_path / "readers.tsv"
    table.write_text("*\teveryone\n")
    place.fill("--readers", str(table))
    archive = Archive.open(place.uri)
    before = archive.commit
    table.write_text("*\teveryone\n*.md\tgroup:crew, user:anna\n")
    place.fill("--readers", str(table))
    changes = archive.changes(before)
    archive.close()
    assert changes.files == ()
    assert [os.path.basename(file.facts.path) for file in changes.rerighted] == ["a.md"]
    assert by_name(place.uri)["a.md"]["rights"] == {"group:crew", "user:anna"}


def test_modes_are_the_readers(place: Place) -> None:
    (place.folder / "a.md").chmod(0o600)
    for folder in (place.folder, place.folder.parent):
        folder.chmod(0o755)
    place.fill()
    rights = by_name(place.uri)["a.md"]["rights"]
    assert len(rights) == 1  # type: ignore[arg-type]
    assert "everyone" not in rights  # type: ignore[operator]
    assert next(iter(rights)).startswith(("user:", "uid:"))  # type: ignore[call-overload]


def test_subtitles_have_their_film_read_again(place: Place) -> None:
    picture = place.folder / "boat.jpg"
    from PIL import Image

    Image.new("RGB", (64, 48), "navy").save(picture)
    place.fill()
    beside = place.folder / "boat.jpg.xmp"
    beside.write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
        'syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>'
        '<rdf:Alt><rdf:li xml:lang="x-default">Harbour at dawn</rdf:li></rdf:Alt></dc:title>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    place.fill()
    passages = by_name(place.uri)["boat.jpg"]["passages"]
    assert any("Harbour" in str(p["unit"]) for p in passages)  # type: ignore[attr-defined]
    assert differences(contents(place.uri), place.fresh()) == []


def test_killed_anywhere_the_next_run_goes_on(place: Place) -> None:
    for number in range(24):
        (place.folder / f"note{number:02}.txt").write_text(f"Note {number} about harbours.\n" * 30)
    for commits in (0, 1, 2):
        process = started(place.base, place.uri, place.folder)

        until(lambda p=process, least=commits: p.poll() is not None or written(place.uri) >= least)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    assert place.fill() == INCOMPLETE
    assert differences(contents(place.uri), place.fresh()) == []


def test_wrong_input_is_said(
    place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def said(*more: str, folder: Path = place.folder, uri: Path = place.uri) -> str:
        assert fill(place.base, uri, folder, more=list(more)) == FAILED
        return capsys.readouterr().err

    assert "is not a folder" in said(folder=tmp_path / "none")
    assert "nothing" in said("--model", "nothing")
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").touch()
    assert "is not empty, and holds no archive" in said(uri=full)
    assert list(full.iterdir()) == [full / "letter.txt"]
    place.fill()
    capsys.readouterr()
    assert "is filled with the model minilm, not with e5-minilm" in said("--model", "e5-minilm")
    assert "can't be read" in said("--readers", str(tmp_path / "none"))


def test_two_at_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    from filelock import FileLock

    with FileLock(place.uri.parent / f".{place.uri.name}.fill.lock"):
        assert place.fill() == FAILED
    assert "Another process is filling" in capsys.readouterr().err
    assert not place.uri.exists()


def test_a_file_that_ends_its_reader_thrice_is_set_aside(place: Place) -> None:
    record = FileRecord(
        7, 1, str(place.folder / "a.md"), "note", "md", 40, 1, 1, None, "pending", "", "", 0, 0, 0,
        0, "", False, None, None, "", False, None, 0, False, {},
    )  # fmt: skip
    task = Task(record, str(place.folder), frozenset({"everyone"}), None, False)
    attempts = Attempts()
    job = Job(place.base.root, model_spec("minilm"), {}, 1)
    for _ in range(DEATHS):  # each by a reader that did not come to say that it had finished
        assert attempts.begin(7) <= DEATHS
    reading = Reading(job, attempts.begin)
    try:
        made = reading.read(task)
        assert (made.row.state, made.row.reason, made.units) == ("failed", "crashed", [])
        assert attempts.begin(8, 7) == 1
        assert reading.read(task).row.state == "done"  # that one has finished: it counts anew
    finally:
        reading.close()
