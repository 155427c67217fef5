"""Routes for archives: which are asked, adding one, forgetting one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import Route

from engine.contract import codec
from engine.contract.archives import ArchiveTold
from indexer.server.ports import Archives
from indexer.server.request_types import Nothing, as_json, checked_path, get, post


class AskedArchive(Struct):
    """One by its name."""

    name: str


class AskedAddition(AskedArchive):
    """Its address and the token that it gave; `authority`: a file of certificates."""

    url: str
    token: str = ""
    authority: str = ""

    def __post_init__(self) -> None:
        self.authority = checked_path(self.authority) if self.authority else ""


def archive_routes(port: Archives) -> list[Route]:
    """Under /v1."""

    def listed(_: Nothing) -> Response:
        return _told(port.listed())

    def add(asked: AskedAddition) -> Response:
        return _told(port.add(asked.name, asked.url, asked.token, asked.authority))

    def remove(asked: AskedArchive) -> Response:
        return _told(port.remove(asked.name))

    return [
        get("/v1/archives", Nothing, listed),
        post("/v1/archives", AskedAddition, add),
        post("/v1/archives", AskedArchive, remove, "DELETE"),
    ]


def _told(archives: Sequence[ArchiveTold]) -> Response:
    return as_json({"archives": codec.to_data(list(archives))})
