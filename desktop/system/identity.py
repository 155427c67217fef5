"""The name by which Inkling answers desktops' own searches on the session bus."""

from __future__ import annotations

from engine.contract.version import APPLICATION_ID

#: The bus starts whoever answers to it.
BUS_NAME = f"{APPLICATION_ID}.SearchProvider"
OBJECT_PATH = "/" + BUS_NAME.replace(".", "/")
