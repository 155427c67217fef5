"""What an archive's place refuses, in a sentence with what to do next."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pyarrow as pa

from engine.archive.place import Place
from engine.contract.errors import (
    InklingError,
    RefusedRowsError,
    StoreBusyError,
    StoreDamagedError,
)
from engine.store.guard import is_panic, system_error

Doing = Literal["read", "write"]

_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>|An error occurred \((\w+)\)|code: ?\"(\w+)\"")
_STATUS = re.compile(r"status(?: code)?:? (\d{3})\b")
_CONFLICT = re.compile(r"[Cc]onflict|LanceError\(Timeout\)|[Tt]oo many concurrent writers")
_NO_WAY = re.compile(
    r"error sending request|[Cc]onnection refused|dns error|[Cc]ould not connect|tcp connect|"
    r"operation timed out|[Cc]onnect timeout"
)
_NO_KEYS = re.compile(
    r"[Uu]nable to locate credentials|no providers in chain|CredentialsNotLoaded|"
    r"[Cc]redential(?:s)? (?:provider|not)|Failed to get AWS credentials|"
    r"[Nn]o credentials|config profile|InstanceMetadata|169\.254\.169\.254",
)

#: Codes of S3 that mean the same to a person, with what happened and what helps.
_SAID: tuple[tuple[frozenset[str], type[InklingError], str, str], ...] = (
    (
        frozenset({"NoSuchBucket", "404-bucket"}),
        InklingError,
        "There is no bucket for {uri}.",
        "Make the bucket, or check its name and AWS_ENDPOINT_URL.",
    ),
    (
        frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}),
        StoreBusyError,
        "The access to {uri} has expired.",
        "Log in anew (aws sso login, or new keys) and start it again; nothing is lost.",
    ),
    (
        frozenset({"RequestTimeTooSkewed", "RequestExpired"}),
        StoreBusyError,
        "The clock of this machine is not that of {uri}: it was refused.",
        "Set the clock (timedatectl set-ntp true) and start it again; nothing is lost.",
    ),
    (
        frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "401"}),
        InklingError,
        "The keys for {uri} are not accepted.",
        "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE.",
    ),
    (
        frozenset(
            {"EntityTooLarge", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
            | {"InsufficientCapacity", "XMinioAdminBucketQuotaExceeded", "StorageFull"}
        ),
        StoreBusyError,
        "There is no room left at {uri}.",
        "Make room or raise the quota, and start it again; nothing is lost.",
    ),
    (
        frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403"}),
        InklingError,
        "{uri} may not be used with these keys.",
        "Ask for the rights s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject there.",
    ),
    (
        frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "500", "502", "503", "504"}),
        StoreBusyError,
        "The object store of {uri} is not able to answer now.",
        "Start it again after a while; nothing is lost.",
    ),
)


class ConflictError(StoreBusyError):
    """Another writer's commit came in between; nothing of this one is stored."""


@contextmanager
def guarded(place: Place, doing: Doing) -> Iterator[None]:
    """Calls into the library and to the object store; all that fails here is an InklingError when
    it leaves."""
    try:
        yield
    except InklingError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise  # Ctrl-C and the like
        raise meaning(error, place, doing) from error


def meaning(error: BaseException, place: Place, doing: Doing) -> InklingError:
    """What a failure is to a person."""
    told = {"uri": place.uri}
    text = str(error)
    code = code_of(text) if place.folder is None else ""
    for codes, kind, message, hint in _SAID:
        if code in codes:
            return kind(message, hint=hint, told=told)
    if place.folder is None and _NO_KEYS.search(text):
        return InklingError(
            "There are no keys for {uri}.",
            hint="Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            told=told,
        )
    if place.folder is None and _NO_WAY.search(text):
        return StoreBusyError(
            "The object store of {uri} can't be reached.",
            hint="Check the network and AWS_ENDPOINT_URL, and start it again; nothing is lost.",
            told=told,
        )
    if number := system_error(error):
        return _of_system(number, place)
    if _CONFLICT.search(text):
        return ConflictError(
            "Something else was writing to {uri} just then.",
            hint="Start it again; nothing is lost.",
            told=told,
        )
    if doing == "write" and "already exists" in text:
        return InklingError(
            "There is an archive at {uri} already.",
            hint="Fill that one, or choose another place.",
            told=told,
        )
    if doing == "write" and isinstance(error, TypeError | ValueError | pa.ArrowInvalid):
        return RefusedRowsError(
            "The archive {uri} can't hold these rows: {error}.",
            hint="The files are left out; the rest is stored.",
            told={**told, "error": text.splitlines()[0] if text else type(error).__name__},
        )
    return damaged(place, text)


def code_of(text: str) -> str:
    """The code of S3 that an error's text has; else the status of its answer; else nothing."""
    if found := _CODE.search(text):
        return str(next(filter(None, found.groups())))
    found = _STATUS.search(text)
    return found[1] if found else ""


def damaged(place: Place, why: str) -> StoreDamagedError:
    """What lies there can't be read."""
    error = StoreDamagedError(
        "A part of the archive {uri} can't be read.",
        hint="inkling fill, once more, takes up the last whole state and reads the rest again.",
        told={"uri": place.uri},
    )
    error.add_note(why)
    return error


def _of_system(number: int, place: Place) -> InklingError:
    told = {"uri": place.uri}
    if number in (errno.ENOSPC, errno.EDQUOT):
        return StoreBusyError(
            "There is no room left at {uri}.",
            hint="Make room or raise the quota, and start it again; nothing is lost.",
            told=told,
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InklingError(
            "{uri} can't be used: permission denied.",
            hint="Give this account the right to write there, or choose another place.",
            told=told,
        )
    return StoreBusyError(
        "{uri} can't be used right now: {error}.",
        hint="Start it again after a while; nothing is lost.",
        told={**told, "error": os.strerror(number)},
    )
