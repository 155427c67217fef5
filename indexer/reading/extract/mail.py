"""E-mail: single messages, mailboxes, saved web pages. Attachments and forwarded messages are
places of their own."""

from __future__ import annotations

import email
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import clean, decode
from indexer.reading.extract.members import SEPARATOR, Members
from indexer.reading.extract.tnef import is_tnef, tnef_contents
from indexer.reading.extract.web import html_text, page_title

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_MAX_MESSAGES = 50_000
_MOST_DEPTH = 5  # of messages in messages
#: A plain text of fewer words than this share of the HTML's is a stub: "Please enable HTML".
_STUB = 0.5
_STUB_WORDS = 200
#: Attached by programs to prove who wrote; nobody looks for them.
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature",
               "application/pgp-signature")  # fmt: skip
#: What attachments without a name are called, so that they are read.
_UNNAMED = {"text/calendar": "invitation.ics", "application/pdf": "attachment.pdf",
            "image/png": "picture.png", "image/jpeg": "picture.jpg"}  # fmt: skip
_QUOTED = re.compile(r"(?:^[ \t]*>.*\n?)+", re.MULTILINE)
_SHORT_QUOTE = 6  # lines that stay where they are: an answer between them needs them
_HEADER = re.compile(rb"[!-9;-~]+:")
#: Headers of which a file without a known name must have three at its top to be a message.
_TELLING = re.compile(
    rb"^(?:return-path|received|delivered-to|message-id|mime-version|date|subject|from|to|cc"
    rb"|reply-to|content-type|x-[\w-]+|dkim-signature|in-reply-to|references|sender):",
    re.IGNORECASE | re.MULTILINE,
)


def extract_eml(path: Path, options: ExtractOptions) -> Extraction:
    """One message; a mailbox if it is one in spite of its name."""
    data = path.read_bytes()
    if path.suffix.lower() == ".emlx":  # Apple Mail: its length comes before, its flags behind
        length, _, rest = data.partition(b"\n")
        data = rest[: int(length)] if length.strip().isdigit() else data
    if data.startswith(b"From ") and _HEADER.match(data.partition(b"\n")[2]):
        return extract_mbox(path, options)
    reader = _Reader(options)
    if not reader.message(data):
        raise ExtractError("broken", "no message headers")
    return reader.extraction(reader.title)


def extract_mbox(path: Path, options: ExtractOptions) -> Extraction:
    """One part a message, and one an attachment; what is quoted from an earlier one is left out."""
    reader = _Reader(options)
    for raw in _messages(path):
        if reader.count >= _MAX_MESSAGES or reader.left < 0:
            reader.notes.append(f"Only the first {reader.count:,} messages are indexed.")
            break
        reader.message(raw)
    return reader.extraction("")


def extract_message(message: EmailMessage, options: ExtractOptions) -> Extraction:
    """One that another program's file holds."""
    reader = _Reader(options)
    reader.take(message)
    return reader.extraction(reader.title)


def extract_mhtml(path: Path, options: ExtractOptions) -> Extraction:
    """A web page saved with all that belongs to it."""
    message = _parsed(path.read_bytes())
    if message is None:
        raise ExtractError("broken", "no message headers")
    pages = [_content(part) for part in message.walk() if part.get_content_subtype() == "html"]
    texts = [html_text(page) for page in pages]
    title = next(filter(None, map(page_title, pages)), "") or _header(message, "Subject")
    parts = [Part(text) for text in texts if text]
    return Extraction(kind="note", parts=parts, title=title)


