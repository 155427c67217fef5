"""What every process of a fill is told: the settings, the model, and where this one may write."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.registry import ModelSpec

_PREFIX = "inkling-fill-"
#: With less a failure to read says nothing of the file.
ROOM = 64_000_000
NO_ROOM = InklingError(
    "The disk of the temporary folder is full; filling has stopped.",
    hint="Free some space and start it again: it goes on where it was.",
)


@dataclass(frozen=True, slots=True)
class Job:
    """The same for all stages of a fill, wherever they run."""

    base: Path  # where models lie
    model: ModelSpec
    options: Mapping[str, object]  # the settings, by key
    threads: int | None  # of one encoder
    #: Where stages of this machine write, which the driver removes; None: each for itself.
    scratch: Path | None = None

    @property
    def settings(self) -> Settings:
        made = Settings()
        made.update(self.options)
        return made


def own_scratch(within: Path | None = None) -> BaseDir:
    """A private folder of this process; those of processes that are no more are removed.

    Its path is short: sockets lie in it, whose names the system limits.
    """
    if within is not None:
        return BaseDir(Path(tempfile.mkdtemp(dir=within))).create()
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdecimal() and not psutil.pid_exists(int(pid)) and _is_mine(left):
                shutil.rmtree(left, ignore_errors=True)
    made = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
    return BaseDir(Path(made)).create()


def _is_mine(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
