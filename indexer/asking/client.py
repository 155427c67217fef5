"""The official client library, held to one address: it goes nowhere else, and sends no more than
it is told. Loading it takes half a second: imported only where something is asked."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator

import anyio.to_thread
import httpx2
from openai import AsyncOpenAI

from indexer.asking.addresses import Address, here

#: Seconds for a connection: a server on this machine takes it at once or is not there.
CONNECT_S = 5.0
#: What goes with a request; the library would add what it finds in the environment, and facts of
#: this machine.
_SENT = ("host", "accept", "content-type", "content-length", "transfer-encoding", "connection")
#: An answer of a million tokens is smaller.
MOST_BYTES = 64_000_000

for _name in ("openai", "httpx2", "httpcore", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # questions do not belong into a log


class Closed(httpx2.AsyncBaseTransport):
    """Takes requests to one address: of this machine by its number, so that no name leads
    elsewhere; never through a proxy, never on to where a server points."""

    def __init__(self, address: Address, key: str, *, local: bool) -> None:
        self._address, self._key, self._local = address, key, local
        secure = address.scheme == "https"
        # The system's certificates; without TLS there is nothing to check, and none are read.
        verify = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._inner = httpx2.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, where it is for the address."""
        wanted = (self._address.scheme, self._address.host, self._address.port)
        told = (request.url.scheme, request.url.host.strip("[]"), request.url.port)
        if (*told[:2], told[2] or {"http": 80, "https": 443}.get(told[0])) != wanted:
            raise httpx2.ConnectError("not the server that was to be asked")
        kept = [(name, value) for name, value in request.headers.items() if name in _SENT]
        if self._key:
            kept.append(("authorization", f"Bearer {self._key}"))
        url, extensions = request.url, dict(request.extensions)
        if self._local:
            numbers = await anyio.to_thread.run_sync(here, self._address)
            if not numbers:
                raise httpx2.ConnectError("the name stands for another machine by now")
            url = url.copy_with(host=numbers[0])
            extensions["sni_hostname"] = self._address.host
        sent = httpx2.Request(
            request.method, url, headers=kept, stream=request.stream, extensions=extensions
        )
        response = await self._inner.handle_async_request(sent)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = response.extensions["counted"] = Counted(response.stream)
        return response

    async def aclose(self) -> None:
        """End its connections."""
        await self._inner.aclose()


class Counted(httpx2.AsyncByteStream):
    """What a server sends, up to a limit; knows whether it came to its end."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner
        self._tail = b""

    @property
    def ended(self) -> bool:
        """Whether the last thing that came is what ends a stream of events."""
        return b"[DONE]" in self._tail

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._inner:
            size += len(part)
            if size > MOST_BYTES:
                raise httpx2.ReadError("the answer does not end")
            self._tail = (self._tail + part)[-32:]
            yield part

    async def aclose(self) -> None:
        """Tell the server to stop: the connection ends with it."""
        await self._inner.aclose()


class Client(AsyncOpenAI):
    """The library's client, with what it sends by: programs tell more than OpenAI's API asks."""

    http: httpx2.AsyncClient


def connect(address: Address, key: str = "", *, local: bool) -> Client:
    """A client for one address. It tries nothing twice: an answer may have begun."""
    http = httpx2.AsyncClient(
        transport=Closed(address, key, local=local),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=CONNECT_S),
    )
    client = Client(
        base_url=address.url,
        api_key=key or "none",
        http_client=http,
        max_retries=0,
    )
    client.http = http
    return client
