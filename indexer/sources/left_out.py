"""What a walk meets and does not enter, compared with what the ledger has on record of that."""

from __future__ import annotations

import os
from collections.abc import Collection

from indexer.ledger.ledger import Ledger
from indexer.ledger.left_out import LeftOut
from indexer.sources.ignore import OWN_FILE, Ignored
from indexer.sources.systems import prefix

_BATCH = 2_000
_BY_SYSTEM = {"defaults": "default", "settings": "setting"}


class LeftOutMet:
    """One scan's share of the ledger's table: only differences are written."""

    def __init__(self, ledger: Ledger, root_id: int) -> None:
        self._ledger, self._root_id = ledger, root_id
        self._known: dict[bytes, LeftOut] = {}
        self._new: list[tuple[bytes, LeftOut]] = []

    def expect(self, folder: bytes | None = None) -> None:
        """The walk is about to meet all of the root, or a path and all below it."""
        self._known.update(self._ledger.left_out_known(self._root_id, folder))

    def by_rule(self, path: bytes, ignored: Ignored, folder: bool) -> None:
        """An entry that a rule names."""
        if ignored.rule == ".*" and ignored.source == "defaults":
            code, source = "hidden", ""
        elif ignored.source in _BY_SYSTEM:
            code, source = _BY_SYSTEM[ignored.source], ""
        else:
            name = os.path.basename(ignored.source.rpartition(":")[0])
            code, source = "inklingignore" if name == OWN_FILE else "gitignore", ignored.source
        self.met(path, LeftOut(code, ignored.rule, source, folder))

    def met(self, path: bytes, entry: LeftOut) -> None:
        """An entry that is not entered."""
        if self._known.pop(path, None) != entry:
            self._new.append((path, entry))
            if len(self._new) >= _BATCH:
                self._write(())

    def close(self, complete: bool, kept: Collection[bytes]) -> None:
        """Write what is left; where the walk was complete, what it has not met is no more, but
        for what lies below the folders that could not be listed."""
        inside = tuple(prefix(path) for path in kept)
        gone = [path for path in self._known if not path.startswith(inside)] if complete else []
        if gone or self._new:
            self._write(gone)

    def _write(self, gone: Collection[bytes]) -> None:
        met, self._new = self._new, []
        self._ledger.note_left_out(self._root_id, met, gone)
