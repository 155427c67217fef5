"""Storms of events, moves, drives that go, full disks and wrong clocks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.client import read_endpoint
from engine.contract.paths import BaseDir
from tests.end_to_end.conftest import Inkling
from tests.end_to_end.truth import Index, Unrest, assert_same, end, fresh_index, settle
from tests.light_model import light
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("light_model")]


def encoded(inkling: Inkling) -> int:
    return int(inkling.client().status()["encoded"])


def test_a_storm_of_events(inkling: Inkling, tmp_path: Path) -> None:
    unrest = Unrest(tmp_path / "storm", seed=3)
    unrest.create(20)
    inkling.ok("add", str(unrest.folder), "--wait")
    unrest.create(60)
    for _ in range(250):
        unrest.step()
    settle(inkling)
    end(inkling)
    assert_same(Index.read(inkling.base), fresh_index(tmp_path, unrest.folder))


def test_renames_and_moves_cost_no_encoding(inkling: Inkling, tmp_path: Path) -> None:
    here, there = Unrest(tmp_path / "here", seed=4), Unrest(tmp_path / "there", seed=5)
    here.create(40)
    there.create(5)
    inkling.ok("add", str(here.folder), str(there.folder), "--wait")
    settle(inkling)
    before = encoded(inkling)
    (here.folder / "part1").rename(here.folder / "renamed folder")
    (here.folder / "part2").rename(there.folder / "moved folder")  # into another root
    for path in sorted((here.folder / "part3").iterdir()):
        path.rename(there.folder / f"single-{path.name}")
    time.sleep(3)
    settle(inkling)
    assert encoded(inkling) == before
    end(inkling)
    assert_same(Index.read(inkling.base), fresh_index(tmp_path, here.folder, there.folder))


def test_a_move_while_the_indexer_is_away(inkling: Inkling, tmp_path: Path) -> None:
    unrest = Unrest(tmp_path / "away", seed=6)
    unrest.create(30)
    inkling.ok("add", str(unrest.folder), "--wait")
    end(inkling)
    (unrest.folder / "part0").rename(unrest.folder / "elsewhere")
    inkling.client()
    time.sleep(1)
    settle(inkling)
    assert encoded(inkling) == 0
    end(inkling)
    assert_same(Index.read(inkling.base), fresh_index(tmp_path, unrest.folder))


def test_an_editor_that_replaces_the_file(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")
    settle(inkling)
    before = encoded(inkling)
    target = notes / "invoice-2024.txt"
    for number in range(5):
        fresh = notes / ".invoice-2024.txt.tmp~"
        fresh.write_text(f"Revision {number}: the chimney sweep comes in spring.\n")
        os.replace(fresh, target)
        time.sleep(0.05)
    until(lambda: str(target) in inkling.paths('"chimney sweep"'))
    status = settle(inkling)
    assert status["totals"]["done"] == 3
    assert before < encoded(inkling) <= before + 5
    assert inkling.paths('"Revision 4"') == [str(target)]
    assert inkling.paths('"Invoice number 4711"') == []


def test_a_root_that_goes_and_comes_back(inkling: Inkling, tmp_path: Path) -> None:
    unrest = Unrest(tmp_path / "drive", seed=7)
    unrest.create(20)
    inkling.ok("add", str(unrest.folder), "--wait")
    status = settle(inkling)
    asleep = unrest.folder.rename(tmp_path / "unplugged")
    until(lambda: not inkling.client().status()["folders"][0]["online"])
    assert settle(inkling)["totals"] == status["totals"]
    hits = inkling.json("search", "river stone lamp")["hits"]
    assert hits
    assert all(hit["offline"] for hit in hits)
    asleep.rename(unrest.folder)
    until(lambda: inkling.client().status()["folders"][0]["online"])
    after = settle(inkling)
    assert (after["totals"], after["encoded"]) == (status["totals"], status["encoded"])
    assert not any(hit["offline"] for hit in inkling.json("search", "river stone lamp")["hits"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB; unmounted after the test."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "inkling-test", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"can't mount a file system here: {error}")
    if done.returncode:
        pytest.skip(f"can't mount a file system here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_mounted_root_is_unmounted(inkling: Inkling, small_disk: Path, tmp_path: Path) -> None:
    unrest = Unrest(small_disk, seed=8)
    unrest.create(15)
    inkling.ok("add", str(small_disk), "--wait")
    status = settle(inkling)
    other = tmp_path / "bound"
    other.mkdir()
    subprocess.run(["mount", "--bind", str(small_disk), str(other)], check=True)
    try:
        subprocess.run(["umount", "-l", str(small_disk)], check=True)
        until(lambda: not inkling.client().status()["folders"][0]["online"])
        assert settle(inkling)["totals"] == status["totals"]
        subprocess.run(["mount", "--bind", str(other), str(small_disk)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(other)], check=True)
    until(lambda: inkling.client().status()["folders"][0]["online"])
    assert settle(inkling)["encoded"] == status["encoded"]


def test_a_disk_inside_a_folder_is_a_folder_of_its_own(
    inkling: Inkling, small_disk: Path, notes: Path, tmp_path: Path
) -> None:
    inner = notes / "disk"
    inner.mkdir()
    (small_disk / "far.txt").write_text("The lighthouse keeper writes letters.\n")
    subprocess.run(["mount", "--bind", str(small_disk), str(inner)], check=True)
    try:
        inkling.ok("add", str(notes), "--wait")
        assert inkling.paths('"lighthouse keeper"') == []
        assert "inkling add" in inkling.json("explain", str(inner / "far.txt"))["sentence"]
        inkling.ok("add", str(inner), "--wait")
        assert inkling.paths('"lighthouse keeper"') == [str(inner / "far.txt")]
    finally:
        subprocess.run(["umount", "-l", str(inner)], check=True)
    until(lambda: not all(f["online"] for f in inkling.client().status()["folders"]))
    settle(inkling)
    [hit] = inkling.json("search", '"lighthouse keeper"')["hits"]
    assert hit["offline"]


def test_a_full_disk_is_waited_for(small_disk: Path, tmp_path: Path) -> None:
    inkling = Inkling(light(BaseDir(small_disk / "base").create()))
    (inkling.base.root / "settings.toml").write_text("min_free_disk_gb = 0\n")
    unrest = Unrest(tmp_path / "notes", seed=9)
    unrest.create(10)
    try:
        inkling.ok("add", str(unrest.folder), "--wait")
        settle(inkling)
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:  # to the last byte
                file.write(b"\0" * 4096)
        done = inkling.run("add", str(small_disk))
        assert (done.returncode, "disk is full" in done.stderr) == (2, True), done.stderr
        unrest.create(30)
        until(lambda: bool(inkling.client().status()["health"]))
        status = inkling.client().status()
        assert any("disk" in item["title"].lower() for item in status["health"]), status["health"]
        assert all(item["hint"] for item in status["health"])
        assert inkling.paths("river stone lamp")
        ballast.unlink()
        until(lambda: inkling.client().status()["totals"]["done"] == 40)
        status = settle(inkling)
        assert (status["totals"]["failed"], status["health"]) == (0, [])
        end(inkling)
        assert_same(Index.read(inkling.base), fresh_index(tmp_path, unrest.folder))
    finally:
        end(inkling)


def test_a_folder_that_can_not_be_written(small_disk: Path, notes: Path) -> None:
    inkling = Inkling(light(BaseDir(small_disk / "base").create()))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = inkling.run("add", str(notes))
    assert done.returncode == 2
    assert "can't write" in done.stderr
    assert "Traceback" not in done.stderr


def test_clocks_that_are_wrong(inkling: Inkling, notes: Path, tmp_path: Path) -> None:
    os.utime(notes / "upload.py", (4_102_444_800, 4_102_444_800))  # the year 2100
    os.utime(notes / "invoice-2024.txt", (0, 0))
    inkling.ok("add", str(notes), "--wait")
    assert settle(inkling)["totals"]["done"] == 3
    path = notes / "invoice-2024.txt"
    path.write_text("The kettle whistles at noon.\n")
    os.utime(path, (-86_400, -86_400))  # before 1970, and before what was noted
    until(lambda: inkling.paths('"kettle whistles"') == [str(path)])
    settle(inkling)
    end(inkling)
    assert_same(Index.read(inkling.base), fresh_index(tmp_path, notes))


def test_a_picture_outside_the_folders_asks(inkling: Inkling, notes: Path, tmp_path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    picture = tmp_path / "asked.png"
    image = Image.new("RGB", (900, 200), "white")
    font = ImageFont.load_default(size=42)
    ImageDraw.Draw(image).text((20, 60), "Invoice number 4711 bicycle", "black", font)
    image.save(picture)
    inkling.ok("add", str(notes), "--wait")
    assert inkling.paths("", "--image", str(picture))[0] == str(notes / "invoice-2024.txt")


def test_idle_workers_are_let_go(inkling: Inkling, notes: Path) -> None:
    import psutil

    (inkling.base.root / "settings.toml").write_text("idle_minutes = 1\n")
    inkling.ok("add", str(notes), "--wait")
    endpoint = read_endpoint(inkling.base)
    assert endpoint is not None
    indexer = psutil.Process(endpoint.pid)
    until(lambda: not indexer.children(recursive=True))
    assert inkling.paths("sourdough")
