"""Models: which there are, their licence and weights, which one is used and which is to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.contract.errors import InklingError
from engine.models import files as model_files
from engine.models.files import ModelState, licence_notice
from engine.models.registry import ModelSpec, model_spec
from engine.models.sizes import recognise
from indexer.indexing.activation import ModelActivation
from indexer.indexing.downloads import Downloads
from indexer.indexing.index import Index
from indexer.server.settings import SettingsOwner


class IndexModels:
    """The port `Models`; for any thread."""

    def __init__(
        self,
        index: Index,
        activation: ModelActivation,
        downloads: Downloads,
        settings: SettingsOwner,
    ) -> None:
        self._index, self._activation = index, activation
        self._downloads, self._settings = downloads, settings
        self._base = index.base

    def recognise(self, folder: Path) -> str:
        """The id of the model whose weights a folder holds."""
        return recognise(folder).id

    def use(self, model: str, *, licence_accepted: bool, download: bool) -> dict[str, Any]:
        """Have this model wanted from now on, after its weights are here."""
        spec = self._with_licence(model, licence_accepted)
        self._downloads.only_fetch()
        if download and not self._is_here(spec):
            self._downloads.start(spec, lambda: self._want(spec))
        else:
            self._downloads.cancel(spec)
            self._want(spec)
        return self.overview()

    def download(self, model: str, *, licence_accepted: bool) -> dict[str, Any]:
        """Begin to fetch its weights, or go on."""
        spec = self._with_licence(model, licence_accepted)
        if not spec.download_bytes:
            raise InklingError(f"{spec.title} is here already.")
        if not self._is_here(spec):
            self._check_not_in_use(spec)
            self._downloads.start(spec)
        return self.overview()

    def add(self, folder: Path, model: str | None, *, licence_accepted: bool) -> dict[str, Any]:
        """Use the weights in a folder, where they are."""
        spec = model_spec(model) if model else recognise(folder)
        self._check_not_in_use(spec)
        self._with_licence(spec.id, licence_accepted)
        self._downloads.cancel(spec)
        model_files.add(spec, self._base, folder)
        return {"added": spec.id, **self.overview()}

    def remove(self, model: str) -> dict[str, Any]:
        """Delete its weights and its index."""
        spec = model_spec(model)
        self._check_not_in_use(spec)
        self._downloads.cancel(spec)
        self._activation.drop(spec)
        model_files.remove(spec, self._base)
        return self.overview()

    def overview(self) -> dict[str, Any]:
        """Every model; `current` answers, `next` is being built or fetched to take its place."""
        building = self._activation.progress()
        return {
            "models": [self._row(state, building) for state in model_files.states(self._base)],
            "current": self._index.engine.spec.id,
            "next": building["id"] if building else None,
        }

    def _want(self, spec: ModelSpec) -> None:
        model_files.ensure_usable(spec, self._base)
        self._settings.change({"model": spec.id})

    def _is_here(self, spec: ModelSpec) -> bool:
        return model_files.state(spec, self._base).state in ("built in", "ready")

    def _with_licence(self, model: str, accepted: bool) -> ModelSpec:
        """The row, after the licence was accepted now or before; InklingError with it if not."""
        spec = model_spec(model)
        if accepted and not model_files.licence_accepted(spec, self._base):
            model_files.accept_licence(spec, self._base)
        model_files.require_licence(spec, self._base)
        return spec

    def _check_not_in_use(self, spec: ModelSpec) -> None:
        """InklingError if the model's weights are read now."""
        if spec.id in (self._index.engine.spec.id, self._index.settings.model):
            raise InklingError(
                f"{spec.title} is in use.",
                hint="Choose another with `inkling model use ID` first.",
            )

    def _row(self, state: ModelState, building: dict[str, Any] | None) -> dict[str, Any]:
        spec = state.spec
        activity, progress, error = self._activity(spec, building)
        return {
            "id": spec.id,
            "title": spec.title,
            "licence": spec.licence,
            "notice": licence_notice(spec),
            "commercial_use": spec.commercial_use,
            "licence_accepted": state.licence_accepted,
            "download_bytes": spec.download_bytes,
            "modalities": sorted(spec.modalities),
            "source": spec.source,
            "state": state.state,
            "available": state.state in ("built in", "ready"),
            "folder": None if state.folder is None else str(state.folder),
            "bytes": state.bytes,
            "in_use": spec.id == self._index.engine.spec.id,
            "index_bytes": self._activation.size_bytes(spec),
            "activity": activity,
            "progress": progress,
            "error": error,
        }

    def _activity(
        self, spec: ModelSpec, building: dict[str, Any] | None
    ) -> tuple[str | None, float | None, dict[str, str] | None]:
        """“downloading” or “building”, the part that is done, and what stands against it."""
        if (fetched := self._downloads.progress(spec)) is not None:
            return "downloading", fetched.done / max(fetched.total, 1), None
        if building is not None and building["id"] == spec.id:
            return "building", building["done"] / max(building["total"], 1), building["error"]
        error = self._downloads.error(spec)
        said = None if error is None else {"message": error.message, "hint": error.hint}
        return None, None, said
