"""Whose turn it is: one queue, in which clients take turns and questions go before passages."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FullError(Exception):
    """One client has too many requests waiting."""


class Turns:
    """For one event loop. A waiter that is cancelled leaves the queue."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        """`at_once`: passages in work; `most_waiting`: requests of one client in the queue."""
        self._free, self._most = at_once, most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._urgent = Counter[str]()

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, client: str, *, urgent: bool) -> AsyncIterator[None]:
        """Within it the work may be done. A question waits for nobody: the pool puts it first."""
        if urgent:
            if self._urgent[client] >= self._most:
                raise FullError
            self._urgent[client] += 1
            try:
                yield
            finally:
                self._urgent[client] -= 1
            return
        await self._take(client)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, client: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        mine = self._waiting.setdefault(client, deque())
        if len(mine) >= self._most:
            raise FullError
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mine.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given in this very moment
                self._give_back()
            else:
                self._drop(client, turn)
            raise

    def _drop(self, client: str, turn: asyncio.Future[None]) -> None:
        mine = self._waiting.get(client)
        if mine is not None and turn in mine:
            mine.remove(turn)
            if not mine:
                del self._waiting[client]

    def _give_back(self) -> None:
        """The next in line is the client that had none for longest."""
        while self._waiting:
            client, mine = self._waiting.popitem(last=False)
            turn = mine.popleft()
            if mine:
                self._waiting[client] = mine  # at the end
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
