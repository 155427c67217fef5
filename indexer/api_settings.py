"""Routes for setting up: settings, models, and what a folder would cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response

from engine.model_files import states
from engine.settings import SETTINGS
from indexer.api_types import FilePaths, as_json
from indexer.estimate import estimate
from indexer.follow_settings import change_settings
from indexer.roots_file import check_folder
from indexer.scanner import KIND_OF
from indexer.service import Service


def add_settings_routes(app: FastAPI, service: Service) -> None:
    """Settings, models, estimate."""

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

    @app.get("/v1/models")
    def models() -> Response:
        return as_json(
            {
                "models": [
                    {
                        "id": state.spec.id,
                        "title": state.spec.title,
                        "licence": state.spec.licence,
                        "commercial_use": state.spec.commercial_use,
                        "licence_accepted": state.licence_accepted,
                        "download_bytes": state.spec.download_bytes,
                        "modalities": sorted(state.spec.modalities),
                        "source": state.spec.source,
                        "state": state.state,
                        "available": state.state in ("built in", "ready"),
                        "bytes": state.bytes,
                    }
                    for state in states(service.base)
                ],
                "current": service.engine.spec.id,
            }
        )
