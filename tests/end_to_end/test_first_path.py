"""Folder in, hits out: the main job through real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.contract.paths import BaseDir
from tests.conftest import own_home
from tests.end_to_end.conftest import Inkling
from tests.end_to_end.truth import end
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow


def test_add_search_change_remove(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")

    hit = inkling.json("search", "where do we try the upload again after a failure")["hits"][0]
    assert hit["path"] == str(notes / "upload.py")
    assert hit["kind"] == "code"
    assert hit["location"]["symbol"] == "send_with_retry"
    assert hit["location"]["lines"][0] <= 8 <= hit["location"]["lines"][1]

    answer = inkling.json("search", "how hot must the stove be before the loaf goes in")
    best = answer["hits"][0]
    assert best["path"] == str(notes / "cooking" / "bread.md")
    assert len({h["path"] for h in answer["hits"]}) == len(answer["hits"])
    assert answer["coverage"]["complete"]

    exact = inkling.json("search", '"invoice number 4711"')["hits"]
    assert [h["path"] for h in exact] == [str(notes / "invoice-2024.txt")]
    words = [exact[0]["snippet"][e["start"] : e["end"]] for e in exact[0]["evidence"]]
    assert "4711" in " ".join(words)
    assert inkling.paths("bread kind:code") != [str(notes / "cooking" / "bread.md")]
    assert inkling.paths("in:cooking") == [str(notes / "cooking" / "bread.md")]

    (notes / "invoice-2024.txt").write_text("The dentist appointment is on Tuesday.\n")
    (notes / "upload.py").unlink()
    (notes / "cooking" / "bread.md").rename(notes / "loaf.md")
    inkling.ok("add", str(notes), "--wait")
    assert inkling.paths('"invoice number 4711"') == []
    assert inkling.paths("when do I see the dentist")[0] == str(notes / "invoice-2024.txt")
    everything = inkling.paths("starter oven retry dentist", "--limit", "50")
    assert str(notes / "upload.py") not in everything
    assert str(notes / "loaf.md") in everything
    assert str(notes / "cooking" / "bread.md") not in everything

    inkling.ok("remove", str(notes))
    until(lambda: not inkling.json("status")["totals"]["units"])
    assert inkling.paths("dentist") == []


def test_unchanged_folder_does_no_work(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")
    version = inkling.json("status")
    for name in ("upload.py", "invoice-2024.txt"):
        os.utime(notes / name)  # touched, not edited
    inkling.ok("add", str(notes), "--wait")
    after = inkling.json("status")
    assert after["totals"] == version["totals"]
    assert after["encoded"] == version["encoded"] == after["totals"]["units"]


def test_killed_indexer_loses_nothing(inkling: Inkling, notes: Path) -> None:
    for number in range(120):
        (notes / f"page{number}.txt").write_text(f"Chapter {number} tells of the colour blue.\n")
    inkling.ok("add", str(notes))
    for delay in (0.3, 1.0, 2.0):
        time.sleep(delay)
        family = [psutil.Process(inkling.pid), *psutil.Process(inkling.pid).children()]
        os.kill(inkling.pid, signal.SIGKILL)
        # The workers see the end of their pipes and go.
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert not alive
        inkling.ok("status")
        inkling.client()
    inkling.ok("add", str(notes), "--wait")
    totals = inkling.json("status")["totals"]
    assert totals["done"] == 123
    found = inkling.paths("colour blue chapter", "--limit", "200")
    assert len(found) == len(set(found)) >= 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inkling]:
    """An indexer at work, for tests that change nothing."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        own_home(monkeypatch, tmp_path_factory.mktemp("home"))
        made = Inkling(BaseDir(tmp_path_factory.mktemp("running") / "base").create())
        notes = tmp_path_factory.mktemp("notes")
        (notes / "bread.md").write_text("# Sourdough\n\nFeed the starter every evening.\n")
        try:
            made.ok("add", str(notes), "--wait")
            yield made
        finally:
            end(made)


def test_second_indexer_is_refused(running: Inkling) -> None:
    command = [sys.executable, "-m", "indexer", "run", "--base-dir", str(running.base.root)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert second.returncode != 0
    assert "already running" in second.stderr
    assert "inkling stop" in second.stderr
    assert running.paths("sourdough")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "/nowhere/at/all"], "not a folder"),
        (["search"], "nothing to search for"),
        (["search", "x", "--limit", "0"], "--limit"),
        (["search", "x", "--image", "/no/such.png"], "no picture"),
        (["remove", "/nowhere"], "not one of the watched folders"),
        (["similar", "/no/such/file"], "not in the index"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_wrong_commands_say_what_is_wrong(
    running: Inkling, arguments: list[str], said: str
) -> None:
    done = running.run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_endpoint_and_state_are_private(running: Inkling) -> None:
    assert running.base.endpoint.stat().st_mode & 0o777 == 0o600
    assert running.base.root.stat().st_mode & 0o777 == 0o700
    endpoint = json.loads(running.base.endpoint.read_text())
    assert endpoint["url"].startswith("http://127.0.0.1:")


def test_the_index_follows_by_itself(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")

    fresh = notes / "cooking" / "lentils.md"
    fresh.write_text("# Lentils\n\nRed lentils need no soaking and cook within a quarter hour.\n")
    until(lambda: str(fresh) in inkling.paths("which pulses need not be soaked"))
    encoded = inkling.json("status")["encoded"]
    moved = fresh.rename(notes / "pulses.md")
    until(lambda: str(moved) in inkling.paths("which pulses need not be soaked"))
    assert str(fresh) not in inkling.paths("which pulses need not be soaked")
    assert inkling.json("status")["encoded"] == encoded
    moved.unlink()
    until(lambda: str(moved) not in inkling.paths("which pulses need not be soaked"))