class _Reader:
    """Reads messages one after the other."""

    def __init__(self, options: ExtractOptions) -> None:
        self.parts: list[Part] = []
        self.notes: list[str] = []
        self.title = ""
        self.count = 0
        self.left = options.characters
        self._options = options
        self._quoted: set[int] = set()  # hashes of lines that were read, to know them quoted
        self._members = Members(options)

    def extraction(self, title: str) -> Extraction:
        """All that was read."""
        notes = self.notes + self._members.notes()
        return Extraction(kind="note", parts=self.parts, title=title, notes=notes)

    def message(self, raw: bytes) -> bool:
        """One message; whether it is one."""
        message = _parsed(raw)
        if message is None:
            return False
        self.take(message)
        return True

    def take(self, message: EmailMessage) -> None:
        """The same, once it is parsed."""
        self.count += 1
        self.title = _header(message, "Subject")
        self._take(message, (), 0)

    def _take(self, message: EmailMessage, around: tuple[str, ...], depth: int) -> None:
        subject = _header(message, "Subject")
        lines = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
        bodies: list[str] = []
        attached: list[tuple[str, Callable[[int], bytes]]] = []
        forwarded: list[EmailMessage] = []
        _sort(message, bodies, attached, forwarded)
        names = [name for name, _ in attached if name]
        lines += [f"Attached: {', '.join(names)}"] if names else []
        body, most = "\n\n".join(bodies), max(self.left, 0)
        if len(body) > most:
            self._note(
                f"Only the first {most:,} of {len(body):,} characters of a message are indexed."
            )
        own, quoted = self._without_quotations(body[:most])
        heading = tuple(dict.fromkeys(filter(None, (*around, subject))))
        place = SEPARATOR.join((*around[1:], subject)) if depth else None
        text = clean("\n".join(lines) + "\n\n" + own).strip()
        self.left -= len(text) + len(quoted)
        self.parts.append(Part(text, heading=heading, symbol=place))
        if quoted:
            self.parts.append(Part(clean(quoted), heading=heading, symbol=place))
        self._attachments(attached, heading)
        for inner in forwarded:
            if depth < _MOST_DEPTH:
                self._take(inner, heading or ("",), depth + 1)
            else:
                self._note(f"Only {_MOST_DEPTH} levels of messages in messages are indexed.")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _attachments(
        self, attached: list[tuple[str, Callable[[int], bytes]]], heading: tuple[str, ...]
    ) -> None:
        for name, read in attached:
            before = len(self._members.parts)
            self._members.add(name or "attachment", read)
            for part in self._members.parts[before:]:
                part.heading = (*heading, *part.heading)
                self.parts.append(part)
                self.left -= len(part.text)

    def _without_quotations(self, text: str) -> tuple[str, str]:
        """The text without long quotations, and of these what no earlier message holds."""
        quoted: list[str] = []

        def moved(match: re.Match[str]) -> str:
            lines = match[0].rstrip("\n").split("\n")
            if len(lines) < _SHORT_QUOTE:
                return match[0]
            own = (re.sub(r"^[ \t]*(?:>[ \t]?)+", "", line).rstrip() for line in lines)
            quoted.extend(line for line in own if hash(line.strip()) not in self._quoted)
            return "\n"

        own = _QUOTED.sub(moved, text)
        lines = (*own.split("\n"), *quoted)
        self._quoted.update(hash(line.strip()) for line in lines if len(line.strip()) > 3)
        return own, "\n".join(quoted).strip()


def _sort(
    part: Any,
    bodies: list[str],
    attached: list[tuple[str, Callable[[int], bytes]]],
    forwarded: list[EmailMessage],
) -> None:
    """What a message is made of: its own text, files, other messages."""
    kind, name = part.get_content_type(), _file_name(part)
    if kind == "message/rfc822" or (kind == "message/global" and part.is_multipart()):
        forwarded += (m for m in part.get_payload() if isinstance(m, EmailMessage))
    elif kind == "message/delivery-status" and part.is_multipart():
        bodies.append(
            "\n".join(f"{k}: {v}" for group in part.get_payload() for k, v in group.items())
        )
    elif kind == "multipart/alternative":
        _best(part, bodies, attached, forwarded)
    elif part.is_multipart():
        for inner in part.iter_parts():
            _sort(inner, bodies, attached, forwarded)
    elif is_tnef(kind, name):
        text, files = tnef_contents(_payload(part))
        bodies.append(text)
        attached += ((inner, _reader(data)) for inner, data in files)
    elif kind in ("text/plain", "text/html", "text/enriched") and not _is_attached(part):
        text = _content(part)
        bodies.append(html_text(text) if kind == "text/html" else text)
    elif kind in _SIGNATURES:
        return
    elif name or kind == "text/calendar" or part.get_content_maintype() != "text":
        attached.append((name or _UNNAMED.get(kind, ""), _reader_of(part)))


