"""Accounts: who a bearer token belongs to, by a file of hashed tokens or by an OIDC provider."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import threading
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta, Struct

from engine.contract.errors import InklingError
from indexer.team.asker import Account, principals_of

log = logging.getLogger(__name__)

#: Of a token of ours: 256 bits, and a mark by which scanners of secrets know it.
PREFIX = "inkling_"
_BITS = 256
#: No token of anybody is longer: 16 kB is what servers take in all their headers.
_LONGEST = 16_000


class NoAccountError(InklingError):
    """A token that is nobody's, or not any more."""


class Accounts(Protocol):
    """Something that knows whose a token is."""

    def of(self, token: str) -> Account | None:
        """The account; None where the token is none of these. NoAccountError where it is and
        doesn't hold, with the reason."""

    def problem(self) -> str:
        """What keeps accounts from being known; "" where nothing does."""


class _Row(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]
    groups: list[Annotated[str, Meta(min_length=1, max_length=200)]] = []


class _File(Struct, forbid_unknown_fields=True):
    account: list[_Row] = []


class AccountsFile:
    """A TOML file with an `[[account]]` for each token: name, groups, the token's SHA-256. Read
    again when it changed; one that can't be understood then leaves the accounts as they were."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._problem = ""
        self._seen, self._known = self._read()

    def of(self, token: str) -> Account | None:
        """The account of this token."""
        self._refresh()
        digest = _digest(token)
        found = None
        for known, account in self._known:  # all of them: the time tells nothing
            if hmac.compare_digest(known, digest):
                found = account
        return found

    def problem(self) -> str:
        """Why the file is not read as it is now."""
        return self._problem

    def _refresh(self) -> None:
        with self._lock:
            try:
                if _mark(os.stat(self._path)) != self._seen:
                    self._seen, self._known = self._read()
                    log.info("%d accounts are known now", len(self._known))
                self._problem = ""
            except (InklingError, OSError) as error:
                said = error if isinstance(error, InklingError) else _unreadable(self._path, error)
                if not self._problem:
                    log.error("The accounts stay as they were. %s", said)
                self._problem = f"The accounts stay as they were. {said.message}"

    def _read(self) -> tuple[tuple[int, ...], list[tuple[bytes, Account]]]:
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                told = file.read()
        except OSError as error:
            raise _unreadable(self._path, error) from error
        if hasattr(os, "getuid") and stat.S_IMODE(found.st_mode) & stat.S_IWOTH:
            raise InklingError(
                "Anybody on this machine may write accounts into {path}.",
                hint="Take that right away: chmod o-w.",
                path=str(self._path),
                told={"path": self._path},
            )
        try:
            rows = msgspec.convert(tomllib.loads(told.decode()), _File).account
        except (ValueError, msgspec.ValidationError) as error:
            raise InklingError(
                "The accounts in {path} can't be understood: {error}.",
                hint="`inkling serve token NAME` prints how an account is written.",
                path=str(self._path),
                told={"path": self._path, "error": error},
            ) from error
        known = [
            (row.sha256.lower().encode(), Account(row.name, principals_of(row.name, row.groups)))
            for row in rows
        ]
        return _mark(found), known


class Tokens:
    """Whose a token is, by any of several."""

    def __init__(self, known: Sequence[Accounts]) -> None:
        self._known = known

    def of(self, token: str) -> Account:
        """The account; NoAccountError with a sentence where there is none."""
        for accounts in self._known if 0 < len(token) <= _LONGEST else ():
            if (account := accounts.of(token)) is not None:
                return account
        raise NoAccountError(
            "This token belongs to no account.", hint="Ask whoever runs the service for one."
        )

    def problems(self) -> list[str]:
        """What keeps accounts from being known."""
        return [problem for accounts in self._known if (problem := accounts.problem())]


def made_token(name: str, groups: Sequence[str] = ()) -> tuple[str, str]:
    """A new token, and the lines that make an account of it."""
    if not name or not re.fullmatch(r"[^\x00-\x1f\x7f]{1,200}", name):
        raise InklingError(
            "An account needs a name.", hint="`inkling serve token mara` makes one for her."
        )
    token = PREFIX + secrets.token_urlsafe(_BITS // 8)
    lines = [
        "[[account]]",
        f"name = {_quoted(name)}",
        f"groups = [{', '.join(map(_quoted, groups))}]",
        f'sha256 = "{_digest(token).decode()}"',
    ]
    return token, "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest().encode()


def _mark(found: Any) -> tuple[int, ...]:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unreadable(path: Path, error: OSError) -> InklingError:
    return InklingError(
        "The accounts in {path} can't be read: {error}.",
        hint="Check the path and who may read it.",
        path=str(path),
        told={"path": path, "error": error.strerror or error},
    )
