"""The port `Archives`: which there are, how they are, and what is asked of them."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from msgspec import structs

from engine.contract import codec
from engine.contract.archives import ArchiveTold, Fault
from engine.contract.errors import InklingError
from engine.contract.types import Answer, BoxEvidence, Filters, Hit
from indexer.archives.asked import Asked
from indexer.archives.known import Archive, ArchiveError, KnownArchives, checked_token, read_archive
from indexer.asking.policy import Policy, read_policy

if TYPE_CHECKING:
    from indexer.archives.client import ArchiveClient

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Seconds after which an archive's answer is not waited for any more.
DEADLINE_S = 10.0
#: And what it says of itself.
ABOUT_S = 5.0
#: A question that is still being typed is not worth a way over the network.
REST_S = 0.08
#: For so long an archive that did not answer is not asked again.
AWAY_S = 15.0
_END_S = 2.0
_MOST = 1e12  # any number that a hit tells
_FILTER = re.compile(r'(?<!\S)-?archive:(?:"[^"]*"|\S*)', re.IGNORECASE)


def _sound(hits: Sequence[Hit], name: str) -> tuple[Hit, ...] | None:
    """As hits of the archive; None where they hold what is no number, or no place."""
    for hit in hits:
        numbers = (hit.score, hit.mtime, *hit.features.values())
        if not all(math.isfinite(n) and abs(n) < _MOST for n in numbers) or hit.size < 0:
            return None
        for one in hit.evidence:
            inside = isinstance(one, BoxEvidence) or 0 <= one.start <= one.end <= len(hit.snippet)
            if not inside:
                return None
    return tuple(structs.replace(hit, archive=name, offline=False) for hit in hits)


class Archives:
    """Asks them in a thread of its own; for any thread."""

    def __init__(
        self,
        known: KnownArchives,
        spaces: Callable[[], str],
        *,
        policy: Callable[[], Policy] = read_policy,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`spaces`: the vector space that answers here now."""
        self._known, self._space, self._policy = known, spaces, policy
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread()
        self._clients: dict[Archive, ArchiveClient] = {}
        self._away: dict[Archive, tuple[float, Fault]] = {}

    # Which there are

    def listed(self) -> list[ArchiveTold]:
        """All, looked at anew, side by side."""
        asked = [(one, self._begin(self._about_of(one))) for one in self._known.all()]
        return [self._told(one, future) for one, future in asked]

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self._known.all())

    def faults(self) -> dict[str, str]:
        """By name those that did not answer when they were asked last."""
        known = self._known.all()
        return {one.name: self._away[one][1] for one in known if one in self._away}

    def add(self, name: str, url: str, token: str, authority: str = "") -> list[ArchiveTold]:
        """Keep one that answers; InklingError where it does not. Nothing but questions' words and
        filters ever goes there."""
        self._policy().check_archives()
        archive = replace(read_archive(name, url, authority), token=checked_token(token))
        future = self._begin(self._about_of(archive))
        told = future.result()
        if not isinstance(told.get("archive_id"), str):
            raise ArchiveError(archive, "strange")
        self._known.add(archive)
        return self.listed()

    def remove(self, name: str) -> list[ArchiveTold]:
        """Forget one and its token."""
        self._known.remove(name)
        return self.listed()

    def _told(self, archive: Archive, future: Future[dict[str, Any]]) -> ArchiveTold:
        plain = ArchiveTold(archive.name, archive.url, archive.authority)
        try:
            about = future.result()
        except InklingError as error:
            fault = error.fault if isinstance(error, ArchiveError) else "strange"
            return structs.replace(plain, fault=fault)
        known = {k: v for k in ("model", "version") if isinstance(v := about.get(k), str)}
        same = about.get("space") == self._space()
        return structs.replace(plain, title=str(about.get("name", "")), judged=same, **known)

    async def _about_of(self, archive: Archive) -> dict[str, Any]:
        told = await self._call(archive, "GET", "/v1/about", None, ABOUT_S)
        if not isinstance(told, dict):
            raise ArchiveError(archive, "strange")
        return told

    # Asking

    def ask(
        self,
        text: str,
        limit: int,
        filters: Filters | None,
        plain: bool | Sequence[str],
        wanted: Callable[[str], bool],
    ) -> Asked | None:
        """Begin to ask those whose names are wanted; None if there is none."""
        archives = [one for one in self._known.all() if wanted(one.name)]
        if not archives:
            return None
        body: dict[str, Any] = {
            "query": " ".join(_FILTER.sub(" ", text).split()),
            "limit": limit,
            "plain": plain if isinstance(plain, bool) else list(plain),
            "raw": True,
        }
        if filters is not None:
            told = replace(filters, archives=(), not_archives=())
            body["filters"] = {k: v for k, v in codec.to_data(asdict(told)).items() if v}
        return Asked([(one, self._begin(self._answer(one, body))) for one in archives])

    async def _answer(self, archive: Archive, body: Mapping[str, Any]) -> Answer:
        since, fault = self._away.get(archive, (-AWAY_S, "away"))
        if time.monotonic() - since < AWAY_S:
            raise ArchiveError(archive, fault)
        await asyncio.sleep(REST_S)
        try:
            told = await self._call(archive, "POST", "/v1/search", dict(body), self._deadline_s)
            answer = codec.from_data(told, Answer)
        except ArchiveError as error:
            self._away[archive] = time.monotonic(), error.fault
            raise
        except (ValueError, RecursionError) as error:
            self._away[archive] = time.monotonic(), "strange"
            raise ArchiveError(archive, "strange") from error
        self._away.pop(archive, None)
        if (hits := _sound(answer.hits, archive.name)) is None:
            raise ArchiveError(archive, "strange")
        return structs.replace(answer, hits=hits[: body["limit"]])

    def text(self, name: str, only: Mapping[str, Any]) -> str:
        """A file's text as an archive has it. InklingError."""
        archive = self._known.get(name)
        found = self._begin(self._fetched(archive, "/v1/text", only)).result()
        try:
            return str(codec.decode(found, dict[str, Any])["text"])
        except (ValueError, KeyError) as error:
            raise ArchiveError(archive, "strange") from error

    def picture(self, name: str, target: str, only: Mapping[str, Any]) -> bytes:
        """A thumbnail, or a page drawn, as an archive has it. InklingError."""
        return self._begin(self._fetched(self._known.get(name), target, only)).result()

    async def _fetched(self, archive: Archive, target: str, only: Mapping[str, Any]) -> bytes:
        self._check(archive)
        # Undecodable bytes of a name travel as the bytes they are.
        query = urlencode({key: value for key, value in only.items() if value is not None})
        return await self._client(archive).read(
            "GET", f"{target}?{query}", timeout_s=self._deadline_s
        )

    async def _call(
        self,
        archive: Archive,
        method: str,
        target: str,
        body: dict[str, Any] | None,
        seconds: float,
    ) -> Any:
        self._check(archive)
        return await self._client(archive).call(method, target, body, timeout_s=seconds)

    def _check(self, archive: Archive) -> None:
        if self._policy().archives:
            raise ArchiveError(archive, "forbidden")

    def _client(self, archive: Archive) -> ArchiveClient:
        from indexer.archives.client import ArchiveClient

        if archive not in self._clients:
            self._clients[archive] = ArchiveClient(archive)
        return self._clients[archive]

    # The thread

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                run = self._loop.run_forever
                self._thread = threading.Thread(target=run, name="archives", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(_END_S)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(_END_S)
        if not loop.is_running():
            loop.close()

    async def _end(self) -> None:
        asked = asyncio.all_tasks() - {asyncio.current_task()}
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        for client in self._clients.values():
            await client.close()
