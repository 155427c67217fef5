"""What each asker's questions are asked of: names and units of the files that they may read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.models.registry import ModelSpec
from engine.search.ports import QueryEncoder
from engine.search.searcher import Searcher
from engine.search.similar import Similar
from engine.store import UnitStore
from indexer.team.asker import Account
from indexer.team.names import Names, NamesView

#: Sets of classes whose searcher is kept: it has learnt how common words are for them.
_KEPT = 32


class Points(Protocol):
    """The units that are searched, as `engine.served` keeps them."""

    def view(self, rights: frozenset[int] | None) -> UnitStore:
        """Those of files of these classes; None: all."""


@dataclass(frozen=True, slots=True)
class View:
    """All that may be told to somebody."""

    names: NamesView
    store: UnitStore
    searcher: Searcher
    similar: Similar


class Views:
    """Makes and keeps them, by the rights classes that an asker reads now; for any thread."""

    def __init__(
        self, names: Names, points: Points, encoder: QueryEncoder, spec: ModelSpec
    ) -> None:
        self._names, self._points = names, points
        self._encoder, self._spec = encoder, spec
        self._lock = threading.Lock()
        self._kept: OrderedDict[frozenset[int] | None, View] = OrderedDict()

    def of(self, account: Account) -> View:
        """What this account may read: by its rights now, so that a change holds at once."""
        return self.of_classes(self._names.classes_of(account.principals))

    def of_classes(self, rights: frozenset[int] | None) -> View:
        """The same by classes; None: everything."""
        with self._lock:
            view = self._kept.get(rights)
            if view is None:
                view = self._kept[rights] = self._made(rights)
            self._kept.move_to_end(rights)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)  # its threads end with its last question
            return view

    def _made(self, rights: frozenset[int] | None) -> View:
        names, store = self._names.view(rights), self._points.view(rights)
        copies, alive = names.same_contents, self._there
        searcher = Searcher(
            store, self._encoder, self._spec, names.names, copies=copies, alive=alive
        )
        return View(
            names, store, searcher, Similar(store, self._encoder, self._spec, copies, alive)
        )

    @property
    def _there(self) -> Callable[[int], bool]:
        leaving = self._names.leaving
        return lambda file_id: file_id not in leaving

    def close(self) -> None:
        """Wait for what still looks something up."""
        with self._lock:
            for view in self._kept.values():
                view.searcher.close()
            self._kept.clear()
