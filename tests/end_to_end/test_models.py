"""Changing the model for real: licence, weights, building beside the old index, kills, going back.

The weights are the tiny golden jina-v4.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.contract.settings import DEFAULT_MODEL
from engine.store.table import list_spaces
from tests.end_to_end.conftest import Inkling
from tests.engine.encoders.embedded import OTHER_MODEL
from tests.engine.encoders.jina_tiny import CHECKPOINT
from tests.engine.models.loopback_hub import BIG, running
from tests.waiting import PATIENCE, until

FILES = 40


@pytest.fixture
def folder(tmp_path: Path, notes: Path) -> Path:
    """Notes enough for several commits."""
    for n in range(FILES - 3):
        (notes / f"day-{n:02d}.md").write_text(
            f"# Day {n}\n\nThe lighthouse keeper counted {n} ships.\n\n## Evening\n\n"
            f"Fog came in from the west at {n} minutes past seven and stayed.\n"
        )
    return notes


def model(inkling: Inkling, name: str = "jina-v4") -> dict[str, Any]:
    rows = inkling.client().call("GET", "/v1/models")["models"]
    return next(row for row in rows if row["id"] == name)


def answers(inkling: Inkling) -> bool:
    [*_, last] = inkling.client().search("oven cast iron pot")
    return bool(last["hits"]) and last["hits"][0]["path"].endswith("bread.md")


def in_use(inkling: Inkling) -> str:
    return str(inkling.client().status()["model"]["id"])


def read(path: Path) -> bytes:
    """A file's bytes; none if maintenance has just removed it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def kill(inkling: Inkling) -> None:
    process = psutil.Process(inkling.pid)
    family = [process, *process.children(recursive=True)]
    os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=PATIENCE)


def test_another_model_is_built_beside_and_kept(inkling: Inkling, folder: Path) -> None:
    inkling.ok("add", str(folder), "--wait")
    refused = inkling.run("model", "add", str(CHECKPOINT))
    assert refused.returncode == 2
    assert "no commercial use" in refused.stderr
    assert "--accept-licence" in refused.stderr
    inkling.ok("model", "add", str(CHECKPOINT), "--accept-licence")
    assert "being built" in inkling.ok("model", "use", "jina-v4")

    # The old index answers all along; the indexer is killed in the middle, and goes on from there.
    until(lambda: answers(inkling) and 0 < (model(inkling)["progress"] or 0) < 1)
    before = inkling.client().status()["model"]["next"]["done"]
    kill(inkling)
    assert answers(inkling)
    after = inkling.client().status()["model"]["next"]
    assert after is None or after["done"] >= before > 0
    until(lambda: answers(inkling) and in_use(inkling) == "jina-v4")
    status = inkling.client().status()
    assert status["totals"]["done"] == FILES
    assert status["totals"]["pending"] == 0
    assert inkling.paths("the lighthouse keeper counted ships")

    # Going back takes no encoding, and what changed meanwhile is made good.
    (folder / "day-00.md").unlink()
    (folder / "day-01.md").write_text("# Day 1\n\nA zeppelin went by.\n")
    until(lambda: inkling.client().status()["totals"]["files"] == FILES - 1)
    until(lambda: inkling.client().status()["encoded"] == 1)  # the edited file, by jina-v4
    until(lambda: inkling.client().status()["state"] == "idle")
    inkling.ok("model", "use", DEFAULT_MODEL, "--wait")
    assert in_use(inkling) == DEFAULT_MODEL
    # The space was as it was left: the edited file's old passage answers until it is read again.
    until(lambda: inkling.client().status()["encoded"] == 1)
    until(lambda: inkling.client().status()["state"] == "idle")
    assert inkling.paths("zeppelin")[0].endswith("day-01.md")
    assert not any(p.endswith("day-00.md") for p in inkling.paths("lighthouse keeper 0 ships"))
    assert inkling.client().status()["encoded"] == 1

    # The space of the model that is not in use can be freed.
    assert "in use" in inkling.run("model", "remove", DEFAULT_MODEL).stderr
    assert model(inkling)["index_bytes"] > 0
    inkling.ok("model", "remove", "jina-v4")
    assert model(inkling)["index_bytes"] == 0
    assert [s for s in list_spaces(inkling.base.store) if s.startswith("jina")] == []
    assert (CHECKPOINT / "model.safetensors").exists()  # added, not Inkling's to delete
    assert inkling.run("model", "use", "jina-v4").returncode == 2


