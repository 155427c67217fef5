"""Files inside a file: members of archives, attachments. Each is read by the extractor of its kind
and becomes places of the file around it, "photos.zip › notes/a.md"; what is too deep, too large or
protected is listed with its reason."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from engine.contract.errors import REASONS
from indexer.reading.extract.base import ExtractError, ExtractOptions, Part
from indexer.reading.extract.encodings import clean
from indexer.sources.ignore import default_patterns
from indexer.sources.secret_names import doubtful_name, secret_name

SEPARATOR = " › "
MOST_DEPTH = 3
#: Of one member, unpacked; larger ones are found by their names.
MOST_BYTES = 50_000_000
_TOO_LARGE = f"It is larger than {MOST_BYTES // 1_000_000} MB, the most of a file in a file."
#: Characters of names that are listed.
_LISTED = 100_000
_TOLD = 5  # members that are told with their reasons
_ODD = re.compile(r"[\x00-\x1f\x7f/\\]+")


class Refused(Exception):
    """A member is not read, for a reason that is no file's: a sentence."""


class Members:
    """Takes the files in a file as they come; gives parts, and what could not be read."""

    def __init__(self, options: ExtractOptions) -> None:
        self.parts: list[Part] = []
        self._options = options
        self._names: list[str] = []
        self._refused: dict[str, list[str]] = {}  # by reason the members
        self._unread = 0  # for want of time or budget
        self.more = False  # set where there are others that nobody looks at
        self._bytes, self._began = options.member_bytes, time.process_time()

    def add(self, name: str, read: Callable[[int], bytes], size: int = 0) -> None:
        """One member: its path, a function that gives at most so many of its bytes, how many it
        says that it has."""
        name = clean(name).replace("\\", "/").strip()
        self._names.append(name)
        try:
            self._read(name, read, size)
        except ExtractError as error:
            said = REASONS[error.reason].sentence
            if error.reason == "needs-program":
                said = f"{said.partition(';')[0]} ({error.detail})."
            self._refused.setdefault(said, []).append(name)
        except Refused as error:
            self._refused.setdefault(str(error), []).append(name)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 -- parsers fail in every way; the others are read
            said = f"{REASONS['broken'].sentence[:-1]}: {type(error).__name__}."
            self._refused.setdefault(said, []).append(name)

    def listing(self) -> str:
        """The names of all, a line each."""
        text = "\n".join(dict.fromkeys(self._names))
        return text if len(text) <= _LISTED else text[:_LISTED].rsplit("\n", 1)[0]

    def notes(self) -> list[str]:
        """What was left out, in words."""
        notes = []
        names = list(dict.fromkeys(self._names))
        listed = self.listing().count("\n") + 1
        if names and listed < len(names):
            notes.append(f"Only the names of the first {listed:,} files in it are indexed.")
        if self.more:
            notes.append(f"Only the first {len(self._names):,} files in it are indexed.")
        if self._unread:
            read = len(self._names) - self._unread
            notes.append(f"{read:,} of {len(self._names):,} files in it are read.")
        for sentence, names in self._refused.items():
            told = ", ".join(names[:_TOLD]) + (" …" if len(names) > _TOLD else "")
            notes.append(f"{told}: {sentence}")
        return notes

    def _read(self, name: str, read: Callable[[int], bytes], size: int) -> None:
        options = self._options
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
            raise Refused("Its name leads out of the archive.")
        if _left_out(path):
            return
        if options.guarded and (secret_name(f"/{name}") or doubtful_name(f"/{name}")):
            raise ExtractError("secret-name")
        if options.inner is None or options.depth >= MOST_DEPTH:
            raise Refused("It lies too deep in other archives.")
        if size > MOST_BYTES:
            raise Refused(_TOO_LARGE)
        spent = time.process_time() - self._began
        if self._bytes <= 0 or spent > options.member_seconds:
            self._unread += 1
            return
        data = read(MOST_BYTES + 1)
        self._bytes -= len(data)
        if len(data) > MOST_BYTES:
            raise Refused(_TOO_LARGE)
        self._take(name, data, options.member_seconds - spent)

    def _take(self, name: str, data: bytes, seconds: float) -> None:
        """Read one that is at hand, as a file of its own in the scratch folder."""
        options = self._options
        assert options.inner is not None
        folder = Path(tempfile.mkdtemp(dir=options.scratch))
        try:
            path = folder / (_ODD.sub(" ", PurePosixPath(name).name).strip(" .")[-100:] or "file")
            path.write_bytes(data)
            inside = replace(
                options,
                scratch=str(folder),
                pixels=False,
                thumbs=False,
                look=False,
                ocr_pages=(),
                ocr_seconds=min(seconds, options.ocr_seconds),
                depth=options.depth + 1,
                member_seconds=seconds,
                member_bytes=self._bytes,
            )
            extraction = options.inner(path, inside)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for part in extraction.parts:
            part.image = part.thumb = None
            part.symbol = f"{name}{SEPARATOR}{part.symbol}" if part.symbol else name
            part.heading = (name, *(heading for heading in part.heading if heading != name))
            part.language = part.language or extraction.language
        self.parts += (part for part in extraction.parts if part.text.strip())
        for note in extraction.notes:
            self._refused.setdefault(note, []).append(name)


def _left_out(path: PurePosixPath) -> bool:
    """Whether the rules that hold everywhere leave it out: what compilers make, caches."""
    patterns = default_patterns(hidden=True)
    for place, name in enumerate(path.parts):
        position = patterns.match("", name, place + 1 < len(path.parts))
        if position >= 0 and patterns.leaves_out(position):
            return True
    return False
