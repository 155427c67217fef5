"""Questions of a desktop's search: answered in time with the best stage that has come by then."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from desktop.client import Client
from desktop.presentation import kinds
from desktop.provider.result_id import id_of
from engine.contract import codec
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Answer, Hit

#: A shell shows what has come when the last of its sources has; later than 150 ms is felt.
ANSWER_SECONDS = 0.12
_MOST_HITS = 12
_KEPT_HITS = 400
_MOST_THREADS = 32  # a fast typist's letters while a model takes a second to wake up
#: Letters of a question; with fewer everything begins.
LEAST_LETTERS = 2
_log = logging.getLogger(__name__)


class Answers:
    """Asks the indexer, and remembers what was found for whoever asks about it next."""

    def __init__(self, base: BaseDir, seconds: float = ANSWER_SECONDS) -> None:
        self.base = base
        self._seconds = seconds
        self._client: Client | None = None
        self._start_once = threading.Lock()  # never let go: what `inkling stop` ended stays ended
        self._questions = 0  # the newest one's number: an older one is not gone on with
        self._known: OrderedDict[str, Hit] = OrderedDict()
        # A search that a newer one replaces ends at its next stage, and holds a thread till then.
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="inkling-ask")
        self.last_asked = time.monotonic()

    def close(self) -> None:
        self._questions += 1
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def find(self, words: str) -> list[str]:
        """The ids of what answers; none where there is no index, or nothing came in time."""
        self.last_asked = time.monotonic()
        self._questions += 1
        words = " ".join(words.split())
        if len(words) < LEAST_LETTERS:
            return []
        number, stages = self._questions, list[Answer]()
        await self._in_time([lambda: self._search(words, number, stages)])
        found = stages[-1].hits if stages else ()
        return [self._keep(hit) for hit in found]

    def hit(self, result: str) -> Hit | None:
        """What was found under this id, while it is remembered."""
        return self._known.get(result)

    async def thumbnails(self, hits: Sequence[Hit]) -> dict[str, bytes]:
        """By path the pictures of files that have one, as far as they come in time."""
        self.last_asked = time.monotonic()
        found: dict[str, bytes] = {}

        def fetch(hit: Hit) -> None:
            if (client := self._client) is not None:
                data = client.thumb(hit.path, hit.location.page)
                if data is not None:
                    found[hit.path] = data

        shown = [hit for hit in hits if kinds.of(hit).has_thumbnail]
        await self._in_time([lambda hit=hit: fetch(hit) for hit in shown])  # type: ignore[misc]
        return dict(found)

    async def _in_time(self, works: Sequence[Callable[[], None]]) -> None:
        """Begin these in threads; return when all have ended, or the time is over."""
        loop = asyncio.get_running_loop()
        if running := [loop.run_in_executor(self._pool, work) for work in works]:
            await asyncio.wait(running, timeout=self._seconds)

    def _keep(self, hit: Hit) -> str:
        result = id_of(hit)
        self._known[result] = hit
        self._known.move_to_end(result)
        while len(self._known) > _KEPT_HITS:
            self._known.popitem(last=False)
        return result

    def _search(self, words: str, number: int, stages: list[Answer]) -> None:
        """In a thread; the stages of an answer as they come, until a newer question is asked."""
        try:
            client = self._client or Client.find(self.base)
            if client is None:
                self._start_indexer()
                return
            self._client = client
            answer = client.search(words, limit=_MOST_HITS)
            with contextlib.closing(cast("Generator[dict[str, Any]]", answer)):
                for stage in answer:
                    if number != self._questions:
                        return
                    stages.append(codec.from_data(stage, Answer))
        except InklingError as error:
            self._client = None  # the next question looks for it anew
            _log.info("no answer: %s", error.message)
        except Exception:  # noqa: BLE001  # a thread's error is seen nowhere else
            self._client = None
            _log.exception("a question failed")

    def _start_indexer(self) -> None:
        """Start the indexer once, for questions to come: where there is an index, and the person
        wants it to be kept up while no window is open."""
        if not self.base.ledger.exists() or not Settings.load(self.base).keep_indexing:
            return
        if self._start_once.acquire(blocking=False):
            self._client = Client.connect(self.base)
