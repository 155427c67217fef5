"""Routes for models: list, use, download, add, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Body, FastAPI, Response

from indexer.server.ports import Models
from indexer.server.request_types import AskedPath, FilePath, as_json

Id = Annotated[str, Body(max_length=100)]
Accepted = Annotated[bool, Body()]


def add_model_routes(app: FastAPI, port: Models) -> None:
    @app.get("/v1/models")
    def models() -> Response:
        return as_json(port.overview())

    @app.get("/v1/models/recognise")
    def recognised(path: AskedPath) -> Response:
        return as_json({"id": port.recognise(Path(path))})

    @app.post("/v1/models/use")
    def use(
        id: Id, licence_accepted: Accepted = False, download: Annotated[bool, Body()] = True
    ) -> Response:
        return as_json(port.use(id, licence_accepted=licence_accepted, download=download))

    @app.post("/v1/models/download")
    def get(id: Id, licence_accepted: Accepted = False) -> Response:
        return as_json(port.download(id, licence_accepted=licence_accepted))

    @app.post("/v1/models/add")
    def add(
        path: Annotated[FilePath, Body()],
        id: Annotated[str | None, Body(max_length=100)] = None,
        licence_accepted: Accepted = False,
    ) -> Response:
        return as_json(port.add(Path(path), id, licence_accepted=licence_accepted))

    @app.post("/v1/models/remove")
    def remove(id: Annotated[str, Body(embed=True, max_length=100)]) -> Response:
        return as_json(port.remove(id))
