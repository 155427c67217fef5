"""Which files git tracks: what it was told to in spite of a rule that names it is a person's."""

from __future__ import annotations

import os
import struct

#: Larger ones are of repositories with millions of files.
_MAX_BYTES = 200_000_000
_STAT = 40  # bytes before the hash of an entry
_HASHES = (20, 32)  # bytes of SHA-1 and of SHA-256
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
    found: set[str] = set()
    for name in _names_of(index):
        path = os.fsdecode(name)
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return frozenset(found)


def _names_of(index: str, *, split: bool = True) -> list[bytes]:
    """Names in an index; where it is split, those of the one that it rests on, too."""
    try:
        if os.path.getsize(index) > _MAX_BYTES:
            return []
        with open(index, "rb") as file:
            data = file.read()
    except OSError:
        return []
    for hash_bytes in _HASHES:
        try:
            names, base = _names(data, hash_bytes)
        except (struct.error, ValueError, IndexError):
            continue
        if base and split:
            below = os.path.join(os.path.dirname(index), f"sharedindex.{base}")
            names += _names_of(below, split=False)
        return names
    return []


def _names(data: bytes, hash_bytes: int) -> tuple[list[bytes], str]:
    """Names, and the hash of the index below a split one; ValueError where hashes are longer."""
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        return [], ""
    at, name, names = 12, b"", list[bytes]()
    for _ in range(count):
        (flags,) = struct.unpack_from(">H", data, at + _STAT + hash_bytes)
        begin = at + _STAT + hash_bytes + (4 if flags & _EXTENDED else 2)
        if version == 4:  # what is cut off the end of the name before, and what follows
            cut, begin = _number(data, begin)
            end = data.index(b"\0", begin)
            name = name[: len(name) - cut] + data[begin:end]
            at = end + 1
        else:
            end = data.index(b"\0", begin)
            name = data[begin:end]
            at += (end - at + 8) // 8 * 8
        if min(len(name), _LENGTH) != flags & _LENGTH:
            raise ValueError(name)
        if name:  # a split index repeats of changed entries all but their names
            names.append(name)
    if data[at : at + 4] == b"link":
        return names, data[at + 8 : at + 8 + hash_bytes].hex()
    return names, ""


def _number(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    value = byte & 127
    while byte & 128:
        at += 1
        byte = data[at]
        value = ((value + 1) << 7) | (byte & 127)
    return value, at + 1
