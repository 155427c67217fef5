"""Routes for models: which there are, their licence and weights, which one is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response

from engine.contract.errors import InklingError
from engine.models import files as model_files
from engine.models.files import ModelState, licence_notice
from engine.models.registry import ModelSpec, model_spec
from engine.models.sizes import recognise
from indexer.server.request_types import FilePath, as_json
from indexer.server.service import Service
from indexer.server.settings_owner import change_settings

Id = Annotated[str, Body(max_length=100)]
Accepted = Annotated[bool, Body()]


def add_model_routes(app: FastAPI, service: Service) -> None:
    """List, use, download, add, remove."""

    @app.get("/v1/models")
    def models() -> Response:
        return as_json(_overview(service))

    @app.post("/v1/models/use")
    def use(
        id: Id, licence_accepted: Accepted = False, download: Annotated[bool, Body()] = True
    ) -> Response:
        spec = _with_licence(service, id, licence_accepted)
        service.downloads.only_fetch()
        if download and not _is_here(service, spec):
            service.downloads.start(spec, lambda: _use(service, spec))
        else:
            service.downloads.cancel(spec)
            _use(service, spec)
        return as_json(_overview(service))

    @app.post("/v1/models/download")
    def get(id: Id, licence_accepted: Accepted = False) -> Response:
        spec = _with_licence(service, id, licence_accepted)
        if not spec.download_bytes:
            raise InklingError(f"{spec.title} is here already.")
        if not _is_here(service, spec):
            _not_in_use(service, spec)
            service.downloads.start(spec)
        return as_json(_overview(service))

    @app.post("/v1/models/add")
    def add(
        path: Annotated[FilePath, Body()],
        id: Annotated[str | None, Body(max_length=100)] = None,
        licence_accepted: Accepted = False,
    ) -> Response:
        spec = model_spec(id) if id else recognise(Path(path))
        _not_in_use(service, spec)
        _with_licence(service, spec.id, licence_accepted)
        service.downloads.cancel(spec)
        model_files.add(spec, service.base, Path(path))
        return as_json({"added": spec.id, **_overview(service)})

    @app.post("/v1/models/remove")
    def remove(id: Annotated[str, Body(embed=True, max_length=100)]) -> Response:
        spec = model_spec(id)
        _not_in_use(service, spec)
        service.downloads.cancel(spec)
        service.models.drop(spec)
        model_files.remove(spec, service.base)
        return as_json(_overview(service))


def _use(service: Service, spec: ModelSpec) -> None:
    model_files.ensure_usable(spec, service.base)
    change_settings(service, {"model": spec.id})


def _is_here(service: Service, spec: ModelSpec) -> bool:
    return model_files.state(spec, service.base).state in ("built in", "ready")


def _with_licence(service: Service, model: str, accepted: bool) -> ModelSpec:
    """The row, after the licence was accepted now or before; InklingError with its text if not."""
    spec = model_spec(model)
    if accepted and not model_files.licence_accepted(spec, service.base):
        model_files.accept_licence(spec, service.base)
    model_files.require_licence(spec, service.base)
    return spec


def _not_in_use(service: Service, spec: ModelSpec) -> None:
    """InklingError if the model's weights are read now."""
    if spec.id in (service.engine.spec.id, service.settings.model):
        raise InklingError(
            f"{spec.title} is in use.", hint="Choose another with `inkling model use ID` first."
        )


def _overview(service: Service) -> dict[str, Any]:
    """Every model; `current` answers, `next` is being built or fetched to take its place."""
    building = service.models.progress()
    rows = [_row(service, state, building) for state in model_files.states(service.base)]
    return {
        "models": rows,
        "current": service.engine.spec.id,
        "next": building["id"] if building else None,
    }


def _row(service: Service, state: ModelState, building: dict[str, Any] | None) -> dict[str, Any]:
    spec = state.spec
    activity, progress, error = _activity(service, spec, building)
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
        "in_use": spec.id == service.engine.spec.id,
        "index_bytes": service.models.size_bytes(spec),
        "activity": activity,
        "progress": progress,
        "error": error,
    }


def _activity(
    service: Service, spec: ModelSpec, building: dict[str, Any] | None
) -> tuple[str | None, float | None, dict[str, str] | None]:
    """“downloading” or “building”, the part that is done, and what stands against it."""
    if (fetched := service.downloads.progress(spec)) is not None:
        return "downloading", fetched.done / max(fetched.total, 1), None
    if building is not None and building["id"] == spec.id:
        return "building", building["done"] / max(building["total"], 1), building["error"]
    error = service.downloads.error(spec)
    said = None if error is None else {"message": error.message, "hint": error.hint}
    return None, None, said
