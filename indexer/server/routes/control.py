"""Routes for the process: pause, resume, stop."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, Response

from indexer.server.ports import Control
from indexer.server.request_types import as_json

#: A pause lasts a year at most; more is “until resumed”.
MAX_PAUSE = 366 * 86_400


def add_control_routes(app: FastAPI, port: Control) -> None:
    @app.post("/v1/pause")
    def pause(
        seconds: Annotated[float | None, Body(embed=True, ge=1, le=MAX_PAUSE)] = None,
    ) -> Response:
        port.pause(seconds)
        return as_json({"state": port.state()})

    @app.post("/v1/resume")
    def resume() -> Response:
        port.resume()
        return as_json({"state": port.state()})

    @app.post("/v1/stop")
    def stop() -> Response:
        port.stop()
        return as_json({"state": "stopping"})
