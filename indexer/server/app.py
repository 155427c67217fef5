"""The HTTP API: loopback only, token on every call, Host and Origin checked, answers in stages."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from engine.contract.errors import REASONS, InklingError, StoreDamagedError
from engine.contract.version import VERSION
from indexer.reading.extract.base import ExtractError
from indexer.server.mcp import McpEndpoint
from indexer.server.ports import Control, Ports
from indexer.server.request_types import BadRequestError, as_error, as_json
from indexer.server.routes.control import add_control_routes
from indexer.server.routes.library import add_library_routes
from indexer.server.routes.models import add_model_routes
from indexer.server.routes.search import add_search_routes
from indexer.server.routes.settings import add_settings_routes

MAX_BODY = 1_000_000

Call = Callable[[Request], Awaitable[Response]]


def make_app(ports: Ports, token: str, port: Callable[[], int]) -> FastAPI:
    """The application; `port` tells the port once the socket is bound."""
    app = FastAPI(title="Inkling", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def guard(request: Request, call: Call) -> Response:
        refusal = _refusal(request, token, port())
        return await call(request) if refusal is None else refusal

    _error_handlers(app, ports.control)
    _add_list_of_calls(app)
    add_search_routes(app, ports.search)
    add_library_routes(app, ports.library)
    add_settings_routes(app, ports.settings)
    add_model_routes(app, ports.models)
    add_control_routes(app, ports.control)
    # Without sessions there is nothing to GET or DELETE: those are answered by 405.
    agents = McpEndpoint(ports.search, ports.library, VERSION)
    app.routes.append(Route("/mcp", agents, methods=["POST"]))
    return app


def _add_list_of_calls(app: FastAPI) -> None:
    @app.get("/v1")
    def calls() -> Response:
        listed = sorted(
            (route.path, method)
            for route in app.routes
            if isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD"}
        )
        return as_json(
            {"version": VERSION, "calls": [f"{method} {path}" for path, method in listed]}
        )


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


def _error_handlers(app: FastAPI, control: Control) -> None:
    """Whatever goes wrong is told in one form."""

    @app.exception_handler(StoreDamagedError)
    def damaged(_: Request, error: StoreDamagedError) -> Response:
        control.damaged(error)
        return as_error(503, error.message, error.hint, error.path)

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
        hint = "GET /v1 lists the calls there are." if error.status_code in (404, 405) else ""
        return as_error(error.status_code, str(error.detail), hint)

    @app.exception_handler(Exception)
    def broken(_: Request, error: Exception) -> Response:
        return as_error(500, "Something went wrong in the indexer.", "See logs/indexer.log.")
