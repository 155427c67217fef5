"""A private session bus, and calls on it as a shell makes them."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.waiting import PATIENCE


def call(
    address: str, to: tuple[str, str, str], member: str, signature: str = "", *body: Any
) -> list[Any]:
    """One call to (name, path, interface); its answer with variants as their values."""

    async def made() -> Message:
        bus = await MessageBus(bus_address=address).connect()
        try:
            message = Message(
                destination=to[0], path=to[1], interface=to[2], member=member,
                signature=signature, body=list(body),
            )  # fmt: skip
            answer = await asyncio.wait_for(bus.call(message), PATIENCE)
            assert answer is not None
            return answer
        finally:
            bus.disconnect()

    answer = asyncio.run(made())
    assert answer.message_type is MessageType.METHOD_RETURN, answer.body
    return [plain(value) for value in answer.body]


def plain(value: Any) -> Any:
    """Without variants."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def methods(xml: str, interface: str) -> dict[str, tuple[str, str]]:
    """By name what a description of an object says each method takes and gives."""
    found = ET.fromstring(xml).find(f"interface[@name='{interface}']")
    assert found is not None, interface
    return {
        method.attrib["name"]: (
            "".join(a.attrib["type"] for a in method if a.get("direction", "in") == "in"),
            "".join(a.attrib["type"] for a in method if a.get("direction") == "out"),
        )
        for method in found.iter("method")
    }
