"""Giving a file another name in its folder; nothing is written over."""

from __future__ import annotations

import os
from pathlib import Path

from desktop import strings as s
from engine.contract.errors import InklingError

#: Most file systems' limit, in bytes.
_LONGEST = 255
_SEPARATORS = tuple(filter(None, ("\0", os.sep, os.altsep)))


def rename(path: str, name: str) -> str:
    """The file's new path; InklingError where it can't be called so. For a worker thread."""
    if not name or name in (".", "..") or any(sign in name for sign in _SEPARATORS):
        raise InklingError(s.NO_NAME.format(name=name), path=path)
    if len(os.fsencode(name)) > _LONGEST:
        raise InklingError(s.NAME_TOO_LONG, path=path)
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
