"""Downloads a model's weights from a hub: resumed by ranges, checked by digest, no account needed.

This and the installer that `libraries` starts for a model are all in Inkling that opens a
connection to another machine, and only when a person asked for a download.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models import files as model_files
from engine.models.libraries import install_libraries
from engine.models.registry import ModelSpec

HUB = "https://huggingface.co"
#: A mirror of the hub, for a company that has one; https, or on this machine.
HUB_VARIABLE = "INKLING_HUB"

_TIMEOUT_S = 30
_CHUNK = 1 << 20  # bytes
_TRIES = 5  # in a row without a byte gained
_PAUSE_S = 1.0  # before the second try; doubled for each further one
_SPARE_BYTES = 1 << 30  # stays free on the disk
_AGAIN = "What is here is kept: the same command goes on from there."


class DownloadCancelledError(InklingError):
    """The person stopped the download; what is here is kept."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is, in bytes of all files together."""

    file: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub lists it."""

    name: str
    bytes: int
    sha256: str | None  # large files have one,
    git_sha1: str  # the others the digest that git gives a blob

    def matches(self, path: Path) -> bool:
        """Whether a file on disk is this one, byte for byte."""
        if self.sha256:
            return model_files.digest(path) == self.sha256
        blob = hashlib.sha1(b"blob %d\0" % self.bytes, usedforsecurity=False)
        with path.open("rb") as stream:
            while block := stream.read(_CHUNK):
                blob.update(block)
        return blob.hexdigest() == self.git_sha1


def download(
    spec: ModelSpec,
    base: BaseDir,
    *,
    url_base: str | None = None,
    progress: Callable[[Progress], None] = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Get every file of a model that is not here yet, check each, then the model as a whole.

    Blocks; `progress` is called for every piece that comes. InklingError says what went wrong and
    that the next call goes on from there.
    """
    model_files.require_licence(spec, base)
    # First: without them the files can't be checked.
    if not install_libraries(spec, model_files.model_folder(spec, base), cancelled):
        raise DownloadCancelledError("The download was stopped.", hint=_AGAIN)
    if model_files.state(spec, base).state == "ready":
        return
    hub = url_base or os.environ.get(HUB_VARIABLE) or HUB
    _Download(spec, base, hub.rstrip("/"), progress, cancelled).run()