def test_removed_files_leave_the_spaces_that_are_not_in_use(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")
    inkling.ok("model", "use", OTHER_MODEL, "--wait")
    old = next(inkling.base.store.glob(f"{DEFAULT_MODEL}*.lance"))
    secret = b"bicycle"

    def kept() -> bool:
        paths = [Path(top, name) for top, _, names in os.walk(old) for name in names]
        return any(secret in read(path) for path in paths)

    assert kept()
    (notes / "invoice-2024.txt").unlink()
    until(lambda: not kept())


def test_download_from_a_hub_and_use(
    inkling: Inkling, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as hub:
        hub.slow_s = 1.5
        monkeypatch.setenv("INKLING_HUB", hub.url)
        inkling.ok("add", str(notes), "--wait")
        assert "licence" in inkling.run("model", "download", "jina-v4").stderr
        assert hub.ranges == []  # nothing is fetched before it is accepted
        said = inkling.run("model", "use", "jina-v4", "--accept-licence")
        assert "inkling model download jina-v4" in said.stderr
        inkling.ok("model", "download", "jina-v4")
        part = inkling.base.models / "jina-v4" / "files" / f"{BIG}.part"
        until(lambda: part.exists() and part.stat().st_size > 100_000)
        assert 0 < model(inkling)["progress"] < 1
        assert model(inkling)["activity"] == "downloading"
        inkling.client().call("POST", "/v1/models/pause", {"id": "jina-v4"})
        assert model(inkling)["activity"] is None
        held = part.stat().st_size
        inkling.ok("model", "download", "jina-v4")
        until(lambda: part.stat().st_size > held)
        kill(inkling)
        assert model(inkling)["state"] == "incomplete"
        hub.slow_s = 0.0
        inkling.ok("model", "download", "jina-v4", "--wait")
        assert hub.ranges[-1] is not None  # it went on from where it was
        row = model(inkling)
        assert row["state"] == "ready"
        assert row["bytes"] > 400_000
        inkling.ok("model", "use", "jina-v4", "--wait")
    assert in_use(inkling) == "jina-v4"
    listed = json.loads(inkling.ok("model", "list", "--json"))
    assert listed["current"] == "jina-v4"


def test_offline_is_said(inkling: Inkling, monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as hub:
        closed = hub.url
    monkeypatch.setenv("INKLING_HUB", closed)
    done = inkling.run("model", "download", "neomme-260m", "--accept-licence", "--wait")
    assert done.returncode == 2
    assert "seems to be offline" in done.stderr
    assert "inkling model add" in done.stderr
    assert "offline" in inkling.ok("model", "list")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_terminal_is_asked_once(inkling: Inkling) -> None:
    assert "nothing was changed" in in_terminal(inkling, "n")
    assert model(inkling)["state"] == "missing"
    assert "Added." in in_terminal(inkling, "y")
    assert model(inkling)["state"] == "ready"
    assert "Added." in inkling.ok("model", "add", str(CHECKPOINT))


def in_terminal(inkling: Inkling, typed: str) -> str:
    """What `model add` says to a person who types this."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "desktop", "--base-dir", str(inkling.base.root)]
    command += ["model", "add", str(CHECKPOINT)]
    try:
        os.write(ours, f"{typed}\n".encode())
        done = subprocess.run(
            command, stdin=theirs, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert "must not be used commercially" in done.stdout
    return done.stdout + done.stderr


def test_wrong_names_and_folders(inkling: Inkling, tmp_path: Path) -> None:
    assert "minilm, e5-minilm, jina-v4" in inkling.run("model", "use", "gpt").stderr
    assert "does not hold a model" in inkling.run("model", "add", str(tmp_path)).stderr
    assert "here already" in inkling.run("model", "download", DEFAULT_MODEL).stderr
