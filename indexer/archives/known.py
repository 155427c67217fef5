"""Which archives the person added: names and addresses in the settings, tokens in a file for the
owner alone. A token is of an address: wherever else a name points, it does not go."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.contract.archives import FAULTS, HERE, NAME, REMEDIES, Fault
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_privately
from engine.contract.settings import Settings
from indexer.asking.addresses import Address, here, read_address

log = logging.getLogger(__name__)

#: Longer is no token.
_MOST_TOKEN = 8_192


@dataclass(frozen=True, slots=True)
class Archive:
    """One of them."""

    name: str
    address: Address
    token: str = ""
    authority: str = ""

    @property
    def url(self) -> str:
        """Without the API's own path."""
        return url_of(self.address)


class ArchiveError(InklingError):
    """An archive can't be asked, or what it answers can't be used."""

    def __init__(self, archive: Archive, fault: Fault) -> None:
        super().__init__(FAULTS[fault], hint=REMEDIES[fault], told={"name": archive.name})
        self.name, self.fault = archive.name, fault


def url_of(address: Address) -> str:
    """Where an archive's API begins, before /v1."""
    return address.origin + address.path.removesuffix("/v1")


def read_archive(name: str, url: str, authority: str = "") -> Archive:
    """What a person says of one; InklingError where that is none, or would be asked in clear."""
    if not NAME.fullmatch(name) or name.lower() == HERE:
        raise InklingError(
            "“{name}” is no name for an archive.",
            hint="Letters, digits, “.”, “_” and “-”, at most 40, and not “here”.",
            told={"name": name},
        )
    typed = url.strip()
    address = read_address(typed if "://" in typed else f"https://{typed}")
    if address.scheme == "http" and not here(address):
        raise InklingError(
            "“{url}” would be asked in clear: token and questions could be read on the way.",
            hint="Use https:// for another machine.",
            told={"url": typed},
        )
    return Archive(name, address, authority=authority)


class KnownArchives:
    """All of them; for any thread."""

    def __init__(
        self, base: BaseDir, settings: Settings, save: Callable[[Sequence[str]], None]
    ) -> None:
        """`save` keeps the rows of the setting."""
        self._tokens = base.root / "archive-tokens.json"
        self._settings, self._save = settings, save
        self._lock = threading.Lock()
        self._made: tuple[tuple[str, ...], list[Archive]] = ((), [])

    def all(self) -> list[Archive]:
        """In the order in which they were added; a row that can't be understood is left out."""
        rows = self._settings.archives
        with self._lock:
            if self._made[0] != rows:
                self._made = rows, self._read(rows)
            return list(self._made[1])

    def get(self, name: str) -> Archive:
        """By its name; InklingError if there is none."""
        for archive in self.all():
            if archive.name.casefold() == name.casefold():
                return archive
        raise InklingError(
            "There is no archive “{name}”.",
            hint="`inkling archive list` shows those that were added.",
            told={"name": name},
        )

    def add(self, archive: Archive) -> None:
        """Keep it, in the place of one of the same name. InklingError where that can't be."""
        others = [one for one in self.all() if one.name.casefold() != archive.name.casefold()]
        self._keep([*others, archive])

    def remove(self, name: str) -> None:
        """Forget it and its token; InklingError if there is none."""
        gone = self.get(name)
        self._keep([one for one in self.all() if one is not gone])

    def _keep(self, archives: Sequence[Archive]) -> None:
        tokens = {one.url: one.token for one in archives if one.token}
        try:
            put_privately(json.dumps(tokens, indent=1).encode(), self._tokens)
        except OSError as error:
            raise InklingError(
                "The token can't be kept: {error}.",
                hint="Free some space or fix the permissions of {path}.",
                path=str(self._tokens),
                told={"error": error.strerror or error, "path": self._tokens},
            ) from error
        with self._lock:
            self._made = (), []
        self._save([_row(one) for one in archives])

    def _read(self, rows: Sequence[str]) -> list[Archive]:
        tokens = _tokens_of(self._tokens)
        found = []
        for row in rows:
            name, _, rest = row.partition(" ")
            url, _, authority = rest.partition(" ")
            try:
                one = read_archive(name, url, authority)
            except InklingError as error:
                log.warning("settings.toml, archives: %s", error)
                continue
            token = tokens.get(one.url, "")
            found.append(Archive(one.name, one.address, token, one.authority))
        return found


def _row(archive: Archive) -> str:
    """As the setting has it: name, address, file of the authority."""
    return f"{archive.name} {archive.url} {archive.authority}".strip()


def _tokens_of(path: Path) -> dict[str, str]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s can't be read: %s", path, error)
        return {}
    if not isinstance(told, dict):
        return {}
    return {str(url): str(token) for url, token in told.items()}


def checked_token(token: str) -> str:
    """A token as it may stand in a header; InklingError if it can't."""
    stripped = token.strip()
    if len(stripped) > _MOST_TOKEN or not stripped.isascii() or not stripped.isprintable():
        raise InklingError("This is no token.", hint="It is one line of letters, digits and signs.")
    return stripped
