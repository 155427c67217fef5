"""The HTTP API: loopback only, token on every call, Host and Origin checked, answers in stages."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route

from engine.contract import codec
from engine.contract.errors import REASONS, InklingError
from engine.contract.types import Answer, Filters
from indexer.reading.extract.base import ExtractError
from indexer.server.explain import explain
from indexer.server.mcp import McpEndpoint
from indexer.server.request_types import (
    MAX_LIMIT,
    AskedPath,
    BadRequestError,
    FilePath,
    FilePaths,
    QueryText,
    as_error,
    as_json,
    as_value,
)
from indexer.server.routes.files import add_file_routes
from indexer.server.routes.models import add_model_routes
from indexer.server.routes.settings import add_settings_routes
from indexer.server.service import Service

VERSION = "0.1.0"
MAX_BODY = 1_000_000
#: A pause lasts a year at most; more is “until resumed”.
MAX_PAUSE = 366 * 86_400

log = logging.getLogger(__name__)

Call = Callable[[Request], Awaitable[Response]]
Limit = Annotated[int, Body(ge=1, le=MAX_LIMIT)]


def make_app(service: Service, token: str, port: Callable[[], int]) -> FastAPI:
    """The application; `port` tells the port once the socket is bound."""
    app = FastAPI(title="Inkling", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def guard(request: Request, call: Call) -> Response:
        refusal = _refusal(request, token, port())
        return await call(request) if refusal is None else refusal

    _error_handlers(app)
    _search_routes(app, service)
    _folder_routes(app, service)
    _work_routes(app, service)
    add_file_routes(app, service)
    add_settings_routes(app, service)
    add_model_routes(app, service)
    # Without sessions there is nothing to GET or DELETE: those are answered by 405.
    app.routes.append(Route("/mcp", McpEndpoint(service, VERSION), methods=["POST"]))
    return app


def _refusal(request: Request, token: str, port: int) -> Response | None:
    """Why a call is not answered: another host's page, no token, too long a body."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
    if request.headers.get("host") not in hosts:  # DNS rebinding comes with a foreign name
        return as_error(403, "This name is not answered.", "Use 127.0.0.1.")
    if request.headers.get("origin") is not None:
        return as_error(403, "Web pages are not answered.", "Use the command line or the window.")
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return as_error(401, "The token is missing or wrong.", "It is in run/endpoint.json.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY or "transfer-encoding" in request.headers:
        return as_error(413, "The request is too long.", f"At most {MAX_BODY} bytes.")
    return None


def _error_handlers(app: FastAPI) -> None:
    """Whatever goes wrong is told in one form."""

    @app.exception_handler(InklingError)
    def readable(_: Request, error: InklingError) -> Response:
        return as_error(400, error.message, error.hint, error.path)

    @app.exception_handler(BadRequestError)
    def malformed(_: Request, error: BadRequestError) -> Response:
        return as_error(422, error.message, error.hint)

    @app.exception_handler(ExtractError)
    def unreadable(_: Request, error: ExtractError) -> Response:
        return as_error(422, REASONS[error.reason].sentence, "Open it with its own program.")

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        # Where and what, never the value: it may be long, or nobody's business in a log.
        said = [
            f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in error.errors()
        ]
        return as_error(422, "The request can't be understood.", "; ".join(said)[:1000])

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> Response:
        hint = (
            "See indexer/API.md for the calls there are." if error.status_code in (404, 405) else ""
        )
        return as_error(error.status_code, str(error.detail), hint)

    @app.exception_handler(Exception)
    def broken(_: Request, error: Exception) -> Response:
        return as_error(500, "Something went wrong in the indexer.", "See logs/indexer.log.")


def _search_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/search")
    def search(
        query: Annotated[QueryText, Body()] = "",
        image: Annotated[FilePath | None, Body()] = None,
        limit: Limit = 20,
        filters: Annotated[dict[str, Any] | None, Body()] = None,
        stages: Annotated[bool, Body()] = False,
    ) -> Response:
        answers = service.search(query, image=image, limit=limit, filters=_filters(filters))
        if not stages:
            *_, last = answers
            return as_value(last)
        first = next(answers)  # a wrong picture is an error, not a broken stream
        return StreamingResponse(_lines(first, answers), media_type="application/x-ndjson")

    @app.post("/v1/similar")
    def similar(path: Annotated[FilePath, Body()], limit: Limit = 20) -> Response:
        return as_value(service.similar(path, limit))

    @app.get("/v1/explain")
    def explained(path: AskedPath, query: QueryText | None = None) -> Response:
        return as_json(explain(service, path, query))


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


def _folder_routes(app: FastAPI, service: Service) -> None:
    @app.get("/v1/status")
    def status() -> Response:
        return as_json({"version": VERSION, **service.status()})

    @app.get("/v1/problems")
    def problems(
        reason: str | None = None,
        state: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
    ) -> Response:
        if reason is not None and reason not in REASONS:
            raise InklingError(f"There is no reason “{reason}”.", hint=", ".join(REASONS))
        found = service.ledger.problems(reason, state, limit)
        return as_json(
            {
                "problems": [
                    {
                        "path": record.path,
                        "state": record.state,
                        "reason": record.reason,
                        "sentence": REASONS[record.reason].sentence,
                        "detail": record.detail,
                        "retry": REASONS[record.reason].retry,
                    }
                    for record in found
                ],
                "counts": service.ledger.reasons(),
            }
        )

    @app.post("/v1/folders")
    def add(paths: FilePaths) -> Response:
        return as_json({"folders": [root.path for root in service.add_folders(paths)]})

    @app.delete("/v1/folders")
    def remove(paths: FilePaths) -> Response:
        return as_json({"files": service.remove_folders(paths)})


def _work_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/pause")
    def pause(
        seconds: Annotated[float | None, Body(embed=True, ge=1, le=MAX_PAUSE)] = None,
    ) -> Response:
        service.pause(seconds)
        return as_json({"state": service.state()})

    @app.post("/v1/resume")
    def resume() -> Response:
        service.resume()
        return as_json({"state": service.state()})

    @app.post("/v1/stop")
    def stop() -> Response:
        service.stopped.set()
        return as_json({"state": "stopping"})

    @app.post("/v1/retry")
    def retry(paths: Annotated[list[FilePath] | None, Body(embed=True)] = None) -> Response:
        return as_json({"files": service.retry(paths)})

    @app.post("/v1/allow")
    def allow(paths: FilePaths) -> Response:
        return as_json({"files": service.allow(paths)})
