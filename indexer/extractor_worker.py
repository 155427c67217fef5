"""The child process that reads untrusted files: one request in, one answer out, until told to end.

Started by indexer.extractor_pool as `python -m indexer.extractor_worker CONFIG`; requests come on
stdin, answers leave on what stdout was at the start. The file descriptor 1 is turned away at once,
so that a library that prints can't garble an answer.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import stat
import sys
from pathlib import Path
from typing import Any

from indexer import extract, frames
from indexer.extract.base import ExtractError, Extraction, ExtractOptions


def read_file(path: Path, options: ExtractOptions) -> Extraction:
    """Find the extractor of a file and let it read; every failure is an ExtractError."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ExtractError("not-regular")
        if facts.st_size == 0:
            raise ExtractError("empty")
        with path.open("rb") as file:
            head = file.read(extract.HEAD)
    except OSError as error:
        raise ExtractError("unreadable", error.strerror or str(error)) from error
    extractor = extract.pick(path, head)
    if extractor is None:
        raise ExtractError("unsupported")
    if facts.st_size > extractor.max_bytes:
        raise ExtractError("too-large", f"{facts.st_size} bytes, limit {extractor.max_bytes}")
    extraction = extractor.extract(path, options)
    if not extraction.parts:
        raise ExtractError("no-text")
    return extraction


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks; failures become a reason and a detail."""
    path = Path(os.fsdecode(request["path"]))
    try:
        if request["op"] == "render":
            from indexer.extract.render import render

            render(path, request["page"], request["width"], Path(request["out"]))
            return {"ok": True}
        options = ExtractOptions(**request["options"])
        return {"ok": frames.pack_extraction(read_file(path, options))}
    except ExtractError as error:
        return {"reason": error.reason, "detail": error.detail}
    except (MemoryError, RecursionError) as error:
        return {"reason": "too-complex", "detail": type(error).__name__, "retire": True}
    except OSError as error:
        reason = "unreadable" if error.errno in (errno.EACCES, errno.ENOENT) else "broken"
        return {"reason": reason, "detail": f"{type(error).__name__}: {error.strerror or error}"}
    except Exception as error:  # noqa: BLE001  parsers fail in every way
        return {"reason": "broken", "detail": f"{type(error).__name__}: {error}"[:500]}


def main() -> None:
    """Turn stdout away, take the limits, then answer until stdin ends."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    config = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (config["address_space"],) * 2)
    while request := frames.receive(sys.stdin.buffer):
        reply = answer(request)
        reply["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        frames.send(replies, reply)


if __name__ == "__main__":
    main()
