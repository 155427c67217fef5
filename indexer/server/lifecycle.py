"""The indexer's life: taking the base directory, opening its parts, running and ending them."""

from __future__ import annotations

import contextlib
import shutil
import threading

from filelock import FileLock, Timeout

from engine.asking.asking import Asking
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.archives.known import KnownArchives
from indexer.archives.service import Archives
from indexer.asking.service import LanguageModels
from indexer.encoder_service.elsewhere import Encoders
from indexer.indexing.activation import ModelActivation
from indexer.indexing.downloads import Downloads
from indexer.indexing.index import Index, workers_of
from indexer.reading.pool import ExtractorPool
from indexer.server.coverage import CoverageCounter
from indexer.server.encoder import EncoderPort
from indexer.server.folders import Folders
from indexer.server.judging import Judging
from indexer.server.library import IndexLibrary
from indexer.server.models import IndexModels
from indexer.server.pause import Pause
from indexer.server.ports import Ports
from indexer.server.search import IndexSearch
from indexer.server.settings import SettingsOwner
from indexer.server.settings_effects import SettingsEffects
from indexer.server.status import Status
from indexer.sources.ignore import IgnoreRules


class Indexer:
    """One indexer over one base directory. `open` recovers, `start` runs, `close` ends in order;
    itself the port `Control`."""

    ports: Ports  # from `open` on: what routes and agents get

    def __init__(self, base: BaseDir, settings: Settings | None = None) -> None:
        self.base = base.create()
        self._settings = settings or Settings.load(base)
        self._lock = FileLock(self.base.lock, timeout=0)
        self.stopped = threading.Event()
        self.again = False  # after the end it is to be started anew: something was damaged

    # Life cycle

    def open(self) -> Indexer:
        """Take the lock, open ledger and store, recover what a crash left."""
        self._acquire()
        shutil.rmtree(self.base.scratch, ignore_errors=True)
        self.base.create()
        workers = workers_of(self._settings)
        memory = self._settings.memory_cap_mb * 1_000_000
        self.extractors = ExtractorPool(self.base.scratch, workers, memory)
        self.encoders = Encoders(self.base, self._settings)
        self.index = Index(
            self.base,
            self._settings,
            self.extractors,
            workers=workers,
            look=self._look,
            elsewhere=self.encoders.of,
            on_damage=self._start_anew,
        ).open()
        self.folders = Folders(self.index, self.extractors, self._rules)
        self.activation = ModelActivation(self.index, self.index.failures)
        self.downloads = Downloads(self.base)
        self._pause = Pause(self.index)
        self._compose()
        self.index.reconcile()
        return self

    def _compose(self) -> None:
        """The ports, each over the parts that it needs."""
        index, scanner = self.index, self.folders.scanner
        effects = SettingsEffects(index, scanner, self.activation, self.extractors)
        settings = SettingsOwner(self.base, self._settings, effects.follow)
        coverage = CoverageCounter(index.ledger, lambda: scanner.scanning)
        known = KnownArchives(self.base, self._settings, settings.keep_archives)
        self._archives = Archives(known, lambda: index.engine.spec.space)
        self._status = Status(
            index,
            scanner,
            self.extractors,
            self.activation,
            settings,
            self._pause,
            coverage,
            self.folders.health,
            self._archives.faults,
        )
        search = IndexSearch(index, self.extractors, coverage, self._rules, self._archives)
        library = IndexLibrary(index, self.folders, self.extractors, self._status, self._rules)
        self.ports = Ports(
            search=search,
            library=library,
            asking=LanguageModels(
                # By the engine that answers now: another model may take its place.
                self._settings,
                settings.confirm,
                lambda: Asking(index.engine),
                library.picture,
                search.nothing_there,
            ),
            models=IndexModels(index, self.activation, self.downloads, settings),
            encoder=EncoderPort(index, self.encoders, settings),
            judging=Judging(index, lambda: self.activation.spaces),
            archives=self._archives,
            settings=settings,
            control=self,
        )

    def _acquire(self) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            raise InklingError(
                "Another indexer is already running for {root}.",
                hint="Use it, or end it with `inkling stop`.",
                told={"root": self.base.root},
            ) from None
        except OSError as error:
            raise InklingError(
                "Inkling can't write to its folder {root}: {error}.",
                hint="Free some space or fix its permissions, or choose another with --base-dir.",
                path=str(self.base.root),
                told={"root": self.base.root, "error": error.strerror or error},
            ) from error

    def start(self) -> None:
        """Scan, watch and index from now on."""
        self.index.start()
        self.folders.start()
        self.activation.start()

    def close(self) -> None:
        """End threads and workers in order, then let others have the base directory."""
        self._pause.cancel()
        with contextlib.ExitStack() as last:  # each is called even if another fails
            last.callback(self._lock.release)
            last.callback(self.encoders.close)
            last.callback(self.index.stop)
            last.callback(self._archives.close)
            last.callback(self.activation.stop)
            last.callback(self.downloads.stop)
            last.callback(self.folders.stop)

    def _rules(self) -> IgnoreRules:
        return IgnoreRules(self._settings.excluded, hidden=self._settings.hidden_files)

    def _look(self, path: str) -> None:
        self.folders.look(path)

    def _start_anew(self) -> None:
        self.again = True
        self.stopped.set()

    # The port Control

    def state(self) -> str:
        """scanning, indexing, idle or paused."""
        return self._status.state()

    def pause(self, seconds: float | None = None) -> None:
        """Stop indexing for a while, or until `resume`; search goes on."""
        self._pause.pause(seconds)

    def resume(self) -> None:
        """Index again."""
        self._pause.resume()

    def stop(self) -> None:
        """End the process, in order and soon."""
        self.stopped.set()

    def damaged(self, error: InklingError) -> None:
        """A route met what can't be read any more: have it mended."""
        self.index.on_damage(error)
