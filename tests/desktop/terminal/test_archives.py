"""`inkling archive`: tokens never stand on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from desktop.client import Client
from desktop.terminal import options
from desktop.terminal.archive_commands import run_archive_command
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from tests.desktop.scripted_indexer import ScriptedIndexer

LAB = {"name": "Lab", "url": "https://lab", "title": "", "fault": "token", "judged": True}


def run(base: BaseDir, *arguments: str) -> None:
    assert run_archive_command(options.parser().parse_args(["archive", *arguments]), base) == 0


@pytest.fixture
def line(base: BaseDir, indexer: ScriptedIndexer, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Client.find(base)
    assert found is not None
    monkeypatch.setattr(Client, "connect", classmethod(lambda _cls, _base: found))
    for method in ("GET", "POST", "DELETE"):
        indexer.answers[method, "/v1/archives"] = {"archives": [LAB]}


def test_a_token_is_read_from_a_file(
    base: BaseDir,
    indexer: ScriptedIndexer,
    line: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "token"
    file.write_text("secret\n")
    run(base, "add", "Lab", "https://lab", "--token-file", str(file))
    assert indexer.bodies("POST", "/v1/archives")[0]["token"] == "secret\n"
    assert "no file of yours" in capsys.readouterr().out
    with pytest.raises(InklingError, match="can't be read"):
        run(base, "add", "Lab", "https://lab", "--token-file", str(tmp_path / "none"))
    with pytest.raises(SystemExit):
        run(base, "add", "Lab", "https://lab", "--token", "secret")


def test_a_script_without_a_file_is_told(
    base: BaseDir, line: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InklingError, match="no token"):
        run(base, "add", "Lab", "https://lab")


def test_each_is_listed_with_what_ails_it(
    base: BaseDir, line: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run(base, "list")
    assert "refuses the token" in capsys.readouterr().out
    run(base, "remove", "Lab")
    assert "Removed" in capsys.readouterr().out
