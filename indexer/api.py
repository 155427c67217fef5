"""The HTTP API: loopback only, token on every call, Host and Origin checked, answers in stages."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from engine.errors import REASONS, InklingError
from engine.types import Answer, Filters, Hit
from indexer.explain import explain
from indexer.extract.base import ExtractError
from indexer.service import Service

VERSION = "0.1.0"
MAX_BODY = 1_000_000
MAX_LIMIT = 500
MAX_QUERY = 10_000

Paths = Annotated[list[str], Body(embed=True, max_length=1000)]
Call = Callable[[Request], Awaitable[Response]]


def make_app(service: Service, token: str, port: Callable[[], int]) -> FastAPI:
    """The application; `port` tells the port once the socket is bound."""
    app = FastAPI(title="Inkling", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def guard(request: Request, call: Call) -> Response:
        refusal = _refusal(request, token, port())
        return await call(request) if refusal is None else refusal

    @app.exception_handler(InklingError)
    async def readable(_: Request, error: InklingError) -> Response:
        return _error(400, error.message, error.hint, error.path)

    @app.exception_handler(ExtractError)
    async def unreadable(_: Request, error: ExtractError) -> Response:
        return _error(422, REASONS[error.reason].sentence, "Open it with its own program.")

    _search_routes(app, service)
    _folder_routes(app, service)
    _file_routes(app, service)
    return app


def _refusal(request: Request, token: str, port: int) -> Response | None:
    """Why a call is not answered: another host's page, no token, too long a body."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
    if request.headers.get("host") not in hosts:  # DNS rebinding comes with a foreign name
        return _error(403, "This name is not answered.", "Use 127.0.0.1.")
    if request.headers.get("origin") is not None:
        return _error(403, "Web pages are not answered.", "Use the command line or the window.")
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return _error(401, "The token is missing or wrong.", "It is in run/endpoint.json.")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY or "transfer-encoding" in request.headers:
        return _error(413, "The request is too long.", f"At most {MAX_BODY} bytes.")
    return None


def _error(status: int, message: str, hint: str = "", path: str | None = None) -> Response:
    return JSONResponse({"error": {"message": message, "hint": hint, "path": path}}, status)


def _json(value: Any) -> Response:
    # Not JSONResponse: names that are not UTF-8 travel as escaped surrogates.
    return Response(json.dumps(value), media_type="application/json")


def _search_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/search")
    def search(
        query: Annotated[str, Body(max_length=MAX_QUERY)] = "",
        image: Annotated[str | None, Body()] = None,
        limit: Annotated[int, Body(ge=1, le=MAX_LIMIT)] = 20,
        filters: Annotated[dict[str, Any] | None, Body()] = None,
        stages: Annotated[bool, Body()] = False,
    ) -> Response:
        answers = service.search(query, image=image, limit=limit, filters=_filters(filters))
        if not stages:
            *_, last = answers
            return _json(answer_dict(last))
        first = next(answers)  # a wrong picture is an error, not a broken stream
        return StreamingResponse(_lines(first, answers), media_type="application/x-ndjson")

    @app.post("/v1/similar")
    def similar(
        path: Annotated[str, Body()], limit: Annotated[int, Body(ge=1, le=MAX_LIMIT)] = 20
    ) -> Response:
        return _json(answer_dict(service.similar(path, limit)))

    @app.get("/v1/explain")
    def explained(path: str, query: str | None = None) -> Response:
        return _json(explain(service, path, query))


def _filters(given: dict[str, Any] | None) -> Filters | None:
    if given is None:
        return None
    try:
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in given.items()
        }
        return Filters(**values)
    except TypeError:
        known = ", ".join(Filters.__dataclass_fields__)
        raise InklingError("There is a filter that Inkling does not know.", hint=known) from None


def _lines(first: Answer, rest: Iterator[Answer]) -> Iterator[bytes]:
    yield json.dumps(answer_dict(first)).encode() + b"\n"
    for answer in rest:
        yield json.dumps(answer_dict(answer)).encode() + b"\n"


