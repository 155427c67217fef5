"""The writer's one hand for both spaces: passages, and how pictures look."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.kinds import file_kinds
from engine.contract.types import FileFacts
from engine.store import Looks, Reword, StoredUnit

log = logging.getLogger(__name__)

PICTURES = frozenset(file_kinds("image"))


class BothSpaces:
    """Writes looks first, so that a file that is done has both. Passages never wait for looks:
    what can't be written of these now is looked at again (indexer.indexing.looking)."""

    def __init__(self, engine: Engine, looks: Looks) -> None:
        self._engine, self._looks = engine, looks

    def replace(self, files: dict[int, Sequence[StoredUnit]]) -> int:
        """Make these the files' only rows; the version of the passages' store."""
        firsts = [rows[0] for rows in files.values() if rows]
        seen = [(row.file, row.unit.look) for row in firsts if row.unit.look is not None]
        others = [row.file.file_id for row in firsts if row.file.kind not in PICTURES]
        _try(lambda: self._looks.replace(seen))
        _try(lambda: self._looks.delete(others))
        return self._engine.replace(files)

    def delete(self, file_ids: Sequence[int]) -> int:
        """Forget these files; the version of the passages' store."""
        _try(lambda: self._looks.delete(file_ids))
        return self._engine.delete(file_ids)

    def move(self, files: Sequence[FileFacts], reword: Reword) -> int:
        """Files have another path or time now; the version of the passages' store."""
        _try(lambda: self._looks.move(files))
        return self._engine.move(files, reword)

    def maintain(self) -> None:
        """Tidy up, where it is worth it."""
        _try(self._looks.maintain)
        self._engine.maintain()


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except InklingError as error:
        log.warning("Looks are written later: %s", error)
