"""The writer's one hand for passages and for the spaces of pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.kinds import file_kinds
from engine.contract.types import FileFacts
from engine.store import Looks, PictureSpace, Reword, Sightings, StoredUnit

log = logging.getLogger(__name__)

PICTURES = frozenset(file_kinds("image"))
#: What a sight model sees pages of, too.
DOCUMENTS = frozenset(file_kinds("pdf"))
SEEN = PICTURES | DOCUMENTS


class BothSpaces:
    """Writes looks first, so that a file that is done has both. Passages never wait for spaces of
    pictures: what can't be written of these now is made good when they are filled
    (indexer.indexing.filling)."""

    def __init__(
        self, engine: Engine, looks: Looks, seen: Callable[[], Sequence[Sightings]] = tuple
    ) -> None:
        """`seen`: the spaces of sight models, which hear what becomes of files."""
        self._engine, self._looks, self._seen = engine, looks, seen

    def replace(self, files: dict[int, Sequence[StoredUnit]]) -> int:
        """Make these the files' only rows; the version of the passages' store."""
        firsts = [rows[0] for rows in files.values() if rows]
        looks = [(row.file, row.unit.look) for row in firsts if row.unit.look is not None]
        others = [row.file.file_id for row in firsts if row.file.kind not in PICTURES]
        unseen = [row.file.file_id for row in firsts if row.file.kind not in SEEN]
        _try(lambda: self._looks.replace(looks))
        _try(lambda: self._looks.delete(others))
        for space in self._seen():
            _try(partial(space.delete, unseen))
        return self._engine.replace(files)

    def delete(self, file_ids: Sequence[int]) -> int:
        """Forget these files; the version of the passages' store."""
        for space in self._spaces():
            _try(partial(space.delete, file_ids))
        return self._engine.delete(file_ids)

    def move(self, files: Sequence[FileFacts], reword: Reword) -> int:
        """Files have another path or time now; the version of the passages' store."""
        for space in self._spaces():
            _try(partial(space.move, files))
        return self._engine.move(files, reword)

    def _spaces(self) -> list[PictureSpace[Any]]:
        return [self._looks, *self._seen()]

    def maintain(self) -> None:
        """Tidy up, where it is worth it."""
        _try(self._looks.maintain)
        self._engine.maintain()


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except InklingError as error:
        log.warning("What pictures look like is written later: %s", error)
