"""winmail.dat: what Outlook packs a message into for others of its kind (TNEF)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from indexer.reading.extract.encodings import clean
from indexer.reading.extract.rtf import rtf_text
from indexer.reading.extract.web import html_text

_SIGNATURE = 0x223E9F78
_BEGINS, _TITLE, _DATA, _PROPERTIES, _OF_ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9003, 0x9005
_BODY, _HTML, _RTF, _LONG_NAME = 0x1000, 0x1013, 0x1009, 0x3707
#: Bytes of a property's value by its type; others are counted and padded to four.
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8,
          0x40: 8, 0x48: 16}  # fmt: skip
_WIDE = 0x1F
#: What compressed Rich Text may refer to from the start.
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096
_MOST_RTF = 20_000_000


def is_tnef(kind: str, name: str) -> bool:
    """Whether an attachment is such a package."""
    return (
        kind in ("application/ms-tnef", "application/vnd.ms-tnef") or name.lower() == "winmail.dat"
    )


def tnef_contents(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of the message, and its attachments by name; what is before any damage."""
    text = ""
    files: list[list[bytes | str]] = []
    for identity, value in _attributes(data):
        if identity == _BEGINS:
            files.append(["", b""])
        elif identity == _TITLE and files:
            files[-1][0] = value.split(b"\0")[0].decode("cp1252", "replace")
        elif identity == _DATA and files:
            files[-1][1] = value
        elif identity == _OF_ATTACHMENT and files:
            files[-1][0] = _words(_properties(value).get(_LONG_NAME)) or files[-1][0]
        elif identity == _PROPERTIES:
            text = _text(_properties(value))
    return clean(text), [(str(name), bytes(content)) for name, content in files if content]  # type: ignore[arg-type]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return
    at = 6
    while at + 9 <= len(data):
        identity, length = struct.unpack_from("<HxxI", data, at + 1)
        yield identity, data[at + 9 : at + 9 + length]
        at += 9 + length + 2  # a checksum follows


def _properties(data: bytes) -> dict[int, tuple[int, bytes]]:
    """By identifier the type and first value of each property, up to any damage."""
    found: dict[int, tuple[int, bytes]] = {}
    try:
        (count,) = struct.unpack_from("<I", data)
        at = 4
        for _ in range(min(count, 10_000)):
            kind, identity = struct.unpack_from("<HH", data, at)
            at += 4
            if identity >= 0x8000:
                (named,) = struct.unpack_from("<16xI", data, at)
                at += 20
                (length,) = struct.unpack_from("<I", data, at)
                at += 4 + (_padded(length) if named else 0)
            many, kind = kind & 0x1000, kind & 0x0FFF
            values = 1
            if many or kind not in _FIXED:
                (values,) = struct.unpack_from("<I", data, at)
                at += 4
            for number in range(min(values, 10_000)):
                length = _FIXED.get(kind, 0)
                if not length:
                    (length,) = struct.unpack_from("<I", data, at)
                    at += 4
                if number == 0:
                    found[identity] = kind, data[at : at + length]
                at += _padded(length)
    except struct.error:
        pass
    return found


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4


def _words(found: tuple[int, bytes] | None) -> str:
    if found is None:
        return ""
    kind, value = found
    return value.decode("utf-16-le" if kind == _WIDE else "cp1252", "replace").rstrip("\0")


def _text(properties: dict[int, tuple[int, bytes]]) -> str:
    if _BODY in properties:
        return _words(properties[_BODY])
    if _HTML in properties:
        return html_text(properties[_HTML][1].decode("utf-8", "replace"))
    if _RTF in properties and (rich := unpacked_rtf(properties[_RTF][1])):
        return rtf_text(rich)
    return ""


def unpacked_rtf(data: bytes) -> bytes:
    """Rich Text as it was before Outlook compressed it; b"" where it is not that."""
    if len(data) < 16:
        return b""
    if data[8:12] == b"MELA":
        return data[16:]
    if data[8:12] != b"LZFu":
        return b""
    window = bytearray(_WINDOW)
    window[: len(_DICTIONARY)] = _DICTIONARY
    place, at, out = len(_DICTIONARY), 16, bytearray()
    while at < len(data) and len(out) < _MOST_RTF:
        flags = data[at]
        at += 1
        for bit in range(8):
            if flags >> bit & 1:
                if at + 2 > len(data):
                    return bytes(out)
                word = data[at] << 8 | data[at + 1]
                at += 2
                start, length = word >> 4, (word & 15) + 2
                if start == place:
                    return bytes(out)
                for step in range(length):
                    byte = window[(start + step) % _WINDOW]
                    out.append(byte)
                    window[place] = byte
                    place = (place + 1) % _WINDOW
            elif at < len(data):
                out.append(data[at])
                window[place] = data[at]
                place = (place + 1) % _WINDOW
                at += 1
    return bytes(out)
