"""MCP over stdio: an agent starts `inkling mcp` and asks the indexer through it."""

from __future__ import annotations

from typing import Any

from desktop.client import Client, HangUp
from engine.contract.agent_log import AgentLog
from engine.contract.agent_tools import make_server
from engine.contract.paths import BaseDir


class IndexOverHttp:
    """The index as the tools see it. An agent's session may outlive the indexer: found anew, or
    started, for each call; and starting it waits for the first one, not for the handshake."""

    def __init__(self, base: BaseDir) -> None:
        self._base = base

    def search(self, query: str, limit: int, plain: bool) -> dict[str, Any]:
        *_, last = self._client().search(query, limit=limit, plain=plain)
        return last

    def similar(self, path: str, limit: int) -> dict[str, Any]:
        return self._client().similar(path, limit)

    def text(self, path: str, page: int | None, lines: tuple[int, int] | None) -> str:
        return self._client().text(path, page, lines)

    def recent(self, limit: int) -> list[dict[str, Any]]:
        return self._client().recent(limit)

    def ask(self, question: str, plain: bool) -> list[dict[str, Any]]:
        return list(self._client().ask({"question": question, "plain": plain}, HangUp()))

    def status(self) -> dict[str, Any]:
        return self._client().status()

    def _client(self) -> Client:
        return Client.connect(self._base)


def serve(base: BaseDir) -> int:
    """Speak MCP on stdin and stdout until stdin ends; nothing else is written to stdout."""
    make_server(IndexOverHttp(base), AgentLog(base.create())).run("stdio")
    return 0
