"""Writes containers as Office and Outlook wrote them (OLE), to be read again."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SECTOR, _SMALL, _CUT = 512, 64, 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
Folder = Mapping[str, "bytes | Folder"]


@dataclass
class _Entry:
    name: str
    kind: int  # 1 a folder, 2 a stream, 5 the root
    data: bytes = b""
    right: int = _FREE
    child: int = _FREE
    start: int = _END


def compound(root: Folder) -> bytes:
    """A container of folders and streams."""
    entries = [_Entry("Root Entry", 5)]
    _add(entries, 0, root)
    small, small_chain = bytearray(), list[int]()
    for entry in entries:
        if entry.kind == 2 and 0 < len(entry.data) < _CUT:
            entry.start = len(small) // _SMALL
            small += entry.data + bytes(-len(entry.data) % _SMALL)
            small_chain += _chain(entry.start, len(small) // _SMALL - entry.start)
    sectors, fat = bytearray(), list[int]()

    def put(data: bytes) -> int:
        start = len(fat)
        padded = data + bytes(-len(data) % _SECTOR)
        sectors.extend(padded)
        fat.extend(_chain(start, len(padded) // _SECTOR))
        return start if data else _END

    for entry in entries:
        if len(entry.data) >= _CUT:
            entry.start = put(entry.data)
    entries[0].data = bytes(small)
    entries[0].start = put(entries[0].data)
    small_fat = put(_packed(small_chain))
    folder = put(b"".join(map(_row, entries)))
    count = (len(fat) + 127) // 127 + 1
    first = len(fat)
    fat += [_FAT] * count
    sectors += _packed(fat) + bytes((count * 128 - len(fat)) // 128 * _SECTOR)
    places = [first + n for n in range(count)] + [_FREE] * (109 - count)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xII", 0x3E, 3, 0xFFFE, 9, 6, 0, count)
    head += struct.pack("<IIIII", folder, 0, _CUT, small_fat, max(len(small_chain) // 128, 1))
    return head + struct.pack("<II", _END, 0) + struct.pack("<109I", *places) + bytes(sectors)


def _add(entries: list[_Entry], parent: int, folder: Folder) -> None:
    before = None
    for name, content in folder.items():
        place = len(entries)
        if isinstance(content, bytes):
            entries.append(_Entry(name, 2, content))
        else:
            entries.append(_Entry(name, 1))
            _add(entries, place, content)
        if before is None:
            entries[parent].child = place
        else:
            entries[before].right = place
        before = place


def _chain(start: int, count: int) -> Iterator[int]:
    return (start + n + 1 if n + 1 < count else _END for n in range(count))


def _packed(numbers: list[int]) -> bytes:
    numbers = numbers + [_FREE] * (-len(numbers) % 128)
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _row(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    row = name + bytes(64 - len(name)) + struct.pack("<HBB", len(name) + 2, entry.kind, 1)
    row += struct.pack("<III", _FREE, entry.right, entry.child) + bytes(36)
    size = len(entry.data) if entry.kind != 1 else 0
    return row + struct.pack("<IQ", entry.start, size)
