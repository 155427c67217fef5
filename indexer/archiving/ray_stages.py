"""The stages of a fill over Ray: readers on processors, encoders on GPUs where there are any.

Ray starts again what dies, and gives what was in its hands to another; blocks come out once. Of the
network it uses this machine's loopback alone, unless a cluster is named.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.errors import InklingError
from engine.contract.start import FOLDER, PACKAGES
from engine.contract.version import VERSION
from indexer.archiving.encoding import Encoding, Made
from indexer.archiving.job import Job, own_scratch
from indexer.archiving.progress import Say
from indexer.archiving.reading import Attempts, ReadFile, Reading
from indexer.archiving.stages import FILES, Stages
from indexer.archiving.survey import Task

log = logging.getLogger(__name__)

#: Files that a reader takes at a time; what was in its hands when it died is read again.
_READ_FILES = 8
#: Blocks at most: each costs the driver some milliseconds.
_MOST_BLOCKS = 4_000
#: Before Ray is loaded. It tells its makers nothing, and the terminal is ours.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
LACKING = InklingError(
    "Filling with Ray needs the extra: pip install 'inkling-search[archive]'.",
    hint="Without it --ray off fills in one process.",
)


def over_ray(address: str | None, say: Say) -> Stages:
    """Stages on a cluster, or on this machine's processors where no address is given."""

    def stages(job: Job, tasks: Sequence[Task]) -> Iterator[Made]:
        with _ray(address, say) as (ray, scratch):
            here = scratch if address is None else None
            yield from _run(ray, replace(job, scratch=here), tasks)

    return stages


@contextmanager
def _ray(address: str | None, say: Say) -> Iterator[tuple[Any, Path]]:
    """Ray, started or joined, and left at the end; a folder for whoever runs here. InklingError
    where that can't be."""
    os.environ.update(_ENVIRONMENT)
    try:
        ray: Any = import_module("ray")
        import_module("ray.data")
    except ImportError as error:
        raise LACKING from error
    scratch = own_scratch()
    here = os.getcwd()
    try:
        # Ray has its workers look for modules in the current folder: that is one of ours, with our
        # packages and nothing else.
        os.chdir(_packages(scratch.root / "code"))
        with _quiet(scratch.logs / "ray.log"):
            _start(ray, address, scratch.root / "ray")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        if address is not None:
            _same_version(ray)
        resources = ray.cluster_resources()
        say(
            f"Ray: {resources.get('CPU', 0):.0f} processors, {resources.get('GPU', 0):.0f} GPUs"
            + (f"; dashboard: {url}." if (url := _dashboard(ray)) else ".")
        )
        yield ray, scratch.scratch
    finally:
        with _quiet(scratch.logs / "ray.log"):
            ray.shutdown()
        os.chdir(here)
        shutil.rmtree(scratch.root, ignore_errors=True)


def _start(ray: Any, address: str | None, folder: Path) -> None:
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        if address is not None:
            _reach(address)
            ray.init(address=address, **quiet)
        else:
            here = {"_node_ip_address": "127.0.0.1", "_temp_dir": str(folder)}
            ray.init(include_dashboard=False, **here, **quiet)
    except Exception as error:
        log.exception("Ray does not start")
        if address is None:
            raise InklingError(
                "Ray does not start on this machine: {error}.",
                hint="--ray off fills in one process.",
                told={"error": _first_line(error)},
            ) from error
        raise InklingError(
            "The Ray cluster at {address} does not answer.",
            hint="Look whether it runs (ray status), or leave --ray out to use this machine.",
            told={"address": address},
        ) from error


