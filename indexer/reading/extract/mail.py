"""E-mail: single messages and mailboxes."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from pathlib import Path

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import clean, decode
from indexer.reading.extract.web import html_text

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_MAX_MESSAGES = 5_000
_MAX_BODY = 100_000  # characters of one message
_QUOTED = re.compile(r"(?:^>.*\n?){6,}", re.MULTILINE)


def extract_eml(path: Path, options: ExtractOptions) -> Extraction:
    """One message."""
    part = _message(path.read_bytes())
    if part is None:
        raise ExtractError("broken", "no message headers")
    return Extraction(kind="note", parts=[part], title=part.heading[0] if part.heading else "")


def extract_mbox(path: Path, options: ExtractOptions) -> Extraction:
    """One part a message."""
    parts: list[Part] = []
    notes: list[str] = []
    for raw in _messages(path):
        if len(parts) >= _MAX_MESSAGES:
            notes.append(f"Only the first {_MAX_MESSAGES:,} messages are indexed.")
            break
        if (part := _message(raw)) is not None:
            parts.append(part)
    return Extraction(kind="note", parts=parts, notes=notes)


def _messages(path: Path) -> Iterator[bytes]:
    lines: list[bytes] = []
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"From ") and (not lines or lines[-1].strip() == b""):
                yield b"".join(lines)
                lines = []
            else:
                lines.append(line)
    yield b"".join(lines)


def _message(raw: bytes) -> Part | None:
    message = email.message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        return None
    headers = [(name, _header(message, name)) for name in _SHOWN]
    lines = [f"{name}: {value}" for name, value in headers if value]
    attached = [name for part in message.walk() if (name := _file_name(part))]
    lines += [f"Attached: {', '.join(attached)}"] if attached else []
    subject = headers[0][1]
    text = "\n".join(lines) + "\n\n" + _body(message)
    return Part(clean(text).strip(), heading=(subject,) if subject else ())


def _header(message: EmailMessage, name: str) -> str:
    try:
        return clean(" ".join(str(message.get(name, "")).split()))
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""  # the library's parser of malformed addresses and dates fails in these ways


def _file_name(part: object) -> str:
    if not isinstance(part, EmailMessage):
        return ""
    try:
        return clean(part.get_filename() or "")
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""


def _body(message: EmailMessage) -> str:
    """The plain text if there is one, else the HTML's text; long quotations left out."""
    with suppress(KeyError, ValueError, AttributeError):
        body = message.get_body(preferencelist=("plain", "html"))
        if isinstance(body, EmailMessage):
            text = _content(body)
            if body.get_content_subtype() == "html":
                text = html_text(text)
            return _QUOTED.sub("\n", text)[:_MAX_BODY]
    return ""


def _content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset() or ""
    with suppress(LookupError, UnicodeDecodeError):
        return payload.decode(charset or "utf-8").replace("\r\n", "\n")
    return decode(payload)


EXTRACTORS = (
    Extractor("eml", 1, frozenset({"eml", "emlx"}), "note", extract_eml),
    Extractor("mbox", 1, frozenset({"mbox"}), "note", extract_mbox, 1_000_000_000, 120),
)
