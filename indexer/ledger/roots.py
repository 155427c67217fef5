"""The ledger's watched folders, kept in memory too: every search and every file asks for them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.contract.errors import InklingError
from indexer.ledger import name_rows, roots_file
from indexer.ledger.listed import as_listed
from indexer.ledger.records import Root, below, to_root
from indexer.ledger.tables import Tables


class WatchedRoots(Tables):
    """The table of roots."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._roots_lock = threading.Lock()
        self._roots: tuple[Root, ...] | None = None  # as in the table; None: to be read

    def roots(self) -> list[Root]:
        with self._roots_lock:
            if self._roots is None:
                rows = self._all("SELECT id, path, added, online, identity FROM roots ORDER BY id")
                self._roots = tuple(to_root(row) for row in rows)
            return list(self._roots)

    def _roots_changed(self) -> None:
        with self._roots_lock:
            self._roots = None

    def root_of(self, path: str) -> Root | None:
        """The watched folder a path lies in or is, the innermost; None if it is outside."""
        around = [r for r in self.roots() if path == r.path or roots_file.inside(path, r.path)]
        return max(around, key=lambda root: len(root.path), default=None)

    def add_root(
        self, path: str | os.PathLike[str], reaches: Callable[[str, str], bool] | None = None
    ) -> Root:
        """Watch a folder; the root that covers it already, if one does.

        Roots inside the new one are taken over with their files. `reaches(root, folder)` says
        whether a walk of that root enters the folder; where it does not (a hidden folder, another
        file system) both stay roots of their own, and what the outer one has on record there
        becomes the new one's.
        """
        chosen = as_listed(os.path.abspath(os.path.expanduser(os.fspath(path))))
        roots_file.check_folder(chosen, self.path.parent)
        reaches = reaches or (lambda root, folder: True)
        real = os.path.realpath(chosen)
        inner, outer = list[int](), list[int]()
        for root in self.roots():
            known = os.path.realpath(root.path)
            if real == known or (roots_file.inside(real, known) and reaches(root.path, chosen)):
                return root
            if roots_file.inside(real, known):
                outer.append(root.id)
            elif roots_file.inside(known, real) and reaches(chosen, root.path):
                inner.append(root.id)
        with self.database.write() as connection:
            cursor = connection.execute(
                "INSERT INTO roots (path, added) VALUES (?, ?)", (os.fsencode(chosen), time.time())
            )
            root_id = cursor.lastrowid or 0
            for old in inner:
                connection.execute("UPDATE files SET root_id = ? WHERE root_id = ?", (root_id, old))
                connection.execute("DELETE FROM roots WHERE id = ?", (old,))
            for around in outer:
                connection.execute(
                    "UPDATE files SET root_id = ? WHERE root_id = ? AND path >= ? AND path < ?",
                    (root_id, around, *below(os.fsencode(chosen))),
                )
            # It is not left out any more; what inner ones leave out, its scan notes again.
            connection.execute("DELETE FROM left_out WHERE path = ?", (os.fsencode(chosen),))
            connection.executemany(
                "DELETE FROM left_out WHERE root_id = ?", [(old,) for old in inner]
            )
        self._roots_changed()
        self._save_roots()
        return next(root for root in self.roots() if root.id == root_id)

    def remove_root(self, path: str | os.PathLike[str]) -> list[int]:
        """Forget a folder, its files and their names; the ids of those files."""
        chosen = os.path.abspath(os.path.expanduser(os.fspath(path)))
        real = os.path.realpath(chosen)
        named = [r for r in self.roots() if chosen == r.path or real == os.path.realpath(r.path)]
        root = next(iter(named), None)
        if root is None:
            raise InklingError(
                "{chosen} is not one of the watched folders.",
                hint="They are listed by `inkling status`.",
                path=chosen,
                told={"chosen": chosen},
            )
        with self.database.write() as connection:
            rows = connection.execute("SELECT id FROM files WHERE root_id = ?", (root.id,))
            ids = [row[0] for row in rows]
            name_rows.delete(connection, ids)
            connection.execute("DELETE FROM files WHERE root_id = ?", (root.id,))
            connection.execute("DELETE FROM left_out WHERE root_id = ?", (root.id,))
            connection.execute("DELETE FROM roots WHERE id = ?", (root.id,))
            connection.execute("DELETE FROM meta WHERE key = ?", (f"rules:{root.id}",))
        self._roots_changed()
        self._save_roots()
        return ids

    def set_online(self, root_id: int, online: bool, identity: str | None = None) -> None:
        with self.database.write() as connection:
            connection.execute(
                "UPDATE roots SET online = ?, identity = coalesce(?, identity) WHERE id = ?",
                (online, identity, root_id),
            )
        self._roots_changed()

    def _save_roots(self) -> None:
        roots_file.save(self.path, [(root.path, root.added) for root in self.roots()])

    def _restore_roots(self) -> None:
        if self._one("SELECT 1 FROM roots LIMIT 1", ()) or self._one(
            "SELECT 1 FROM files LIMIT 1", ()
        ):
            return
        with self.database.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO roots (path, added) VALUES (?, ?)",
                [(os.fsencode(path), added) for path, added in roots_file.load(self.path)],
            )
        self._roots_changed()
