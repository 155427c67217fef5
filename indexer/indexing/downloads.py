"""Downloads of models' weights in the background, one at a time, with their progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models.download import Progress, download
from engine.models.files import require_licence
from engine.models.registry import ModelSpec

log = logging.getLogger(__name__)


@dataclass
class Downloading:
    """A download that runs."""

    spec: ModelSpec
    then: Callable[[], object]  # called when all is there
    progress: Progress | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


class Downloads:
    """Thread-safe. What was begun and stopped goes on from there when it is asked for again."""

    def __init__(self, base: BaseDir) -> None:
        self._base = base
        self._lock = threading.Lock()
        self._now: Downloading | None = None
        self._thread: threading.Thread | None = None
        self._errors: dict[str, InklingError] = {}  # how a model's last download ended

    def start(self, spec: ModelSpec, then: Callable[[], object] = lambda: None) -> None:
        """Begin, or go on; `then` is called when all is there. InklingError if another one runs or
        the licence was not accepted."""
        require_licence(spec, self._base)
        with self._lock:
            if self._now is not None:
                if self._now.spec.id == spec.id:
                    self._now.then = then
                    return
                raise InklingError(
                    "{title} is being downloaded.",
                    hint="Wait until it is there, or stop it with `inkling model remove {id}`.",
                    told={"title": self._now.spec.title, "id": self._now.spec.id},
                )
            self._errors.pop(spec.id, None)
            self._now = Downloading(spec, then)
            self._thread = threading.Thread(
                target=self._run, args=(self._now,), name="model-download", daemon=True
            )
            self._thread.start()

    def cancel(self, spec: ModelSpec) -> None:
        """Stop a model's download and wait for its end, if it runs; what is here is kept."""
        with self._lock:
            mine = self._now is not None and self._now.spec.id == spec.id
            thread = self._thread if mine else None
            if mine and self._now is not None:
                self._now.cancelled.set()
        if thread is not None:
            thread.join()
        self._errors.pop(spec.id, None)

    def only_fetch(self) -> None:
        """Another choice was made: what is fetched now is no longer to be used at once."""
        with self._lock:
            if self._now is not None:
                self._now.then = lambda: None

    def stop(self) -> None:
        """Stop whatever runs."""
        if self._now is not None:
            self.cancel(self._now.spec)

    def progress(self, spec: ModelSpec) -> Progress | None:
        """How far a model's download is; None if it does not run."""
        now = self._now
        if now is None or now.spec.id != spec.id:
            return None
        return now.progress or Progress("", 0, spec.download_bytes)

    def error(self, spec: ModelSpec) -> InklingError | None:
        """Why a model's last download ended early."""
        return self._errors.get(spec.id)

    def _run(self, job: Downloading) -> None:
        def follow(progress: Progress) -> None:
            job.progress = progress

        try:
            download(job.spec, self._base, progress=follow, cancelled=job.cancelled.is_set)
            job.then()
        except InklingError as error:
            log.warning("%s: %s", job.spec.id, error)
            self._errors[job.spec.id] = error
        except Exception as error:
            log.exception("Downloading %s failed", job.spec.id)
            self._errors[job.spec.id] = InklingError(
                "The download stopped: {error}.",
                hint="Try again: it goes on from there.",
                told={"error": error},
            )
        finally:
            with self._lock:
                self._now = None
