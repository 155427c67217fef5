"""Routes for faces that show files: thumbnails, pages, text; only what is in the index."""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Response
from fastapi.responses import FileResponse

from engine.contract.errors import InklingError
from indexer.ledger.roots_file import inside
from indexer.server.request_types import MAX_LIMIT, AskedPath, as_json
from indexer.server.service import Service
from indexer.server.stored_text import text_of

Page = Annotated[int | None, Query(ge=1, le=1_000_000)]
Line = Annotated[int | None, Query(ge=1)]


def add_file_routes(app: FastAPI, service: Service) -> None:
    """Thumb, render, text, recent."""

    @app.get("/v1/thumb")
    def thumb(path: AskedPath, page: Page = None) -> Response:
        found = service.thumbnail(path, page)
        if found is None:
            raise HTTPException(404, "There is no thumbnail of this.")
        return FileResponse(found, media_type="image/webp")

    @app.get("/v1/render")
    def render(
        path: AskedPath, page: Page = None, width: Annotated[int, Query(ge=16, le=6000)] = 1200
    ) -> Response:
        png = service.extractors.render(_shown(service, path), page, width)
        return Response(png, media_type="image/png")

    @app.get("/v1/text")
    def text(path: AskedPath, page: Page = None, first: Line = None, last: Line = None) -> Response:
        lines = None if first is None or last is None else (first, last)
        return as_json({"text": text_of(service, path, page, lines)})

    @app.get("/v1/recent")
    def recent(limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20) -> Response:
        return as_json(
            {
                "files": [
                    {
                        "path": record.path,
                        "kind": record.kind,
                        "mtime": record.mtime_ns / 1e9,
                        "size": record.size,
                    }
                    for record in service.ledger.recent(limit)
                ]
            }
        )


def _shown(service: Service, path: str) -> str:
    """The path of a file that may be drawn: in the index, not withheld, still in its folder."""
    record = service.indexed(path)
    if record.state == "withheld":
        raise InklingError(
            f"{path} is withheld.", hint="Index it after all with `inkling allow`.", path=path
        )
    # What was a file when it was indexed may be a link by now.
    root = os.path.realpath(service.root_of(record.path))
    if not inside(os.path.realpath(record.path), root):
        raise InklingError(f"{path} leads out of the watched folders.", path=path)
    return record.path
