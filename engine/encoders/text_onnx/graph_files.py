"""Keeps a model's graph on disk: made once, checked at each start, made again where damaged."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.contract.errors import InklingError
from engine.encoders.text_onnx.graph import GRAPH, WEIGHTS

log = logging.getLogger(__name__)

_DIGESTS = "digests.json"
_PREFIX = "graph-"


@contextmanager
def graph_in(
    folder: Path | None, key: str, make: Callable[[Path], None], size: int = 0
) -> Iterator[Path]:
    """A folder with GRAPH and WEIGHTS as `make` writes them into the folder it is given.

    They lie in `folder`, named by `key`, which says what they are made of; what has other keys is
    removed. None, or a folder that can't be written or has no room for so many bytes: they are made
    for this time only. InklingError if there is no room anywhere.
    """
    kept = None if folder is None else _try_to_keep(folder, key, make, size)
    if kept is not None:
        yield kept
        return
    # On Windows what is still mapped can't be removed: it stays until the next cleaning.
    with tempfile.TemporaryDirectory(prefix="inkling-graph-", ignore_cleanup_errors=True) as place:
        try:
            make(Path(place))
        except OSError as error:
            enough = max(100, 2 * size // 1_000_000)
            raise InklingError(
                "There is no room to prepare the model: {error}.",
                hint="Free some disk space: {enough} megabytes are enough.",
                told={"error": error.strerror or error, "enough": enough},
            ) from error
        yield Path(place)


def _try_to_keep(folder: Path, key: str, make: Callable[[Path], None], size: int) -> Path | None:
    try:
        return _kept(folder, key, make, size)
    except OSError as error:
        log.warning("the model's graph can't be kept: %s", error)
        return None


def _kept(folder: Path, key: str, make: Callable[[Path], None], size: int) -> Path:
    """The folder of this key, after making it where it is missing or damaged."""
    place = folder / f"{_PREFIX}{key}"
    if _is_whole(place):
        return place
    if place.exists():
        log.warning("the model's graph is damaged and is made again")
    folder.mkdir(parents=True, exist_ok=True)
    # Filling the disk to see whether it fits would take the room from the ledger and the store,
    # which must not be left without any either.
    if shutil.disk_usage(folder).free < 2 * size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=".tmp", dir=folder))
    try:
        make(made)
        digests = {name: _digest(made / name) for name in (GRAPH, WEIGHTS)}
        (made / _DIGESTS).write_text(json.dumps(digests), encoding="utf-8")
        for path in (*made.iterdir(), made):
            _sync(path)
        _put(made, place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _sync(folder)
    for other in folder.glob(f"{_PREFIX}*"):
        if other != place and other.suffix != ".tmp":  # another process may be making one
            shutil.rmtree(other, ignore_errors=True)
    return place


def _put(made: Path, place: Path) -> None:
    """Give the new folder its name, unless another process was quicker."""
    try:
        made.rename(place)
        return
    except OSError:
        if _is_whole(place):
            return
    aside = Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=".tmp", dir=place.parent))
    with contextlib.suppress(FileNotFoundError):
        place.rename(aside / "damaged")
    try:
        made.rename(place)
    except OSError:
        if not _is_whole(place):
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _is_whole(place: Path) -> bool:
    try:
        digests = json.loads((place / _DIGESTS).read_text(encoding="utf-8"))
        return all(_digest(place / name) == digests[name] for name in (GRAPH, WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Have a file, or a directory where the system can, on disk for good."""
    if path.is_dir() and sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
