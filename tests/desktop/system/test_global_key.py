"""One key for the whole desktop: what each system is told, and the portal from asking to press."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.system import macos_key, windows_key
from desktop.system.global_key import GlobalKey
from desktop.system.keys import Keys, parsed
from engine.contract.errors import InklingError
from engine.contract.version import APPLICATION_ID
from tests.waiting import PATIENCE

pytest.importorskip("dbus_fast")
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method

from desktop.system import portal_key as portal
from tests.desktop.at_spi import session_bus

Shortcuts = Annotated[list[list[Any]], DBusSignature("a(sa{sv})")]
Nothing = Annotated[None, DBusSignature("")]


class TestKeys:
    def test_each_system_in_its_own_words(self) -> None:
        keys = parsed("Alt + ctrl+Space")
        assert keys == Keys(("ctrl", "alt"), "space")
        assert keys.trigger == "CTRL+ALT+space"
        assert windows_key.arguments(keys) == (None, 1, 0x4003, 0x20)
        assert keys.mac == (0x1800, 49)
        assert parsed("cmd+shift+K").trigger == "SHIFT+LOGO+k"
        assert parsed("Super+F1").windows == (0x0008, 0x70)
        assert parsed("F12").mac == (0, 111)
        assert parsed("Ctrl+z").mac == (0x1000, 6)
        assert parsed("Ctrl+0").windows == (0x0002, 0x30)

    @pytest.mark.parametrize("text", ["", "Ctrl", "Ctrl+", "Hyper+K", "Ctrl+Alt", "Ctrl+ß", "F13"])
    def test_what_is_no_key_is_said(self, text: str) -> None:
        with pytest.raises(InklingError, match=r"Ctrl\+Alt\+Space|can't be"):
            parsed(text)

    @pytest.mark.parametrize("text", ["k", "Shift+K", "Space"])
    def test_no_key_is_taken_from_typing(self, text: str) -> None:
        with pytest.raises(InklingError, match="every program"):
            parsed(text)

    def test_answers_of_a_mac(self) -> None:
        assert macos_key.failure(0, "Ctrl+K") is None
        for status, said in ((-9878, "another program"), (-50, "no key of their own")):
            error = macos_key.failure(status, "Ctrl+K")
            assert error is not None
            assert said in error.message
        assert macos_key.four("keyb") == 0x6B657962


class ScriptedPortal(ServiceInterface):
    """Answers as a desktop's portal does; `response` is what the person says to the key."""

    def __init__(self, bus: MessageBus) -> None:
        super().__init__(portal.SHORTCUTS)
        self.bus = bus
        self.response = 0
        self.calls: list[tuple[str, Any]] = []

    def _answer(self, handle: str, response: int, results: dict[str, Variant]) -> None:
        self.signal(handle, portal.REQUEST, "Response", "ua{sv}", response, results)

    def signal(self, path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        message = Message(
            message_type=MessageType.SIGNAL, path=path, interface=interface, member=member,
            signature=signature, body=list(body),
        )  # fmt: skip
        self.bus.send(message)

    def _handle(self, options: DBusDict) -> str:
        (asker,) = self.askers
        sender = asker.removeprefix(":").replace(".", "_")
        return f"{portal.OBJECT}/request/{sender}/{options['handle_token'].value}"

    askers: list[str]

    @dbus_method()
    def CreateSession(self, options: DBusDict) -> DBusObjectPath:
        self.calls.append(("CreateSession", options["session_handle_token"].value))
        handle = self._handle(options)
        # At once: before the caller has heard how its request is called.
        self._answer(handle, 0, {"session_handle": Variant("s", "/session/inkling")})
        return handle

    @dbus_method()
    def BindShortcuts(
        self, session: DBusObjectPath, shortcuts: Shortcuts, parent: DBusStr, options: DBusDict
    ) -> DBusObjectPath:
        (one,) = shortcuts
        self.calls.append(("BindShortcuts", (session, one[0], one[1]["preferred_trigger"].value)))
        handle = self._handle(options)
        self._answer(handle, self.response, {"shortcuts": Variant("a(sa{sv})", [[one[0], {}]])})
        return handle

    def press(self) -> None:
        token = {"activation_token": Variant("s", "token-9")}
        self.signal(
            portal.OBJECT, portal.SHORTCUTS, "Activated", "osta{sv}",
            "/session/inkling", portal.ID, 7, token,
        )  # fmt: skip


class Registry(ServiceInterface):
    """Tells unconfined programs apart."""

    def __init__(self, calls: list[tuple[str, Any]]) -> None:
        super().__init__(portal.REGISTRY)
        self._calls = calls

    @dbus_method()
    def Register(self, app_id: DBusStr, options: DBusDict) -> Nothing:
        self._calls.append(("Register", app_id))


class Session:
    """A bus with a portal on it, in a thread with a loop of its own."""

    def __init__(self, address: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.portal = self.run(self._made(address))

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    async def _made(self, address: str) -> ScriptedPortal:
        bus = await MessageBus(bus_address=address).connect()
        made = ScriptedPortal(bus)
        made.askers = []

        def heard(message: Message) -> None:
            if message.message_type is MessageType.METHOD_CALL and message.sender:
                made.askers[:] = [message.sender]
                if message.member == "Close":
                    made.calls.append(("Close", message.path))

        bus.add_message_handler(heard)
        for interface in (made, Registry(made.calls)):
            bus.export(portal.OBJECT, interface)
        await bus.request_name(portal.PORTAL)
        return made

    def press(self) -> None:
        self.loop.call_soon_threadsafe(self.portal.press)

    def close(self) -> None:
        async def ended() -> None:
            self.portal.bus.disconnect()

        self.run(ended())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    with session_bus(dict(os.environ)) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        made = Session(address)
        yield made
        made.close()


@pytest.fixture
def key(qtbot: QtBot) -> Iterator[GlobalKey]:
    made = GlobalKey("Show or hide the search panel")
    yield made
    made.close()


def called(session: Session, *names: str) -> Callable[[], bool]:
    return lambda: [name for name, _ in session.portal.calls] == list(names)


def test_the_portal_binds_and_tells(qtbot: QtBot, session: Session, key: GlobalKey) -> None:
    key.bind("Ctrl+Alt+Space")
    qtbot.waitUntil(called(session, "Register", "CreateSession", "BindShortcuts"))
    assert session.portal.calls == [
        ("Register", APPLICATION_ID),
        ("CreateSession", "inkling"),
        ("BindShortcuts", ("/session/inkling", portal.ID, "CTRL+ALT+space")),
    ]
    with qtbot.waitSignal(key.pressed) as pressed:
        session.press()
    assert pressed.args == ["token-9"]
    key.close()
    qtbot.waitUntil(lambda: ("Close", "/session/inkling") in session.portal.calls)


def test_whoever_says_no_is_heard(qtbot: QtBot, session: Session, key: GlobalKey) -> None:
    session.portal.response = 1
    with qtbot.waitSignal(key.failed) as failed:
        key.bind("Ctrl+Alt+Space")
    assert failed.args[0].message == "No key was bound."
    assert "inkling --panel" in failed.args[0].hint


def test_where_the_desktop_has_none_that_is_said(
    qtbot: QtBot, key: GlobalKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_bus(dict(os.environ)) as address:  # a bus without a portal
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with qtbot.waitSignal(key.failed) as failed:
            key.bind("Ctrl+Alt+Space")
        assert "inkling --panel" in failed.args[0].hint
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        with qtbot.waitSignal(key.failed) as failed:
            key.bind("Ctrl+Alt+Space")
        assert "inkling --panel" in failed.args[0].hint


def test_nonsense_is_said_and_nothing_is_nothing(qtbot: QtBot, key: GlobalKey) -> None:
    with qtbot.waitSignal(key.failed):
        key.bind("Hyper+K")
    with qtbot.assertNotEmitted(key.failed):
        key.bind("")