def _best(
    part: EmailMessage,
    bodies: list[str],
    attached: list[tuple[str, Callable[[int], bytes]]],
    forwarded: list[EmailMessage],
) -> None:
    """Of several forms of the same text the plain one, unless it is a stub of the other."""
    forms = list(part.iter_parts())
    plain: list[str] = []
    others: list[str] = []
    for form in forms:
        _sort(
            form, plain if form.get_content_type() == "text/plain" else others, attached, forwarded
        )
    said, shown = "\n\n".join(plain), "\n\n".join(others)
    words = len(said.split())
    stub = not said.strip() or (words < _STUB_WORDS and words < _STUB * len(shown.split()))
    if not stub and "html" in said.lower() and words < _STUB_WORDS // 4:
        stub = bool(shown.strip())
    bodies.append(shown if stub else said)


def _messages(path: Path) -> Iterator[bytes]:
    """The messages of a mailbox. A line "From …" begins one where headers follow it."""
    lines: list[bytes] = []
    begin: bytes | None = None  # a line that may begin a message: the next one tells
    after_blank = True
    with path.open("rb") as file:
        for line in file:
            if begin is not None:
                if _HEADER.match(line) or line.startswith(b">From "):
                    if lines:
                        yield b"".join(lines)
                    lines = []
                else:
                    lines.append(begin)
                begin = None
            if after_blank and line.startswith(b"From "):
                begin = line
            else:
                lines.append(line[1:] if line.startswith(b">From ") else line)
            after_blank = not line.strip()
    yield b"".join(lines)


def _parsed(raw: bytes) -> EmailMessage | None:
    message = email.message_from_bytes(raw, policy=policy.default)
    return message if isinstance(message, EmailMessage) and message.keys() else None


def _header(message: EmailMessage, name: str) -> str:
    try:
        return clean(" ".join(str(message.get(name, "")).split()))
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""  # the library's parser of malformed addresses and dates fails in these ways


def _file_name(part: Any) -> str:
    try:
        return clean(part.get_filename() or "")
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""


def _is_attached(part: Any) -> bool:
    try:
        return bool(part.get_content_disposition() == "attachment" or part.get_filename())
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return False


def _payload(part: Any) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _reader_of(part: Any) -> Callable[[int], bytes]:
    return lambda most: _payload(part)[:most]


def _reader(data: bytes) -> Callable[[int], bytes]:
    return lambda most: data[:most]


def _content(part: Any) -> str:
    payload = _payload(part)
    charset = part.get_content_charset() or ""
    with suppress(LookupError, UnicodeDecodeError):
        return payload.decode(charset or "utf-8").replace("\r\n", "\n")
    try:
        return decode(payload)
    except ExtractError:
        return ""


def looks_like_mail(head: bytes) -> bool:
    """Whether a file without a known name is a message, as in a Maildir."""
    top = head.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return len({name.lower() for name in _TELLING.findall(top)}) >= 3 and bool(_HEADER.match(top))


def looks_like_mailbox(head: bytes) -> bool:
    """Whether a file without a known name is a mailbox, as Thunderbird's."""
    first, _, rest = head.partition(b"\n")
    return first.startswith(b"From ") and bool(_HEADER.match(rest))


EXTRACTORS = (
    Extractor(
        "eml",
        4,
        frozenset({"eml", "emlx"}),
        "note",
        extract_eml,
        sniff=looks_like_mail,
        reads="headers, text, HTML behind a stub, quotations, forwarded messages and"
        " attachments as places; Maildir, winmail.dat",
    ),
    Extractor(
        "mbox",
        4,
        frozenset({"mbox"}),
        "note",
        extract_mbox,
        1_000_000_000,
        120,
        looks_like_mailbox,
        reads="every message as an e-mail; what is quoted from an earlier one once;"
        " Thunderbird's mailboxes",
    ),
    Extractor(
        "mhtml", 1, frozenset({"mht", "mhtml"}), "note", extract_mhtml, reads="the saved page"
    ),
)
