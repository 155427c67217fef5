"""Routes for settings: all values with their table, and changing some of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response

from engine.contract.settings import SETTINGS
from indexer.server.ports import SettingsPort
from indexer.server.request_types import as_json

Values = Annotated[dict[str, Any], Body(max_length=len(SETTINGS))]


def add_settings_routes(app: FastAPI, port: SettingsPort) -> None:
    @app.get("/v1/settings")
    def settings() -> Response:
        rows = {key: asdict(row) for key, row in SETTINGS.items()}
        return as_json({**port.told(), "table": rows})

    @app.patch("/v1/settings")
    @app.post("/v1/settings")
    def change(values: Values) -> Response:
        restart = port.change(values)
        return as_json({**port.told(), "restart": restart})
