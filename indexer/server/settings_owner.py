"""Changing settings while the indexer runs: what takes hold at once, and what has to be redone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.contract.errors import InklingError
from engine.contract.kinds import PIXEL_KINDS
from engine.contract.settings import SETTINGS, Settings
from engine.models.files import ensure_usable
from engine.models.registry import model_spec

if TYPE_CHECKING:
    from indexer.server.service import Service

#: Settings that decide which files belong to the index.
_RULES = frozenset({"excluded", "hidden_files"})


def change_settings(service: Service, values: Mapping[str, object]) -> list[str]:
    """Check, save and follow new values; the keys that take hold when the indexer starts again.

    All or none: a wrong value is an InklingError and nothing is changed.
    """
    fresh = Settings.load(service.base)  # the window writes the same file
    for key, value in values.items():
        fresh.set(key, value)
    if "model" in values:
        _check_model(service, fresh)
    fresh.save()
    before, after = service.settings.as_dict(), fresh.as_dict()
    service.settings.update(after)  # the pipeline and the throttle look at this very object
    changed = {key for key in SETTINGS if before[key] != after[key]}
    _follow(service, changed)
    return sorted(key for key in changed if SETTINGS[key].restart == "indexer")


def _check_model(service: Service, fresh: Settings) -> None:
    """InklingError if the wanted model's weights or licence are missing; the file forgets it."""
    try:
        ensure_usable(model_spec(fresh.model), service.base)
    except InklingError:
        fresh.set("model", service.settings.model)
        fresh.save()
        raise


def _follow(service: Service, changed: set[str]) -> None:
    settings = service.settings
    if changed & _RULES:
        service.scanner.scan_all()
    if "model" in changed:
        service.models.follow()
    if "idle_minutes" in changed:
        service.engine.encoders.idle_s = settings.idle_minutes * 60.0
    if "memory_cap_mb" in changed:
        service.extractors.memory_bytes = settings.memory_cap_mb * 1_000_000
        service.extractors.release()  # a worker's limits are set when it starts
    if "withhold_secrets" in changed and settings.withhold_secrets:
        service.ledger.redo_all()  # nothing that is in the index was looked at
    elif redone := _redone(service, changed):
        service.ledger.requeue(redone)
    service.pipeline.wake()


def _redone(service: Service, changed: set[str]) -> list[int]:
    """Files whose state could now be another."""
    ledger, ids = service.ledger, set[int]()
    if "withhold_secrets" in changed:
        ids.update(record.id for record in ledger.files(state="withheld"))
    if "max_file_mb" in changed:
        ids.update(record.id for record in ledger.problems(reason="too-large"))
    if "ocr" in changed:
        ids.update(record.id for record in ledger.problems(reason="no-text"))
        if service.settings.ocr:
            done = ledger.files(state="done")
            ids.update(record.id for record in done if record.kind in PIXEL_KINDS)
    return sorted(ids)
