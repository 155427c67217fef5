"""The service as it is asked: accounts, limits, sizes, the log, and what it does not answer."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.team.accounts import Tokens
from indexer.team.asker import Asked
from indexer.team.audit import AuditLog, Done
from indexer.team.limiting import WRONG, Limiter, Limits
from tests.indexer.team.archives import Given, Known, Running
from tests.waiting import until

MARA = {"Authorization": "Bearer mara"}
BREAD = Given("/share/bread.txt", "note", (5,), frozenset({"everyone"}))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("service"), [BREAD], Tokens([Known({"mara": ()})]))
    yield made
    made.close()


@pytest.fixture
def client(running: Running) -> TestClient:
    return running.client


def error(reply: object) -> str:
    return str(reply.json()["error"]["message"])  # type: ignore[attr-defined]


def test_nobody_is_answered_without_an_account(client: TestClient) -> None:
    reply = client.get("/v1/status")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert error(reply) == "This archive answers to accounts alone."
    reply = client.get("/v1/status", headers={"Authorization": "Bearer tom"})
    assert (reply.status_code, error(reply)) == (401, "This token belongs to no account.")
    assert client.get("/healthz").status_code == 200


def test_an_archive_tells_of_itself(client: TestClient) -> None:
    told = client.get("/v1/about", headers=MARA).json()
    assert {"archive_id", "name", "model", "space", "commit", "version"} == told.keys()
    assert told["commit"] == 1


@pytest.mark.parametrize(
    ("method", "route"),
    [("POST", "/v1/folders"), ("GET", "/v1/settings"), ("POST", "/v1/models/use"), ("POST", "/mcp"),
     ("GET", "/v1/render"), ("POST", "/v1/ask"), ("POST", "/v1/stop"), ("GET", "/docs")],
)  # fmt: skip
def test_what_has_no_meaning_here_is_not_there(client: TestClient, method: str, route: str) -> None:
    reply = client.request(method, route, headers=MARA)
    assert reply.status_code == 404
    assert error(reply) == "A team's archive does not answer this call."


def test_web_pages_and_long_requests_are_refused(client: TestClient) -> None:
    page = {**MARA, "Origin": "https://example.org"}
    assert client.get("/v1/status", headers=page).status_code == 403
    long = client.post("/v1/search", content=b"x" * 1_000_001, headers=MARA)
    assert long.status_code == 413
    chunked = client.post("/v1/search", content=iter([b"{}"]), headers=MARA)
    assert chunked.status_code == 413


def test_pictures_of_the_asker_s_machine_are_not_read_here(client: TestClient) -> None:
    reply = client.post("/v1/search", json={"image": "/etc/passwd"}, headers=MARA)
    assert (reply.status_code, error(reply)) == (
        400,
        "A team's archive is not asked with pictures.",
    )


def test_who_asks_too_often_waits(tmp_path: Path) -> None:
    limiter = Limiter(Limits(per_minute=3, at_once=2, at_once_together=3))
    assert [limiter.hit("mara") for _ in range(3)] == [None] * 3
    assert 1 <= (limiter.hit("mara") or 0) <= 60
    assert limiter.hit("tom") is None
    assert [limiter.enter(name) for name in ("mara", "mara", "mara", "tom", "ina")] == [
        True, True, False, True, False
    ]  # fmt: skip
    limiter.leave("mara")
    assert limiter.enter("ina")
    assert [limiter.wrong("192.0.2.1") for _ in range(WRONG)] == [None] * WRONG
    assert limiter.wrong("192.0.2.1")
    assert limiter.wrong("192.0.2.2") is None


def test_limits_are_said(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Limiter(Limits(per_minute=2))
    guard = running.guard
    monkeypatch.setattr(guard, "_limiter", few)
    replies = [running.client.get("/v1/about", headers=MARA) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert error(replies[-1]) == "At most 2 requests a minute are answered to an account."
    assert int(replies[-1].headers["retry-after"]) >= 1
    monkeypatch.setattr(guard, "_limiter", Limiter(Limits(at_once=0)))
    reply = running.client.get("/v1/about", headers=MARA)
    assert (reply.status_code, error(reply)) == (
        429, "Too many requests are being answered just now."
    )  # fmt: skip


def test_every_request_is_noted(running: Running) -> None:
    client = running.client
    client.post("/v1/search", json={"query": "sourdough bread"}, headers=MARA)
    client.get("/v1/text", params={"path": BREAD.path}, headers=MARA)
    client.get("/v1/about", headers={"Authorization": "Bearer wrong"})

    def noted() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in running.log.read_text().splitlines()]
        return lines if lines and lines[-1]["account"] is None else []

    until(lambda: noted())
    search, text, refused = noted()[-3:]
    assert search["question"] == "sourdough bread"
    assert (search["account"], search["files"], search["status"]) == ("mara", [BREAD.path], 200)
    assert (text["route"], text["files"]) == ("GET /v1/text", [BREAD.path])
    assert (refused["status"], "files" in refused) == (401, False)
    assert stat.S_IMODE(running.log.stat().st_mode) == 0o600
    assert time.time() - float(str(search["at"])) < 3_600


def test_questions_may_be_left_out_of_the_log(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", questions=False)
    asked = Asked()
    asked.note([f"/{number}" for number in range(300)], "who earns what")
    log.note(asked, Done("127.0.0.1", "POST /v1/search", 200, 3.0))
    log.close()
    (line,) = map(json.loads, (tmp_path / "audit.jsonl").read_text().splitlines())
    assert "question" not in line
    assert (len(line["files"]), line["more_files"]) == (200, 100)


def test_a_full_disk_keeps_nobody_waiting_and_is_told() -> None:
    log = AuditLog(Path("/dev/full"))
    for _ in range(3):
        log.note(Asked(), Done("127.0.0.1", "GET /v1/status", 200, 1.0))
    until(lambda: "3 lines are lost" in log.problem())
    assert "No space left" in log.problem()
    log.close()
