"""The HTTP API: loopback only, token on every call, Host and Origin checked, answers in stages."""

from __future__ import annotations

import errno
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.contract.agent_log import AgentLog
from engine.contract.errors import REASONS, InklingError, StoreDamagedError
from engine.contract.version import VERSION
from indexer.reading.extract.base import ExtractError
from indexer.server.mcp import McpEndpoint
from indexer.server.ports import Ports
from indexer.server.request_types import BadRequestError, Nothing, as_error, as_json, get, of_error
from indexer.server.routes.archives import archive_routes
from indexer.server.routes.asking import asking_routes
from indexer.server.routes.control import control_routes
from indexer.server.routes.encoder import encoder_routes
from indexer.server.routes.judging import judging_routes
from indexer.server.routes.library import library_routes
from indexer.server.routes.models import model_routes
from indexer.server.routes.search import search_routes
from indexer.server.routes.settings import settings_routes

MAX_BODY = 1_000_000
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}

Call = Callable[[Request], Awaitable[Response]]


def make_app(ports: Ports, agents: AgentLog, token: str, port: Callable[[], int]) -> Starlette:
    """The application; `port` tells the port once the socket is bound."""

    async def guard(request: Request, call: Call) -> Response:
        refusal = _refusal(request, token, port())
        return await call(request) if refusal is None else refusal

    routes = [
        *search_routes(ports.search),
        *library_routes(ports.library, ports.archives),
        *archive_routes(ports.archives),
        *asking_routes(ports.asking, ports.search),
        *settings_routes(ports.settings),
        *model_routes(ports.models),
        *encoder_routes(ports.encoder),
        *judging_routes(ports.judging),
        *control_routes(ports.control),
        # Without sessions there is nothing to GET or DELETE: those are answered by 405.
        Route("/mcp", McpEndpoint(ports, agents, VERSION), methods=["POST"]),
    ]
    return Starlette(
        routes=[list_of_calls(routes), *routes],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
        exception_handlers=error_handlers(lambda error: ports.control.damaged(error)),
    )


def list_of_calls(routes: Sequence[Route]) -> Route:
    """What may be called, told at /v1."""
    listed = sorted(
        (route.path, method) for route in routes for method in (route.methods or set()) - {"HEAD"}
    )

    def calls(_: Nothing) -> Response:
        told = [f"{method} {path}" for path, method in [("/v1", "GET"), *listed]]
        return as_json({"version": VERSION, "calls": told})

    return get("/v1", Nothing, calls)


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


def error_handlers(
    on_damage: Callable[[InklingError], None], log: str = "indexer"
) -> Mapping[Any, Any]:
    """Whatever goes wrong is told in one form."""

    def damaged(_: Request, error: StoreDamagedError) -> Response:
        on_damage(error)
        return of_error(503, error)

    def readable(_: Request, error: InklingError) -> Response:
        return of_error(400, error)

    def malformed(_: Request, error: BadRequestError) -> Response:
        return as_error(422, error.message, error.hint)

    def unreadable(_: Request, error: ExtractError) -> Response:
        return as_error(422, REASONS[error.reason].sentence, "Open it with its own program.")

    def refused(_: Request, error: HTTPException) -> Response:
        hint = "GET /v1 lists the calls there are." if error.status_code in (404, 405) else ""
        return as_error(error.status_code, str(error.detail), hint)

    def no_room(_: Request, error: OSError) -> Response:
        if error.errno not in DISK_FULL:
            raise error
        return as_error(507, "The disk is full; this could not be kept.", "Free some space first.")

    def broken(_: Request, error: Exception) -> Response:
        return as_error(500, f"Something went wrong in the {log}.", f"See logs/{log}.log.")

    return {
        StoreDamagedError: damaged,
        InklingError: readable,
        BadRequestError: malformed,
        ExtractError: unreadable,
        HTTPException: refused,
        OSError: no_room,
        Exception: broken,
    }
