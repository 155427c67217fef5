"""Messages between our processes: length-prefixed msgpack frames with raw array bytes, no pickles.

A frame is a 4-byte big-endian length and a msgpack map. Arrays travel as extension type 1:
[dtype, shape, bytes], and come out as read-only views of the frame. Text may hold lone surrogates
(undecodable file names), which plain UTF-8 would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import msgpack

_ARRAY = 1
_LENGTH_BYTES = 4
MAX_FRAME = 1 << 30  # bytes; a longer frame is a broken or hostile peer


def pack(message: Mapping[str, Any]) -> bytes:
    """One frame, length included."""
    body: bytes = msgpack.packb(message, default=_pack_array, unicode_errors="surrogatepass")
    if len(body) > MAX_FRAME:
        raise ValueError(f"message of {len(body)} bytes is over the limit of {MAX_FRAME}")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def read(stream: IO[bytes], limit: int = MAX_FRAME) -> dict[str, Any] | None:
    """The next message; None at the end of the stream, also when it ends inside a frame.

    ValueError for a frame over `limit` bytes, or one that is no message.
    """
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    if length > limit:
        raise ValueError(f"frame of {length} bytes is over the limit of {limit}")
    body = stream.read(length)
    if len(body) < length:
        return None
    message = msgpack.unpackb(body, ext_hook=_unpack_array, unicode_errors="surrogatepass")
    if not isinstance(message, dict):
        raise ValueError("a message must be a map")
    return message


def write(stream: IO[bytes], message: Mapping[str, Any]) -> None:
    """Send one message."""
    stream.write(pack(message))
    stream.flush()


def _pack_array(value: object) -> msgpack.ExtType:
    import numpy as np  # the readers' workers send none, and faces import this room

    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        return msgpack.ExtType(
            _ARRAY, msgpack.packb([array.dtype.str, array.shape, array.tobytes()])
        )
    raise TypeError(f"{type(value).__name__} can't be sent")


def _unpack_array(code: int, data: bytes) -> Any:
    if code != _ARRAY:
        raise ValueError(f"unknown extension type {code}")
    import numpy as np

    dtype, shape, raw = msgpack.unpackb(data)
    if np.dtype(dtype).hasobject:
        raise ValueError("arrays of objects are not data")
    return np.frombuffer(raw, dtype).reshape(shape)
