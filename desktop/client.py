"""The client: finds or starts the indexer and speaks its HTTP API; no Qt, nothing heavy."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import psutil
from filelock import FileLock, Timeout

from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir, base_dir
from engine.contract.version import VERSION, release

#: The indexer opens its store and imports LanceDB first: 2–4 s on a busy laptop.
START_SECONDS = 60.0
#: An older indexer that is to end may take so long to answer, to end in order, and by force.
ANSWER_SECONDS, ORDERLY_SECONDS, ENDED_SECONDS = 10.0, 30.0, 10.0
#: A language model may read for so long before its next word; the indexer gives up on it earlier.
ANSWER_PAUSE_SECONDS = 1_800.0
#: Indexers started here. They outlive this process on purpose; a handle that is collected while its
#: process runs would warn about exactly that.
_DETACHED: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a live indexer listens."""

    url: str
    token: str
    pid: int
    version: str


def read_endpoint(base: BaseDir) -> Endpoint | None:
    """What run/endpoint.json says; None if there is none."""
    try:
        data = json.loads(base.endpoint.read_text(encoding="utf-8"))
        return Endpoint(data["url"], data["token"], int(data["pid"]), str(data.get("version", "")))
    except (OSError, ValueError, KeyError):
        return None


class HangUp:
    """Ends one call from another thread, at once: closes its connection, whatever it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.done = False

    def watch(self, connected: socket.socket | None) -> None:
        """The call has a connection now."""
        with self._lock:
            self._socket = connected
            self._close()

    def __call__(self) -> None:
        with self._lock:
            self.done = True
            self._close()

    def _close(self) -> None:
        if self.done and self._socket is not None:
            with suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


class Client:
    """Blocking calls to one indexer; every method may raise InklingError. Thread-safe: each call
    has its own connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        address = urllib.parse.urlsplit(endpoint.url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80

    # Finding one

    @classmethod
    def find(cls, base: BaseDir) -> Client | None:
        """The indexer of this base directory, if one is alive."""
        endpoint = read_endpoint(base)
        if endpoint is None:
            return None
        client = cls(endpoint)
        try:
            client.status(timeout_s=10.0)
        except InklingError:
            return None
        return client

    @classmethod
    def find_current(cls, base: BaseDir) -> Client | None:
        """The indexer of this base directory, if one is alive; one of an older Inkling is replaced.

        InklingError where it is of a newer one.
        """
        found = cls.find(base)
        return None if found is None else cls.connect(base)

    @classmethod
    def connect(cls, base: BaseDir | None = None) -> Client:
        """The indexer of this base directory; started, detached, if there is none.

        One of an older Inkling is ended first; InklingError where it is of a newer one.
        """
        base = base or base_dir()
        endpoint = read_endpoint(base)
        if endpoint is not None and release(endpoint.version) < release(VERSION):
            end_older(base, endpoint)
        elif (found := cls.find(base)) is not None:
            if release(found.endpoint.version) > release(VERSION):
                raise InklingError(
                    "A newer Inkling ({theirs}) is running; this is {ours}.",
                    hint="Use the newer one, or end its indexer with `inkling stop`.",
                    told={"theirs": found.endpoint.version, "ours": VERSION},
                )
            return found
        process = start_indexer(base)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = cls.find(base)
            if found is not None:
                return found
            if process.poll() is not None:
                # Another face may have started one at the same moment: it has the lock.
                found = cls._wait_for_other(base)
                if found is not None:
                    return found
                raise InklingError("The indexer did not start.", hint=_last_words(process, base))
            time.sleep(0.05)
        log = base.logs / "indexer.log"
        raise InklingError("The indexer does not answer.", hint="See {log}.", told={"log": log})

    @classmethod
    def _wait_for_other(cls, base: BaseDir) -> Client | None:
        for _ in range(40):
            found = cls.find(base)
            if found is not None or not base.lock.exists():
                return found
            time.sleep(0.25)
        return None

    # Calls

    def search(
        self,
        query: str,
        *,
        image: str | None = None,
        limit: int = 20,
        filters: dict[str, Any] | None = None,
        plain: bool | Sequence[str] = False,
    ) -> Iterator[dict[str, Any]]:
        """The answer's stages as they come (names, words, fused, rescored); close it to cancel.

        `plain`: words that are not to be read as a filter, or True for all.
        """
        body = {
            "query": query, "image": image, "limit": limit, "filters": filters, "stages": True,
            "plain": plain if isinstance(plain, bool) else list(plain),
        }  # fmt: skip
        response = self._open("POST", "/v1/search", body, 120.0)
        with closing(response):
            for line in response:
                yield json.loads(line)

    def ask(self, body: dict[str, Any], hang_up: HangUp) -> Iterator[dict[str, Any]]:
        """The events of an answer in sentences as they come (engine.contract.asking)."""
        try:
            response = self._open("POST", "/v1/ask", body, ANSWER_PAUSE_SECONDS, hang_up)
            with closing(response):
                for line in response:
                    yield json.loads(line)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise InklingError("The answer broke off.") from error

    def similar(self, path: str, limit: int = 20) -> dict[str, Any]:
        return self._call("POST", "/v1/similar", {"path": path, "limit": limit})

    def status(self, timeout_s: float = 30.0) -> dict[str, Any]:
        return self._call("GET", "/v1/status", timeout_s=timeout_s)

    def problems(self, **only: str | int) -> dict[str, Any]:
        return self._call("GET", _with("/v1/problems", only))

    def explain(
        self, path: str, query: str | None = None, image: str | None = None
    ) -> dict[str, Any]:
        given = {"path": path, "query": query, "image": image}
        only = {name: value for name, value in given.items() if value is not None}
        return self._call("GET", _with("/v1/explain", only))

    def judge(self, question: str, path: str, page: int | None, *, right: bool | None) -> int:
        """Keep that a file, or its page, answers a question or does not, or (None) neither; the
        number of answers judged."""
        body = {"question": question, "path": path, "page": page, "right": right}
        return int(self._call("POST", "/v1/judgements", body)["judged"])

    def forget_judged(self) -> None:
        """All that was judged."""
        self._call("DELETE", "/v1/judgements")

    def add(self, paths: Sequence[str]) -> dict[str, Any]:
        return self._call("POST", "/v1/folders", {"paths": list(paths)})

    def remove(self, paths: Sequence[str]) -> dict[str, Any]:
        return self._call("DELETE", "/v1/folders", {"paths": list(paths)})

    def pause(self, seconds: float | None = None) -> dict[str, Any]:
        return self._call("POST", "/v1/pause", {"seconds": seconds})

    def resume(self) -> dict[str, Any]:
        return self._call("POST", "/v1/resume", {})

    def stop(self, timeout_s: float = 300.0) -> dict[str, Any]:
        return self._call("POST", "/v1/stop", {}, timeout_s)

    def retry(self, paths: Sequence[str] | None = None) -> dict[str, Any]:
        return self._call("POST", "/v1/retry", {"paths": None if paths is None else list(paths)})

    def allow(self, paths: Sequence[str]) -> dict[str, Any]:
        return self._call("POST", "/v1/allow", {"paths": list(paths)})

    def recent(self, limit: int = 20) -> list[dict[str, Any]]:
        files: list[dict[str, Any]] = self._call("GET", _with("/v1/recent", {"limit": limit}))[
            "files"
        ]
        return files

    def values(self) -> dict[str, dict[str, int]]:
        """By the word of a filter what files can be asked for with it, and how many there are."""
        found: dict[str, dict[str, int]] = self._call("GET", "/v1/values")["values"]
        return found

    def text(
        self,
        path: str,
        page: int | None = None,
        lines: tuple[int, int] | None = None,
        *,
        archive: str = "",
    ) -> str:
        """A file's text as the index has it: all of it, a page, or the passages of some lines.
        `archive`: whose index, where it is not this machine's."""
        only: dict[str, str | int] = {"path": path}
        if archive:
            only["archive"] = archive
        if page is not None:
            only["page"] = page
        if lines is not None:
            only["first"], only["last"] = lines
        return str(self._call("GET", _with("/v1/text", only))["text"])

    def thumb(self, path: str, page: int | None = None, *, archive: str = "") -> bytes | None:
        """A WebP thumbnail, or None if there is none."""
        return self._bytes("/v1/thumb", {"path": path, "page": page, "archive": archive or None})

    def render(
        self, path: str, page: int | None = None, width: int = 1200, *, archive: str = ""
    ) -> bytes | None:
        """A page or picture as PNG, or None if it can't be shown."""
        only = {"path": path, "page": page, "width": width, "archive": archive or None}
        return self._bytes("/v1/render", only)

    def archives(self) -> list[dict[str, Any]]:
        """Other indexes that are asked, and how each is."""
        return self._archives("GET", None)

    def add_archive(
        self, name: str, url: str, token: str, authority: str = ""
    ) -> list[dict[str, Any]]:
        body = {"name": name, "url": url, "token": token, "authority": authority}
        return self._archives("POST", body)

    def remove_archive(self, name: str) -> list[dict[str, Any]]:
        return self._archives("DELETE", {"name": name})

    def _archives(self, method: str, body: dict[str, Any] | None) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self._call(method, "/v1/archives", body)["archives"]
        return told

    def call(self, method: str, target: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any other call of the API."""
        return self._call(method, target, body)

    def _bytes(self, target: str, only: dict[str, Any]) -> bytes | None:
        try:
            given = {key: value for key, value in only.items() if value is not None}
            with closing(self._open("GET", _with(target, given), None, 60.0)) as response:
                return response.read()
        except InklingError:
            return None

    def _call(
        self, method: str, target: str, body: dict[str, Any] | None = None, timeout_s: float = 300.0
    ) -> dict[str, Any]:
        with closing(self._open(method, target, body, timeout_s)) as response:
            answer: dict[str, Any] = json.loads(response.read())
            return answer

    def _open(
        self,
        method: str,
        target: str,
        body: dict[str, Any] | None,
        timeout_s: float,
        hang_up: HangUp | None = None,
    ) -> http.client.HTTPResponse:
        """A successful response, its body still to be read; closing it ends the connection."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {self.endpoint.token}", "Connection": "close"}
        data = None
        if body is not None:
            data = json.dumps(body).encode("ascii")
            headers["Content-Type"] = "application/json"
        try:
            connection.connect()
            if hang_up is not None:
                hang_up.watch(connection.sock)
            connection.request(method, target, data, headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise InklingError(
                "The indexer does not answer.", hint="It is started by the next command."
            ) from error
        if response.status >= 400:
            with closing(response):
                raise _readable(response.status, response.read())
        return response


def _readable(status: int, body: bytes) -> InklingError:
    try:
        return InklingError.of(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        detail = body.decode("utf-8", "replace")[:300]
        return InklingError(
            "The indexer refused this request ({status}).",
            hint="{detail}",
            told={"status": status, "detail": detail},
        )


def _with(target: str, only: dict[str, Any]) -> str:
    # Undecodable bytes of a name travel as the bytes they are.
    pairs = {k: os.fsencode(v) if isinstance(v, str) else str(v) for k, v in only.items()}
    return f"{target}?{urllib.parse.urlencode(pairs)}"


def start_indexer(base: BaseDir) -> subprocess.Popen[bytes]:
    """Start an indexer that outlives this process."""
    base.create()
    errors = (base.logs / "indexer-start.log").open("wb")
    command = launch.command("indexer", "run", "--base-dir", str(base.root))
    with errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            cwd=str(base.root),
            env=launch.environment(),
        )
    _DETACHED.append(process)
    return process


def end_older(base: BaseDir, endpoint: Endpoint) -> None:
    """End the indexer of an older Inkling, if one runs; InklingError if it can't be ended."""
    if not end_indexer(base, endpoint):
        raise InklingError(
            "The indexer of an older Inkling ({version}) does not end.",
            hint="End the process {pid} and try again.",
            told={"version": endpoint.version, "pid": endpoint.pid},
        )


def end_indexer(base: BaseDir, endpoint: Endpoint) -> bool:
    """End an indexer, if one runs, by force if need be; whether it has ended.

    The lock tells: the endpoint's file may be left over, and its pid somebody else's by now.
    """
    with suppress(InklingError):
        Client(endpoint).stop(timeout_s=ANSWER_SECONDS)
    if _lock_is_free(base, ORDERLY_SECONDS):
        return True
    process = _indexer_process(base, endpoint.pid)
    for end in () if process is None else (process.terminate, process.kill):
        with suppress(psutil.Error):
            end()
        if _lock_is_free(base, ENDED_SECONDS):
            return True
    return False


def _lock_is_free(base: BaseDir, timeout_s: float) -> bool:
    try:
        with FileLock(base.lock, timeout=timeout_s):
            return True
    except (Timeout, OSError):
        return False


def _indexer_process(base: BaseDir, pid: int) -> psutil.Process | None:
    """This user's process with this id, if it is an indexer over this base directory."""
    try:
        process = psutil.Process(pid)
        line, own = process.cmdline(), process.username() == psutil.Process().username()
    except psutil.Error:
        return None
    return process if own and {"indexer", "run", str(base.root)} <= set(line) else None


def _last_words(process: subprocess.Popen[bytes], base: BaseDir) -> str:
    text = (base.logs / "indexer-start.log").read_text(encoding="utf-8", errors="replace").strip()
    return text.splitlines()[-1] if text else f"It ended with status {process.returncode}."
