"""Following: what an archive's commits change is served, whatever ends the service in between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.archive import Archive, file_id
from engine.contract.errors import InklingError
from engine.contract.types import Filters
from engine.served import QdrantStore
from indexer.team.following import EVERY_S, Follower, thumb_of
from indexer.team.names import Names
from tests.indexer.team.archives import Given, drawn, made
from tests.waiting import until

BREAD = Given("/share/kitchen/bread.txt", "note", (5, 8), frozenset({"everyone"}))
CRANE = Given("/share/harbour/crane.pdf", "pdf", (3,), frozenset({"user:tom"}))


class Following:
    """An archive and what follows it, which can be ended and opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = made(folder / "archive", [BREAD, CRANE])
        self.open()

    def open(self) -> None:
        about = self.archive.about
        self.names = Names(self.folder / "names.sqlite", about.archive_id)
        self.points = QdrantStore.open(self.folder / "points", about)
        self.follower = Follower(self.archive, self.names, self.points, self.folder / "thumbs")

    def close(self) -> None:
        self.follower.stop()
        self.points.close()
        self.names.close()

    def catch_up(self) -> None:
        while self.follower.step():
            pass

    def put(self, *files: Given, **changed: Any) -> None:
        rows = [file.of(self.archive.about.archive_id) for file in files]
        self.archive.put([(replace(file, **changed), units) for file, units in rows])

    def id_of(self, given: Given) -> int:
        return file_id(self.archive.about.archive_id, given.path)

    def state(self) -> dict[str, Any]:
        """All that is served, in names and in points."""
        names = self.names.view(None)
        records = sorted((r.path, r.content_hash, r.units, r.language) for r in names.files())
        with self.names.view(None).database.read() as connection:
            words = sorted(connection.execute(
                "SELECT words.word, class, c.files, c.below FROM class_words AS c"
                " JOIN words ON words.id = c.word"
            ).fetchall())  # fmt: skip
            rights = dict(connection.execute("SELECT id, rights FROM files").fetchall())
        found = {}
        for number, chosen in rights.items():
            rows = self.points.view(frozenset({chosen})).file_rows(number)
            found[number] = [(row.unit_id, row.text) for row in rows]
        return {
            "files": records, "words": words, "rights": rights, "units": found,
            "count": self.points.view(None).count(), "synced": self.points.synced,
        }  # fmt: skip


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    made_ = Following(tmp_path)
    yield made_
    made_.close()
    made_.archive.close()


def test_commits_are_taken_in(following: Following) -> None:
    following.catch_up()
    assert following.state()["count"] == 3
    following.put(replace(BREAD, texts=(5,)), thumb=b"RIFF")
    following.archive.remove([following.id_of(CRANE)])
    following.catch_up()
    state = following.state()
    assert [row[0] for row in state["files"]] == [BREAD.path]
    assert state["count"] == 1
    assert state["synced"] == following.names.commit == following.archive.commit
    assert thumb_of(following.folder / "thumbs", following.id_of(BREAD)).read_bytes() == b"RIFF"
    assert "crane" not in {word for word, *_ in state["words"]}
    following.archive.set_rights({following.id_of(BREAD): frozenset({"user:mara"})})
    following.catch_up()
    after = following.state()
    assert after["units"] == state["units"]
    assert after["rights"] != state["rights"]
    assert after["files"] == state["files"]  # its language, too
    assert not following.names.classes_of(frozenset({"everyone"})) & set(after["rights"].values())


def test_new_commits_are_seen_by_themselves(following: Following) -> None:
    assert EVERY_S < 10
    following.follower.start()
    until(lambda: following.names.commit == following.archive.commit)
    following.put(Given("/share/new.txt", "note", (1,), frozenset({"everyone"})))
    until(lambda: following.names.commit == following.archive.commit)
    hits = following.names.view(None).find_names(["new"], 5, Filters())
    assert [hit.file.path for hit in hits] == ["/share/new.txt"]
    until(lambda: not following.follower.health().behind)


class Ended(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("seed", range(3))
def test_ended_anywhere_it_goes_on(tmp_path: Path, seed: int) -> None:
    """Ended at a random write in names or points, over and over: what is served in the end equals
    what a new service would serve."""
    random_ = random.Random(seed)
    following = Following(tmp_path)
    for _round in range(6):
        known = [file.file_id for file in following.archive.files()]
        following.put(*drawn(random_, 5))
        following.archive.set_rights({random_.choice(known): frozenset({"user:ina"})})
        following.archive.remove(random_.sample(known, len(known) // 3))
        for _ in range(2):
            _end_after(following, random_.randint(0, 4), random_.random() < 0.5)
            with suppress(Ended):
                following.catch_up()
            following.close()
            following.open()
    following.catch_up()
    fresh = Following.__new__(Following)
    fresh.folder, fresh.archive = tmp_path / "fresh", following.archive
    fresh.folder.mkdir()
    fresh.open()
    fresh.catch_up()
    assert following.state() == fresh.state()
    assert not following.names.leaving
    for each in (following, fresh):
        each.close()
    following.archive.close()


def _end_after(following: Following, writes: int, before: bool) -> None:
    """So many writes on, in the middle of the next or right behind it."""
    left = writes

    def ending(write: Any) -> Any:
        def ended(*given: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0 and before:
                raise Ended
            made_ = write(*given, **named)
            if left < 0:
                raise Ended
            return made_

        return ended

    for owner, name in (
        (following.names, "apply"), (following.names, "left"),
        (following.points, "upsert"), (following.points, "delete"),
        (following.points, "set_rights"),
    ):  # fmt: skip
        setattr(owner, name, ending(getattr(owner, name)))


def test_what_is_gone_is_not_shown_while_its_points_are_there(following: Following) -> None:
    following.catch_up()
    following.archive.remove([following.id_of(BREAD)])
    _end_after(following, 0, before=False)  # names are written, points are not
    with pytest.raises(Ended):
        following.catch_up()
    following.close()
    following.open()
    assert following.points.view(None).count() == 3
    assert following.names.leaving == {following.id_of(BREAD)}
    following.catch_up()
    assert following.points.view(None).count() == 1
    assert following.names.leaving == set()


def test_an_archive_that_is_away_is_said_and_followed_again(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.catch_up()
    real = Archive.changes

    def away(*_: Any) -> Any:
        raise InklingError("The bucket can't be reached.")

    monkeypatch.setattr(Archive, "changes", away)
    following.follower.start()
    until(lambda: following.follower.away())
    assert following.follower.away().startswith("Nothing new is seen of the archive since 2")
    assert following.follower.health().told()[0]["level"] == "warning"
    assert following.names.view(None).find_names(["bread"], 5, Filters())
    monkeypatch.setattr(Archive, "changes", real)
    until(lambda: not following.follower.away())


def test_a_store_of_another_archive_is_made_anew(following: Following) -> None:
    following.catch_up()
    following.names.close()
    other = Names(following.folder / "names.sqlite", "another")
    assert (other.commit, other.view(None).counts()["done"]) == (0, 0)
    other.close()
    following.names = Names(following.folder / "names.sqlite", following.archive.about.archive_id)
    assert following.names.commit == 0
    following.follower = Follower(
        following.archive, following.names, following.points, following.folder / "thumbs"
    )
    following.catch_up()
    assert following.names.view(None).counts()["done"] == 2
