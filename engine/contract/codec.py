"""The one codec: our values as JSON and back, for HTTP, the command line, agents and the window.

Not msgspec's own JSON: names that are not UTF-8 travel as escaped surrogates, which it refuses.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def to_data(value: object) -> Any:
    """A value as plain dicts, lists, texts and numbers."""
    return msgspec.to_builtins(value)


def from_data(data: object, kind: type[T]) -> T:
    """The value again; what is missing has its default, what is unknown is left out.

    ValueError that names the place and what is expected there.
    """
    return msgspec.convert(data, kind)


def encode(value: object) -> bytes:
    """A value as one line of JSON, ASCII only."""
    return json.dumps(msgspec.to_builtins(value)).encode("ascii")


def decode(text: bytes | str, kind: type[T]) -> T:
    """The value that `encode` wrote; ValueError if it is none."""
    return msgspec.convert(json.loads(text), kind)
