"""Engine: the library's front door. Add files' units, remove files, search."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Answer, Encoding, FileFacts, Query, TextInput, Unit
from engine.encoders.documents import assemble, groups
from engine.encoders.pool import EncoderPool
from engine.models.registry import ModelSpec
from engine.search.late_interaction import pool, quantise
from engine.search.searcher import NameLane, Searcher
from engine.search.similar import Similar
from engine.store import Reword, Store, StoredUnit
from engine.store.segments import TokenRecord


class Engine:
    """One model's space: its encoder worker, its store and the search over both.

    Thread-safe for searching and encoding; the writing methods (`replace`, `delete`, `move`,
    `maintain`) belong to one thread.
    """

    def __init__(
        self,
        base: BaseDir,
        spec: ModelSpec,
        names: NameLane,
        *,
        alive: Callable[[int], bool] = lambda file_id: True,
        idle_s: float = 60.0,
        threads: int | None = None,
    ) -> None:
        self.spec = spec
        self.store = Store.open(base.store, spec.space, spec.dim)
        self.encoders = EncoderPool(spec, base, idle_s=idle_s, threads=threads)
        self.searcher = Searcher(self.store, self.encoders, spec, names, alive=alive)
        self._similar = Similar(self.store, self.encoders, spec, alive)
        self._writing = threading.Lock()

    def search(self, query: Query, limit: int = 20) -> Iterator[Answer]:
        """Answers in stages: names, fused, rescored; each replaces the one before."""
        return self.searcher.search(query, limit)

    def similar(self, file_id: int, limit: int = 20) -> Answer:
        """Files like an indexed one."""
        return self._similar.find(file_id, limit)

    def explain(self, query: Query, file_id: int) -> dict[str, object]:
        """A file's rank and score in each lane, fused and rescored."""
        return self.searcher.explain(query, file_id)

    def encode(self, units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
        """Encode units for the store: pixels where the model sees and the unit has them."""
        encodings: dict[int, Encoding] = {}
        for adapter in self.spec.adapters:
            mine = [i for i, (_, unit) in enumerate(units) if unit.adapter == adapter]
            seen = [i for i in mine if self._sees(units[i][1])]
            read = [i for i in mine if not self._sees(units[i][1])]
            encodings |= self._encode_images(units, seen, adapter)
            if self.spec.late_chunking:
                documents, read = groups([(i, units[i][1]) for i in read])
                for chosen in documents:
                    encodings |= self._encode_document(units, chosen, adapter)
            encodings |= self._encode_texts(units, read, adapter)
        return [
            StoredUnit(unit, facts, e.single, self._record(unit, e), e.note)
            for (facts, unit), e in zip(units, map(encodings.get, range(len(units))), strict=True)
            if e is not None
        ]

    def _sees(self, unit: Unit) -> bool:
        return unit.image is not None and "image" in self.spec.modalities

    def _encode_texts(
        self, units: Sequence[tuple[FileFacts, Unit]], chosen: Sequence[int], adapter: Adapter
    ) -> dict[int, Encoding]:
        if not chosen:
            return {}
        inputs = [TextInput(units[i][1].text, units[i][1].context) for i in chosen]
        return dict(zip(chosen, self.encoders.encode_texts(inputs, adapter), strict=True))

    def _encode_document(
        self, units: Sequence[tuple[FileFacts, Unit]], chosen: Sequence[int], adapter: Adapter
    ) -> dict[int, Encoding]:
        """Units of one file in one forward: each is read with what stands before it."""
        document = assemble([units[i][1] for i in chosen])
        made = self.encoders.encode_chunks(document.text, document.spans, document.context, adapter)
        return dict(zip(chosen, made, strict=True))

    def _encode_images(
        self, units: Sequence[tuple[FileFacts, Unit]], chosen: Sequence[int], adapter: Adapter
    ) -> dict[int, Encoding]:
        if not chosen:
            return {}
        images = [str(units[i][1].image) for i in chosen]
        return dict(zip(chosen, self.encoders.encode_images(images, adapter), strict=True))

    def _record(self, unit: Unit, encoding: Encoding) -> TokenRecord:
        """The compressed multi-vector with the origin of each token and the unit's word boxes."""
        pooled = pool(
            encoding.tokens, self.spec.pool_factor, spans=encoding.spans, boxes=encoding.boxes
        )
        boxes = pooled.boxes
        return TokenRecord(
            tokens=quantise(pooled.tokens),
            spans=pooled.spans,
            boxes=None if boxes is None else _to_uint16(boxes),
            word_spans=np.array([(w.start, w.end) for w in unit.words], np.int32).reshape(-1, 2),
            word_boxes=_to_uint16(np.array([w.box for w in unit.words], np.float32).reshape(-1, 4)),
        )

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

    def close(self) -> None:
        """Stop the encoder worker and let go of the store."""
        self.searcher.close()
        self.encoders.close()
        self.store.close()


def _to_uint16(boxes: NDArray[np.float32]) -> NDArray[np.uint16]:
    """[n, 4] fractions of page or picture -> 1/65535."""
    return np.clip(boxes * 65535, 0, 65535).astype(np.uint16)


def thumb_path(base: BaseDir, file_id: int, page: int | None) -> Path:
    """Where a file's (page's) thumbnail lies."""
    return base.thumbs / f"{file_id % 256:02x}" / f"{file_id}-{page or 0}.webp"
