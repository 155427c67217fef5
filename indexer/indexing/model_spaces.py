"""The spaces of models on disk: which model is in use, what lies there, what is taken away."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.models.files import ensure_usable
from engine.models.registry import DEFAULT_MODEL, MODELS, ModelSpec, model_spec
from engine.models.sizes import as_found
from engine.store import drop_space, list_spaces, table_name
from indexer.ledger.ledger import Ledger
from indexer.ledger.spaces import Spaces

log = logging.getLogger(__name__)


def model_in_use(ledger: Ledger, settings: Settings, base: BaseDir) -> ModelSpec:
    """The model in use at the start; in a new ledger the wanted one, if it can be."""
    spaces = Spaces(ledger)
    if spaces.model not in MODELS:
        spaces.start_with(_first_usable(settings.model, base))
    return as_found(model_spec(spaces.model), base)


def _first_usable(wanted: str, base: BaseDir) -> str:
    """The wanted model, else the default, else whatever comes with Inkling and is here."""
    embedded = (spec.id for spec in MODELS.values() if not spec.download_bytes)
    for model in (wanted, DEFAULT_MODEL, *embedded):
        try:
            ensure_usable(model_spec(model), base)
        except InklingError as error:
            log.error("%s", error)
        else:
            return model
    return DEFAULT_MODEL  # it says what it lacks when it is to be loaded


def spaces_of(spec: ModelSpec, store: Path, spaces: Spaces) -> set[str]:
    """A model's spaces, those of earlier weights and versions included."""
    names = {*list_spaces(store), *spaces.known()}
    return {name for name in names if name.startswith(f"{spec.id}-")}


def drop_outdated(store: Path, spaces: Spaces) -> None:
    """Remove the spaces of models that come with Inkling as earlier versions made them."""
    for spec in (spec for spec in MODELS.values() if not spec.download_bytes):
        for space in spaces_of(spec, store, spaces) - {spec.space}:
            log.info("the index of an earlier %s is removed", spec.title)
            drop_space(store, space)
            spaces.forget(space)


def drop_others(store: Path, *kept: str) -> None:
    """Remove every space but these: they are of another ledger, whose file ids mean nothing
    here."""
    for space in set(list_spaces(store)) - {*map(table_name, kept)}:
        drop_space(store, space)


def size_bytes(spec: ModelSpec, store: Path, spaces: Spaces) -> int:
    """Bytes on disk of a model's spaces."""
    folders = (
        store / f"{table_name(space)}{end}"
        for space in spaces_of(spec, store, spaces)
        for end in (".lance", ".segments")
    )
    return sum(folder_bytes(folder) for folder in folders)


def folder_bytes(folder: Path) -> int:
    """Bytes of the files below a folder; maintenance may be removing some of them."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total
