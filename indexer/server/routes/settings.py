"""Routes for settings: all values with their table, and changing some of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine.contract.settings import SETTINGS
from indexer.server.ports import SettingsPort
from indexer.server.request_types import Nothing, as_json, get, post

Values = Annotated[dict[str, Any], Meta(max_length=len(SETTINGS))]


def settings_routes(port: SettingsPort) -> list[Route]:
    """Under /v1."""

    def settings(_: Nothing) -> Response:
        rows = {key: asdict(row) for key, row in SETTINGS.items()}
        return as_json({**port.told(), "table": rows})

    def change(values: Values) -> Response:
        restart = port.change(values)
        return as_json({**port.told(), "restart": restart})

    return [
        get("/v1/settings", Nothing, settings),
        post("/v1/settings", Values, change, "PATCH"),
        post("/v1/settings", Values, change),
    ]
