"""MCP over HTTP: what agents may ask at /mcp, behind the same checks as the rest of the API."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from engine.contract import codec
from engine.contract.agent_log import AgentLog
from indexer.asking.question import Question
from indexer.server.ports import Asking, Library, Ports, Search

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from starlette.types import Receive, Scope, Send


class IndexInHere:
    """The index as the tools see it, without a detour over HTTP."""

    def __init__(self, search: Search, library: Library, asking: Asking) -> None:
        self._search, self._library, self._asking = search, library, asking

    def search(self, query: str, limit: int, plain: bool) -> dict[str, Any]:
        *_, last = self._search.search(query, limit=limit, plain=plain)
        return dict(codec.to_data(last))

    def similar(self, path: str, limit: int) -> dict[str, Any]:
        return dict(codec.to_data(self._search.similar(path, limit)))

    def text(self, path: str, page: int | None, lines: tuple[int, int] | None) -> str:
        return self._library.text(path, page, lines)

    def recent(self, limit: int) -> list[dict[str, Any]]:
        return self._library.recent(limit)

    def ask(self, question: str, plain: bool) -> list[dict[str, Any]]:
        query = self._search.query(question, plain=plain)

        async def collected() -> list[dict[str, Any]]:
            events = self._asking.answer(Question(query, question))
            return [dict(codec.to_data(event)) async for event in events]

        return asyncio.run(collected())  # in a thread of its own, as every tool

    def status(self) -> dict[str, Any]:
        return self._library.status()


class McpEndpoint:
    """The ASGI application: stateless, one JSON answer for each request."""

    def __init__(self, ports: Ports, log: AgentLog, version: str) -> None:
        index = IndexInHere(ports.search, ports.library, ports.asking)
        self._index, self._log, self._version = index, log, version
        self._server: MCPServer[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._server is None:
            # 25 MB and up to a second of imports: only where an agent asks, and beside the loop.
            self._server = await anyio.to_thread.run_sync(self._make)
        server: MCPServer[Any] = self._server
        app = server.streamable_http_app(
            streamable_http_path=scope["path"], stateless_http=True, json_response=True
        )
        # A manager lasts for one run of its context; without sessions one request is a run.
        async with server.session_manager.run():
            await app(scope, receive, send)

    def _make(self) -> MCPServer[Any]:
        from engine.contract.agent_tools import make_server

        logging.getLogger("mcp").setLevel(logging.WARNING)  # queries do not belong into a log
        return make_server(self._index, self._log, self._version)
