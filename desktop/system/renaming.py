"""Giving a file another name in its folder; nothing is written over."""

from __future__ import annotations

import os
from pathlib import Path

from desktop import strings as s
from desktop.system import current
from engine.contract.errors import InklingError


def rename(path: str, name: str) -> str:
    """The file's new path; InklingError where it can't be called so. For a worker thread."""
    fault = current().name_fault(name)
    if fault is not None:
        said = s.NO_NAME.format(name=name) if fault == "refused" else s.NAME_TOO_LONG
        raise InklingError(said, path=path)
    if not os.path.lexists(path):
        raise InklingError(s.FILE_GONE.format(name=Path(path).name), path=path)
    wanted = os.path.join(os.path.dirname(path), name)
    # Where capitals do not count, the file itself is what is there already.
    if os.path.lexists(wanted) and not os.path.samestat(os.lstat(wanted), os.lstat(path)):
        raise InklingError(s.NAME_TAKEN.format(name=name), path=path)
    try:
        os.rename(path, wanted)
    except OSError as error:
        said = s.NOT_RENAMED.format(name=Path(path).name, error=error.strerror or error)
        raise InklingError(said, path=path) from error
    return wanted
