"""The watched folders in a small file of their own, so that they outlive a damaged ledger."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from engine.contract.errors import InklingError
from engine.contract.put import put_in_place

log = logging.getLogger(__name__)


def _file(ledger: Path) -> Path:
    return ledger.with_name("roots.json")


def save(ledger: Path, roots: list[tuple[str, float]]) -> None:
    """Write the folders atomically and durably."""
    target = _file(ledger)
    new = target.with_suffix(".new")
    rows = [{"path": path, "added": added} for path, added in roots]
    with new.open("w", encoding="ascii") as stream:  # undecodable bytes are escaped by JSON
        json.dump(rows, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    put_in_place(new, target)


def load(ledger: Path) -> list[tuple[str, float]]:
    """The folders last saved; none if there is no such file or it can't be read."""
    try:
        rows = json.loads(_file(ledger).read_text("ascii"))
        return [(str(row["path"]), float(row["added"])) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("roots.json can't be read: %s", error)
        return []


def inside(path: str, folder: str) -> bool:
    """Whether a path lies below a folder; both absolute and normalised."""
    return path != folder and path.startswith(folder.rstrip(os.sep) + os.sep)


def check_folder(path: str, base: Path) -> None:
    """InklingError unless this is a folder that can be watched."""
    if not os.path.lexists(path):
        raise InklingError(
            "There is no folder {path}.",
            hint="Check the spelling.",
            path=path,
            told={"path": path},
        )
    if not os.path.isdir(path):
        raise InklingError(
            "{path} is not a folder.",
            hint="Add the folder that holds it.",
            path=path,
            told={"path": path},
        )
    own, real = os.path.realpath(base), os.path.realpath(path)
    if real == own or inside(real, own):
        raise InklingError(
            "{path} is Inkling's own folder, where its index lies.",
            hint="Choose a folder with your files.",
            path=path,
            told={"path": path},
        )
    try:
        with os.scandir(path):
            pass
    except OSError as error:
        raise InklingError(
            "{path} can't be read: {error}.",
            hint="Fix its permissions and add it again.",
            path=path,
            told={"path": path, "error": error.strerror or error},
        ) from error
