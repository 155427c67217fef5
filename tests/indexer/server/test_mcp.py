"""What agents get: the SDK's own client against a real indexer, over stdio and over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from engine.contract.agent_log import AgentLog
from engine.contract.agent_tools import READ_CHARACTERS
from tests.indexer.conftest import LATIN, SECRET, RunningIndexer
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

Session = Callable[[Callable[[Client], Awaitable[None]]], None]


def over_stdio(indexer: RunningIndexer, work: Callable[[Client], Awaitable[None]]) -> None:
    arguments = ["-m", "desktop", "--base-dir", str(indexer.base.root), "mcp"]

    async def main() -> None:
        async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
            await work(client)

    anyio.run(main)


def over_http(
    indexer: RunningIndexer, work: Callable[[Client], Awaitable[None]], mode: str = "auto"
) -> None:
    async def main() -> None:
        headers = {"Authorization": f"Bearer {indexer.token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
            transport = streamable_http_client(
                f"{indexer.client.endpoint.url}/mcp", http_client=http
            )
            async with Client(transport, mode=mode) as client:
                await work(client)

    anyio.run(main)


@pytest.fixture(params=["stdio", "http", "http of 2025"])
def session(request: pytest.FixtureRequest, indexer: RunningIndexer) -> Session:
    """Runs something with a client that has connected."""
    if request.param == "stdio":
        return lambda work: over_stdio(indexer, work)
    mode = "legacy" if "2025" in request.param else "auto"
    return lambda work: over_http(indexer, work, mode)


async def answer(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives; the text an agent reads says the same as the structured content."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


def test_tools_only_read(session: Session) -> None:
    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == {"search", "similar", "read", "ask", "status"}
        for tool in tools.values():
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            assert not tool.annotations.destructive_hint

    session(work)


def test_find_then_read_the_place(session: Session, indexer: RunningIndexer) -> None:
    async def work(client: Client) -> None:
        found = await answer(client, "search", query="lighthouse keeper's day 250", limit=3)
        assert len(found["hits"]) <= 3
        hit = found["hits"][0]
        assert hit["path"] == str(indexer.folder / "long.txt")
        first, last = hit["location"]["lines"]
        place = {"path": hit["path"], "first_line": first, "last_line": last}
        text = (await answer(client, "read", **place))["text"]
        assert hit["snippet"].split("\n")[0].strip("… ") in text
        alike = await answer(client, "similar", path=hit["path"])
        assert hit["path"] not in [h["path"] for h in alike["hits"]]
        status = await answer(client, "status")
        assert status["folders"][0]["path"] == str(indexer.folder)

    session(work)


def test_words_read_as_filters_are_told_and_can_be_words(session: Session) -> None:
    async def work(client: Client) -> None:
        question = "pdf about the sourdough from 1999"
        found = await answer(client, "search", query=question)
        assert [row["words"] for row in found["read"]] == ["pdf about", "from 1999"]
        assert "words" in found["given_up"]
        words = await answer(client, "search", query=question, plain=True)
        assert (words["read"], words["given_up"]) == ([], "")

    session(work)


def test_long_texts_come_in_parts(indexer: RunningIndexer) -> None:
    path = indexer.folder / "long.txt"

    async def work(client: Client) -> None:
        parts, offset = [], 0
        while offset is not None:
            part = await answer(client, "read", path=str(path), offset=offset)
            assert len(part["text"]) <= READ_CHARACTERS
            parts.append(part["text"])
            offset = part["next_offset"]
        assert len(parts) > 1
        assert "".join(parts).split() == path.read_text().split()
        assert sum(map(len, parts)) == part["total_characters"]

    over_http(indexer, work)


def test_what_is_not_indexed_or_withheld_is_not_read(
    session: Session, indexer: RunningIndexer
) -> None:
    async def work(client: Client) -> None:
        for path in ("/etc/passwd", str(indexer.base.endpoint), "relative.txt",
                     f"{indexer.folder}/../base/run/endpoint.json"):  # fmt: skip
            said = await refusal(client, "read", path=path)
            assert "root:" not in said
            assert indexer.token not in said
        withheld = await client.call_tool("read", {"path": str(indexer.folder / "creds.txt")})
        assert SECRET not in str(withheld)
        found = await client.call_tool("search", {"query": f"key of the bucket {SECRET[:4]}"})
        assert SECRET not in str(found)

    session(work)


def test_mistakes_are_told_and_the_session_goes_on(session: Session) -> None:
    async def work(client: Client) -> None:
        assert "not in the index" in await refusal(client, "read", path="/no/such/file")
        assert "limit" in await refusal(client, "search", query="bread", limit=0)
        assert "query" in await refusal(client, "search")
        assert "go together" in await refusal(client, "read", path="/x", first_line=3)
        assert (await answer(client, "search", query="sourdough"))["hits"]

    session(work)


def test_names_that_are_not_utf8_go_round(session: Session, indexer: RunningIndexer) -> None:
    async def work(client: Client) -> None:
        found = await answer(client, "search", query="when does the coffee house open")
        path = found["hits"][0]["path"]
        assert path == str(indexer.folder / LATIN).replace("\udce9", "\\xe9")
        assert "opens at nine" in (await answer(client, "read", path=path))["text"]

    session(work)


def test_without_the_token_no_agent_is_answered(indexer: RunningIndexer) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accept: dict[str, str | None] = {"Accept": "application/json, text/event-stream"}
    assert indexer.ask("POST", "/mcp", call, headers=accept).status == 200
    for wrong in ({"Authorization": None}, {"Host": "evil.example"}, {"Origin": "null"}):
        reply = indexer.ask("POST", "/mcp", call, headers={**accept, **wrong})
        assert reply.status in (401, 403)
        assert b"tools" not in reply.body


def test_hits_are_resources(session: Session, indexer: RunningIndexer) -> None:
    async def work(client: Client) -> None:
        found = await answer(client, "search", query="lighthouse keeper's day 250", limit=1)
        uri = found["hits"][0]["uri"]
        (content,) = (await client.read_resource(uri)).contents
        first, last = found["hits"][0]["location"]["lines"]
        path = str(indexer.folder / "long.txt")
        place = await answer(client, "read", path=path, first_line=first, last_line=last)
        assert content.text == place["text"]  # type: ignore[union-attr]
        listed = {r.name: r.uri for r in (await client.list_resources()).resources}
        assert {"bread.md", "long.txt", "sign.png", "caf\\xe9.txt"} <= listed.keys()
        assert "creds.txt" not in listed
        (content,) = (await client.read_resource(listed["caf\\xe9.txt"])).contents
        assert "opens at nine" in content.text  # type: ignore[union-attr]
        (content,) = (
            await client.read_resource(f"inkling://file{indexer.folder}/creds.txt")
        ).contents
        assert content.text == ""  # type: ignore[union-attr]
        for closed in ("file/etc/passwd", f"file{indexer.base.endpoint}", "nothing"):
            with pytest.raises(MCPError) as refused:
                await client.read_resource(f"inkling://{closed}")
            assert "root:" not in str(refused.value)
            assert indexer.token not in str(refused.value)

    session(work)


def test_what_agents_were_given_is_noted(session: Session, indexer: RunningIndexer) -> None:
    log = AgentLog(indexer.base)
    path = str(indexer.folder / LATIN)

    async def work(client: Client) -> None:
        log.clear()
        found = await answer(client, "search", query="when does the coffee house open", limit=1)
        shown = path.replace("\udce9", "\\xe9")
        given = await answer(client, "read", path=shown)
        await client.read_resource(found["hits"][0]["uri"])
        await answer(client, "status")
        resource, read, search = log.entries()
        length = len(given["text"])
        assert (read.tool, read.files, read.characters) == ("read", (path,), length)
        assert (resource.tool, resource.files, resource.characters) == ("resource", (path,), length)
        assert (search.tool, search.files) == ("search", (path,))
        assert search.characters >= len(found["hits"][0]["snippet"])
        assert b"coffee" not in log.path.read_bytes()  # neither what was asked nor what was told
        assert log.path.stat().st_mode & 0o777 == 0o600

    session(work)


def test_what_cannot_be_noted_is_not_given(indexer: RunningIndexer) -> None:
    log = AgentLog(indexer.base)
    log.clear()
    log.path.mkdir()
    try:

        async def work(client: Client) -> None:
            said = await refusal(client, "read", path=str(indexer.folder / "bread.md"))
            assert "can't be noted" in said
            assert "starter" not in said

        over_http(indexer, work)
    finally:
        log.path.rmdir()
