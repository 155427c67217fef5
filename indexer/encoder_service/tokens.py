"""Who may have something encoded: a file of hashed tokens, as accounts of a team's archive are
kept, made with one token at the first start."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tomllib
from pathlib import Path

from engine.contract.errors import InklingError
from engine.contract.put import put_privately

#: Of a token of ours: 256 bits, and a mark by which scanners of secrets know it.
PREFIX = "inkling_"
_LONGEST = 500


def digest(token: str) -> str:
    """What is kept of a token: 256 random bits can't be guessed, so that one round is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_token() -> str:
    """A new one."""
    return PREFIX + secrets.token_urlsafe(32)


def first_token(path: Path) -> str:
    """The token of a file that is made with it; "" where there is a file already."""
    if path.exists():
        return ""
    token = make_token()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        put_privately(account("indexer", token).encode(), path)
    except OSError as error:
        raise InklingError(
            "The file of tokens {path} can't be written: {error}.",
            hint="Name another with --token-file.",
            path=str(path),
            told={"path": path, "error": error.strerror or error},
        ) from error
    return token


def account(name: str, token: str) -> str:
    """How the file holds a token."""
    return f'[[account]]\nname = "{name}"\nsha256 = "{digest(token)}"\n'


class Tokens:
    """The names of those whose tokens a file holds; read once."""

    def __init__(self, path: Path) -> None:
        """InklingError where the file can't be understood: then nobody is let in."""
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8")).get("account", [])
            self._known = {str(row["sha256"]).lower(): str(row["name"]) for row in rows}
            if not all(len(known) == 64 for known in self._known) or not self._known:
                raise ValueError("it holds no hashed token")
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise InklingError(
                "The tokens in {path} can't be understood: {error}.",
                hint="Each is [[account]] with name and sha256; without a file one is made.",
                path=str(path),
                told={"path": path, "error": error},
            ) from error

    def of(self, token: str) -> str:
        """Whose it is; "" where it is nobody's."""
        given, found = digest(token) if len(token) <= _LONGEST else "", ""
        for known, name in self._known.items():  # all of them: the time tells nothing
            if hmac.compare_digest(known, given):
                found = name
        return found
