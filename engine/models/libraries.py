"""The libraries that downloaded models need and Inkling alone does not: torch and its company.

They are the extra `models` of the package, some gigabytes with their own. They are installed when a
person asks for such a model, by the installer of the environment that Inkling runs in and from the
index that is configured there, which names the digest of every file. What was fetched stays in the
installer's cache, so that the next try goes on from there.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distributions, requires
from pathlib import Path

from engine.contract import launch
from engine.contract.errors import InklingError
from engine.models.registry import ModelSpec

DISTRIBUTION, EXTRA = "inkling-search", "models"


def missing(spec: ModelSpec) -> list[str]:
    """The libraries that a model needs and that are not installed."""
    return [name for name in spec.libraries if importlib.util.find_spec(name) is None]


def require_libraries(spec: ModelSpec) -> None:
    """InklingError that says what to do, unless all are here."""
    if lacking := missing(spec):
        raise InklingError(
            "{model} needs libraries that are not installed: {names}.",
            hint="The page “Model” or `inkling model download {id}` installs them "
            "(some gigabytes).",
            told={"model": spec.title, "names": ", ".join(lacking), "id": spec.id},
        )


def install_libraries(
    spec: ModelSpec, folder: Path, cancelled: Callable[[], bool] = lambda: False
) -> bool:
    """Install what a model lacks; False if that was cancelled. InklingError where nothing here can,
    or it fails. `folder` is private and is where the installer runs."""
    if not missing(spec):
        return True
    wanted = requirements()
    installer = _installer()
    if installer is None or not _is_writable():
        raise InklingError(
            "{model} needs libraries that Inkling can't install by itself here.",
            hint="In a terminal {command} installs them.",
            told={"model": spec.title, "command": by_hand(wanted)},
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        # What runs now must not be exchanged under it: what does not fit is an error.
        present = Path(place, "present.txt")
        present.write_text("\n".join(_installed()), encoding="utf-8")
        said = Path(place, "said.txt")
        command = [*installer, *wanted, "--constraint", str(present)]
        status = _run(command, Path(place), said, cancelled)
        last = said.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    if status is None:
        return False
    importlib.invalidate_caches()
    if status or missing(spec):
        raise InklingError(
            "The libraries of {model} could not be installed: {reason}.",
            hint="What was fetched is kept: the next try goes on from there, and so does {command} "
            "in a terminal.",
            told={"model": spec.title, "reason": last.rstrip("."), "command": by_hand(wanted)},
        )
    return True


def requirements() -> list[str]:
    """What the extra consists of, as this installation says; InklingError if it can't say."""
    from packaging.requirements import Requirement

    try:
        lines = [Requirement(line) for line in requires(DISTRIBUTION) or []]
    except PackageNotFoundError:
        lines = []
    found = [
        f"{line.name}{line.specifier}"
        for line in lines
        if line.marker and not line.marker.evaluate({"extra": ""})
        if line.marker.evaluate({"extra": EXTRA})
    ]
    if not found:
        raise InklingError(
            "This installation of Inkling does not say which libraries its models need.",
            hint="Install it again, as inkling-search[models].",
        )
    return found


def by_hand(wanted: Sequence[str]) -> str:
    """The command for a person, by how Inkling was installed."""
    prefix = Path(sys.prefix)
    if "pipx" in prefix.parts:
        command = ["pipx", "runpip", DISTRIBUTION, "install", *wanted]
    elif (prefix / "uv-receipt.toml").exists():
        command = ["uv", "pip", "install", "--python", sys.executable, *wanted]
    else:
        command = [sys.executable, "-m", "pip", "install", *wanted]
        if sys.platform != "win32" and not _is_writable():
            command = ["sudo", *command]
    return shlex.join(command)


def _installer() -> list[str] | None:
    """The beginning of the command that installs into this environment; None: there is none."""
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-P", "-m", "pip", "install", "--no-input"]
        return [*pip, "--disable-pip-version-check", "--progress-bar", "off"]
    uv = shutil.which("uv")
    return None if uv is None else [uv, "pip", "install", "--python", sys.executable]


def _is_writable() -> bool:
    """Whether this environment is the person's own: what belongs to the system is left to it."""
    system = sys.prefix == sys.base_prefix
    managed = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists()
    return os.access(sysconfig.get_path("purelib"), os.W_OK) and not (system and managed)


def _installed() -> list[str]:
    """Every installed package with its version."""
    named = {dist.name: dist.version for dist in distributions() if dist.name}
    return sorted(f"{name}=={version}" for name, version in named.items() if name != DISTRIBUTION)


def _run(
    command: Sequence[str], place: Path, said: Path, cancelled: Callable[[], bool]
) -> int | None:
    """The exit status; None if it was cancelled."""
    with said.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=place,
            env=launch.environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            while (status := process.poll()) is None and not cancelled():
                time.sleep(0.1)
            return status
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
