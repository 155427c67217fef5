"""The one way out to an archive: to its address and no other, certificates checked, no proxies, no
redirects, and no more read than an answer can be. For one event loop; loading it takes time, so
that it is imported where something is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from typing import Any

import httpx2

from engine.contract.archives import Fault
from indexer.archives.known import Archive, ArchiveError
from indexer.asking.addresses import here

#: An answer of 5,000 hits is smaller; so is a page's picture.
MOST_BYTES = 32_000_000
#: Seconds for a connection.
CONNECT_S = 4.0
_STATUS: dict[int, Fault] = {401: "token", 403: "token", 429: "busy", 503: "busy"}

for _name in ("httpx2", "httpcore", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # questions do not belong into a log


class ArchiveClient:
    """Asks one archive; every method may raise ArchiveError."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._http: httpx2.AsyncClient | None = None

    async def call(
        self, method: str, target: str, body: dict[str, Any] | None = None, *, timeout_s: float
    ) -> Any:
        """What a call answers, from JSON."""
        try:
            return json.loads(await self.read(method, target, body, timeout_s=timeout_s))
        except (ValueError, RecursionError) as error:
            raise ArchiveError(self.archive, "strange") from error

    async def read(
        self,
        method: str,
        target: str,
        body: dict[str, Any] | None = None,
        *,
        timeout_s: float,
    ) -> bytes:
        """The bytes that a call answers, all of them within so many seconds."""
        archive = self.archive
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read(method, target, body)
        except TimeoutError as error:
            raise ArchiveError(archive, "slow") from error
        except (httpx2.ConnectError, ssl.SSLError) as error:
            bad = isinstance(error, ssl.SSLError) or "certificate" in str(error).lower()
            raise ArchiveError(archive, "certificate" if bad else "away") from error
        except httpx2.TimeoutException as error:
            raise ArchiveError(archive, "away") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ArchiveError(archive, "away") from error
        except OSError as error:  # the file of the authority
            raise ArchiveError(archive, "certificate") from error

    async def _read(self, method: str, target: str, body: dict[str, Any] | None) -> bytes:
        http = self._client()
        headers = {"Accept": "application/json"}
        if self.archive.token:
            headers["Authorization"] = f"Bearer {self.archive.token}"
        # ASCII: names that are not UTF-8 travel as escaped surrogates.
        data = None if body is None else json.dumps(body).encode("ascii")
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = http.build_request(method, target, content=data, headers=headers)
        reply = await http.send(request, stream=True)
        try:
            if reply.status_code != 200:
                raise ArchiveError(self.archive, _STATUS.get(reply.status_code, "strange"))
            got = bytearray()
            async for part in reply.aiter_bytes():
                got += part
                if len(got) > MOST_BYTES:
                    raise ArchiveError(self.archive, "strange")
            return bytes(got)
        finally:
            await reply.aclose()

    def _client(self) -> httpx2.AsyncClient:
        """OSError where the file of the authority can't be read."""
        archive = self.archive
        if self._http is None:
            base = archive.url
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if archive.address.scheme == "https":
                verify = ssl.create_default_context(cafile=archive.authority or None)
            self._http = httpx2.AsyncClient(
                base_url=base,
                verify=verify,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(None, connect=CONNECT_S),
                headers={"User-Agent": "inkling"},
            )
        if archive.address.scheme == "http" and not here(archive.address):
            raise ArchiveError(archive, "away")  # the name stands for another machine by now
        return self._http

    async def close(self) -> None:
        """End its connections."""
        if self._http is not None:
            await self._http.aclose()
