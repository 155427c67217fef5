"""Messages that Outlook saved one by one (.msg): a container of properties, read as an e-mail."""

from __future__ import annotations

import datetime as dt
import struct
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor
from indexer.reading.extract.encodings import clean
from indexer.reading.extract.mail import extract_eml, extract_message
from indexer.reading.extract.rtf import rtf_text
from indexer.reading.extract.tnef import unpacked_rtf

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SUBJECT, _SENDER, _ADDRESS, _TO, _CC = "0037", "0C1A", "5D01", "0E04", "0E03"
_BODY, _HTML, _RTF = "1000", "1013", "1009"
_DATA, _LONG_NAME, _SHORT_NAME = "3701", "3707", "3704"
_SENT, _RECEIVED, _CODE_PAGE = 0x00390040, 0x0E060040, 0x3FFD0003
_STORAGE, _STREAM = 1, 2  # kinds of entries of a container
_MOST_DEPTH = 6  # of messages in messages; who reads them tells what lies deeper
_TO_EPOCH_1601 = 11_644_473_600  # seconds from 1601 to 1970


def extract_msg(path: Path, options: ExtractOptions) -> Extraction:
    """The message with what is attached to it; plain e-mail under such a name as that."""
    import olefile

    with path.open("rb") as file:
        if file.read(8) != _OLE:
            return extract_eml(path, options)
    try:
        with olefile.OleFileIO(str(path)) as container:
            return extract_message(_Message(container, [], 0).read(), options)
    except (OSError, struct.error, IndexError, KeyError) as error:
        raise ExtractError("broken", str(error)[:200]) from error


class _Message:
    """One message: a folder of the container, the whole or one that is attached."""

    def __init__(self, container: Any, place: list[str], depth: int) -> None:
        self._container, self._place, self._depth = container, place, depth
        self._fixed = self._fixed_properties()
        self._code_page = f"cp{self._fixed.get(_CODE_PAGE, 0) & 0xFFFFFFFF or 1252}"

    def read(self) -> EmailMessage:
        """As an e-mail of the standard library."""
        message = EmailMessage()
        sender, address = self._text(_SENDER), self._text(_ADDRESS)
        for name, value in (
            ("Subject", self._text(_SUBJECT)),
            ("From", formataddr((sender, address)) if address else sender),
            ("To", self._text(_TO).replace(";", ",")),
            ("Cc", self._text(_CC).replace(";", ",")),
            ("Date", self._sent()),
        ):
            # Of odd addresses the library's parser fails in these ways.
            with suppress(ValueError, IndexError, AttributeError, TypeError):
                message[name] = value
        plain, markup = self._text(_BODY), self._markup()
        if plain or not markup:
            message.set_content(plain)
            if markup:
                message.add_alternative(markup, subtype="html")
        else:
            message.set_content(markup, subtype="html")
        for name in self._folders("__attach_version1.0_#"):
            self._attach(message, [*self._place, name])
        return message

    def _attach(self, message: EmailMessage, place: list[str]) -> None:
        inner = [*place, f"__substg1.0_{_DATA}000D"]
        if self._container.get_type(inner) == _STORAGE:
            if self._depth < _MOST_DEPTH:
                message.add_attachment(_Message(self._container, inner, self._depth + 1).read())
            return
        attached = _Message(self._container, place, self._depth + 1)
        data = attached._bytes(_DATA)
        if data is not None:
            name = attached._text(_LONG_NAME) or attached._text(_SHORT_NAME) or "attachment"
            message.add_attachment(
                data, maintype="application", subtype="octet-stream", filename=name
            )

    def _markup(self) -> str:
        if markup := self._text(_HTML):
            return markup
        data = self._bytes(_HTML)
        return "" if data is None else clean(self._decoded(data))

    def _sent(self) -> str:
        ticks = self._fixed.get(_SENT) or self._fixed.get(_RECEIVED) or 0
        try:
            when = dt.datetime.fromtimestamp(ticks / 1e7 - _TO_EPOCH_1601, dt.UTC)
        except (ValueError, OverflowError, OSError):
            return ""
        return format_datetime(when) if ticks else ""

    def _text(self, identity: str) -> str:
        """A property of text on one line; the body as it is."""
        wide = self._stream(f"{identity}001F")
        narrow = self._stream(f"{identity}001E") if wide is None else None
        text = ""
        if wide is not None:
            text = wide.decode("utf-16-le", "replace")
        elif narrow is not None:
            text = self._decoded(narrow)
        elif identity == _BODY and (rich := unpacked_rtf(self._bytes(_RTF) or b"")):
            text = rtf_text(rich)
        text = clean(text.replace("\0", "").replace("\r\n", "\n"))
        return text if identity in (_BODY, _HTML) else " ".join(text.split())

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode(self._code_page, "replace")
        except LookupError:
            return data.decode("utf-8" if self._code_page == "cp65001" else "cp1252", "replace")

    def _bytes(self, identity: str) -> bytes | None:
        return self._stream(f"{identity}0102")

    def _stream(self, name: str) -> bytes | None:
        place = [*self._place, f"__substg1.0_{name}"]
        if self._container.get_type(place) != _STREAM:
            return None
        return bytes(self._container.openstream(place).read())

    def _folders(self, begin: str) -> list[str]:
        depth = len(self._place)
        entries = self._container.listdir(streams=False, storages=True)
        return sorted({
            entry[depth]
            for entry in entries
            if entry[:depth] == self._place
            and len(entry) == depth + 1
            and entry[depth].startswith(begin)
        })  # fmt: skip

    def _fixed_properties(self) -> dict[int, int]:
        """Properties of eight bytes at most, by number and type."""
        place = [*self._place, "__properties_version1.0"]
        if not self._container.exists(place):
            return {}
        data = self._container.openstream(place).read()
        return dict(struct.iter_unpack("<I4xq", data[len(data) % 16 :]))


EXTRACTORS = (
    Extractor(
        "msg",
        1,
        frozenset({"msg", "oft"}),
        "note",
        extract_msg,
        reads="as an e-mail, with messages in it",
    ),
)
