"""A space on disk of a model that is not in use: nobody asks it, and what is removed leaves it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from engine.contract.errors import InklingError
from engine.store import Store

log = logging.getLogger(__name__)


def forget_others(directory: Path, space: str, dim: int, kept: Collection[int]) -> int:
    """Take away the rows of all files but these; how many files that were. `dim`: of its vectors.

    A space that can't be read is left for whoever opens it next.
    """
    try:
        store = Store.open(directory, space, dim, arrays=False)
    except InklingError as error:
        log.warning("The space %s is left as it is: %s", space, error)
        return 0
    try:
        gone = sorted(store.places().keys() - set(kept))
        if gone:
            store.delete_files(gone)
        store.maintain(force=True)
        return len(gone)
    except InklingError as error:
        log.warning("The space %s is left as it is: %s", space, error)
        return 0
    finally:
        store.close()
