"""The listening side: address, TLS, certificates that are renewed."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import signal
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from engine.contract.errors import InklingError
from indexer.team.limiting import HEADERS, TimedProtocol

log = logging.getLogger(__name__)

#: How often it is looked whether the certificate was renewed.
_RENEWED_S = 30.0
#: Connections that are open at once; beyond, they are answered by 503.
_CONNECTIONS = 512


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service listens; without a certificate on this machine alone."""

    host: str = "127.0.0.1"
    port: int = 8443
    cert: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise InklingError(
                "A certificate and its key belong together.", hint="Give both --cert and --key."
            )
        if self.cert is None and not _is_loopback(self.host):
            raise InklingError(
                "Without TLS only this machine is answered, not {host}.",
                hint="Give --cert and --key, or --host 127.0.0.1.",
                told={"host": self.host},
            )

    def url(self, port: int) -> str:
        """How it is reached; `port`: the one that it listens at."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else host
        return f"{'http' if self.cert is None else 'https'}://{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Server:
    """Answers at a place until it is stopped."""

    def __init__(self, app: Starlette, place: Place) -> None:
        self._place = place
        self._certificate = None if place.cert is None else _Certificate(place)
        self._listener = _bound(place)
        certificate = self._certificate
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http=TimedProtocol,
            h11_max_incomplete_event_size=HEADERS,
            limit_concurrency=_CONNECTIONS,
            server_header=False,
            proxy_headers=False,
            reset_contextvars=True,
            timeout_graceful_shutdown=5,
            ssl_context_factory=None if certificate is None else lambda *_: certificate.context,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="api"
        )
        self._ending = threading.Event()

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._place.url(int(self._listener.getsockname()[1]))

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._ending.wait(0.01)

    def wait(self, ending: threading.Event) -> None:
        """Until `ending`; certificates that are renewed are used meanwhile."""
        while not ending.wait(_RENEWED_S if self._certificate else None):
            if self._certificate is not None:
                self._certificate.renew()

    def stop(self) -> None:
        """End what is being answered, and listen no more."""
        self._ending.set()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=15)
        self._listener.close()


class _Certificate:
    """What connections are encrypted with; new ones with the newest."""

    def __init__(self, place: Place) -> None:
        assert place.cert is not None
        assert place.key is not None
        self._cert, self._key = place.cert, place.key
        self._seen = self._mark()
        try:
            self._try(self._cert, self._key)
        except OSError as error:  # an SSLError is one
            raise InklingError(
                "The certificate {cert} with the key {key} can't be used: {error}.",
                hint="Give a certificate with its chain and the key that belongs to it, as PEM.",
                told={"cert": self._cert, "key": self._key, "error": _why(error)},
            ) from error
        self.context = _context(self._cert, self._key)

    def renew(self) -> None:
        """Use the files as they are now, if they changed and can be used."""
        seen = self._mark()
        if seen == self._seen:
            return
        try:
            self._try(self._cert, self._key)
            self.context.load_cert_chain(self._cert, self._key)
        except OSError as error:  # half of it is written: looked at again
            log.error("The renewed certificate can't be used yet: %s", _why(error))
            return
        self._seen = seen
        log.info("The certificate was renewed")

    def _try(self, cert: Path, key: Path) -> None:
        _context(cert, key)

    def _mark(self) -> tuple[object, ...]:
        marks: list[object] = []
        for path in (self._cert, self._key):
            try:
                found = os.stat(path)
            except OSError:
                marks.append(None)
            else:
                marks.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return tuple(marks)


def _context(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A key that asks for a password would wait at a terminal for ever.
    context.load_cert_chain(cert, key, password=lambda: b"")
    return context


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror or str(error)


def _bound(place: Place) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InklingError(
            "There is no address {host} here.", hint="Check --host.", told={"host": place.host}
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise InklingError(
                "Port {port} is taken by another program.",
                hint="Choose another with --port, or end that program.",
                told={"port": place.port},
            ) from error
        raise InklingError(
            "Port {port} of {host} can't be listened at: {error}.",
            hint="Choose another with --port or --host; ports below 1024 are the system's.",
            told={"port": place.port, "host": place.host, "error": error.strerror or error},
        ) from error
    return listener


def until_ended() -> threading.Event:
    """Set when the process is to end."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending
