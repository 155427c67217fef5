"""Which files git tracks: what it was told to in spite of a rule that names it is a person's."""

from __future__ import annotations

import os
import struct

#: Larger ones are of repositories with millions of files.
_MAX_BYTES = 200_000_000
_ENTRY, _HASH_END = 62, 60
_EXTENDED, _LENGTH = 0x4000, 0x0FFF


def repository_of(folder: str) -> str | None:
    """The folder of git's own files of a repository whose top is here, if one is."""
    path = os.path.join(folder, ".git")
    if os.path.isdir(path):
        return path
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            said = file.read(4096)
    except OSError:
        return None
    if not said.startswith("gitdir:"):
        return None
    return os.path.normpath(os.path.join(folder, said[7:].strip()))


def tracked_files(index: str) -> frozenset[str]:
    """Paths of git's index, and of the folders around them, from the repository's top; none where
    it can't be read."""
    try:
        if os.path.getsize(index) > _MAX_BYTES:
            return frozenset()
        with open(index, "rb") as file:
            names = list(_names(file.read()))
    except (OSError, struct.error, ValueError, IndexError):
        return frozenset()
    found: set[str] = set()
    for name in names:
        path = os.fsdecode(name)
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return frozenset(found)


def _names(data: bytes) -> list[bytes]:
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        return []
    at, name, names = 12, b"", list[bytes]()
    for _ in range(count):
        (flags,) = struct.unpack_from(">H", data, at + _HASH_END)
        begin = at + _ENTRY + (2 if flags & _EXTENDED else 0)
        if version == 4:  # what is cut off the end of the name before, and what follows
            cut, begin = _number(data, begin)
            end = data.index(b"\0", begin)
            name = name[: len(name) - cut] + data[begin:end]
            at = end + 1
        else:
            end = data.index(b"\0", begin)
            name = data[begin:end]
            at += (end - at + 8) // 8 * 8
        names.append(name)
    return names


def _number(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    value = byte & 127
    while byte & 128:
        at += 1
        byte = data[at]
        value = ((value + 1) << 7) | (byte & 127)
    return value, at + 1
