"""Rights: nothing of a file that an asker may not read shows in any answer, and a change holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.team.accounts import Tokens
from tests.indexer.team.archives import Given, Known, Running
from tests.indexer.team.interference import ACCOUNTS, answered, leaks

SALARIES = Given("/share/staff/salaries secret.txt", "note", (11,), frozenset({"group:finance"}))
BREAD = Given("/share/kitchen/bread.txt", "note", (5, 8), frozenset({"everyone"}))
CRANE = Given("/share/harbour/crane.pdf", "pdf", (3,), frozenset({"user:tom"}))


@pytest.mark.parametrize("seed", [1, 2])
def test_what_may_not_be_read_shows_nowhere(seed: int) -> None:
    """100 calls each, of every route; tests/benchmarks/team_rights.py compares 10,000."""
    compared, differing = leaks(seed, askings=8)
    assert not differing, differing[0]
    assert compared == 100


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path, [SALARIES, BREAD, CRANE], Tokens([Known(ACCOUNTS)]))
    yield running
    running.close()


def asked(service: Running, name: str, query: str) -> list[str]:
    reply = service.client.post(
        "/v1/search", json={"query": query}, headers={"Authorization": f"Bearer {name}"}
    )
    assert reply.status_code == 200, reply.text
    return [Path(hit["path"]).name for hit in reply.json()["hits"]]


def test_each_finds_what_they_may_read(service: Running) -> None:
    assert asked(service, "mara", "salaries of the department")[0] == "salaries secret.txt"
    assert "salaries secret.txt" not in asked(service, "tom", "salaries of the department")
    assert asked(service, "tom", "crane")[0] == "crane.pdf"
    assert asked(service, "guest", "crane") == ["bread.txt"]  # similar at best
    assert "crane.pdf" not in answered(service, "guest", ("GET", "/v1/recent", {}))


def test_of_a_file_that_may_not_be_read_no_call_tells(service: Running) -> None:
    for route in ("/v1/text", "/v1/explain", "/v1/thumb"):
        there = answered(service, "tom", ("GET", route, {"path": SALARIES.path}))
        nowhere = answered(service, "tom", ("GET", route, {"path": "/share/staff/no such.txt"}))
        assert there.replace("salaries secret", "no such") == nowhere
    assert "may not read" in answered(
        service, "tom", ("POST", "/v1/similar", {"path": SALARIES.path})
    )


def test_a_change_of_rights_holds_at_the_next_question(service: Running) -> None:
    assert "crane.pdf" not in asked(service, "mara", "crane")
    opened, _ = Given(CRANE.path, "pdf", (3,), frozenset({"group:finance"})).of("a team's")
    service.points.set_rights({opened.file_id: opened.rights_class})
    service.names.apply(2, [opened])
    assert asked(service, "mara", "crane")[0] == "crane.pdf"
    assert "crane.pdf" not in asked(service, "tom", "crane")


def test_whoever_may_read_nothing_is_told_so(tmp_path: Path) -> None:
    service = Running(tmp_path, [SALARIES], Tokens([Known(ACCOUNTS)]))
    got = answered(service, "nobody", ("POST", "/v1/search", {"query": "salaries"}))
    assert '"hits": []' in got
    assert '"nothing-to-read"' in got
    service.close()
