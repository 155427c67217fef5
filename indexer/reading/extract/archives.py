"""Archives: zip and its kin, tar with its compressions, 7z, rar and what else libarchive reads,
single compressed files. Their members are read like files, as places of the archive."""

from __future__ import annotations

import bz2
import ctypes.util
import gzip
import locale
import lzma
import os
import re
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.members import Members, Refused

#: Entries that are looked at, and bytes that a compressed tar is unpacked to at most.
_MOST_ENTRIES = 100_000
_MOST_UNPACKED = 4_000_000_000
_ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, zlib.error, lzma.LZMAError, EOFError)
_OPENERS: dict[str, Any] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
    "lzma": lzma.open,
}
_TARS = ("tar", "tgz", "tbz", "tbz2", "txz", "tlz")
_DAMAGED = "It is damaged; what stands before the damage is read."
_NOT_READ = "What follows is packed in a way that is not read."
#: What libarchive says of forms that it knows and does not read.
_UNKNOWN = re.compile(r"unavailable|unsupported|not supported", re.IGNORECASE)
_PROTECTED = "What follows is protected by a password; it is not read."
#: What the system calls libarchive: to look for it needs programs, which a worker may not start.
_LIBRARY = {"win32": "archiveint.dll", "darwin": "libarchive.dylib"}.get(
    sys.platform, "libarchive.so.13"
)


def extract_zip(path: Path, options: ExtractOptions) -> Extraction:
    """The members of a zip file in their order."""
    members = Members(options)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            members.more = len(entries) > _MOST_ENTRIES
            for entry in entries[:_MOST_ENTRIES]:
                if not entry.is_dir():
                    members.add(_zip_name(entry), _zip_reader(archive, entry), entry.file_size)
            told = archive.comment
    except _ZIP_ERRORS as error:
        raise ExtractError("broken", str(error)) from error
    comment = ""
    with suppress(ExtractError):
        comment = decode(told) if told else ""
    return _archive(members, comment)


def _zip_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        if entry.flag_bits & 1:
            raise ExtractError("encrypted")
        try:
            with archive.open(entry) as file:
                return file.read(most)
        except NotImplementedError as error:
            raise Refused(f"It is packed in a way that is not read: {error}.") from error
        except _ZIP_ERRORS as error:
            raise ExtractError("broken", str(error)) from error

    return read


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the flag for UTF-8 it is in some older encoding."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return decode(entry.filename.encode("cp437"))
    except (ExtractError, UnicodeEncodeError):
        return entry.filename


def extract_tar(path: Path, options: ExtractOptions) -> Extraction:
    """The members of a tar archive, or the one file that is compressed."""
    name = PurePath(path.name)
    inner = PurePath(name.stem).suffix[1:].lower()
    ending = name.suffix[1:].lower()
    if ending in _OPENERS and inner != "tar":
        return _compressed(path, name.stem, _OPENERS[ending], options)
    members = Members(options)
    try:
        with tarfile.open(path, "r|*") as archive:
            for entry, read in _tar_entries(archive, members):
                members.add(entry.name, read, entry.size)
    except (tarfile.TarError, *_ZIP_ERRORS, OSError) as error:
        if not members.listing():
            raise ExtractError("broken", str(error)) from error
        extraction = _archive(members, "")
        extraction.notes.append(_DAMAGED)
        return extraction
    return _archive(members, "")


def _tar_entries(
    archive: tarfile.TarFile, members: Members
) -> Iterator[tuple[tarfile.TarInfo, Callable[[int], bytes]]]:
    unpacked = 0
    for count, entry in enumerate(archive):
        if count >= _MOST_ENTRIES:
            members.more = True
            return

        def read(most: int, entry: tarfile.TarInfo = entry) -> bytes:
            file = archive.extractfile(entry)
            return file.read(most) if file is not None else b""

        if entry.isfile():
            yield entry, read
        unpacked += entry.size
        if unpacked > _MOST_UNPACKED:  # to get behind it, it would have to be unpacked
            members.more = True
            return


