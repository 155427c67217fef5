"""An archive filled as the command does it, and whether two hold the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from engine.archive import Archive
from engine.contract import launch
from engine.contract.paths import BaseDir
from indexer.archiving.command import main
from tests.light_model import LIGHT_MODEL

#: Batches of other sizes: the last bits of a vector, and one step of a token's bytes.
VECTORS, TOKENS = 2e-3, 1


def fill(base: BaseDir, uri: Path, *folders: Path, more: list[str] | None = None) -> int:
    """The exit status of a fill in this process."""
    given = [str(uri), "--from", *map(str, folders), "--ray", "off", "--model", LIGHT_MODEL]
    return main([*given, "--base-dir", str(base.root), *(more or [])])


def started(
    base: BaseDir, uri: Path, *folders: Path, ray: bool = False, **more: Any
) -> subprocess.Popen[bytes]:
    """The same as a process of its own."""
    given = ["fill", str(uri), "--from", *map(str, folders), "--model", LIGHT_MODEL]
    given += ["--base-dir", str(base.root), *([] if ray else ["--ray", "off"])]
    command = launch.command("indexer", *given)
    return subprocess.Popen(alone(command) if ray else command, env=launch.environment(), **more)


def alone(command: list[str]) -> list[str]:
    """The same in a network that has nothing but loopback; where that may not be made, here."""
    inside = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") and shutil.which("ip"):
        tried = subprocess.run([*inside, "true"], check=False, capture_output=True)
        if tried.returncode == 0:
            return [*inside, *command]
    return command


def actors(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Ray's workers below a process that read or encode."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if child.cmdline()[:1] and child.cmdline()[0].startswith("ray::MapWorker"):
                found.append(child)
        except psutil.Error:
            continue
    return found


def contents(uri: Path) -> dict[str, dict[str, Any]]:
    """Everything that an archive tells of each file, by path."""
    archive = Archive.open(uri, read_only=True)
    try:
        assert archive.check() == []
        files = {file.facts.path: file for file in archive.files()}
        return {
            path: {
                **{name: getattr(file, name) for name in _OF_A_FILE},
                **{name: getattr(file.facts, name) for name in ("kind", "mtime", "size", "ext")},
                "attributes": dict(file.facts.attributes),
                "passages": [
                    {
                        "unit": (stored.unit.text, stored.unit.context, stored.unit.page),
                        "lines": stored.unit.lines,
                        "file": stored.file.path,
                        "mtime": stored.file.mtime,
                        "vector": stored.vector,
                        "tokens": stored.tokens and stored.tokens.tokens,
                    }
                    for stored in archive.units([file.file_id])
                ],
            }
            for path, file in files.items()
        }
    finally:
        archive.close()


_OF_A_FILE = (
    "content", "rights", "state", "reason", "note", "version", "seen_as", "units", "thumb",
    "text_hash",
)  # fmt: skip


def differences(
    one: Mapping[str, dict[str, Any]], other: Mapping[str, dict[str, Any]]
) -> list[str]:
    """What two archives tell differently; ids and commits aside, which are each its own."""
    said = [f"only one has {os.path.basename(path)}" for path in one.keys() ^ other.keys()]
    for path in one.keys() & other.keys():
        mine, theirs = dict(one[path]), dict(other[path])
        passages = list(zip(mine.pop("passages"), theirs.pop("passages"), strict=False))
        said += [f"{path}: {name}" for name in mine if mine[name] != theirs[name]]
        for left, right in passages:
            said += [f"{path}: {name}" for name in left if not _alike(left[name], right[name])]
    return sorted(said)


def _alike(one: Any, other: Any) -> bool:
    if not isinstance(one, np.ndarray):
        return bool(one == other)
    if one.shape != other.shape:
        return False
    apart = np.abs(one.astype(np.float32) - other.astype(np.float32)).max(initial=0.0)
    return bool(apart <= (TOKENS if one.dtype == np.int8 else VECTORS))
