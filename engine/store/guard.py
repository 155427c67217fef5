"""The one way into LanceDB and Arrow: each of their failures leaves as one of four errors.

Damage (repaired when the store is next opened), a passing error (waited out), rows or a question
that are refused (no matter of time, the store is fine).
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

import pyarrow as pa

from engine.contract.errors import (
    InklingError,
    RefusedQueryError,
    RefusedRowsError,
    StoreBusyError,
    StoreDamagedError,
)

REBUILD_HINT = "Inkling rebuilds it from your files; the files themselves are not affected."
Doing = Literal["read", "write"]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_STARVED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS}
_PASSING = {
    *_FULL,
    *_FORBIDDEN,
    *_STARVED,
    *(errno.EINTR, errno.EIO, errno.EBUSY, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO),
    *(getattr(errno, name) for name in ("ESTALE", "ENOTCONN", "EHOSTDOWN") if hasattr(errno, name)),
}
#: The numbers that Windows gives to the same: in errors of the library they are not translated.
_WINDOWS = {
    4: errno.EMFILE, 5: errno.EACCES, 8: errno.ENOMEM, 14: errno.ENOMEM, 19: errno.EROFS,
    21: errno.EBUSY, 23: errno.EIO, 32: errno.EBUSY, 33: errno.EBUSY, 39: errno.ENOSPC,
    55: errno.ENODEV, 112: errno.ENOSPC, 1117: errno.EIO, 1295: errno.EDQUOT, 1450: errno.ENOMEM,
}  # fmt: skip
_SYSTEM_ERROR = re.compile(r"os error (\d+)|Os \{ code: (\d+)")
_WORDS = {
    "No space left": errno.ENOSPC,
    "Permission denied": errno.EACCES,
    "Too many open files": errno.EMFILE,
    "Cannot allocate memory": errno.ENOMEM,
    "Resource temporarily unavailable": errno.EAGAIN,
}
_UNREADABLE = re.compile(
    r"not appear to be a Lance file|[Cc]orrupt|[Nn]ot found|LanceError\((IO|Arrow)\)"
    r"|magic number|manifest length|does not have sufficient data|file size is too small"
)
_CONFLICT = re.compile(r"[Cc]onflict|[Tt]imed? ?out|LanceError\(Timeout\)")
#: Of the two runtimes between Python and Rust; neither class can be imported.
_PANICS = ("RustPanic", "PanicException")
_DESCRIPTORS = 16  # an operation of the library opens fewer at a time


class TornError(Exception):
    """What was read can't be: rows are missing, or columns are."""


@contextmanager
def guarded(doing: Doing, fault: Callable[[], str | None] = lambda: None) -> Iterator[None]:
    """Calls into the library; all that fails here is an InklingError when it leaves.

    `fault` says what is wrong with the table on disk, if anything is. It is asked before a write
    (a commit on top of damage would hide it), and after everything: a manifest of zeros makes an
    empty table without a word. Raises StoreDamagedError, StoreBusyError, RefusedRowsError (of a
    write) or RefusedQueryError (of a read).
    """
    try:
        if doing == "write" and (wrong := fault()):
            raise TornError(wrong)
        yield
        if wrong := fault():
            raise TornError(wrong)
    except InklingError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise  # Ctrl-C and the like
        raise meaning(error, doing, fault) from error


def meaning(error: BaseException, doing: Doing, fault: Callable[[], str | None]) -> InklingError:
    """What a failure of the library is to us."""
    number = system_error(error)
    if number in _PASSING:
        return _passing(number)
    if isinstance(error, TornError):
        return damaged(str(error))
    try:
        if wrong := fault():
            return damaged(wrong)
    except OSError as again:
        if (number := system_error(again)) in _PASSING:
            return _passing(number)
    if is_panic(error):
        # It does not say why; where it could not open a file, it is no damage.
        return short_of_descriptors() if starved() else damaged(str(error))
    text = str(error)
    if isinstance(error, RuntimeError) and _CONFLICT.search(text):
        return StoreBusyError(
            "The search index can't be used right now: something else was writing to it.",
            hint="Inkling tries again by itself.",
        )
    if isinstance(error, UnicodeDecodeError | pa.ArrowException):
        # Of what was found, since a question is words; of what we gave, in writing.
        return damaged(text) if doing == "read" else refused_rows()
    if isinstance(error, OSError | RuntimeError) or _UNREADABLE.search(text):
        # Everything the library says of a file that it does not understand ends here. It may have
        # failed for want of descriptors without saying so.
        return short_of_descriptors() if starved() else damaged(text)
    if doing == "write":
        return refused_rows()
    return RefusedQueryError(
        "The search index can't answer this question.", hint="Simplify the query or its filters."
    )


def refused_rows() -> RefusedRowsError:
    """These rows can't be stored, now or later."""
    return RefusedRowsError(
        "The search index refused these rows.",
        hint="The file is left out; logs/indexer.log says why.",
    )


def system_error(error: BaseException, system: str = sys.platform) -> int:
    """The system's number for an error, also where the library put it into words; 0 if none."""
    if isinstance(error, MemoryError | pa.ArrowMemoryError):
        return errno.ENOMEM
    if isinstance(error, OSError) and error.errno:
        return error.errno
    text = str(error)
    if found := _SYSTEM_ERROR.search(text):
        number = int(found[1] or found[2])
        return _WINDOWS.get(number, number) if system == "win32" else number
    return next((number for words, number in _WORDS.items() if words in text), 0)


def starved() -> bool:
    """Whether this process can't open the files that an operation needs."""
    held: list[int] = []
    try:
        held += (os.open(os.devnull, os.O_RDONLY) for _ in range(_DESCRIPTORS))
    except OSError:
        return True
    finally:
        for descriptor in held:
            with suppress(OSError):
                os.close(descriptor)
    return False


def damaged(why: str, path: str | None = None) -> StoreDamagedError:
    """The store's contents can't be read."""
    error = StoreDamagedError("The search index is damaged.", hint=REBUILD_HINT, path=path)
    error.add_note(why)
    return error


def short_of_descriptors() -> StoreBusyError:
    """The store can't be used now, as little as any other file."""
    return StoreBusyError(
        "The search index can't be used right now: the system is short of descriptors.",
        hint="Inkling tries again by itself.",
    )


def _passing(number: int) -> StoreBusyError:
    if number in _FULL:
        return StoreBusyError(
            "The disk is full; the search index could not be written.",
            hint="Free some space; Inkling goes on by itself.",
        )
    if number in _FORBIDDEN:
        return StoreBusyError(
            "The search index can't be used: permission denied.",
            hint="Fix the permissions of Inkling's folder, or choose another with --base-dir.",
        )
    return StoreBusyError(
        "The search index can't be used right now: {error}.",
        hint="Inkling tries again by itself.",
        told={"error": os.strerror(number)},
    )


def is_panic(error: BaseException) -> bool:
    """Whether the library's own code gave up."""
    return any(base.__name__ in _PANICS for base in type(error).__mro__)
