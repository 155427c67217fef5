"""Engine: the library's front door. Add files' units, remove files, search."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contract.kinds import PIXEL_KINDS
from engine.contract.paths import BaseDir
from engine.contract.types import Answer, FileFacts, Query, TextInput, Unit
from engine.encoders.elsewhere import FindElsewhere
from engine.encoders.pool import EncoderPool, State
from engine.encoders.routed import RoutedEncoders, routed
from engine.encoders.sights import Phrases
from engine.models.registry import ModelSpec
from engine.search.answers import name_hits
from engine.search.copies import Copies
from engine.search.own_ranker import OwnRanker
from engine.search.ports import CopyIndex, NameIndex, no_copies
from engine.search.query_run import QueryRun
from engine.search.searcher import Searcher
from engine.search.similar import Similar
from engine.search.token_matches import TokenMatches
from engine.sight import SightModel
from engine.store import Looks, Reword, Row, Store, StoredUnit
from engine.stored_units import stored_units

#: Files that are looked at for texts to compare.
_SAMPLED_FILES = 200


class Engine:
    """One model's space: its encoder worker, its store and the search over both.

    Thread-safe for searching and encoding; the writing methods (`replace`, `delete`, `move`,
    `maintain`) belong to one thread. Reading and writing raise InklingError, and StoreDamagedError
    where the store can't be read; encoding raises InklingError.
    """

    def __init__(
        self,
        base: BaseDir,
        spec: ModelSpec,
        names: NameIndex,
        *,
        copies: CopyIndex = no_copies,
        alive: Callable[[int], bool] = lambda file_id: True,
        looks: Looks | None = None,
        sight: Callable[[], SightModel | None] = lambda: None,
        elsewhere: FindElsewhere | None = None,
        idle_s: float = 60.0,
        threads: int | None = None,
    ) -> None:
        """`elsewhere`: the encoder on another machine, if one may be used; `looks`: how pictures
        look, for questions that hold one; `sight`: the model that sees pictures beside this one, if
        there is any. The caller keeps and closes the last two."""
        self.spec = spec
        self.store = Store.open(base.store, spec.space, spec.dim)
        pool = EncoderPool(spec, base, idle_s=idle_s, threads=threads)
        self.encoders = routed(pool, base, elsewhere, self._samples)
        self._phrases = Phrases()
        self._names, self._copies, self._alive = names, copies, alive
        #: What was fitted to the person's own questions, where that was chosen.
        self.ranker = OwnRanker(base, spec.id)
        self._searcher = Searcher(
            self.store,
            self.encoders,
            spec,
            names,
            copies=copies,
            alive=alive,
            looks=looks,
            sight=sight,
            ranker=self.ranker,
        )
        self._similar = Similar(self.store, self.encoders, spec, copies, alive, looks)
        self._writing = threading.Lock()

    # Searching

    def search(self, query: Query, limit: int = 20, *, raw: bool = False) -> Iterator[Answer]:
        """Answers in stages: names, words, fused, rescored; each replaces the one before. `raw`:
        the last with what its hits were ranked by."""
        return self._searcher.search(query, limit, raw=raw)

    def search_names(self, query: Query, limit: int = 20) -> Answer:
        """An answer from names alone, for when the store can't be read."""
        started = time.perf_counter()
        names = self._names(query.text.split(), limit, query.filters)
        hits = name_hits(names, Copies(self._copies, query, self._alive), limit)
        took_ms = round((time.perf_counter() - started) * 1000, 2)
        return Answer(tuple(hits), "rescored", took_ms, read=query.read)

    def similar(self, file_id: int, limit: int = 20) -> Answer:
        """Files like an indexed one."""
        return self._similar.find(file_id, limit)

    def explain(self, query: Query, file_id: int) -> dict[str, object]:
        """A file's rank and score in each lane, fused and rescored."""
        return self._searcher.explain(query, file_id)

    def run(self, query: Query) -> QueryRun:
        """A query's finished run: candidates, features and scores, for measuring."""
        return self._searcher.run(self._searcher.kept(query)[0]).finish()

    def runs(self, query: Query, limit: int = 20) -> list[QueryRun]:
        """The finished runs of all that a query stands for, as `search` asks them."""
        return self._searcher.runs(query, limit)

    def matches(self, text: str) -> TokenMatches:
        """A text beside stored passages, token by token. InklingError if the model can't read
        it."""
        return self._searcher.matches(text)

    # Encoding

    def wake(self) -> None:
        """Begin to load what encodes questions, where that never sleeps; does not wait."""
        self.encoders.wake()

    def encode(self, units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
        """Exactly one stored unit for each unit, in their order, or InklingError.

        Pixels are encoded where the model sees and the unit has them, else its text. Units of a
        file come one after another.
        """
        return stored_units(self.encoders, self.spec, units, self._phrases)

    @property
    def encoder_state(self) -> State:
        """Whether the model is loaded; "failed": it can't be, and inputs are not to blame."""
        return self.encoders.state

    @property
    def encoder_notes(self) -> list[str]:
        """What a person should know of how the model runs now."""
        return list(self.encoders.notes)

    def encoding(self) -> dict[str, Any]:
        """Where encoding happens and at what rate; empty where no other machine could."""
        return self.encoders.told() if isinstance(self.encoders, RoutedEncoders) else {}

    def _samples(self, count: int) -> list[tuple[TextInput, NDArray[np.float32]]]:
        """So many stored texts with their vectors, of files that have no pixels."""
        rows: list[Row] = []
        for file_id in sorted(self.store.file_ids())[:_SAMPLED_FILES]:
            rows += [
                row
                for row in self.store.file_rows(file_id)
                if row.text and row.kind not in PIXEL_KINDS
            ]
            if len(rows) >= count:
                break
        vectors = self.store.vectors([row.unit_id for row in rows[:count]])
        return [
            (TextInput(row.text, row.context), vectors[row.unit_id])
            for row in rows[:count]
            if row.unit_id in vectors
        ]

    def set_idle(self, seconds: float) -> None:
        """Let go of the model after so long without work."""
        self.encoders.idle_s = seconds

    def stop_encoding(self) -> None:
        """For good; whoever waits for an encoding gets an InklingError. Call `close` later."""
        self.encoders.close()

    # Writing

    def replace(self, files: Mapping[int, Sequence[StoredUnit]]) -> int:
        """Replace these files' units in one commit; the store's new version."""
        with self._writing:
            return self.store.replace_files(files)

    def delete(self, file_ids: Sequence[int]) -> int:
        """Forget these files; the store's new version."""
        with self._writing:
            return self.store.delete_files(file_ids)

    def move(self, files: Sequence[FileFacts], reword: Reword) -> int:
        """Files have another path or time now; nothing is encoded again."""
        with self._writing:
            return self.store.update_paths({facts.file_id: facts for facts in files}, reword)

    def maintain(self, *, force: bool = False) -> None:
        """Indexes and compaction, when they are worth it."""
        with self._writing:
            self.store.maintain(force=force)

    # Looking

    @property
    def version(self) -> int:
        """Number of the store's newest commit; grows, unless a broken commit was given up."""
        return self.store.version

    @property
    def found_version(self) -> int:
        """The same as it was when the store was opened: later commits are lost."""
        return self.store.found_version

    @property
    def broken_files(self) -> frozenset[int]:
        """Files with units whose tokens are lost: to be indexed again."""
        return self.store.broken_files

    def count(self) -> int:
        """Number of units."""
        return self.store.count()

    def size_bytes(self) -> int:
        """Bytes of the index on disk."""
        return self.store.size_bytes()

    def file_ids(self) -> set[int]:
        """Files that have units."""
        return self.store.file_ids()

    def places(self) -> dict[int, tuple[str, float]]:
        """Path and time of change of every file, as its units have them."""
        return self.store.places()

    def file_rows(self, file_id: int) -> list[Row]:
        """A file's units in order."""
        return self.store.file_rows(file_id)

    def close(self) -> None:
        """Stop the encoder worker and let go of the store."""
        self._searcher.close()
        self.encoders.close()
        self.store.close()


def thumb_path(base: BaseDir, file_id: int, page: int | None) -> Path:
    """Where a file's (page's) thumbnail lies."""
    return base.thumbs / f"{file_id % 256:02x}" / f"{file_id}-{page or 0}.webp"
