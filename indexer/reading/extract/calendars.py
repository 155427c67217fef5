"""Calendars and contacts: one part an entry, unfolded and decoded, without pictures and keys."""

from __future__ import annotations

import quopri
import re
from pathlib import Path

from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import decode

_FOLDED = re.compile(r"\n[ \t]")
#: Quoted-printable of vCard 2.1 goes on behind an "=" at a line's end.
_SOFT = re.compile(r"^([^\n:]*QUOTED-PRINTABLE[^\n:]*:(?:[^\n]*=\n)+[^\n]*)", re.M | re.I)
_LABEL = re.compile(r"(?:[\w-]+\.)?([A-Za-z][\w-]*)")
_PERSON = re.compile(r";CN=(\"[^\"]*\"|[^;:]*)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([nN,;\\:])")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ENTRIES = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VCARD"})
#: What tells a program something and a person nothing.
_UNTOLD = frozenset({
    "BEGIN", "END", "VERSION", "PRODID", "UID", "REV", "DTSTAMP", "SEQUENCE", "TRANSP", "CLASS",
    "CREATED", "LAST-MODIFIED", "PHOTO", "LOGO", "SOUND", "KEY", "CALSCALE", "METHOD", "ACTION",
    "TRIGGER", "TZOFFSETFROM", "TZOFFSETTO", "EXDATE", "SOURCE",
})  # fmt: skip
_STRUCTURED = frozenset({"N", "ADR", "ORG"})


def extract(path: Path, options: ExtractOptions) -> Extraction:
    """Entries in their order; what the calendar says of itself comes first."""
    text = decode(path.read_bytes())[: options.characters]
    text = _FOLDED.sub("", _SOFT.sub(lambda m: m[1].replace("=\n", ""), text))
    parts: list[Part] = []
    open_now: list[str] = []
    lines: list[str] = []
    name = ""
    for line in (*text.split("\n"), "END:VCARD"):
        label, value = _read(line.rstrip())
        if label == "BEGIN":
            open_now.append(value.upper())
        if (label == "BEGIN" and value.upper() in _ENTRIES) or (
            label == "END" and value.upper() in _ENTRIES
        ):
            if lines:
                parts.append(Part("\n".join(lines), heading=(name,) if name else ()))
            lines, name = [], ""
        if label == "END" and open_now:
            open_now.pop()
        if label not in _UNTOLD and "VTIMEZONE" not in open_now and value.strip():
            lines.append(f"{label}: {value}")
            name = value if label in ("SUMMARY", "FN") else name or (value if label == "N" else "")
    title = parts[0].heading[0] if len(parts) == 1 and parts[0].heading else ""
    return Extraction(kind="note", parts=parts, title=title)


def _read(line: str) -> tuple[str, str]:
    """The label of a line and its value; ("", "") of one that has none."""
    found = _LABEL.match(line)
    if found is None:
        return "", ""
    quoted = False
    for at in range(found.end(), len(line)):
        quoted ^= line[at] == '"'
        if line[at] == ":" and not quoted:
            parameters = line[found.end() : at]
            value = _value(found[1].upper(), parameters, line[at + 1 :])
            person = _PERSON.search(parameters)
            return found[1].upper(), " ".join([person[1].strip('"'), value]) if person else value
    return "", ""


def _value(label: str, parameters: str, value: str) -> str:
    said = parameters.upper()
    if "BASE64" in said or "ENCODING=B" in said or value.startswith("data:"):
        return ""
    if "QUOTED-PRINTABLE" in said:
        charset = re.search(r"CHARSET=([\w-]+)", said)
        raw = quopri.decodestring(value.encode("utf-8", "replace"))
        try:
            value = raw.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            value = raw.decode("utf-8", "replace")
    if label in _STRUCTURED:
        value = " ".join(filter(None, re.split(r"(?<!\\);", value)))
    if found := _TIME.fullmatch(value):
        year, month, day, hour, minute, zone = found.groups()
        return f"{year}-{month}-{day}" + (
            f" {hour}:{minute}{' UTC' if zone else ''}" if hour else ""
        )
    return _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


EXTRACTORS = (
    Extractor(
        "calendar",
        1,
        frozenset({"ics", "ical", "vcf", "vcs"}),
        "note",
        extract,
        reads="events, tasks and contacts, one place each",
    ),
)
