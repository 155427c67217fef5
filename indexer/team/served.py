"""A service over an archive: its parts, opened and closed together."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from starlette.applications import Starlette

from engine.archive import About, Archive, Changes
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_in_place
from engine.encoders.pool import EncoderPool
from engine.models.files import ensure_usable
from engine.models.registry import MODELS, ModelSpec, model_spec
from engine.models.sizes import as_found
from engine.served import QdrantStore
from engine.store import StoredUnit
from indexer.team.accounts import Accounts, AccountsFile, Tokens
from indexer.team.app import Guard, make_app
from indexer.team.audit import AuditLog
from indexer.team.following import Follower
from indexer.team.library import ArchiveLibrary
from indexer.team.limiting import Limiter, Limits
from indexer.team.names import Names
from indexer.team.search import ArchiveSearch
from indexer.team.views import Views

log = logging.getLogger(__name__)

T = TypeVar("T")
#: The key of a Qdrant server, never in a file or an argument.
QDRANT_KEY = "INKLING_QDRANT_KEY"


@dataclass(frozen=True, slots=True)
class Served:
    """What is served, and to whom."""

    archive: str  # its URI
    folder: Path  # the service's own state: all of it can be made anew
    base: BaseDir  # whose models are used
    accounts: Path | None = None  # a file of hashed tokens
    provider: Any = None  # an `oidc.Provider`
    qdrant: str = ""  # address of a server; "" for the engine in this process
    limits: Limits = field(default_factory=Limits)
    questions: bool = True  # stand in the audit log


class Service:
    """One, running from `start` to `close`."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._folder = _made(served.folder)
        with contextlib.ExitStack() as opened:
            opened.callback(_locked(self._folder).release)
            tokens = Tokens(_accounts(served))
            self.archive = _Followed(served.archive, self._folder / "about.json")
            opened.callback(self.archive.close)
            self.about = self.archive.about
            self.spec = _model(self.about, served.base)
            names = Names(self._folder / "names.sqlite", self.about.archive_id)
            opened.callback(names.close)
            where = served.qdrant or self._folder / "points"
            beside = self._folder / "counts" if served.qdrant else None
            key = os.environ.get(QDRANT_KEY)
            points = QdrantStore.open(where, self.about, key, beside=beside)
            opened.callback(points.close)
            encoder = EncoderPool(self.spec, served.base)
            opened.callback(encoder.close)
            encoder.wake()
            views = Views(names, points, encoder, self.spec)
            opened.callback(views.close)
            thumbs = self._folder / "thumbs"
            self.follower = Follower(self.archive, names, points, thumbs)
            opened.callback(self.follower.stop)
            audit = AuditLog(self._folder / "audit.jsonl", questions=served.questions)
            opened.callback(audit.close)
            self.tokens, self.names, self.views, self._audit = tokens, names, views, audit
            self.app = self._app(thumbs)
            self._opened = opened.pop_all()

    def start(self) -> None:
        """Follow the archive from now on."""
        self.follower.start()

    def health(self) -> dict[str, Any]:
        """For whoever watches the service; nothing of what is in the archive."""
        found = self.follower.health()
        problems = [*self.tokens.problems(), self._audit.problem(), found.away]
        said = [problem for problem in problems if problem]
        state = "degraded" if said else "starting" if found.behind else "ok"
        return {"status": state, "problems": said}

    def close(self) -> None:
        """End in order."""
        self._opened.close()

    def _app(self, thumbs: Path) -> Starlette:
        follower = self.follower
        return make_app(
            ArchiveSearch(self.views, follower.away),
            ArchiveLibrary(self.views, self.about, self.spec, thumbs, follower.health),
            lambda: (self.about, self.names.commit),
            Guard(self.tokens, Limiter(self._served.limits), self._audit),
            lambda error: log.error("%s", error),
            self.health,
        )


class _Followed:
    """The archive, opened when it can be reached: a service starts without it, too, where it has
    been served from here before."""

    def __init__(self, uri: str, noted: Path) -> None:
        self._uri, self._noted = uri, noted
        self._lock = threading.Lock()
        self._archive: Archive | None = None
        try:
            self.about = self._opened().about
        except InklingError as error:
            about = _noted_about(noted)
            if about is None:
                raise
            log.error("The archive can't be opened yet: %s", error)
            self.about = about
        else:
            _note(noted, json.dumps({**asdict(self.about), "versions": dict(self.about.versions)}))

    @property
    def commit(self) -> int:
        return self._opened().commit

    def changes(self, after: int, limit: int | None = None) -> Changes:
        return self._opened().changes(after, limit)

    def units(self, file_ids: Sequence[int]) -> Iterable[StoredUnit]:
        return self._opened().units(file_ids)

    def close(self) -> None:
        with self._lock:
            if self._archive is not None:
                self._archive.close()

    def _opened(self) -> Archive:
        with self._lock:
            if self._archive is None:
                archive = Archive.open(self._uri, read_only=True)
                known = getattr(self, "about", None)
                if known is not None and known.archive_id != archive.about.archive_id:
                    archive.close()
                    raise InklingError(
                        "At {uri} is another archive than the one that was served from here.",
                        hint="Start the service again to serve that one.",
                        told={"uri": self._uri},
                    )
                self._archive = archive
            return self._archive


def _accounts(served: Served) -> list[Accounts]:
    known: list[Accounts] = []
    if served.accounts is not None:
        known.append(AccountsFile(served.accounts))
    if served.provider is not None:
        from indexer.team.oidc import OidcAccounts

        known.append(OidcAccounts(served.provider))
    if not known:
        raise InklingError(
            "Nobody could log in: there are no accounts.",
            hint="`--accounts FILE`, or `--oidc ISSUER`, says who may ask.",
        )
    return known


def _model(about: About, base: BaseDir) -> ModelSpec:
    if about.model not in MODELS:
        raise InklingError(
            "The archive {name} was filled with a model that this Inkling does not know: {model}.",
            hint="Update Inkling here.",
            told={"name": about.name, "model": about.model},
        )
    spec = as_found(model_spec(about.model), base)
    ensure_usable(spec, base)
    if (spec.space, spec.dim) != (about.space, about.dim):
        raise InklingError(
            "The archive {name} was made by other weights of {title} than those here.",
            hint="Use the weights it was made with.",
            told={"name": about.name, "title": spec.title},
        )
    return spec


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise InklingError(
            "The service can't keep its state in {folder}: {error}.",
            hint="Choose another folder with --dir.",
            path=str(folder),
            told={"folder": folder, "error": error.strerror or error},
        ) from error
    return folder


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InklingError(
            "Another service already runs with its state in {folder}.",
            hint="End it, or give this one a folder of its own with --dir.",
            told={"folder": folder},
        ) from None
    return lock


def _noted_about(noted: Path) -> About | None:
    try:
        return About(**json.loads(noted.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _note(place: Path, text: str) -> None:
    fresh = place.with_suffix(".new")
    fresh.write_text(text)
    put_in_place(fresh, place)
