"""Routes for models: list, use, download, add, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.routing import Route

from engine.models.registry import Role
from indexer.server.ports import Models
from indexer.server.request_types import AskedPath, Nothing, as_json, get, post

Id = Annotated[str, Meta(max_length=100)]


class AskedModel(Struct):
    """One of the models there are."""

    id: Id
    licence_accepted: bool = False


class AskedUse(AskedModel):
    """To be in use; fetched first where it may be."""

    download: bool = True
    role: Role = "text"


class AskedAdding(AskedPath):
    """Weights in a folder."""

    id: Id | None = None
    licence_accepted: bool = False


def model_routes(port: Models) -> list[Route]:
    """Under /v1."""

    def models(_: Nothing) -> Response:
        return as_json(port.overview())

    def recognised(asked: AskedPath) -> Response:
        return as_json({"id": port.recognise(Path(asked.path))})

    def use(asked: AskedUse) -> Response:
        accepted = asked.licence_accepted
        made = port.use(
            asked.id, licence_accepted=accepted, download=asked.download, role=asked.role
        )
        return as_json(made)

    def download(asked: AskedModel) -> Response:
        return as_json(port.download(asked.id, licence_accepted=asked.licence_accepted))

    def pause(asked: AskedModel) -> Response:
        return as_json(port.pause(asked.id))

    def add(asked: AskedAdding) -> Response:
        accepted = asked.licence_accepted
        return as_json(port.add(Path(asked.path), asked.id, licence_accepted=accepted))

    def remove(asked: AskedModel) -> Response:
        return as_json(port.remove(asked.id))

    return [
        get("/v1/models", Nothing, models),
        get("/v1/models/recognise", AskedPath, recognised),
        post("/v1/models/use", AskedUse, use),
        post("/v1/models/download", AskedModel, download),
        post("/v1/models/pause", AskedModel, pause),
        post("/v1/models/add", AskedAdding, add),
        post("/v1/models/remove", AskedModel, remove),
    ]
