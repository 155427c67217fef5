"""Another model sees the pictures: nothing else is done again, whatever ends in between, and going
back takes no encoding. Only the vectors are made up; the tiny EmbeddingGemma 2 is in
tests/end_to_end/test_sight_model.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.registry import MODELS
from engine.store import Sightings, list_spaces, sight_spaces
from indexer.indexing import filling, seeing
from indexer.indexing.index import Index
from tests.indexer.indexing.rig import SmallSight
from tests.indexer.indexing.test_looking import Start, rescan, small, starting
from tests.traces import traces
from tests.waiting import until

FIRST, SECOND = "embeddinggemma-2", "neomme-260m"
COLOURS = {"red": (220, 20, 20), "green": (20, 180, 20), "blue": (20, 20, 220)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (64, 48), colour).save(folder / f"{name}.png")
    (folder / "note.md").write_text("# Ships\n\nThe keeper counted ships.\n")
    return folder


def paper(path: Path) -> None:
    """Three pages: words, a figure, words."""
    import pymupdf

    with pymupdf.open() as document:
        for number in range(3):
            page = document.new_page()
            page.insert_text((72, 72), f"Page {number + 1} of the harbour report.")
            if number == 1:
                for n in range(20):
                    box = pymupdf.Rect(80 + 20 * n, 500 - 15 * n, 95 + 20 * n, 500)
                    page.draw_rect(box, fill=(0.1, 0.2, 0.9))
        document.save(path)


def sees(index: Index, model: str) -> None:
    index.settings.sight_model = model
    index.settings.save()
    index.seeing.follow()


def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index without looks, so that only the sight model opens pictures."""
    monkeypatch.setattr(Index, "make_engine", small)
    monkeypatch.setattr(seeing, "SightModel", SmallSight)
    monkeypatch.setattr(seeing, "ensure_usable", lambda spec, base: None)
    monkeypatch.setattr(seeing, "BACK_OFF_SECONDS", 0.1)
    monkeypatch.setattr(seeing, "IDLE_WAIT", 0.05)
    SmallSight.seen.clear()
    SmallSight.unable = False


