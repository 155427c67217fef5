"""Writing the files of `integration`, and taking back exactly what was written.

A list of what was written, with digests, lies in the base directory: what a person has changed
since is left as it is, and said.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.system import current
from desktop.system.integration import Places, Row, rows_for
from desktop.system.launch import window_command
from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir

#: "absent": it can be written; "older": it is ours, of another version or installation; "changed":
#: by the person, since; "foreign": a file of that name that is not ours.
State = Literal["written", "older", "absent", "changed", "foreign", "impossible"]


@dataclass(frozen=True, slots=True)
class Found:
    """A row and how it stands with it."""

    row: Row
    path: Path
    state: State
    why_not: str = ""


def places(base: BaseDir) -> Places:
    """Of this person on this system."""
    provider = launch.command("desktop", "serve-desktop", "--base-dir", str(base.root))
    return Places(Path.home(), os.environ, window_command(base.root), provider)


def look(base: BaseDir) -> list[Found]:
    """How each thing stands."""
    here, known = places(base), _written(base)
    return [_found(row, here, known) for row in rows_for(current().NAME)]


def write(base: BaseDir) -> list[Found]:
    """Write all that can be; how each stands then."""
    here, known = places(base), _written(base)
    for found in look(base):
        if found.state in ("absent", "older"):
            contents = found.row.contents(here)
            with _said(found.path):
                found.path.parent.mkdir(parents=True, exist_ok=True)
                found.path.write_bytes(contents)
                found.path.chmod(0o755 if found.row.executable else 0o644)
            known[str(found.path)] = _digest(contents)
            _keep(base, known)
    return look(base)


def remove(base: BaseDir) -> tuple[list[Path], list[Path]]:
    """Take back what was written; what went, and what a person has changed and is left."""
    gone, left = list[Path](), list[Path]()
    for name, digest in _written(base).items():
        path = Path(name)
        with _said(path):
            if not path.exists():
                continue
            if _digest(path.read_bytes()) != digest:
                left.append(path)
                continue
            path.unlink()
            gone.append(path)
            _remove_empty(path.parent)
    _list_of(base).unlink(missing_ok=True)
    return gone, left


def _found(row: Row, here: Places, known: dict[str, str]) -> Found:
    path = Path(row.path(here))
    if not path.exists():
        why_not = row.why_not(here)
        return Found(row, path, "impossible" if why_not else "absent", why_not)
    there = path.read_bytes()
    if there == row.contents(here):
        return Found(row, path, "written")
    if str(path) not in known:
        return Found(row, path, "foreign")
    return Found(row, path, "older" if _digest(there) == known[str(path)] else "changed")


def _remove_empty(folder: Path) -> None:
    """Folders that nothing is left in, up to one that is hidden or the person's own."""
    with contextlib.suppress(OSError):  # not empty
        while folder not in (Path.home(), *Path.home().parents) and not folder.name.startswith("."):
            folder.rmdir()
            folder = folder.parent


def _list_of(base: BaseDir) -> Path:
    return base.root / "integration.json"


def _written(base: BaseDir) -> dict[str, str]:
    """By path the digest of what was written there."""
    try:
        data = json.loads(_list_of(base).read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InklingError(
            "The list of what was written can't be read.",
            hint="Remove {path} to begin anew; files that are there then stay.",
            told={"path": _list_of(base)},
            path=str(_list_of(base)),
        ) from error
    return {str(path): str(digest) for path, digest in data["files"].items()}


def _keep(base: BaseDir, known: dict[str, str]) -> None:
    base.create()
    new = _list_of(base).with_suffix(".new")
    new.write_text(json.dumps({"version": 1, "files": known}, indent=1), encoding="ascii")
    new.replace(_list_of(base))


def _digest(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InklingError(
            "{path}: {error}.",
            hint="Check the permissions of the folder, and try again.",
            told={"path": path, "error": error.strerror or error},
            path=str(path),
        ) from error