class _Download:
    """One call of `download`."""

    def __init__(
        self,
        spec: ModelSpec,
        base: BaseDir,
        hub: str,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._spec = spec
        self._home = model_files.model_folder(spec, base)
        self._hub = hub
        self._progress = progress
        self._cancelled = cancelled
        self._done = self._total = 0
        if urllib.parse.urlsplit(hub).scheme != "https" and not _is_loopback(hub):
            raise InklingError(
                "{hub} is not a safe address.", hint="Use one with https.", told={"hub": hub}
            )

    def run(self) -> None:
        folder = self._home / "files"
        remote = self._list()
        self._total = sum(file.bytes for file in remote)
        here = sum(_size(p) for f in remote for p in _places(folder, f))
        self._require_space(self._total - here)
        for file in remote:
            self._get(file, folder / file.name)
        model_files.check_tensors(self._spec, folder)
        manifest = model_files.make_manifest(folder, (file.name for file in remote))
        digests = {name: entry["sha256"] for name, entry in manifest.items()}
        model_files.compare_digests(self._spec, digests)
        (self._home / "location.json").unlink(missing_ok=True)
        model_files.write_manifest(self._spec, self._home, folder, manifest)

    def _list(self) -> list[RemoteFile]:
        """The model's files at the pinned revision; never code."""
        where = f"{self._hub}/api/models/{self._spec.source}/tree/{self._spec.revision}"
        try:
            with self._open(f"{where}?recursive=true") as answer:
                listed = [file for entry in json.load(answer) if (file := _remote_file(entry))]
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise self._unreachable(error) from error
        kept = set(model_files.names_of_weights(self._spec, (file.name for file in listed)))
        return sorted((f for f in listed if f.name in kept), key=lambda f: f.bytes)

    def _get(self, file: RemoteFile, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _size(target) == file.bytes and file.matches(target):
            self._count(file, file.bytes)
            return
        part = target.with_name(f"{target.name}.part")
        start = self._done
        failures = 0
        while (size := _size(part)) < file.bytes or not part.exists():
            self._done = start + size
            try:
                self._fetch(file, part)
            except (OSError, HTTPException) as error:
                failures = failures + 1 if _size(part) <= size else 1
                if failures >= _TRIES or _is_final(error):
                    raise self._unreachable(error) from error
                self._wait(_PAUSE_S * 2 ** (failures - 1))
        if not file.matches(part):
            part.unlink()
            raise InklingError(
                "The downloaded file {name} is not the published one: its digest differs.",
                hint="It was deleted. Try again; if it happens again, the connection is not safe.",
                told={"name": file.name},
            )
        part.replace(target)

    def _fetch(self, file: RemoteFile, part: Path) -> None:
        """Append what is missing to the part, as far as the connection holds."""
        size = _size(part)
        name = urllib.parse.quote(file.name)
        url = f"{self._hub}/{self._spec.source}/resolve/{self._spec.revision}/{name}"
        with self._open(url, start=size) as answer:
            resumed = answer.status == 206 and size > 0
            if not resumed:
                self._done -= size  # the server sends all of it again
            with part.open("ab" if resumed else "wb") as stream:
                self._copy(file, answer, stream, file.bytes - (size if resumed else 0))
                stream.flush()
                os.fsync(stream.fileno())

    def _copy(self, file: RemoteFile, answer: Any, stream: BinaryIO, wanted: int) -> None:
        # read1: what has come is kept at once, so that a slow line loses nothing when it breaks.
        while block := answer.read1(min(_CHUNK, wanted + 1)):
            if len(block) > wanted:
                raise OSError("the server sent more than it had announced")
            stream.write(block)
            wanted -= len(block)
            self._count(file, len(block))
        if wanted:
            raise OSError("the connection broke")

    def _count(self, file: RemoteFile, more: int) -> None:
        self._done += more
        self._progress(Progress(file.name, self._done, self._total))
        self._stop_if_cancelled()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._stop_if_cancelled()
            time.sleep(0.05)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled():
            raise DownloadCancelledError("The download was stopped.", hint=_AGAIN)

    def _open(self, url: str, start: int = 0) -> Any:
        headers = {"User-Agent": "inkling", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        request = urllib.request.Request(url, headers=headers)
        return urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # https, or loopback in tests

    def _require_space(self, missing: int) -> None:
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(self._home).free
        if free < missing + _SPARE_BYTES:
            raise InklingError(
                "There is not enough room: {missing} GB are needed, {free} GB are free.",
                hint="Free some space, or put the weights elsewhere and use `inkling model add`.",
                told={"missing": f"{missing / 1e9:.1f}", "free": f"{free / 1e9:.1f}"},
            )

    def _unreachable(self, error: Exception) -> InklingError:
        host = urllib.parse.urlsplit(self._hub).netloc
        if isinstance(error, urllib.error.HTTPError):
            told = {"host": host, "source": self._spec.source, "code": error.code}
            match error.code:
                case 401:
                    return InklingError(
                        "{host} asks for an account ({source}).", hint=_AGAIN, told=told
                    )
                case 403:
                    return InklingError("{host} refuses ({source}).", hint=_AGAIN, told=told)
                case 404:
                    return InklingError(
                        "{host} does not have the model ({source}).", hint=_AGAIN, told=told
                    )
            return InklingError(
                "{host} answered with error {code} ({source}).", hint=_AGAIN, told=told
            )
        if isinstance(error, urllib.error.URLError):
            return InklingError(
                "There is no connection to {host}: this machine seems to be offline.",
                hint="What is here is kept: the same command goes on from there. A folder with "
                "the files can be added with `inkling model add`.",
                told={"host": host},
            )
        if isinstance(error, ValueError | KeyError | TypeError):
            return InklingError(
                "{host} gave an answer that is no list of files.", hint=_AGAIN, told={"host": host}
            )
        return InklingError(
            "The connection to {host} broke: {error}.",
            hint=_AGAIN,
            told={"host": host, "error": error},
        )


def _remote_file(entry: dict[str, Any]) -> RemoteFile | None:
    """An entry of the hub's list; None for folders and for names that lead out of the folder."""
    path = PurePosixPath(entry["path"])
    if entry["type"] != "file" or path.is_absolute() or ".." in path.parts or "\\" in str(path):
        return None
    sha256 = entry.get("lfs", {}).get("oid")
    return RemoteFile(str(path), int(entry["size"]), sha256, str(entry["oid"]))


def _is_final(error: Exception) -> bool:
    """Whether trying again is of no use: the server knows what it says."""
    return isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500


def _is_loopback(url: str) -> bool:
    return urllib.parse.urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


def _places(folder: Path, file: RemoteFile) -> tuple[Path, Path]:
    return folder / file.name, folder / f"{file.name}.part"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
