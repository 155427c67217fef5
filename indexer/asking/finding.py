"""Finding servers with language models: on their usual ports of this machine, or where one is
named."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from engine.contract.asking import LanguageServer, ServedModel
from engine.contract.errors import InklingError
from indexer.asking.addresses import Address
from indexer.asking.programs import PORTS, Ask, Facts, Program, facts_of, told_by

if TYPE_CHECKING:
    import httpx2

#: Seconds for a port of this machine to take a connection: what listens does so at once.
_PROBE_S = 0.3
#: Seconds for what a server tells of itself.
_TELL_S = 5.0
_LOOPBACK = ("127.0.0.1", "::1")
#: Models listed of a server; some list hundreds.
MOST_MODELS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answered, and all that is known of it."""

    address: Address
    local: bool
    program: Program
    models: dict[str, Facts] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)  # of its list, as they came

    def told(self) -> LanguageServer:
        """As faces show it: with the models that can be asked."""
        served = tuple(
            ServedModel(id_, facts.sees, facts.context)
            for id_, facts in self.models.items()
            if facts.chats and not facts.away
        )
        return LanguageServer(self.address.url, self.program.name, self.local, served)


async def listening(ports: Sequence[int] | None = None) -> list[Address]:
    """What takes a connection on usual ports of this machine, in their order."""
    places = [(host, port) for port in (PORTS if ports is None else ports) for host in _LOOPBACK]
    taken = await asyncio.gather(*(_takes(host, port) for host, port in places))
    found: dict[int, Address] = {}
    for (host, port), takes in zip(places, taken, strict=True):
        if takes:
            found.setdefault(port, Address("http", host, port))
    return list(found.values())


async def listens(address: Address) -> bool:
    """Whether something still takes a connection there."""
    return await _takes(address.host, address.port)


async def _takes(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _PROBE_S)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def look_at(address: Address, key: str = "", *, local: bool) -> Found:
    """What a server says of itself; InklingError where none answers, or something else does."""
    # Half a second of imports: beside the loop.
    connect = await anyio.to_thread.run_sync(_library)
    client = connect(address, key, local=local)
    async with client:
        listed = await _models(client, address)
        ask = _asker(client.http, address.origin)
        program = await told_by(ask, listed, address.port)
        rows = {str(row["id"]): row for row in listed}
        return Found(address, local, program, await facts_of(program, ask, listed), rows)


async def facts_of_one(found: Found, model: str, key: str) -> Facts:
    """What a server says of a model that it does not list."""
    connect = await anyio.to_thread.run_sync(_library)
    async with connect(found.address, key, local=found.local) as client:
        ask = _asker(client.http, found.address.origin)
        row = found.rows.get(model, {"id": model})
        return (await facts_of(found.program, ask, [row]))[model]


def _library() -> Any:
    from indexer.asking.client import connect

    return connect


async def _models(client: Any, address: Address) -> list[dict[str, Any]]:
    from indexer.asking.failures import no_server, readable

    try:
        page = await asyncio.wait_for(client.models.list(), _TELL_S)
        # As it came: one server gives a date where the library expects a number, and it warns.
        rows = [{**vars(row), **(row.model_extra or {})} for row in page.data]
    except TimeoutError:
        raise no_server(address.url) from None
    except InklingError:
        raise
    except Exception as error:
        raise readable(error, address.url, "") from error
    named = {str(row["id"]): row for row in rows if row.get("id")}
    return list(named.values())[:MOST_MODELS]


def _asker(http: httpx2.AsyncClient, origin: str) -> Ask:
    async def ask(path: str, body: dict[str, Any] | None) -> Any:
        import httpx2

        try:
            if body is None:
                answer = await asyncio.wait_for(http.get(origin + path), _TELL_S)
            else:
                answer = await asyncio.wait_for(http.post(origin + path, json=body), _TELL_S)
            return answer.json() if answer.status_code == 200 else None
        except (httpx2.HTTPError, ValueError, TimeoutError):
            return None

    return ask
