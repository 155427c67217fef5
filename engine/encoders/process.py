"""One encoder worker as a child process: starting it, its pipes, its end."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Any

from engine.contract import framing, launch

log = logging.getLogger(__name__)

_STOP_S = 3.0  # how long a worker may take to end after its stdin closed


class EncoderProcess:
    """A running worker; tells of messages and of its end from a thread of its own."""

    def __init__(
        self,
        start: Mapping[str, Any],
        threads: int | None,
        on_message: Callable[[EncoderProcess, dict[str, Any]], None],
        on_exit: Callable[[EncoderProcess, int], None],
    ) -> None:
        self.ended = threading.Event()
        self._on_message = on_message
        self._on_exit = on_exit
        self._write_lock = threading.Lock()
        self._process = subprocess.Popen(
            launch.command("engine.encoders.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(threads),
        )
        self.pid = self._process.pid
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._log, daemon=True).start()
        self.send(start)

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message; a worker that is gone is reported by on_exit, not here."""
        assert self._process.stdin is not None
        with self._write_lock, contextlib.suppress(OSError, ValueError):
            framing.write(self._process.stdin, message)

    def stop(self) -> None:
        """End it gently: it exits when its stdin does."""
        # A worker that hangs may leave a writer waiting on the full pipe.
        if self._write_lock.acquire(timeout=_STOP_S):
            self._close_stdin()
            self._write_lock.release()
        if not self.ended.wait(_STOP_S):
            self.kill()

    def kill(self) -> None:
        self._process.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            try:
                while (message := framing.read(answers)) is not None:
                    self._on_message(self, message)
            except ValueError:  # not a frame: the worker is broken
                log.exception("the encoder worker sent something that is not a message")
                self.kill()
        code = self._process.wait()
        self._close_stdin()
        self.ended.set()
        self._on_exit(self, code)

    def _close_stdin(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what was not yet written when it died
            self._process.stdin.close()

    def _log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                log.info("worker %d: %s", self.pid, line.decode(errors="replace").rstrip())


def _environment(threads: int | None) -> dict[str, str]:
    """The worker's environment: threads capped, few malloc arenas, nothing from the network."""
    environment = {
        **launch.environment(),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "MALLOC_ARENA_MAX": "2",
        # Activations go back to the system after each batch: 435 MB resident instead of 810 after
        # 900 mixed texts, in the same time.
        "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
        # oneDNN and PyTorch keep a compiled kernel for each shape of batch met: with texts of all
        # lengths 980 MB resident after 240 batches, 446 from the first on with 16, as fast.
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
        "LRU_CACHE_CAPACITY": "16",
        # Threads that wait for one another sleep: spinning takes the cores from others.
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    if threads is not None:
        environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(threads)
    return environment
