"""The child process that reads untrusted files: one request in, one answer out, until told to end.

Started by indexer.reading.pool with its CONFIG as JSON; requests come on stdin, answers leave on
what stdout was at the start. The file descriptor 1 is turned away at once, so that a library that
prints can't garble an answer.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.contract.errors import InklingError
from indexer.reading import extract, messages, sandbox
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.sources.systems import in_use

_CPU_S = 60.0  # of processor time for whatever is asked, unless its extractor allows itself more
#: On top for who ends itself: the pool, which looks a few times a second, is to be first.
_MARGIN_S = 20.0
#: Objects that are made before unused ones are looked for. A file's words are many, and none of
#: them is part of a circle: with Python's 700 a tenth of the time of a PDF went into looking.
_COLLECTED_FROM = 100_000
_GONE = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ESTALE, errno.EIO)


def read_file(
    path: Path, options: ExtractOptions, *, allow_cpu: Callable[[float], None] | None = None
) -> Extraction:
    """Find the extractor of a file and let it read; ExtractError if it gives nothing.

    `allow_cpu` caps this process at so many seconds of processor time more. A worker asks for that,
    once for a file with all the files in it.
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise ExtractError("not-regular")
    if facts.st_size == 0:
        raise ExtractError("empty")
    with path.open("rb") as file:
        head = file.read(extract.HEAD)
    extractor = extract.pick(path, head)
    if extractor is None:
        raise ExtractError("unsupported")
    if facts.st_size > extractor.max_bytes:
        raise ExtractError("too-large", f"{facts.st_size} bytes, limit {extractor.max_bytes}")
    if allow_cpu is not None:
        allow_cpu(extractor.processor_s + _MARGIN_S)
    extraction = extractor.extract(path, options)
    if not extraction.parts and not extraction.unread:
        raise ExtractError("no-text", "; ".join(extraction.notes))
    return extraction


def _is_document(path: Path) -> bool:
    with path.open("rb") as file:
        extractor = extract.pick(path, file.read(extract.HEAD))
    return extractor is not None and extractor.kind == "pdf"


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks; failures become a reason and a detail."""
    path = Path(os.fsdecode(request["path"]))
    sandbox.allow_cpu(_CPU_S + _MARGIN_S)
    try:
        if request["op"] == "render":
            from indexer.reading.extract.render import render

            place = Path(request["out"])
            render(path, request["page"], request["width"], place, request.get("most_pixels"))
            return {"ok": True}
        if request["op"] == "look":
            from indexer.reading.extract.picture_look import look_of

            return {"ok": look_of(path)}
        if request["op"] == "pixels":
            from indexer.reading.extract.shown import save_shown

            return {"ok": save_shown(path, request["folder"], document=_is_document(path))}
        options = dict(request["options"])
        options["ocr_pages"] = messages.unpack_pages(options.get("ocr_pages", []))
        told = ExtractOptions(**options, inner=read_file)
        extraction = read_file(path, told, allow_cpu=sandbox.allow_cpu)
        return {"ok": messages.pack_extraction(extraction)}
    except ExtractError as error:
        return {"reason": error.reason, "detail": error.detail}
    except InklingError as error:  # no file's fault
        return {"reason": "encoder", "detail": str(error)}
    except (MemoryError, RecursionError) as error:
        return {"reason": "too-complex", "detail": type(error).__name__, "retire": True}
    except OSError as error:
        detail = error.strerror or type(error).__name__
        if in_use(error):
            return {"reason": "in-use", "detail": detail}
        reason = "unreadable" if error.errno in _GONE else "broken"
        return {"reason": reason, "detail": detail, "denied": error.errno == errno.EACCES}
    except Exception as error:  # noqa: BLE001  parsers fail in every way; each is a broken file
        return {"reason": "broken", "detail": f"{type(error).__name__}: {error}"[:500]}


def resident() -> int:
    """Bytes of memory this process holds, where the platform tells cheaply; else 0."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def main() -> None:
    """Turn stdout away, give up all rights not needed, then answer until stdin ends."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    config = json.loads(sys.argv[1])
    sandbox.limit(config["address_space"])
    layers = sandbox.confine(
        Path(config["scratch"]), config["readable"], config["home"], config["started_in"]
    )
    gc.freeze()
    gc.set_threshold(_COLLECTED_FROM, 10, 10)
    while request := messages.receive(sys.stdin.buffer):
        messages.send(replies, {**answer(request), "resident": resident(), "layers": layers})


if __name__ == "__main__":
    main()
