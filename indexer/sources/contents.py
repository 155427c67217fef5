"""What a file holds, in few characters: to tell a move from a copy, and a touch from an edit."""

from __future__ import annotations

import hashlib
import os

from indexer.sources.systems import reachable


def content_hash(path: str | bytes) -> str:
    """What a file holds, as BLAKE2b-128 in hex."""
    with open(reachable(os.fsdecode(path)), "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
