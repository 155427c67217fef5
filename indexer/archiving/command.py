"""`python -m indexer fill`: an archive filled from folders, told line by line."""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from engine.archive import Archive
from engine.archive.opening import NoArchiveError
from engine.archive.place import Place
from engine.contract import log
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir
from engine.contract.settings import Settings
from engine.models.files import ensure_usable
from engine.models.registry import model_spec
from engine.models.sizes import as_found
from indexer.archiving.fill import Filled, fill
from indexer.archiving.job import Job
from indexer.archiving.progress import printable
from indexer.archiving.readers import SourceReaders
from indexer.archiving.readers_table import ReadersTable
from indexer.archiving.stages import Stages, in_this_process
from indexer.archiving.survey import Readers

#: Exit statuses: something that was to be read could not be; it did not come to that.
INCOMPLETE, FAILED, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """0 where the archive holds what the folders hold."""
    options = _parser().parse_args(arguments)
    base = base_dir(options.base_dir)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        base.create()
        log.set_up(base.logs, "fill")
        filled = run(options, base)
    except InklingError as error:
        sys.stderr.write(f"inkling: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        return FAILED
    except KeyboardInterrupt:
        _say("Stopped. What was written stays; start it again and it goes on.")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0 if filled.whole else INCOMPLETE


def run(options: argparse.Namespace, base: BaseDir) -> Filled:
    """Everything is looked at before the archive is made or Ray is started."""
    folders = [_folder(path) for path in options.folders]
    readers: Readers = (
        ReadersTable(Path(options.readers), folders) if options.readers else SourceReaders()
    )
    settings = Settings.load(base)
    stages = _stages(options.ray)
    with _alone(options.uri, base):
        return _fill(options, base, settings, folders, readers, stages)


def _fill(
    options: argparse.Namespace,
    base: BaseDir,
    settings: Settings,
    folders: Sequence[str],
    readers: Readers,
    stages: Stages,
) -> Filled:
    archive = _archive(options, settings, base)
    try:
        spec = as_found(model_spec(archive.about.model), base)
        if spec.space != archive.about.space:
            raise InklingError(
                "The archive was made by other weights of {title} than those here.",
                hint="Fill another archive, or use the weights it was made with.",
                told={"title": spec.title},
            )
        job = Job(base.root, spec, settings.as_dict(), settings.encoder_threads or None)
        closed = [options.uri] if "://" not in options.uri else []
        return fill(archive, folders, job, readers, stages, _say, closed)
    finally:
        archive.close()


@contextmanager
def _alone(uri: str, base: BaseDir) -> Iterator[None]:
    """One fill at a time: what another one is writing would be swept. Of a bucket only this
    machine's are told."""
    place = Place.of(uri)
    folder, key = place.folder, hashlib.blake2b(place.uri.encode(), digest_size=8).hexdigest()
    file = base.run / f"fill-{key}.lock"
    if folder is not None and os.access(folder.parent, os.W_OK):
        file = folder.parent / f".{folder.name}.fill.lock"
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InklingError(
            "Another process is filling {uri}.",
            hint="Wait until it has finished, or end it.",
            told={"uri": place.uri},
        ) from None
    try:
        yield
    finally:
        lock.release()
        file.unlink(missing_ok=True)


def _archive(options: argparse.Namespace, settings: Settings, base: BaseDir) -> Archive:
    """The archive at the URI, made where there is none."""
    try:
        archive = Archive.open(options.uri)
    except NoArchiveError:
        return _made(options, settings, base)
    if options.model and options.model != archive.about.model:
        raise InklingError(
            "The archive {name} is filled with the model {theirs}, not with {model}.",
            hint="Leave --model out, or fill another archive.",
            told={
                "name": archive.about.name,
                "theirs": archive.about.model,
                "model": options.model,
            },
        )
    return archive


def _made(options: argparse.Namespace, settings: Settings, base: BaseDir) -> Archive:
    spec = as_found(model_spec(options.model or settings.model), base)
    ensure_usable(spec, base)
    name = options.name or Path(options.uri.rstrip("/")).name
    return Archive.create(options.uri, name, spec)


def _stages(ray: str | None) -> Stages:
    if ray == "off":
        return in_this_process
    from indexer.archiving.ray_stages import over_ray

    return over_ray(ray, _say)


def _folder(path: str) -> str:
    if not os.path.isdir(path):
        raise InklingError(
            "{path} is not a folder.",
            hint="Give folders that exist.",
            path=path,
            told={"path": printable(path)},
        )
    return os.path.abspath(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m indexer fill", description=__doc__)
    parser.add_argument("uri")
    parser.add_argument("--from", dest="folders", action="extend", nargs="+", required=True)
    parser.add_argument("--ray")
    parser.add_argument("--name")
    parser.add_argument("--readers")
    parser.add_argument("--model")
    parser.add_argument("--base-dir")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
