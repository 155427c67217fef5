"""All on one machine: folders that are filled into an archive again and again, and an account."""

from __future__ import annotations

import argparse
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from engine.archive import Archive
from engine.archive.opening import NoArchiveError
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.files import ensure_usable
from engine.models.registry import model_spec
from engine.models.sizes import as_found
from indexer.archiving.command import run
from indexer.team.accounts import made_token

log = logging.getLogger(__name__)


class Filling:
    """Has the archive hold what the folders hold, again and again."""

    def __init__(
        self, archive: Path, options: argparse.Namespace, base: BaseDir, again_s: float
    ) -> None:
        self._base, self._again_s = base, again_s
        self._options = argparse.Namespace(
            uri=str(archive),
            folders=options.folders,
            ray="off",
            name=options.name or Path(os.path.abspath(options.folders[0])).name,
            readers=options.readers,
            model=options.model,
        )

    def ready(self) -> None:
        """See that there is an archive to be served; InklingError where there can be none."""
        try:
            Archive.open(self._options.uri, read_only=True).close()
        except NoArchiveError:
            wanted = self._options.model or Settings.load(self._base).model
            spec = as_found(model_spec(wanted), self._base)
            ensure_usable(spec, self._base)
            Archive.create(self._options.uri, self._options.name, spec).close()

    def run(self, ending: threading.Event) -> None:
        """Fill until `ending`."""
        while not ending.is_set():
            try:
                run(self._options, self._base)
            except InklingError as error:
                log.error("The archive could not be filled: %s", error)
            ending.wait(self._again_s)


def first_account(file: Path, name: str, say: Callable[[str], None]) -> Path:
    """A file of accounts with one for whoever starts the service; what there is stays."""
    if file.exists():
        return file
    token, lines = made_token(name, _groups())
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(lines + "\n")
    say(f"Your token, which is not shown again: {token}")
    say(f"Accounts stand in {file}; `inkling serve token NAME` makes others.")
    return file


def _groups() -> list[str]:
    """The groups of whoever starts this, where the system has such."""
    try:
        import grp
    except ImportError:
        return []
    known = []
    for number in os.getgroups():
        try:
            known.append(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return sorted(known)
