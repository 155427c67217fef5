"""Routes for folders and files: status, problems, estimates, thumbnails, pages, text."""

from __future__ import annotations

import os
from typing import Annotated

from msgspec import Meta, Struct
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from engine.contract.errors import InklingError
from engine.contract.version import VERSION
from indexer.server.ports import Archives, Library, Reading
from indexer.server.request_types import (
    AskedPath,
    AskedPaths,
    Limit,
    Nothing,
    Page,
    Paths,
    as_json,
    checked_path,
    get,
    post,
)

Line = Annotated[int, Meta(ge=1)]


class AskedProblems(Struct):
    """Files without content, of one reason, state or rule, or all."""

    reason: str | None = None
    state: str | None = None
    rule: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 1000


class AskedRecent(Struct):
    """The newest files."""

    limit: Limit = 20


class AskedRetry(Struct):
    """These files, or all that failed."""

    paths: Paths | None = None

    def __post_init__(self) -> None:
        self.paths = None if self.paths is None else [checked_path(path) for path in self.paths]


class AskedFile(AskedPath):
    """A file in the index, or in an archive's."""

    archive: str = ""


class AskedThumbnail(AskedFile):
    """Of a picture, or of a page."""

    page: Page | None = None


class AskedRendering(AskedFile):
    """A page or picture of so many pixels' width."""

    page: Page | None = None
    width: Annotated[int, Meta(ge=16, le=6000)] = 1200


class AskedText(AskedFile):
    """The text of a file, of a page, or from one line to another."""

    page: Page | None = None
    first: Line | None = None
    last: Line | None = None


def library_routes(port: Library, archives: Archives) -> list[Route]:
    """Under /v1."""
    return [
        *_folder_routes(port),
        *_file_routes(port),
        *reading_routes(port, archives),
        *_drawing_routes(port, archives),
    ]


def reading_routes(port: Reading, archives: Archives | None = None) -> list[Route]:
    """What is told of files and changes nothing; only of files in the index, or in an archive's."""

    def status(_: Nothing) -> Response:
        return as_json({"version": VERSION, **port.status()})

    def problems(asked: AskedProblems) -> Response:
        return as_json(port.problems(asked.reason, asked.state, asked.rule, asked.limit))

    def recent(asked: AskedRecent) -> Response:
        return as_json({"files": port.recent(asked.limit)})

    def values(_: Nothing) -> Response:
        return as_json({"values": port.values()})

    def thumb(asked: AskedThumbnail) -> Response:
        if asked.archive:
            only = {"path": os.fsencode(asked.path), "page": asked.page}
            picture = _known(archives).picture(asked.archive, "/v1/thumb", only)
            return Response(picture, media_type="image/webp")
        found = port.thumbnail(asked.path, asked.page)
        if found is None:
            raise HTTPException(404, "There is no thumbnail of this.")
        return FileResponse(found, media_type="image/webp")

    def text(asked: AskedText) -> Response:
        first, last = asked.first, asked.last
        if asked.archive:
            only = {"path": os.fsencode(asked.path), "page": asked.page}
            only |= {"first": first, "last": last}
            return as_json({"text": _known(archives).text(asked.archive, only)})
        lines = None if first is None or last is None else (first, last)
        return as_json({"text": port.text(asked.path, asked.page, lines)})

    return [
        get("/v1/status", Nothing, status),
        get("/v1/problems", AskedProblems, problems),
        get("/v1/recent", AskedRecent, recent),
        get("/v1/values", Nothing, values),
        get("/v1/thumb", AskedThumbnail, thumb),
        get("/v1/text", AskedText, text),
    ]


def _known(archives: Archives | None) -> Archives:
    if archives is None:
        raise InklingError("This service knows of no other archives.", hint="Leave “archive” out.")
    return archives


def _folder_routes(port: Library) -> list[Route]:
    def add(asked: AskedPaths) -> Response:
        return as_json({"folders": port.add_folders(asked.paths)})

    def remove(asked: AskedPaths) -> Response:
        return as_json({"files": port.remove_folders(asked.paths)})

    def estimated(asked: AskedPaths) -> Response:
        return as_json(port.estimate(asked.paths))

    return [
        post("/v1/folders", AskedPaths, add),
        post("/v1/folders", AskedPaths, remove, "DELETE"),
        post("/v1/estimate", AskedPaths, estimated),
    ]


def _file_routes(port: Library) -> list[Route]:
    def retry(asked: AskedRetry) -> Response:
        return as_json({"files": port.retry(asked.paths)})

    def allow(asked: AskedPaths) -> Response:
        return as_json({"files": port.allow(asked.paths)})

    return [
        post("/v1/retry", AskedRetry, retry),
        post("/v1/allow", AskedPaths, allow),
    ]


def _drawing_routes(port: Library, archives: Archives) -> list[Route]:
    def render(asked: AskedRendering) -> Response:
        if asked.archive:
            only = {"path": os.fsencode(asked.path), "page": asked.page, "width": asked.width}
            picture = archives.picture(asked.archive, "/v1/render", only)
        else:
            picture = port.render(asked.path, asked.page, asked.width)
        return Response(picture, media_type="image/png")

    return [get("/v1/render", AskedRendering, render)]
