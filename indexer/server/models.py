"""Models: which there are, their licence and weights, which one is used and which is to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.contract.errors import InklingError
from engine.models import files as model_files
from engine.models.files import ModelState, licence_notice
from engine.models.libraries import missing
from engine.models.offers import has_card, recommended, speed
from engine.models.registry import ModelSpec, Role, model_spec, spec_for
from engine.models.served import served
from engine.models.sizes import recognise
from indexer.indexing.activation import ModelActivation
from indexer.indexing.both_spaces import PICTURES
from indexer.indexing.downloads import Downloads
from indexer.indexing.index import Index
from indexer.indexing.seeing import sees_pictures
from indexer.server.settings import SettingsOwner

#: Where it stands which model has a role.
_SETTING: dict[Role, str] = {"text": "model", "sight": "sight_model"}


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

    def use(
        self, model: str, *, licence_accepted: bool, download: bool, role: Role = "text"
    ) -> dict[str, Any]:
        """Have this model wanted in a role from now on, after its weights are here; "" leaves the
        role of sight to the model that reads."""
        self._downloads.only_fetch()
        if role == "sight" and not model:
            self._settings.change({"sight_model": ""})
            return self.overview()
        spec_for(role, model)
        spec = self._with_licence(model, licence_accepted)
        if download and not self._is_here(spec):
            self._downloads.start(spec, lambda: self._want(spec, role))
        else:
            self._downloads.cancel(spec)
            self._want(spec, role)
        return self.overview()

    def download(self, model: str, *, licence_accepted: bool) -> dict[str, Any]:
        """Begin to fetch its weights, or go on."""
        spec = self._with_licence(model, licence_accepted)
        if not spec.download_bytes:
            raise InklingError("{title} is here already.", told={"title": spec.title})
        if not model_files.weights_here(spec, self._base):
            # Else it can't run, or runs elsewhere: nothing reads what has to come.
            if not missing(spec) and not self._is_served(spec):
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
        self._index.seeing.drop(spec)
        model_files.remove(spec, self._base)
        return self.overview()

    def overview(self) -> dict[str, Any]:
        """Every model; `current` answers, `next` is being built to take its place; `sight`: of the
        model that is to see pictures, how far it is."""
        building, seeing = self._activation.progress(), self._index.seeing.progress()
        return {
            "models": [
                self._row(state, building, seeing) for state in model_files.states(self._base)
            ],
            "current": self._index.engine.spec.id,
            "next": building["id"] if building else None,
            "sight": seeing,
            "offer": self._offer(),
        }

    def _offer(self) -> dict[str, Any] | None:
        """The sight model that suits this machine and what it means for this person's pictures;
        None where pictures are seen already, or there are none."""
        index = self._index
        pictures = len(index.ledger.contents_of(PICTURES))
        if not pictures or index.seeing.wanted or "image" in index.engine.spec.modalities:
            return None
        spec = recommended()
        told = speed(spec, None, card=has_card(), threads=index.encoder_threads)
        return {
            "id": spec.id,
            "title": spec.title,
            "download_bytes": 0 if self._is_here(spec) else spec.download_bytes,
            "licence": spec.licence,
            "commercial_use": spec.commercial_use,
            "pictures": pictures,
            "seconds": None if told is None else round(told.seconds * pictures),
            "how": None if told is None else told.how,
        }

    def pause(self, model: str) -> dict[str, Any]:
        """Stop its download; what is here is kept, and `download` or `use` goes on from there."""
        self._downloads.cancel(model_spec(model))
        return self.overview()

    def _want(self, spec: ModelSpec, role: Role) -> None:
        model_files.ensure_usable(spec, self._base)
        self._settings.change({_SETTING[role]: spec.id})

    def _is_here(self, spec: ModelSpec) -> bool:
        """Whether it can be used: by the weights, or by another machine that has them."""
        return model_files.weights_here(spec, self._base) or self._is_served(spec)

    def _is_served(self, spec: ModelSpec) -> bool:
        """Whether another machine encodes with it in place of weights here."""
        here = model_files.weights_here(spec, self._base)
        return not here and served(spec, self._base) is not None

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
                "{title} is in use.",
                hint="Choose another with `inkling model use ID` first.",
                told={"title": spec.title},
            )
        seeing = self._index.seeing.model
        sees = None if seeing is None else seeing.spec.id
        if spec.id in (sees, self._index.settings.sight_model):
            raise sees_pictures(spec)

    def _row(
        self,
        state: ModelState,
        building: dict[str, Any] | None,
        seeing: dict[str, Any] | None,
    ) -> dict[str, Any]:
        spec, sees = state.spec, self._index.seeing.model
        activity, progress, error = self._activity(spec, building, seeing)
        return {
            "id": spec.id,
            "title": spec.title,
            "licence": spec.licence,
            "notice": licence_notice(spec),
            "commercial_use": spec.commercial_use,
            "licence_accepted": state.licence_accepted,
            "download_bytes": spec.download_bytes,
            "modalities": sorted(spec.modalities),
            "roles": sorted(spec.roles),
            "source": spec.source,
            "figures": [figure._asdict() for figure in spec.figures],
            "recommended": spec.id == recommended().id,
            "state": state.state,
            "available": self._is_here(spec),
            "served": self._is_served(spec),
            "folder": None if state.folder is None else str(state.folder),
            "bytes": state.bytes,
            "in_use": spec.id == self._index.engine.spec.id,
            "sees": sees is not None and spec.id == sees.spec.id,
            "index_bytes": self._activation.size_bytes(spec) + self._index.seeing.size_bytes(spec),
            "activity": activity,
            "progress": progress,
            "error": error,
        }

    def _activity(
        self,
        spec: ModelSpec,
        building: dict[str, Any] | None,
        seeing: dict[str, Any] | None,
    ) -> tuple[str | None, float | None, dict[str, str] | None]:
        """“downloading”, “building” or “seeing”, the part that is done, and what stands against
        it."""
        if (fetched := self._downloads.progress(spec)) is not None:
            return "downloading", fetched.done / max(fetched.total, 1), None
        if building is not None and building["id"] == spec.id:
            return "building", building["done"] / max(building["total"], 1), building["error"]
        if seeing is not None and seeing["id"] == spec.id:
            done, total = seeing["seen"], seeing["pictures"]
            if seeing["error"] or not seeing["in_use"] or done < total:
                return "seeing", done / max(total, 1), seeing["error"]
        error = self._downloads.error(spec)
        said = None if error is None else {"message": error.message, "hint": error.hint}
        return None, None, said
