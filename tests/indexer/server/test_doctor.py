"""The indexer's side of `inkling doctor`: each matter where it is well, and where it is not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.checks import Check
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.asking import finding
from indexer.ledger.ledger import Ledger
from indexer.server import doctor
from tests.scripted_model_server import ScriptedModelServer


def found(base: BaseDir) -> dict[str, Check]:
    return {check.id: check for check in doctor.examine(base)}


@pytest.fixture
def folder(base: BaseDir, tmp_path: Path) -> Path:
    """A watched one."""
    folder = tmp_path / "watched"
    folder.mkdir()
    ledger = Ledger(base.ledger)
    ledger.add_root(folder)
    ledger.close()
    return folder


def test_a_new_person_has_nothing_to_mend(base: BaseDir) -> None:
    rows = found(base)
    assert rows["index"].said == "Nothing is indexed yet."
    assert "folders" not in rows
    assert {name for name, row in rows.items() if not row.fine} <= {
        "max_user_watches",
        "max_user_instances",
    }
    assert not base.ledger.exists()  # nothing was made


def test_an_index_that_is_whole(base: BaseDir, folder: Path) -> None:
    rows = found(base)
    assert rows["index"].said == "0 files, whole."
    assert rows["folders"].said == "1 watched."


def test_a_folder_that_is_gone_is_named(base: BaseDir, folder: Path) -> None:
    folder.rmdir()
    row = found(base)["folders"]
    assert str(folder) in row.said
    assert "inkling remove" in row.do


def test_a_damaged_index(base: BaseDir, folder: Path) -> None:
    with base.ledger.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(8000))
    rows = found(base)
    assert "damaged" in rows["index"].said
    assert "reads your files again" in rows["index"].do
    assert not rows["folders"].fine  # it could not be looked into, and that is said


@pytest.mark.parametrize(("step", "fine"), [(1, False), (-1, True)])
def test_an_index_of_another_version(base: BaseDir, folder: Path, step: int, fine: bool) -> None:
    with sqlite3.connect(base.ledger) as ledger:
        ledger.execute(f"PRAGMA user_version = {len(doctor.MIGRATIONS) + step}")
    ledger.close()
    row = found(base)["index"]
    assert row.fine is fine
    assert ("carried over" if fine else "newer Inkling") in row.said


def test_a_model_that_is_not_here(base: BaseDir) -> None:
    settings = Settings.load(base)
    settings.set("sight_model", "jina-v4")
    settings.save()
    row = found(base)["sight"]
    assert "licence" in row.said
    assert row.do


@pytest.mark.skipif(not doctor._INOTIFY.is_dir(), reason="no inotify here")
def test_limits_of_the_system(
    base: BaseDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("max_user_watches", 8192), ("max_user_instances", 128)):
        (tmp_path / name).write_text(f"{value}\n")
    monkeypatch.setattr(doctor, "_INOTIFY", tmp_path)
    rows = found(base)
    assert "sysctl fs.inotify.max_user_watches=1048576" in rows["max_user_watches"].do
    assert rows["max_user_instances"].fine


class TestAnswers:
    @pytest.fixture(autouse=True)
    def _no_server_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "PORTS", ())

    def test_none_is_no_fault(self, base: BaseDir) -> None:
        row = found(base)["answers"]
        assert (row.fine, "`inkling ask --servers`" in row.said) == (True, True)

    def test_the_one_that_is_asked(self, base: BaseDir) -> None:
        with ScriptedModelServer() as server:
            change(base, ask_server=server.url)
            row = found(base)["answers"]
            assert (row.fine, row.said) == (True, f"small at {server.url} is asked.")
            assert server.asked == []

    def test_one_that_is_not_there_or_not_confirmed(self, base: BaseDir) -> None:
        for address, said in (
            ("http://127.0.0.1:9/v1", "No language model answers"),
            ("http://192.0.2.7:9/v1", "another machine"),
        ):
            change(base, ask_server=address)
            row = found(base)["answers"]
            assert (row.fine, said in row.said, bool(row.do)) == (False, True, True)

    def test_what_a_policy_file_says(
        self, base: BaseDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "policy.toml"
        file.write_text("[answers]\nother_machines = false\n")
        monkeypatch.setenv("INKLING_POLICY", str(file))
        assert f"{file} forbids other machines." in found(base)["answers"].said
        file.write_text("[answers]\nenabled = false\n")
        assert str(file) in found(base)["answers"].said


def change(base: BaseDir, **values: object) -> None:
    settings = Settings.load(base)
    for key, value in values.items():
        settings.set(key, value)
    settings.save()


def test_what_falls_over_is_told(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(base: BaseDir) -> Iterator[Check]:
        raise OSError("no such library")
        yield

    monkeypatch.setattr(doctor, "LOOKS", (falls,))
    assert [(row.said, row.do) for row in doctor.examine(base)] == [
        ("It could not be looked into: OSError: no such library", doctor.AGAIN)
    ]
