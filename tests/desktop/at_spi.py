"""What a screen reader gets of a window: its accessibility tree, over a session bus of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from tests.waiting import PATIENCE

_SERVICES = "dbus-1/services/org.a11y.Bus.service"
_ROOT = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
_ACCESSIBLE = "org.a11y.atspi.Accessible"
#: Bits of a state, as AT-SPI numbers them.
CHECKED, ENABLED, FOCUSABLE, FOCUSED, SELECTED, SHOWING = 4, 8, 11, 12, 23, 25


def missing() -> str:
    """What this machine lacks for it; "" if nothing."""
    absent = [name for name in ("dbus-daemon", "Xvfb") if not shutil.which(name)]
    folders = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    if not any(Path(folder, _SERVICES).is_file() for folder in folders):
        absent.append("the registry of at-spi2-core")
    return ", ".join(absent)


@contextmanager
def session_bus(environment: dict[str, str]) -> Iterator[str]:
    """A bus of its own, which starts the registry when it is asked for; its address."""
    if not shutil.which("dbus-daemon"):
        pytest.skip("there is no dbus-daemon")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    with daemon.stdout:
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE)


@dataclass(frozen=True)
class Node:
    """One thing in the tree, as it was when it was asked."""

    at: tuple[str, str]  # who has it, and where
    role: str
    name: str
    description: str
    state: int  # bits

    def has(self, bit: int) -> bool:
        return bool(self.state >> bit & 1)


class Reader:
    """Walks the tree of the one program on the bus, and does what a person with it can do."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    async def _call(
        self, at: tuple[str, str], interface: str, member: str, signature: str = "", *body: Any
    ) -> Any:
        message = Message(
            destination=at[0],
            path=at[1],
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        reply = await self._bus.call(message)
        assert reply is not None
        if reply.message_type is MessageType.ERROR:
            raise LookupError(reply.body)
        return reply.body[0] if reply.body else None

    async def _property(self, at: tuple[str, str], name: str) -> str:
        get = ("org.freedesktop.DBus.Properties", "Get", "ss")
        return str((await self._call(at, *get, _ACCESSIBLE, name)).value)

    async def tree(self) -> list[Node]:
        """All that shows, in its order."""
        found: list[Node] = []
        for at in await self._call(_ROOT, _ACCESSIBLE, "GetChildren"):
            await self._walk(tuple(at), found)
        return found

    async def _walk(self, at: tuple[str, str], found: list[Node]) -> None:
        try:
            low, high = await self._call(at, _ACCESSIBLE, "GetState")
            role = await self._call(at, _ACCESSIBLE, "GetRoleName")
            name = await self._property(at, "Name")
            told = await self._property(at, "Description")
            below = await self._call(at, _ACCESSIBLE, "GetChildren")
        except LookupError:
            return  # it went away meanwhile
        node = Node(at, role, name, told, low | high << 32)
        if role == "application" or node.has(SHOWING):
            found.append(node)
            for child in below:
                await self._walk(tuple(child), found)

    async def until(self, done: Callable[[list[Node]], bool]) -> list[Node]:
        """The tree, once it is so."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            nodes = await self.tree()
            if done(nodes):
                return nodes
            assert asyncio.get_running_loop().time() < deadline, nodes
            await asyncio.sleep(0.2)

    async def press(self, node: Node) -> None:
        await self._call(node.at, "org.a11y.atspi.Action", "DoAction", "i", 0)

    async def write(self, node: Node, text: str) -> None:
        await self._call(node.at, "org.a11y.atspi.EditableText", "SetTextContents", "s", text)

    async def read(self, node: Node) -> str:
        return str(await self._call(node.at, "org.a11y.atspi.Text", "GetText", "ii", 0, -1))


@asynccontextmanager
async def reader(session: str) -> AsyncIterator[Reader]:
    """On the accessibility bus that belongs to a session's."""
    bus = await MessageBus(bus_address=session).connect()
    known = Message(
        destination="org.a11y.Bus",
        path="/org/a11y/bus",
        interface="org.a11y.Bus",
        member="GetAddress",
    )
    reply = await bus.call(known)
    assert reply is not None
    assert reply.message_type is not MessageType.ERROR, reply.body
    own = await MessageBus(bus_address=reply.body[0]).connect()
    try:
        yield Reader(own)
    finally:
        own.disconnect()
        bus.disconnect()
