"""Sends files to the object store and survives a bad connection."""

from __future__ import annotations

import hashlib
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


class GaveUp(Exception):
    """All attempts are spent."""


@dataclass
class Backoff:
    """Exponential waiting times with full jitter: 0 … min(cap, base * 2**n) seconds."""

    base: float = 0.5
    cap: float = 30.0
    attempts: int = 6
    draw: Callable[[float, float], float] = field(default=random.uniform, repr=False)

    def __iter__(self):
        for n in range(self.attempts):
            yield self.draw(0.0, min(self.cap, self.base * 2**n))


def checksum(path: Path, block: int = 1 << 20) -> str:
    """SHA-256 of a file, read in pieces so that a film does not fill the memory."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(block):
            digest.update(piece)
    return digest.hexdigest()


def send(path: Path, url: str, timeout: float = 20.0) -> int:
    """One PUT; returns the status."""
    request = urllib.request.Request(url, data=path.read_bytes(), method="PUT")
    request.add_header("X-Content-SHA256", checksum(path))
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.status


def send_patiently(path: Path, url: str, backoff: Backoff | None = None) -> int:
    """PUT until it works, the server says no for good, or patience runs out."""
    last: Exception | None = None
    for pause in backoff or Backoff():
        try:
            return send(path, url)
        except urllib.error.HTTPError as error:
            if error.code not in TEMPORARY:
                raise
            last = error
        except OSError as error:
            last = error
        time.sleep(pause)
    raise GaveUp(f"{path.name}: no attempt went through") from last
