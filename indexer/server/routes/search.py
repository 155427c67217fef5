"""Routes for searching: answers in stages, files like one, and why one is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from engine.contract import codec
from engine.contract.types import Answer
from indexer.server.ports import Search
from indexer.server.request_types import (
    AskedPath,
    Limit,
    as_json,
    as_value,
    checked_filters,
    checked_path,
    checked_text,
    get,
    post,
)


class AskedSearch(Struct):
    """Words, a picture or both; `stages`: each answer as it comes, one a line; `plain`: words that
    are no filter, or all; `raw`: the last answer with what its hits were ranked by, of this machine
    alone; `archives`: whether these are asked, too."""

    query: str = ""
    image: str | None = None
    limit: Limit = 20
    filters: dict[str, Any] | None = None
    stages: bool = False
    plain: bool | list[str] = False
    raw: bool = False
    archives: bool = True

    def __post_init__(self) -> None:
        self.query = checked_text(self.query)
        self.image = None if self.image is None else checked_path(self.image)


class AskedSimilar(AskedPath):
    """Files like one."""

    limit: Limit = 20


class AskedExplanation(AskedPath):
    """Why a file is found, perhaps by a query, a picture or both."""

    query: str | None = None
    image: str | None = None

    def __post_init__(self) -> None:
        AskedPath.__post_init__(self)
        self.query = None if self.query is None else checked_text(self.query)
        self.image = None if self.image is None else checked_path(self.image)


def search_routes(port: Search) -> list[Route]:
    """Under /v1."""

    def search(asked: AskedSearch) -> Response:
        answers = port.search(
            asked.query,
            image=asked.image,
            limit=asked.limit,
            filters=checked_filters(asked.filters),
            plain=asked.plain,
            raw=asked.raw,
            elsewhere=not asked.raw and asked.archives,
        )
        if not asked.stages:
            *_, last = answers
            return as_value(last)
        first = next(answers)  # a wrong picture is an error, not a broken stream
        return StreamingResponse(_lines(first, answers), media_type="application/x-ndjson")

    def similar(asked: AskedSimilar) -> Response:
        return as_value(port.similar(asked.path, asked.limit))

    def explained(asked: AskedExplanation) -> Response:
        return as_json(port.explain(asked.path, asked.query, asked.image))

    return [
        post("/v1/search", AskedSearch, search),
        post("/v1/similar", AskedSimilar, similar),
        get("/v1/explain", AskedExplanation, explained),
    ]


def _lines(first: Answer, rest: Iterator[Answer]) -> Iterator[bytes]:
    yield codec.encode(first) + b"\n"
    for answer in rest:
        yield codec.encode(answer) + b"\n"
