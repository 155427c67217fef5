"""`inkling doctor`: the desktop's own matters, what it prints, and its exit status."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from desktop.system import autostart, integrating
from desktop.terminal import cli, doctor
from engine.contract import launch
from engine.contract.paths import BaseDir


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def checks(base: BaseDir, look: doctor.Look) -> list[tuple[str, bool]]:
    return [(check.said, check.fine) for check in look(base)]


def test_every_matter_as_data(base: BaseDir, capsys: pytest.CaptureFixture[str]) -> None:
    """With what the indexer's side says in a process of its own."""
    status = cli.main(["--base-dir", str(base.root), "doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    rows = {row["id"]: row for row in told["checks"]}
    assert status == (0 if told["ok"] else doctor.ATTENTION)
    assert {"version", "folder", "space", "indexer", "index", "model", "ocr", "session"} <= set(
        rows
    )
    assert all(
        row["title"] and row["said"] and row["ok"] == (not row["do"]) for row in rows.values()
    )
    assert rows["folder"]["ok"]


def test_what_to_do_is_printed_and_told_by_the_status(
    base: BaseDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LOOKS", (doctor._base,))
    assert cli.main(["--base-dir", str(base.root), "doctor"]) == 0
    assert capsys.readouterr().out.startswith("ok ")
    base.root.chmod(0o755)
    assert cli.main(["--base-dir", str(base.root), "doctor"]) == doctor.ATTENTION
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("attention")
    assert "is open to others." in said
    assert "chmod 700" in said


def test_a_base_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    assert checks(BaseDir(tmp_path / "none"), doctor._base)[0][1]
    assert not (tmp_path / "none").exists()


def test_a_full_disk(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(9, 9, 10_000_000))
    assert checks(base, doctor._space) == [("0.0 GB free.", False)]


def test_an_indexer_that_does_not_answer(base: BaseDir) -> None:
    told = {"url": "http://127.0.0.1:9", "token": "", "pid": os.getpid(), "version": "0.1.0"}
    base.endpoint.write_text(json.dumps(told))
    assert checks(base, doctor._indexer) == [(f"Process {os.getpid()} does not answer.", False)]


def test_libraries_that_do_not_load(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a broken installation says last is repeated."""
    monkeypatch.setattr(
        launch, "command", lambda *_: ["python3", "-c", "import not_installed_at_all"]
    )
    ((said, fine),) = checks(base, doctor._examined)
    assert said == "They do not load: ModuleNotFoundError: No module named 'not_installed_at_all'"
    assert not fine


@pytest.mark.skipif(sys.platform != "linux", reason="it has the longest list")
def test_what_the_desktop_was_told(base: BaseDir) -> None:
    ((said, fine),) = checks(base, doctor._integration)
    assert (said[:2], fine) == ("0 ", True)
    integrating.write(base)
    ((said, fine),) = checks(base, doctor._integration)
    assert (said[:2] != "0 ", fine) == (True, True)
    entry = next(one for one in integrating.look(base) if one.row.id == "entry")
    listed = base.root / "integration.json"
    told = json.loads(listed.read_text())
    entry.path.write_text("of before")
    told["files"][str(entry.path)] = hashlib.sha256(b"of before").hexdigest()
    listed.write_text(json.dumps(told))
    ((_, fine),) = checks(base, doctor._integration)
    assert not fine


def test_starting_with_the_session(base: BaseDir, tmp_path: Path) -> None:
    assert checks(base, doctor._session) == [("Off.", True)]
    autostart.set_enabled(True, base.root)
    assert checks(base, doctor._session) == [("On.", True)]
    autostart.set_enabled(True, tmp_path / "other")
    ((_, fine),) = checks(base, doctor._session)
    assert not fine
