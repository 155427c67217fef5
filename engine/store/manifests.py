"""The manifests of a LanceDB table, one a commit: which is the newest, and whether it is whole.

Read by us and not by the library: that gives an empty table for a manifest of zeros, and panics
over others. A manifest ends in its message's place (8 bytes), a version (4) and the magic; the
message is its length (4 bytes) and a protocol buffer that reaches to the footer.
"""

from __future__ import annotations

import os
import re
import struct
import time
import zlib
from pathlib import Path
from typing import NamedTuple

from engine.store.disk import DISK, Disk

_NAME = re.compile(r"\d{20}\.manifest")
_LAST_NUMBER = 2**64 - 1  # names count down from here, so that the newest sorts first
_FOOTER = struct.Struct("<QHH4s")
_MAGIC = b"LANC"
_LENGTH = struct.Struct("<I")
_FIELDS, _VERSION = 1, 3  # of the message: the table's columns, the number of the commit
_LOOKS = 100  # at a folder whose newest manifest is removed before it is read
_TICK_NS = 4_000_000_000  # the coarsest clock of a file system, twice
_KEPT = 8  # set aside manifests; they are of no more use, but to whoever asks what happened


class Mark(NamedTuple):
    """One commit: its number, and the checksum of its manifest, since a number is used again when
    a broken commit was given up."""

    version: int
    crc: int


class Manifests:
    """The commits of one table's folder. OSError where the folder or a manifest can't be read."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self.folder = folder
        self._disk = disk
        #: The manifest last found whole with its file's state, and what it is; always set together.
        self._sound: tuple[tuple[object, ...], Mark] = ((), Mark(0, 0))
        #: State of the folder when it was listed last, and the newest name in it then.
        self._listed: tuple[tuple[int, int], str] = ((0, 0), "")
        self._highest = 0

    @property
    def mark(self) -> Mark:
        """The newest commit, as `fault` last saw it."""
        return self._sound[1]

    @property
    def _versions(self) -> Path:
        return self.folder / "_versions"

    def all(self) -> list[Path]:
        """Newest first."""
        return [self._versions / name for name in sorted(self._names())]

    def _names(self) -> list[str]:
        try:
            names = os.listdir(self._versions)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [name for name in names if _NAME.fullmatch(name)]

    def _newest(self) -> str:
        """Name of the newest manifest; "" if there is none. The folder is listed where it has
        changed, or did so lately: its clock ticks coarsely."""
        try:
            folder = os.stat(self._versions)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        state = (folder.st_mtime_ns, folder.st_ino)
        known, name = self._listed
        if state == known:
            return name
        now, name = time.time_ns(), min(self._names(), default="")
        if now - folder.st_mtime_ns > _TICK_NS:
            self._listed = (state, name)
        return name

    def fault(self) -> str | None:
        """What is wrong with the newest manifest; None if it is whole.

        Also if one that was there before has gone. 0.02 ms while nothing was committed.
        """
        highest = self._highest  # before looking: another thread may commit meanwhile
        for _ in range(_LOOKS):
            name = self._newest()
            if not name:
                return "there is no manifest"
            newest = self._versions / name
            try:
                state = os.stat(newest)
                seen = (newest, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
                if seen == self._sound[0]:
                    return None
                data = newest.read_bytes()
            except FileNotFoundError:
                continue  # removed meanwhile, after newer ones came
            version = _LAST_NUMBER - int(newest.stem)
            wrong = fault_of(data, version)
            if wrong is None and version < highest:
                wrong = f"commit {highest} is gone"
            if wrong is None:
                self._sound = (seen, Mark(version, zlib.crc32(data)))
                self._highest = max(version, self._highest)
            return wrong
        return "manifests come and go"

    def set_aside(self, manifest: Path) -> Path:
        """Take a manifest out of the table's sight; undone by `put_back`."""
        aside = self.folder / "_damaged" / "on-trial"
        for made in (aside.parent, aside):
            if not made.exists():
                made.mkdir()
                self._disk.sync_directory(made.parent)
        self._disk.rename(manifest, aside / manifest.name)
        # It names the newest commit, and would be believed.
        self._disk.unlink([self._versions / "latest_version_hint.json"])
        return aside / manifest.name

    def on_trial(self) -> list[Path]:
        """Manifests set aside while it was not known whether the ones before are any better."""
        trial = self.folder / "_damaged" / "on-trial"
        return sorted(trial.iterdir()) if trial.exists() else []

    def put_back(self) -> None:
        """The table as it was before manifests were set aside; nothing was committed since."""
        for path in self.on_trial():
            self._disk.rename(path, self._versions / path.name)

    def condemn(self) -> None:
        """An older commit answers: what was set aside stays so."""
        for path in self.on_trial():
            self._disk.rename(path, self.folder / "_damaged" / path.name)
        old = sorted((self.folder / "_damaged").glob("*.manifest"))[:-_KEPT]
        self._disk.unlink(old)


def fault_of(data: bytes, version: int) -> str | None:
    """Why these bytes are not the manifest of a commit; None if they are."""
    if len(data) < _FOOTER.size + _LENGTH.size:
        return f"a manifest has {len(data)} bytes"
    place, _, _, magic = _FOOTER.unpack_from(data, len(data) - _FOOTER.size)
    if magic != _MAGIC:
        return "a manifest has no end"
    end = len(data) - _FOOTER.size
    if place + _LENGTH.size > end:
        return "a manifest was cut short"
    if place + _LENGTH.size + _LENGTH.unpack_from(data, place)[0] != end:
        return "a manifest is not as long as it says"
    try:
        fields = _top_fields(data[place + _LENGTH.size : end])
    except ValueError as error:
        return f"a manifest can't be parsed: {error}"
    if _FIELDS not in fields:
        return "a manifest has no columns"
    if fields.get(_VERSION, version) != version:
        return "a manifest is another commit's"
    return None


def _top_fields(message: bytes) -> dict[int, int]:
    """Numbers of a protocol buffer's fields, with the value where it is a plain number."""
    found: dict[int, int] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        value = 0
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"field {number} is of no kind")
        if not number or at > len(message):
            raise ValueError(f"field {number} is cut short")
        found[number] = value
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(message):
            raise ValueError("it ends inside a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number does not end")
