"""Changing settings from outside the indexer: through it where one runs, else in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.client import Client
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings, Value


def change_settings(base: BaseDir, values: Mapping[str, Value]) -> None:
    """Change these keys and no others; InklingError if a value can't be. Blocks."""
    client = Client.find(base)
    if client is not None:
        send_settings(client, values)
        return
    # Loaded afresh: whatever was changed meanwhile by others stays as they left it.
    settings = Settings.load(base)
    for key, value in values.items():
        settings.set(key, value)
    settings.save()


def send_settings(client: Client, values: Mapping[str, Value]) -> dict[str, Any]:
    """Ask the indexer to change keys; its answer: all `values` and their `revision`."""
    body = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    return client.call("PATCH", "/v1/settings", body)