def _reach(address: str) -> None:
    """OSError where nobody listens: Ray itself would go on trying for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _packages(folder: Path) -> Path:
    """A folder with links to our packages alone."""
    folder.mkdir()
    for name in PACKAGES:
        with suppress(OSError):
            if os.path.isdir(source := os.path.join(FOLDER, name)):
                (folder / name).symlink_to(source)
    return folder


def _same_version(ray: Any) -> None:
    """InklingError unless the cluster has this Inkling."""

    def version() -> str:
        from engine.contract.version import VERSION as THEIRS

        return THEIRS

    try:
        theirs = ray.get(ray.remote(num_cpus=0)(version).remote())
    except Exception as error:
        raise _other_version("none") from error
    if theirs != VERSION:
        raise _other_version(theirs)


def _other_version(theirs: str) -> InklingError:
    return InklingError(
        "The nodes of the Ray cluster need Inkling {version}; they have {theirs}.",
        hint="Install it on each: pip install 'inkling-search[archive]=={version}'.",
        told={"version": VERSION, "theirs": theirs},
    )


def _dashboard(ray: Any) -> str:
    try:
        context = ray.get_runtime_context()
        url = getattr(context, "dashboard_url", None) or ray._private.worker.get_dashboard_url()
    except Exception:  # noqa: BLE001 (it is only named)
        return ""
    return f"http://{url}" if url else ""


def _run(ray: Any, job: Job, tasks: Sequence[Task]) -> Iterator[Made]:
    resources = ray.cluster_resources()
    processors = max(1, int(resources.get("CPU", 1)))
    # The models that come with Inkling run on processors alone.
    gpus = int(resources.get("GPU", 0)) if job.model.libraries else 0
    attempts = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Attempts).remote()
    pool = ray.data.ActorPoolStrategy
    blocks = max(1, min(len(tasks), _MOST_BLOCKS, -(-len(tasks) // _READ_FILES)))
    items = [{"item": task} for task in tasks]
    data = ray.data.from_items(items, override_num_blocks=blocks)
    data = data.map_batches(
        _Reader,
        fn_constructor_kwargs={"job": job, "attempts": attempts},
        batch_size=_READ_FILES,
        batch_format="numpy",
        compute=pool(size=processors),
        num_cpus=1 if gpus else 0.5,
    )
    data = data.map_batches(
        _Encoder,
        fn_constructor_kwargs={"job": job},
        batch_size=FILES,
        batch_format="numpy",
        compute=pool(size=gpus or processors),
        **({"num_gpus": 1} if gpus else {"num_cpus": 0.5}),
    )
    try:
        for batch in data.iter_batches(batch_size=None, batch_format="numpy"):
            for made in batch["item"]:
                yield _whole(made)
    except InklingError:
        raise
    except Exception as error:
        log.exception("Ray gave up")
        raise InklingError(
            "Ray gave up: {error}.",
            hint="Start it again: it goes on where it was. --ray off fills in one process.",
            told={"error": _first_line(error)},
        ) from error


class _Reader:
    """An actor that reads."""

    def __init__(self, job: Job, attempts: Any) -> None:
        get = import_module("ray").get

        def begin(file_id: int, finished: int | None) -> int:
            return int(get(attempts.begin.remote(file_id, finished)))

        self._reading = Reading(job, begin)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return _column(lambda: [self._reading.read(task) for task in batch["item"]])


class _Encoder:
    """An actor that encodes."""

    def __init__(self, job: Job) -> None:
        self._encoding = Encoding(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        def encoded() -> Sequence[Made]:
            files: list[ReadFile] = [_whole(one) for one in batch["item"]]
            return self._encoding.encode(files)

        return _column(encoded)


def _column(work: Callable[[], Sequence[object]]) -> dict[str, Any]:
    """What came of it, an error that a person should hear of included, for Ray to carry."""
    try:
        made = work()
    except InklingError as error:
        made = [error]
    column = np.empty(len(made), object)
    column[:] = made
    return {"item": column}


def _whole(made: Any) -> Any:
    if isinstance(made, InklingError):
        raise made
    return made


def _first_line(error: BaseException) -> str:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return said[0][:200].rstrip(".")


@contextmanager
def _quiet(file: Path) -> Iterator[None]:
    """What Ray's own code writes to the terminal goes into a file."""
    kept = os.dup(2)
    with open(file, "ab") as stream:
        os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
