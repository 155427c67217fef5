"""The HTTP API of an archive: the indexer's own calls, for accounts, within limits, and noted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.archive.entries import About
from engine.contract.errors import InklingError
from engine.contract.version import VERSION
from indexer.server.app import MAX_BODY, error_handlers, list_of_calls
from indexer.server.ports import Reading, Search
from indexer.server.request_types import Nothing, as_error, as_json, get, of_error
from indexer.server.routes.library import reading_routes
from indexer.server.routes.search import search_routes
from indexer.team.accounts import NoAccountError, Tokens
from indexer.team.asker import ASKED, Account, Asked
from indexer.team.audit import AuditLog, Done
from indexer.team.limiting import BODY_S, Limiter

HEALTH = "/healthz"
#: After how many seconds it is worth another try where too much is asked at once.
_SOON = 1


def make_app(
    search: Search,
    reading: Reading,
    about: Callable[[], tuple[About, int]],
    guard: Guard,
    on_damage: Callable[[InklingError], None],
    health: Callable[[], Mapping[str, Any]],
) -> Starlette:
    """The application. `about`: the archive, and the commit that answers stand for."""

    def told(_: Nothing) -> Response:
        archive, commit = about()
        return as_json(
            {
                "archive_id": archive.archive_id,
                "name": archive.name,
                "model": archive.model,
                "space": archive.space,
                "commit": commit,
                "version": VERSION,
            }
        )

    def healthy(_: Nothing) -> Response:
        return as_json(health())

    def not_there(_: Request, error: HTTPException) -> Response:
        return as_error(
            error.status_code,
            "A team's archive does not answer this call."
            if error.detail in ("Not Found", "Method Not Allowed")
            else error.detail,
            "GET /v1 lists those it answers; folders, settings and models are its own matter.",
        )

    routes = [*search_routes(search), *reading_routes(reading), get("/v1/about", Nothing, told)]
    handlers = {**error_handlers(on_damage, "team"), 404: not_there, 405: not_there}
    return Starlette(
        routes=[list_of_calls(routes), *routes, get(HEALTH, Nothing, healthy)],
        middleware=[Middleware(guard.before)],
        exception_handlers=handlers,
    )


class Guard:
    """Nobody without an account, nobody beyond the limits, and nothing unnoted."""

    def __init__(self, tokens: Tokens, limiter: Limiter, audit: AuditLog) -> None:
        self._tokens, self._limiter, self._audit = tokens, limiter, audit

    def before(self, app: ASGIApp) -> ASGIApp:
        """The same application, guarded."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] == HEALTH:
                await app(scope, receive, send)
                return
            await self._answer(app, scope, receive, send)

        return guarded

    async def _answer(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        started, asked, status = time.perf_counter(), Asked(), 500
        address = scope["client"][0] if scope.get("client") else ""

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        ASKED.set(asked)
        try:
            refusal = await self._refusal(Request(scope), asked, address)
            if refusal is not None:
                await refusal(scope, receive, noted)
                return
            assert asked.account is not None
            try:
                await app(scope, _in_time(receive), noted)
            finally:
                self._limiter.leave(asked.account.name)
        finally:
            took_ms = (time.perf_counter() - started) * 1000
            route = f"{scope['method']} {scope['path']}"
            self._audit.note(asked, Done(address, route, status, took_ms))

    async def _refusal(self, request: Request, asked: Asked, address: str) -> Response | None:
        """Why a request is not answered; else it is counted among those that are."""
        if request.headers.get("origin") is not None:
            return as_error(403, "Web pages are not answered.", "Use Inkling, or a script.")
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY or "transfer-encoding" in request.headers:
            return as_error(413, "The request is too long.", f"At most {MAX_BODY} bytes.")
        try:
            account = asked.account = await self._account(request)
        except NoAccountError as error:
            after = self._limiter.wrong(address)
            if after is not None:
                return _later(after, "Too many wrong tokens came from this address.")
            refused = of_error(401, error)
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        except InklingError as error:  # the provider of accounts can't be asked
            return of_error(503, error)
        after = self._limiter.hit(account.name)
        if after is not None:
            most = self._limiter.limits.per_minute
            return _later(after, f"At most {most} requests a minute are answered to an account.")
        if not self._limiter.enter(account.name):
            return _later(_SOON, "Too many requests are being answered just now.")
        return None

    async def _account(self, request: Request) -> Account:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NoAccountError(
                "This archive answers to accounts alone.",
                hint="Send the token as “Authorization: Bearer …”.",
            )
        # In a thread: files and the provider's keys may be read.
        return await run_in_threadpool(self._tokens.of, token.strip())


def _later(after: int, sentence: str) -> Response:
    response = as_error(429, sentence, f"Try again in {after} s.")
    response.headers["Retry-After"] = str(after)
    return response


def _in_time(receive: Receive) -> Receive:
    """A body has to be here in time, and be no longer than was said."""
    end = time.monotonic() + BODY_S
    whole = False

    async def received() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout(max(0.0, end - time.monotonic())):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request took too long to arrive.") from None
        whole = not message.get("more_body", False)
        return message

    return received