@pytest.fixture
def start(base: BaseDir, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    prepared(monkeypatch)
    settings = Settings.load(base)
    settings.set("sight", False)
    settings.save()

    with starting(base, folder) as start:
        yield start


def settled(index: Index, model: str = FIRST) -> None:
    def whole() -> bool:
        seen = index.seeing.model
        pictures, done = index.seeing.counts()
        here = seen is not None and seen.spec.id == model and pictures == done > 0
        return here and not index.waiting and not index.busy

    until(whole, lambda: index.seeing.progress())


def sightings(index: Index) -> Sightings:
    assert index.seeing.model is not None
    return index.seeing.model.sightings


def check(index: Index) -> None:
    """Every indexed picture was seen once, as it is now; nothing else was."""
    settled(index)
    kinds = {kind for some in seeing.KINDS for kind in some}
    files = {r.id: r for r in index.ledger.files() if r.kind in kinds and r.state == "done"}
    assert sightings(index).contents() == {i: r.content_hash for i, r in files.items()}
    assert sightings(index).places() == {i: (r.path, r.mtime_ns / 1e9) for i, r in files.items()}


def name(index: Index, file_id: int) -> str:
    record = index.ledger.file_by_id(file_id)
    assert record is not None
    return os.path.basename(record.path)


def nearest(index: Index, colour: tuple[int, int, int]) -> tuple[str, int | None]:
    (file_id, page, _), *_ = sightings(index).nearest(SmallSight.vector_of(colour), None, 5)
    return name(index, file_id), page


def test_pictures_alone_are_encoded_and_followed(start: Start, folder: Path) -> None:
    paper(folder / "report.pdf")
    index = start()
    until(lambda: not index.waiting and index.ledger.counts().get("done") == 5)
    before = index.engine.version, list(index.engine.encoded)  # type: ignore[attr-defined]
    assert index.seeing.progress() is None
    sees(index, FIRST)
    check(index)
    assert (index.engine.version, index.engine.encoded) == before  # type: ignore[attr-defined]
    # Pictures come before documents, of which the first page and the one with a figure are seen.
    assert [page for _, page in SmallSight.seen] == [None] * 3 + [1, 2]
    assert nearest(index, (20, 180, 20)) == ("green.png", None)
    progress = index.seeing.progress()
    assert progress is not None
    assert (progress["id"], progress["in_use"]) == (FIRST, True)
    assert (progress["pictures"], progress["seen"]) == (4, 4)

    # What becomes of files is so here, too.
    (folder / "red.png").unlink()
    (folder / "green.png").rename(folder / "meadow.png")
    Image.new("RGB", (64, 48), (200, 200, 20)).save(folder / "blue.png")
    Image.new("RGB", (64, 48), (200, 20, 200)).save(folder / "new.png")
    rescan(index)
    until(lambda: index.ledger.counts().get("done") == 5 and not index.waiting)
    check(index)
    assert nearest(index, (20, 180, 20)) == ("meadow.png", None)
    assert nearest(index, (200, 200, 20)) == ("blue.png", None)
    assert len(SmallSight.seen) == 7


def test_the_old_one_answers_until_the_new_has_seen_all_and_going_back_is_at_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = start()
    sees(index, FIRST)
    check(index)
    index.pause()
    sees(index, SECOND)
    until(lambda: (index.seeing.progress() or {}).get("id") == SECOND)
    until(lambda: len(index.seeing.spaces()) == 2)
    assert index.seeing.model is not None
    assert index.seeing.model.spec.id == FIRST
    progress = index.seeing.progress()
    assert progress is not None
    assert not progress["in_use"]
    with pytest.raises(InklingError, match="sees your pictures"):
        index.seeing.drop(MODELS[FIRST])
    index.resume()
    settled(index, SECOND)
    assert len(SmallSight.seen) == 2 * len(COLOURS)
    sees(index, FIRST)
    settled(index, FIRST)
    assert len(SmallSight.seen) == 2 * len(COLOURS)
    # What is not wanted is kept until it is dropped.
    monkeypatch.setattr(seeing, "LET_GO_SECONDS", 0.0)
    sees(index, "")
    until(lambda: index.seeing.model is None)
    assert index.seeing.progress() is None
    assert len([s for s in list_spaces(index.base.store) if s.startswith("pictures-")]) == 2
    assert index.seeing.size_bytes(MODELS[FIRST]) > 0
    index.seeing.drop(MODELS[FIRST])
    assert index.seeing.size_bytes(MODELS[FIRST]) == 0
    assert index.seeing.size_bytes(MODELS[SECOND]) > 0


def test_what_is_removed_leaves_the_space_of_a_model_that_is_out_of_use(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeing, "as_found", lambda spec, base: replace(spec, dim=SmallSight.DIM))
    monkeypatch.setattr(seeing, "LET_GO_SECONDS", 0.0)
    monkeypatch.setattr(seeing, "TIDY_SECONDS", 1.5)  # longer than a version is kept
    index = start()
    sees(index, FIRST)
    check(index)
    sees(index, SECOND)
    settled(index, SECOND)
    (space,) = sight_spaces(list_spaces(index.base.store), FIRST)
    of_first = index.base.store / f"{space}.lance"
    victim = next(record for record in index.ledger.files() if record.path.endswith("red.png"))
    os.unlink(victim.path)
    rescan(index)
    name = os.path.basename(victim.path)
    assert traces(of_first, name)
    until(lambda: not traces(of_first, name), lambda: traces(of_first, name))
    sees(index, FIRST)
    check(index)
    assert len(SmallSight.seen) == 2 * len(COLOURS)  # the others' rows stayed


def test_a_model_that_reads_and_sees_needs_no_second_space(start: Start) -> None:
    index = start()
    until(lambda: not index.waiting)
    index.engine.spec = MODELS[FIRST]
    sees(index, FIRST)
    assert index.seeing.wanted is None
    sees(index, SECOND)
    settled(index, SECOND)


def test_what_one_picture_fails_of_is_no_other_s_and_no_model_is_said(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "AGAIN_SECONDS", 0.05)
    Image.new("RGB", (64, 48), SmallSight.BAD).save(folder / "bad.png")
    index = start()
    SmallSight.unable = True
    sees(index, FIRST)
    until(lambda: (index.seeing.progress() or {}).get("error"))
    progress = index.seeing.progress()
    assert progress is not None
    assert "no memory" in progress["error"]["message"]
    assert not SmallSight.seen
    SmallSight.unable = False
    settled(index)
    assert index.seeing.counts() == (4, 4)  # no more is to be had
    assert sorted(name(index, i) for i in sightings(index).contents()) == [
        f"{colour}.png" for colour in sorted(COLOURS)
    ]
    assert (index.seeing.progress() or {}).get("error") is None


_KILLED = """
import os, signal, sys
from pathlib import Path
import pytest
from engine.contract.paths import BaseDir
from engine.store import Sightings
from tests.indexer.indexing.test_looking import make_index
from tests.indexer.indexing.test_seeing import FIRST, prepared, sees

action = Sightings.replace

def killed(self, pictures):
    if sys.argv[3] == "after":
        action(self, pictures)
    os.kill(os.getpid(), signal.SIGKILL)

Sightings.replace = killed
prepared(pytest.MonkeyPatch())
index = make_index(BaseDir(Path(sys.argv[1])), Path(sys.argv[2]))
index.start()
sees(index, FIRST)
import threading
threading.Event().wait()
"""


@pytest.mark.parametrize("place", ["before", "after"])
def test_killed_around_the_commit_nothing_is_lost_or_doubled(
    start: Start, base: BaseDir, folder: Path, place: str
) -> None:
    command = [sys.executable, "-P", "-c", _KILLED, str(base.root), str(folder), place]
    paths = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    index = start()
    until(lambda: not index.waiting)
    check(index)  # it is taken up again without being asked for
    assert sightings(index)._store.count() == len(COLOURS)
    assert len(SmallSight.seen) == (len(COLOURS) if place == "before" else 0)


def test_cosines_are_told_by_page(start: Start, folder: Path) -> None:
    paper(folder / "report.pdf")
    index = start()
    sees(index, FIRST)
    check(index)
    ids = {name(index, i): i for i in sightings(index).contents()}
    told = sightings(index).cosines(SmallSight.vector_of((20, 20, 220)), [*ids.values(), 99])
    assert told.keys() == set(ids.values())
    assert told[ids["report.pdf"]].keys() == {1, 2}
    assert told[ids["blue.png"]][None] == pytest.approx(1.0, abs=1e-2)
    assert sightings(index).sample().shape == (4, SmallSight.DIM)
    assert np.allclose(np.linalg.norm(sightings(index).sample(), axis=1), 1, atol=1e-2)
