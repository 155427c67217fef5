"""`inkling team`: folders, archive, points and service on one machine, as a person starts it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from engine.contract import launch
from engine.contract.paths import BaseDir
from indexer.team.all_in_one import first_account
from indexer.team.command import FAILED, main
from tests.indexer.team.archives import MODEL
from tests.waiting import until


def test_folders_are_filled_and_served(tmp_path: Path, base: BaseDir) -> None:
    share = tmp_path / "share"
    share.mkdir(mode=0o755)
    (share / "crane.txt").write_text("The crane in the harbour lifts forty tonnes of steel.")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = launch.command(
        "indexer", "team", "--dir", str(tmp_path / "team"), "--from", str(share),
        "--base-dir", str(base.root), "--port", str(port), "--model", MODEL,
    )  # fmt: skip
    said = tmp_path / "said"
    with said.open("wb") as to:
        process = subprocess.Popen(command, env=launch.environment(), stdout=to)
    until(lambda: "is added by" in said.read_text())
    token = re.findall(r"inkling_\S+", said.read_text())[0]

    def hits() -> list[str]:
        reply = httpx2.post(
            f"http://127.0.0.1:{port}/v1/search",
            json={"query": "harbour crane"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        return [hit["path"] for hit in reply.json()["hits"]]

    until(lambda: hits() == [str(share / "crane.txt")])
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_first_account_is_made_once(tmp_path: Path) -> None:
    said: list[str] = []
    file = first_account(tmp_path / "accounts.toml", "mara", said.append)
    before = file.read_text()
    assert "inkling_" in said[0]
    assert first_account(file, "mara", said.append).read_text() == before
    assert len(said) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda _: ["serve", "--archive", "/none/such", "--accounts", "/x"], "can't be read"),
        (lambda t: ["serve", "--archive", f"{t}/none", "--accounts", f"{t}/a"], "no archive"),
        (lambda t: ["serve", "--archive", f"{t}", "--host", "0.0.0.0"], "Without TLS"),
        (lambda t: ["team", "--dir", f"{t}/d", "--from", f"{t}", "--model", "none"], "none"),
        (lambda _: ["serve", "token", ""], "needs a name"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path,
    base: BaseDir,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    given: Callable[[Path], list[str]],
    said: str,
) -> None:
    monkeypatch.setattr("engine.contract.log.set_up", lambda *_: None)  # this process has its own
    (tmp_path / "a").write_text("")
    command, *rest = given(tmp_path)
    own = [] if rest[0] == "token" else ["--base-dir", str(base.root)]
    assert main(command, [*rest, *own]) == FAILED
    complained = capsys.readouterr().err
    assert said in complained
    assert complained.startswith("inkling: ")
    assert len(complained.splitlines()) <= 2
