"""Thumbnails that the desktop has drawn (Thumbnail Managing Standard 0.9): read, never made."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

#: With at least 256 pixels, the smallest first.
_SIZES = ("large", "x-large", "xx-large")
_MOST_BYTES = 4_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: What GLib leaves as it is: the name of a thumbnail is the digest of exactly that text.
_UNQUOTED = "/!$&'()*+,:=@~"


def find(path: str, environment: Mapping[str, str]) -> bytes | None:
    """The PNG of a file as it is now; None where there is none, or it is of an older state."""
    given = environment.get("XDG_CACHE_HOME", "")
    cache = Path(given) if given.startswith("/") else Path.home() / ".cache"
    uri = "file://" + quote(os.fsencode(path), safe=_UNQUOTED)
    name = hashlib.md5(uri.encode("ascii"), usedforsecurity=False).hexdigest() + ".png"
    try:
        mtime = int(os.stat(path).st_mtime)
    except OSError:
        return None
    for size in _SIZES:
        try:
            with (cache / "thumbnails" / size / name).open("rb") as file:
                data = file.read(_MOST_BYTES)
        except OSError:
            continue
        said = dict(_texts(data))
        if (said.get("Thumb::URI"), said.get("Thumb::MTime", "").split(".")[0]) == (
            uri,
            str(mtime),
        ):
            return data
    return None


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    """What a PNG says of itself before its pixels."""
    if not data.startswith(_SIGNATURE):
        return
    at = len(_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"tEXt":
            key, _, text = data[at + 8 : at + 8 + length].partition(b"\0")
            yield key.decode("latin-1"), text.decode("latin-1")
        elif kind in (b"IDAT", b"IEND"):
            return
        at += length + 12  # with its length, kind and checksum
