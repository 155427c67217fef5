"""Routes for searching: answers in stages, files like one, and why one is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response
from fastapi.responses import StreamingResponse

from engine.contract import codec
from engine.contract.errors import InklingError
from engine.contract.types import Answer, Filters
from indexer.server.ports import Search
from indexer.server.request_types import (
    MAX_LIMIT,
    AskedPath,
    FilePath,
    QueryText,
    as_json,
    as_value,
)

Limit = Annotated[int, Body(ge=1, le=MAX_LIMIT)]


def add_search_routes(app: FastAPI, port: Search) -> None:
    @app.post("/v1/search")
    def search(
        query: Annotated[QueryText, Body()] = "",
        image: Annotated[FilePath | None, Body()] = None,
        limit: Limit = 20,
        filters: Annotated[dict[str, Any] | None, Body()] = None,
        stages: Annotated[bool, Body()] = False,
    ) -> Response:
        answers = port.search(query, image=image, limit=limit, filters=_filters(filters))
        if not stages:
            *_, last = answers
            return as_value(last)
        first = next(answers)  # a wrong picture is an error, not a broken stream
        return StreamingResponse(_lines(first, answers), media_type="application/x-ndjson")

    @app.post("/v1/similar")
    def similar(path: Annotated[FilePath, Body()], limit: Limit = 20) -> Response:
        return as_value(port.similar(path, limit))

    @app.get("/v1/explain")
    def explained(path: AskedPath, query: QueryText | None = None) -> Response:
        return as_json(port.explain(path, query))


def _filters(given: dict[str, Any] | None) -> Filters | None:
    """Chips as JSON has them; InklingError if a name or a value is wrong."""
    if given is None:
        return None
    if not given.keys() <= Filters.__dataclass_fields__.keys():
        known = ", ".join(Filters.__dataclass_fields__)
        raise InklingError("There is a filter that Inkling does not know.", hint=known)
    try:
        return codec.from_data(given, Filters)
    except ValueError as error:
        raise InklingError(f"A filter has a wrong value: {error}.") from error


def _lines(first: Answer, rest: Iterator[Answer]) -> Iterator[bytes]:
    yield codec.encode(first) + b"\n"
    for answer in rest:
        yield codec.encode(answer) + b"\n"