def _compressed(path: Path, name: str, opener: Any, options: ExtractOptions) -> Extraction:
    def read(most: int) -> bytes:
        try:
            with opener(path) as file:
                data: bytes = file.read(most)
                return data
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise ExtractError("broken", str(error)) from error

    members = Members(options)
    members.add(name, read)
    return _archive(members, "")


def extract_other(path: Path, options: ExtractOptions) -> Extraction:
    """The members of an archive that the system's libarchive reads, or one compressed file."""
    library = libarchive()
    members = Members(options)
    name = PurePath(path.name)
    single = name.suffix.lower() in (".zst", ".lz4") and not name.stem.lower().endswith(".tar")
    notes = []
    try:
        with library.file_reader(str(path), "raw" if single else "all") as archive:
            for entry, read in _entries(archive, members):
                members.add(name.stem if single else entry.pathname or "?", read, entry.size or 0)
    except library.ArchiveError as error:
        reason = _reason(error)
        if not members.listing():
            raise reason from error
        notes = [_PROTECTED if reason.reason == "encrypted" else _DAMAGED]
        if reason.reason != "encrypted" and _UNKNOWN.search(reason.detail):
            notes = [_NOT_READ]
    extraction = _archive(members, "")
    extraction.notes += notes
    return extraction


@cache
def _is_there() -> bool:
    """Whether libarchive is installed; asked where programs may be started."""
    return ctypes.util.find_library("archive") is not None


def libarchive() -> Any:
    """The system's library; ExtractError where there is none."""
    os.environ.setdefault("LIBARCHIVE", _LIBRARY)
    with suppress(locale.Error):  # in which it gives names
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    try:
        import libarchive
    except (OSError, AttributeError) as error:
        raise ExtractError("needs-program", "libarchive") from error
    return libarchive


def _entries(archive: Any, members: Members) -> Iterator[tuple[Any, Callable[[int], bytes]]]:
    from libarchive import ArchiveError

    unpacked, locked = 0, False
    for count, entry in enumerate(archive):
        if count >= _MOST_ENTRIES:
            members.more = True
            return

        def read(most: int, entry: Any = entry) -> bytes:
            nonlocal locked
            data = bytearray()
            try:
                for block in entry.get_blocks(1 << 16):
                    data += block
                    if len(data) >= most:
                        break
            except ArchiveError as error:
                reason = _reason(error)
                locked |= reason.reason == "encrypted"  # of the next it says that it is damaged
                if locked:
                    raise ExtractError("encrypted") from error
                if _UNKNOWN.search(reason.detail):
                    raise Refused("It is packed in a way that is not read.") from error
                raise reason from error
            return bytes(data[:most])

        if entry.isreg:
            yield entry, read
        unpacked += entry.size or 0
        if unpacked > _MOST_UNPACKED:
            members.more = True
            return


def _reason(error: Exception) -> ExtractError:
    said = str(getattr(error, "msg", None) or "")
    return ExtractError("encrypted" if "ncrypt" in said else "broken", said)


def _archive(members: Members, comment: str) -> Extraction:
    listing = "\n".join(filter(None, (comment.strip(), members.listing())))
    parts = [Part(listing)] if listing else []
    return Extraction(kind="archive", parts=[*parts, *members.parts], notes=members.notes())


EXTRACTORS = (
    Extractor(
        "zip",
        1,
        frozenset({"zip", "jar", "war", "whl", "cbz", "xpi", "kmz", "3mf"}),
        "archive",
        extract_zip,
        1_000_000_000,
        180.0,
        reads="names of all members; their contents as places of the archive, archives in archives"
        " three deep",
    ),
    Extractor(
        "tar",
        1,
        frozenset({*_TARS, *_OPENERS}),
        "archive",
        extract_tar,
        1_000_000_000,
        180.0,
        reads="the same; a single compressed file as its one member",
    ),
    Extractor(
        "archive",
        1,
        frozenset(
            {"7z", "cb7", "rar", "cbr", "cab", "lha", "lzh", "cpio", "iso", "zst", "tzst", "lz4"}
        ),
        "archive",
        extract_other,
        1_000_000_000,
        180.0,
        reads="the same, where the system has libarchive",
        helped_by=_is_there,
    ),
)
