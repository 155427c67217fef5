"""The indexer process: `python -m indexer run --base-dir DIR` until stopped, `once` to finish,
`doctor` to say how things are, `purge PATH…` to take folders and files out without a trace,
`export URI --to DIR` to write an archive of record as Parquet.
`fill`, `serve` and `team` fill archives and answer many people from them, `serve --encoder` encodes
for other machines, with options of their own."""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

# Arenas and BLAS threads are fixed at load: memory stays small, queries steady (a second BLAS
# thread under load turned 12 ms into 3 s; see the store's measurements).
os.environ.setdefault("MALLOC_ARENA_MAX", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from engine.contract import launch, log
from engine.contract.agent_log import AgentLog
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir
from engine.contract.put import put_in_place
from engine.contract.settings import Settings
from engine.contract.version import VERSION
from indexer.server.ports import Ports


def main(arguments: list[str] | None = None) -> int:
    """Run the indexer; 0 after an orderly end, 1 with a sentence on stderr after an error."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["serve"] and "--encoder" in given:
        from indexer.encoder_service.running import main as encode

        return encode(given[1:])
    if given[:1] in (["serve"], ["team"]):
        from indexer.team.command import main as serve

        return serve(given[0], given[1:])
    if given[:1] == ["fill"]:
        from indexer.archiving.command import main as fill

        return fill(given[1:])
    parser = argparse.ArgumentParser(prog="python -m indexer", description=__doc__)
    parser.add_argument("command", choices=["run", "once", "doctor", "purge", "export"])
    parser.add_argument("--base-dir")
    parser.add_argument("paths", nargs="*", help="what is to be purged, or the archive")
    parser.add_argument("--to", help="the folder for what is exported")
    options = parser.parse_args(given)
    base = base_dir(options.base_dir)
    if options.command == "doctor":
        from indexer.server.doctor import examine

        sys.stdout.write(json.dumps([check.to_data() for check in examine(base)]))
        return 0
    try:
        if options.command == "export":
            return _export(options.paths[0], options.to)
        base.create()
        if options.command == "purge":
            return _purge(base, options.paths)
        log.set_up(base.logs, "indexer")
        return _run(base, once=options.command == "once")
    except InklingError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.stderr.write(f"inkling: {error}\n")
        return 1


def _export(uri: str, to: str) -> int:
    from engine.archive.export import export

    files, units = export(uri, Path(to))
    sys.stdout.write(f"{files} files and {units} passages are in {to}.\n")
    return 0


def _purge(base: BaseDir, paths: list[str]) -> int:
    """The answer as JSON; what goes wrong is said on stderr, and no log is written: it would name
    what is to be gone."""
    from filelock import FileLock, Timeout

    from indexer.indexing.purging import purge

    try:
        with FileLock(base.lock, timeout=0):
            sys.stdout.write(json.dumps(asdict(purge(base, paths))))
    except Timeout:
        raise InklingError(
            "Another indexer is already running for {root}.",
            hint="Use it, or end it with `inkling stop`.",
            told={"root": base.root},
        ) from None
    return 0


def _run(base: BaseDir, *, once: bool) -> int:
    from indexer.server.lifecycle import Indexer

    indexer = Indexer(base, Settings.load(base)).open()
    try:
        indexer.start()
        if once:
            while indexer.state() != "idle" and not indexer.stopped.wait(0.2):
                pass
        else:
            _serve(base, indexer.ports, indexer.stopped)
    finally:
        base.endpoint.unlink(missing_ok=True)
        indexer.close()
    if indexer.again:
        # A fresh process: nothing of what was damaged is held in memory.
        os.execve(sys.executable, launch.command("indexer", *sys.argv[1:]), launch.environment())
    return 0


def _serve(base: BaseDir, ports: Ports, stopped: threading.Event) -> None:
    """Answer the API until `stopped`; the endpoint file says where."""
    import uvicorn

    from indexer.server.app import make_app

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    token = secrets.token_urlsafe(32)
    app = make_app(ports, AgentLog(base), token, lambda: port)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api")
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    endpoint = {"url": f"http://127.0.0.1:{port}", "token": token, "pid": os.getpid()}
    _write_private(base.endpoint, json.dumps({**endpoint, "version": VERSION}))
    stopped.wait()
    base.endpoint.unlink(missing_ok=True)
    server.should_exit = True
    thread.join(timeout=10)


def _write_private(path: Path, text: str) -> None:
    """Replace in one step, readable by this user only: it holds the token."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    put_in_place(fresh, path)


if __name__ == "__main__":
    sys.exit(main())
