"""Routes for folders and files: status, problems, estimates, thumbnails, pages, text."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, HTTPException, Query, Response
from fastapi.responses import FileResponse

from engine.contract.version import VERSION
from indexer.server.ports import Library
from indexer.server.request_types import MAX_LIMIT, AskedPath, FilePath, FilePaths, as_json

Page = Annotated[int | None, Query(ge=1, le=1_000_000)]
Line = Annotated[int | None, Query(ge=1)]


def add_library_routes(app: FastAPI, port: Library) -> None:
    _add_folder_routes(app, port)
    _add_file_routes(app, port)
    _add_view_routes(app, port)


def _add_folder_routes(app: FastAPI, port: Library) -> None:
    @app.get("/v1/status")
    def status() -> Response:
        return as_json({"version": VERSION, **port.status()})

    @app.post("/v1/folders")
    def add(paths: FilePaths) -> Response:
        return as_json({"folders": port.add_folders(paths)})

    @app.delete("/v1/folders")
    def remove(paths: FilePaths) -> Response:
        return as_json({"files": port.remove_folders(paths)})

    @app.post("/v1/estimate")
    def estimated(paths: FilePaths) -> Response:
        return as_json(port.estimate(paths))


def _add_file_routes(app: FastAPI, port: Library) -> None:
    @app.get("/v1/problems")
    def problems(
        reason: str | None = None,
        state: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
    ) -> Response:
        return as_json(port.problems(reason, state, limit))

    @app.get("/v1/recent")
    def recent(limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20) -> Response:
        return as_json({"files": port.recent(limit)})

    @app.post("/v1/retry")
    def retry(paths: Annotated[list[FilePath] | None, Body(embed=True)] = None) -> Response:
        return as_json({"files": port.retry(paths)})

    @app.post("/v1/allow")
    def allow(paths: FilePaths) -> Response:
        return as_json({"files": port.allow(paths)})


def _add_view_routes(app: FastAPI, port: Library) -> None:
    """What front ends show of a file; only of files in the index."""

    @app.get("/v1/thumb")
    def thumb(path: AskedPath, page: Page = None) -> Response:
        found = port.thumbnail(path, page)
        if found is None:
            raise HTTPException(404, "There is no thumbnail of this.")
        return FileResponse(found, media_type="image/webp")

    @app.get("/v1/render")
    def render(
        path: AskedPath, page: Page = None, width: Annotated[int, Query(ge=16, le=6000)] = 1200
    ) -> Response:
        return Response(port.render(path, page, width), media_type="image/png")

    @app.get("/v1/text")
    def text(path: AskedPath, page: Page = None, first: Line = None, last: Line = None) -> Response:
        lines = None if first is None or last is None else (first, last)
        return as_json({"text": port.text(path, page, lines)})
