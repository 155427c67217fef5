"""A thread that repeats one step, and outlives whatever the step raises."""

from __future__ import annotations

import threading
from collections.abc import Callable

from indexer.indexing.failures import RepeatedFailures


class GuardedLoop:
    """Calls `step` until `stop` is set; after a failure it waits, longer after each equal one."""

    def __init__(
        self,
        name: str,
        task: str,
        step: Callable[[], bool],
        *,
        stop: threading.Event,
        failures: RepeatedFailures,
        on_error: Callable[[BaseException], None],
    ) -> None:
        """`step` waits by itself where nothing is to be done, and says whether it did something;
        `task` is what the status calls it."""
        self._task, self._step, self._stop = task, step, stop
        self._failures, self._on_error = failures, on_error
        # A daemon: what hangs in a library must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Whether it has ended, after waiting so long at most."""
        if self._thread.ident is not None:
            self._thread.join(timeout=max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._step():
                    self._failures.succeeded(self._task)
            except BaseException as error:  # noqa: BLE001 -- a library's panic is no Exception
                if not self._stop.is_set():
                    self._hear(error)

    def _hear(self, error: BaseException) -> None:
        pause = self._failures.failed(self._task, error)
        try:
            self._on_error(error)
        except BaseException as second:  # noqa: BLE001 -- nothing ends the loop but its stop
            self._failures.failed(f"{self._task}, after an error", second)
        self._stop.wait(pause)
