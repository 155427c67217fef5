"""The store that serves many people: units as points of Qdrant, by the engine in the process
(`qdrant-edge-py`) or on a server (`qdrant-client`), read through views that know one asker's
rights. Needs the extra `archive`."""

from engine.served.store import QdrantStore
from engine.served.view import View

__all__ = ["QdrantStore", "View"]
