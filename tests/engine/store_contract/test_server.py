"""The mapping to `qdrant-client`, by its local mode, and what a server's failures become.

No server runs here. The local mode splits texts into words without signs, so that terms with signs
are not asked there."""

from __future__ import annotations

import http.server
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from engine.contract.errors import InklingError, StoreBusyError
from engine.served import QdrantStore
from engine.served.payload import RECORDS, shape_of_units
from engine.served.server import ServerPoints
from engine.served.statistics import Statistics
from engine.store import StoredUnit
from tests.engine.store.store_units import DIM
from tests.engine.store_contract.comparing import check_questions, check_reads
from tests.engine.store_contract.made_units import About, made

FILES = list(range(1, 16))


def plain(units: list[StoredUnit]) -> list[StoredUnit]:
    """Without what the local mode takes for no word."""
    return [s for s in units if "c++" not in s.unit.text.lower()]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[QdrantStore, QdrantStore]]:
    client = QdrantClient(":memory:")
    points = ServerPoints(client, "units", shape_of_units(DIM))
    local = QdrantStore(points, ServerPoints(client, "records", RECORDS), Statistics(None), About())
    edge = QdrantStore.open(tmp_path_factory.mktemp("edge"), About())
    for store in (local, edge):
        for seed in (0, 50):
            chosen = FILES if not seed else FILES[:5]
            units = [s for i in chosen for s in plain(made(i, i + seed))]
            store.upsert(units, {i: i % 3 for i in FILES})
        store.set_rights({7: 2, 8: 1})
        store.delete([9])
        store.synced = 4
    yield local, edge
    local.close()
    edge.close()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("rights", [None, frozenset({0, 2})])
def test_a_client_answers_as_the_engine(
    stores: tuple[QdrantStore, QdrantStore], rights: frozenset[int] | None
) -> None:
    mine, theirs = (store.view(rights) for store in stores)
    check_reads(mine, theirs, FILES, most=4)
    for case in range(40):
        check_questions(mine, theirs, random.Random(case), FILES)


class Failing(http.server.BaseHTTPRequestHandler):
    """Answers everything with one failure."""

    status = 500

    def do_GET(self) -> None:
        body = json.dumps({"status": {"error": "no"}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, InklingError, "did not accept the key"),
        (500, InklingError, "answered 500"),
        (503, StoreBusyError, "busy or full"),
    ],
)
def test_failures_of_a_server_are_sentences(
    status: int, kind: type[InklingError], said: str
) -> None:
    handler = type("Handler", (Failing,), {"status": status})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(kind, match=said):
            QdrantStore.open(f"http://127.0.0.1:{server.server_port}", About())
        server.shutdown()


def test_a_server_that_is_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreBusyError, match="can't be reached"):
        QdrantStore.open("http://127.0.0.1:9", About(), beside=tmp_path)
