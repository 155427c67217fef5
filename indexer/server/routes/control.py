"""Routes for the process: pause, resume, stop."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.routing import Route

from indexer.server.ports import Control
from indexer.server.request_types import Nothing, as_json, post

#: A pause lasts a year at most; more is “until resumed”.
MAX_PAUSE = 366 * 86_400


class AskedPause(Struct):
    """For so long, or until resumed."""

    seconds: Annotated[float, Meta(ge=1, le=MAX_PAUSE)] | None = None


def control_routes(port: Control) -> list[Route]:
    """Under /v1."""

    def pause(asked: AskedPause) -> Response:
        port.pause(asked.seconds)
        return as_json({"state": port.state()})

    def resume(_: Nothing) -> Response:
        port.resume()
        return as_json({"state": port.state()})

    def stop(_: Nothing) -> Response:
        port.stop()
        return as_json({"state": "stopping"})

    return [
        post("/v1/pause", AskedPause, pause),
        post("/v1/resume", Nothing, resume),
        post("/v1/stop", Nothing, stop),
    ]
