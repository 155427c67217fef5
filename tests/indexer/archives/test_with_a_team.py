"""A person's own index, and a team's real service beside it, over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import Settings
from engine.contract.types import Answer
from engine.engine import Engine
from indexer.archives.known import KnownArchives
from indexer.archives.merging import merged
from indexer.archives.service import Archives
from indexer.team.accounts import Tokens
from indexer.team.serving import Place, Server
from tests.indexer.team.archives import MODEL, SPEC, Given, Known, Running, encoded
from tests.indexer.team.test_serving import certified

pytestmark = pytest.mark.slow

#: Of the texts, those that the team has; all may read the first, nobody here the second.
TEAM = (
    Given("/share/crane.txt", "note", (3,), frozenset({"everyone"})),
    Given("/share/salaries.txt", "note", (11,), frozenset({"group:finance"})),
    Given("/share/bread.txt", "note", (5,), frozenset({"everyone"})),
)


@pytest.fixture
def archives(tmp_path: Path) -> Iterator[Archives]:
    running = Running(tmp_path / "team", TEAM, Tokens([Known({"mara": ()})]))
    cert, key = certified(tmp_path / "tls")
    server = Server(running.app, Place("127.0.0.1", 0, cert, key))
    server.start()
    base = BaseDir(tmp_path / "own").create()
    settings = Settings.load(base)
    known = KnownArchives(base, settings, lambda rows: settings.set("archives", rows))
    made = Archives(known, lambda: SPEC.space)
    port = server.url.rpartition(":")[2]
    (told,) = made.add("Team", f"https://localhost:{port}", "mara", str(cert))
    assert (told.fault, told.judged, told.model) == ("", True, MODEL)
    yield made
    made.close()
    server.stop()
    running.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(BaseDir(tmp_path / "index").create(), SPEC, lambda words, limit, filters: [])
    for unit in encoded()[:3]:
        engine.replace({unit.file.file_id: [unit]})
    yield engine
    engine.close()


def asked(here: Engine, archives: Archives, text: str) -> Answer:
    *_, local = here.search(parse(text), raw=True)
    under_way = archives.ask(text, 20, None, False, lambda name: True)
    assert under_way is not None
    *_, last = merged(local, under_way, here.ranker(), 20, newest=False)
    return last


def test_one_list_of_both(here: Engine, archives: Archives) -> None:
    found = asked(here, archives, "crane in the harbour")
    first = [(hit.archive, hit.path) for hit in found.hits[:2]]
    assert sorted(first) == [("", "/3.txt"), ("Team", "/share/crane.txt")]
    assert found.coverage.away == {}
    assert archives.text("Team", {"path": "/share/crane.txt"}).startswith("The crane")


def test_nobody_sees_what_they_may_not_read(here: Engine, archives: Archives) -> None:
    found = asked(here, archives, "salaries of the department")
    assert "/share/salaries.txt" not in {hit.path for hit in found.hits}
    with pytest.raises(InklingError):
        archives.text("Team", {"path": "/share/salaries.txt"})
