"""A key by the desktop portal: `org.freedesktop.portal.GlobalShortcuts`, in a thread of its own.

The desktop asks the person, who may choose another key; what it is bound to then is its to show.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
from collections.abc import Callable
from typing import Any

from desktop.system.keys import Keys, none_here
from engine.contract.errors import InklingError
from engine.contract.version import APPLICATION_ID

PORTAL = "org.freedesktop.portal.Desktop"
OBJECT = "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
REGISTRY = "org.freedesktop.host.portal.Registry"
REQUEST, SESSION = "org.freedesktop.portal.Request", "org.freedesktop.portal.Session"
ID = "panel"
_GRANTED, _CANCELLED = 0, 1  # responses of a request
_log = logging.getLogger(__name__)


class PortalKey:
    """Binds at once; `pressed` and `failed` are called from its thread."""

    def __init__(
        self,
        keys: Keys,
        description: str,
        pressed: Callable[[str], None],
        failed: Callable[[InklingError], None],
    ) -> None:
        self._keys, self._description = keys, description
        self._pressed, self._failed = pressed, failed
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._tokens = itertools.count(1)
        self._thread = threading.Thread(target=self._run, name="inkling-key", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give the key back."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._listen())
        except InklingError as error:
            self._failed(error)
        except Exception:  # noqa: BLE001  # a thread's error is seen nowhere else
            _log.exception("the key could not be bound")
            self._failed(none_here())
        finally:
            self._loop.close()

    async def _listen(self) -> None:
        try:
            from dbus_fast.aio import MessageBus

            self._bus = await MessageBus().connect()
        except (ImportError, OSError, ValueError) as error:
            raise none_here() from error
        try:
            self._bus.add_message_handler(self._heard)
            await self._match(f"type='signal',sender='{PORTAL}'")
            with contextlib.suppress(InklingError):  # a portal of before 1.20 has no registry
                await self._call(REGISTRY, "Register", "sa{sv}", APPLICATION_ID, {})
            session = await self._bind()
            # The session's end gives the key back, and so does that of this connection.
            gone = asyncio.ensure_future(self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
            gone.add_done_callback(lambda _: self._ended.set())
            await self._ended.wait()
            gone.cancel()
            with contextlib.suppress(InklingError):
                await self._call(SESSION, "Close", "", path=session)
        finally:
            self._bus.disconnect()

    async def _bind(self) -> str:
        """A session in which the key is bound; InklingError where it is not to be."""
        from dbus_fast import Variant

        options = {"session_handle_token": Variant("s", "inkling")}
        (made,) = await self._request("CreateSession", "a{sv}", options=options)
        session = str(made["session_handle"].value)
        wanted = {
            "description": Variant("s", self._description),
            "preferred_trigger": Variant("s", self._keys.trigger),
        }
        bound = await self._request(
            "BindShortcuts", "oa(sa{sv})sa{sv}", session, [[ID, wanted]], "", options={}
        )
        shortcuts = bound[0].get("shortcuts")
        if shortcuts is None or not any(one[0] == ID for one in shortcuts.value):
            raise _refused()
        return session

    async def _request(
        self, member: str, signature: str, *body: Any, options: dict[str, Any]
    ) -> list[Any]:
        """A call that is answered by a signal once the person has answered."""
        from dbus_fast import Variant

        token = f"inkling{next(self._tokens)}"
        sender = str(self._bus.unique_name).removeprefix(":").replace(".", "_")
        answer: asyncio.Future[list[Any]] = self._loop.create_future()
        # Known before it is asked: the answer may come before the call returns.
        self._waiting[f"{OBJECT}/request/{sender}/{token}"] = answer
        options = {**options, "handle_token": Variant("s", token)}
        handle = await self._call(SHORTCUTS, member, signature, *body, options)
        self._waiting.setdefault(str(handle[0]), answer)  # portals of long ago chose their own
        ended = asyncio.ensure_future(self._ended.wait())
        await asyncio.wait((answer, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not answer.done():
            raise _refused()
        response, results = answer.result()
        if response != _GRANTED:
            _log.info("the portal answered %s with %s", member, response)
            raise _refused() if response == _CANCELLED else none_here()
        return [results]

    async def _call(
        self, interface: str, member: str, signature: str, *body: Any, path: str = OBJECT
    ) -> list[Any]:
        from dbus_fast import Message, MessageType

        answer = await self._bus.call(
            Message(
                destination=PORTAL,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
            raise none_here()
        return list(answer.body)

    async def _match(self, rule: str) -> None:
        from dbus_fast import Message

        bus = "org.freedesktop.DBus"
        await self._bus.call(
            Message(
                destination=bus,
                path="/org/freedesktop/DBus",
                interface=bus,
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )

    def _heard(self, message: Any) -> None:
        if message.interface == REQUEST and message.member == "Response":
            answer = self._waiting.pop(message.path, None)
            if answer is not None and not answer.done():
                answer.set_result(message.body)
        elif message.interface == SHORTCUTS and message.member == "Activated":
            _session, identifier, _time, options = message.body
            if identifier == ID:
                token = options.get("activation_token")
                self._pressed("" if token is None else str(token.value))


def _refused() -> InklingError:
    return InklingError(
        "No key was bound.",
        hint="Bind a key to the command “inkling --panel” in your desktop's keyboard settings.",
    )
