"""What a changed setting means for a running indexer: what takes hold, what is done again."""

from __future__ import annotations

from collections.abc import Set

from engine.contract.kinds import PIXEL_KINDS
from engine.contract.settings import Settings
from indexer.indexing.activation import ModelActivation
from indexer.indexing.index import Index
from indexer.ledger.ledger import Ledger
from indexer.reading.extract.base import READ_IN_PART
from indexer.reading.pool import ExtractorPool
from indexer.sources.scanner import Scanner

#: Settings that decide which files belong to the index.
_RULES = frozenset({"excluded", "hidden_files"})


class SettingsEffects:
    """Has the parts of the indexer follow settings that have another value now."""

    def __init__(
        self, index: Index, scanner: Scanner, activation: ModelActivation, extractors: ExtractorPool
    ) -> None:
        self._index, self._scanner = index, scanner
        self._activation, self._extractors = activation, extractors

    def follow(self, changed: Set[str]) -> None:
        """`changed`: keys; the values are in the index's settings already."""
        index, settings = self._index, self._index.settings
        if changed & _RULES:
            self._scanner.scan_all()
        if "model" in changed:
            self._activation.follow()
        if changed & {"model", "sight_model"}:
            index.seeing.follow()
        if "idle_minutes" in changed:
            index.engine.set_idle(settings.idle_minutes * 60.0)
            index.seeing.set_idle(settings.idle_minutes * 60.0)
        if "memory_cap_mb" in changed:
            self._extractors.memory_bytes = settings.memory_cap_mb * 1_000_000
            self._extractors.release()  # a worker's limits are set when it starts
        if "withhold_secrets" in changed and settings.withhold_secrets:
            index.ledger.redo_all()  # nothing that is in the index was looked at
        elif redone := _redone(index.ledger, settings, changed):
            index.ledger.requeue(redone)
        index.wake()


def _redone(ledger: Ledger, settings: Settings, changed: Set[str]) -> list[int]:
    """Files whose state could now be another."""
    ids = set[int]()
    if "withhold_secrets" in changed:
        ids.update(record.id for record in ledger.files(state="withheld"))
    if "max_file_mb" in changed:
        ids.update(record.id for record in ledger.problems(reason="too-large"))
    if "max_text" in changed:
        done = ledger.files(state="done")
        ids.update(record.id for record in done if READ_IN_PART in record.detail)
    if "ocr" in changed:
        ids.update(record.id for record in ledger.problems(reason="no-text"))
        if settings.ocr:
            done = ledger.files(state="done")
            ids.update(record.id for record in done if record.kind in PIXEL_KINDS)
    return sorted(ids)