def _folder_routes(app: FastAPI, service: Service) -> None:
    @app.get("/v1/status")
    def status() -> Response:
        return _json({"version": VERSION, **service.status()})

    @app.get("/v1/problems")
    def problems(
        reason: str | None = None, state: str | None = None, limit: int = 1000
    ) -> Response:
        found = service.ledger.problems(reason, state, limit)
        return _json(
            {
                "problems": [
                    {
                        "path": record.path,
                        "state": record.state,
                        "reason": record.reason,
                        "sentence": REASONS[record.reason].sentence,
                        "detail": record.detail,
                        "retry": REASONS[record.reason].retry,
                    }
                    for record in found
                ],
                "counts": service.ledger.reasons(),
            }
        )

    @app.post("/v1/folders")
    def add(paths: Paths) -> Response:
        return _json({"folders": [root.path for root in service.add_folders(paths)]})

    @app.delete("/v1/folders")
    def remove(paths: Paths) -> Response:
        return _json({"files": service.remove_folders(paths)})

    @app.post("/v1/pause")
    def pause(seconds: Annotated[float | None, Body(embed=True, ge=1)] = None) -> Response:
        service.pause(seconds)
        return _json({"state": service.state()})

    @app.post("/v1/resume")
    def resume() -> Response:
        service.resume()
        return _json({"state": service.state()})

    @app.post("/v1/stop")
    def stop() -> Response:
        service.stopped.set()
        return _json({"state": "stopping"})

    @app.post("/v1/retry")
    def retry(paths: Annotated[list[str] | None, Body(embed=True)] = None) -> Response:
        return _json({"files": service.retry(paths)})

    @app.post("/v1/allow")
    def allow(paths: Paths) -> Response:
        return _json({"files": service.allow(paths)})


def _file_routes(app: FastAPI, service: Service) -> None:
    @app.get("/v1/thumb")
    def thumb(path: str, page: int | None = None) -> Response:
        found = service.thumbnail(path, page)
        if found is None:
            raise HTTPException(404)
        return FileResponse(found, media_type="image/webp")

    @app.get("/v1/render")
    def render(path: str, page: int | None = None, width: int = 1200) -> Response:
        record = service.indexed(path)  # only what the index knows can be read through here
        png = service.extractors.render(record.path, page, max(16, min(width, 6000)))
        return Response(png, media_type="image/png")

    @app.get("/v1/text")
    def text(path: str) -> Response:
        return _json({"text": service.text_of(path)})

    @app.get("/v1/recent")
    def recent(limit: int = 20) -> Response:
        return _json(
            {
                "files": [
                    {
                        "path": record.path,
                        "kind": record.kind,
                        "mtime": record.mtime_ns / 1e9,
                        "size": record.size,
                    }
                    for record in service.ledger.recent(max(1, min(limit, MAX_LIMIT)))
                ]
            }
        )


def answer_dict(answer: Answer) -> dict[str, Any]:
    """An answer as JSON has it."""
    return {
        "hits": [hit_dict(hit) for hit in answer.hits],
        "stage": answer.stage,
        "weak": answer.weak,
        "coverage": dict(answer.coverage),
        "took_ms": round(answer.took_ms, 2),
    }


def hit_dict(hit: Hit) -> dict[str, Any]:
    """A hit as JSON has it; what a location or evidence lacks is left out."""
    return {
        "path": hit.path,
        "kind": hit.kind,
        "picture": hit.picture,
        "score": round(hit.score, 5),
        "title": hit.title,
        "snippet": hit.snippet,
        "location": _present(asdict(hit.location)),
        "evidence": [
            {"type": "text", "start": e.start, "end": e.end, "word": e.word}
            if e.type == "text"
            else {"type": "box", "page": e.page, "box": e.box, "word": e.word}
            for e in hit.evidence
        ],
        "lanes": list(hit.lanes),
        "mtime": hit.mtime,
        "size": hit.size,
        "more": [
            {
                "location": _present(asdict(place.location)),
                "snippet": place.snippet,
                "score": round(place.score, 5),
            }
            for place in hit.more
        ],
        "offline": hit.offline,
    }


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
