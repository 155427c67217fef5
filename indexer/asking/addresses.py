"""Addresses of servers: read strictly, and whether this very machine stands behind one."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.contract.errors import InklingError

#: Whatever programs read differently from each other is in no address of a server.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/\[\]%-]+")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_PORTS = {"http": 80, "https": 443}
#: What servers print as their address when they listen everywhere: this machine.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}

#: The numbers that a name stands for; OSError where it stands for none.
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is asked, as Inkling writes it: nothing in it is left to be read twice."""

    scheme: str
    host: str  # lower case; a number without brackets
    port: int
    path: str = "/v1"

    @property
    def origin(self) -> str:
        """Without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def url(self) -> str:
        """With the path that OpenAI's API has there."""
        return self.origin + self.path


def read_address(text: str) -> Address:
    """What a person typed or a program printed; InklingError if it is no address of a server."""
    typed = text.strip()
    whole = typed if "://" in typed else f"http://{typed}"
    try:
        if not _PLAIN.fullmatch(whole):
            raise ValueError
        parts = urlsplit(whole)
        host, port = (parts.hostname or "").lower(), parts.port
        number = _number(host)
        if parts.scheme.lower() not in _PORTS or port == 0:
            raise ValueError
        if number is None and (":" in host or not _HOST.fullmatch(host)):
            raise ValueError
    except ValueError:
        raise InklingError(
            "“{address}” is no address of a server.",
            hint="Such as http://127.0.0.1:11434/v1, without a name or a password in it.",
            told={"address": typed},
        ) from None
    host = host.rstrip(".") if number is None else str(number)
    scheme = parts.scheme.lower()
    path = parts.path.rstrip("/")
    for tail in ("/chat/completions", "/models"):
        path = path.removesuffix(tail)
    return Address(
        scheme, _EVERYWHERE.get(host, host), port or _PORTS[scheme], path if path else "/v1"
    )


def resolve(host: str, port: int) -> list[str]:
    """As the system has it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def here(address: Address, resolve: Resolve = resolve) -> tuple[str, ...]:
    """The numbers of this machine that an address stands for; none if even one of them is another
    machine's, or if it stands for nothing."""
    try:
        numbers = tuple(resolve(address.host, address.port))
    except (OSError, UnicodeError):
        return ()
    return numbers if numbers and all(map(is_loopback, numbers)) else ()


def is_loopback(number: str) -> bool:
    """Whether an IP number never leaves this machine."""
    found = _number(number.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return found is not None and (mapped or found).is_loopback


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
