"""Numbers that anyone works out alike: of a file by its path, of a rights class by its readers.
And numbers that nobody has drawn before."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from hashlib import blake2b

from engine.contract.path_text import path_to_text

_LARGEST = 2**63 - 1
_DRAWN_BITS = 21  # below the milliseconds, which take 42 until the year 2109


def file_id(archive: str, path: str) -> int:
    """The number of a file of an archive (its id), positive."""
    return _number(f"{archive}\0{path_to_text(path)}")


def rights_class(readers: Iterable[str]) -> int:
    """The number of all files that exactly these may read."""
    return _number("\n".join(sorted(readers)))


def token() -> int:
    """A number that tells when it was drawn, and that nobody else draws."""
    return (time.time_ns() // 1_000_000 << _DRAWN_BITS) | secrets.randbits(_DRAWN_BITS)


def drawn_at(number: int) -> float:
    """When a token was drawn, seconds since the epoch."""
    return (number >> _DRAWN_BITS) / 1000


def _number(text: str) -> int:
    # Zero is nobody's: it stands for nothing in the tables.
    return int.from_bytes(blake2b(text.encode()).digest()[:8], "big") & _LARGEST or 1
