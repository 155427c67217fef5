"""Limits: how often an account may ask, how much at once, and how slowly."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import h11
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Names, header lines and all, in bytes; and in how many seconds they have to be here.
HEADERS, HEADERS_S = 32_768, 10.0
#: In which a body has to be here.
BODY_S = 30.0
#: Attempts with a wrong token, from one address, in a minute.
WRONG = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account may ask, and all of them together."""

    per_minute: int = 240
    at_once: int = 8
    at_once_together: int = 64


class Limiter:
    """Counts requests of this process; for any thread. Each answer is None, or after how many
    seconds it is worth another try."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._each = RateLimitItemPerMinute(limits.per_minute)
        self._wrong = RateLimitItemPerMinute(WRONG)
        self._lock = threading.Lock()
        self._now: Counter[str] = Counter()

    def hit(self, account: str) -> int | None:
        """Another request of an account."""
        return self._hit(self._each, "account", account)

    def wrong(self, address: str) -> int | None:
        """Another wrong token of an address."""
        return self._hit(self._wrong, "wrong", address)

    def enter(self, account: str) -> bool:
        """Whether another request may be answered beside those that are; then `leave` it."""
        with self._lock:
            if self._now[account] >= self.limits.at_once:
                return False
            if self._now.total() >= self.limits.at_once_together:
                return False
            self._now[account] += 1
            return True

    def leave(self, account: str) -> None:
        """It is answered."""
        with self._lock:
            self._now[account] -= 1
            if not self._now[account]:
                del self._now[account]

    def _hit(self, item: RateLimitItemPerMinute, *key: str) -> int | None:
        return None if self._windows.hit(item, *key) else self._after(item, *key)

    def _after(self, item: RateLimitItemPerMinute, *key: str) -> int:
        return max(
            1, math.ceil(self._windows.get_window_stats(item, *key).reset_time - time.time())
        )


class TimedProtocol(H11Protocol):  # type: ignore[misc]
    """HTTP whose header lines have to be here in time: a connection is no place to wait in."""

    _too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        """From the first bytes of a request (or the connection's beginning) to its last header."""
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._too_slow is None:
            self._too_slow = self.loop.call_later(HEADERS_S, self.transport.close)

    def _forget(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None
