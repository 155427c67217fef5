"""Routes for setting up: settings, and what a folder would cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response

from engine.contract.settings import SETTINGS
from indexer.indexing.estimate import KIND_OF, estimate
from indexer.ledger.roots_file import check_folder
from indexer.server.request_types import FilePaths, as_json
from indexer.server.service import Service
from indexer.server.settings_owner import change_settings


def add_settings_routes(app: FastAPI, service: Service) -> None:
    """Settings, estimate."""

    @app.get("/v1/settings")
    def settings() -> Response:
        rows = {key: asdict(row) for key, row in SETTINGS.items()}
        return as_json({"values": service.settings.as_dict(), "table": rows})

    @app.post("/v1/settings")
    def change(values: Annotated[dict[str, Any], Body(max_length=len(SETTINGS))]) -> Response:
        restart = change_settings(service, values)
        return as_json({"values": service.settings.as_dict(), "restart": restart})

    @app.post("/v1/estimate")
    def estimated(paths: FilePaths) -> Response:
        for path in paths:
            check_folder(path, service.base.root)
        workers = service.progress.workers
        return as_json(estimate(paths, service.rules(), KIND_OF, workers))
