"""The process behind the name on the session bus: it takes it, answers, and ends when idle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time

from dbus_fast import BusType, RequestNameReply
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidAddressError

from desktop.provider.answers import Answers
from desktop.provider.gnome import GnomeSearch
from desktop.provider.krunner import KRunnerSearch
from desktop.system.identity import BUS_NAME, OBJECT_PATH
from engine.contract import log
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir

#: The bus starts it again in less time than a person needs for the second letter.
IDLE_SECONDS = 600.0
_log = logging.getLogger(__name__)


def serve(base: BaseDir, idle_s: float = IDLE_SECONDS) -> int:
    """Answer desktops' searches until nobody has asked for a while, or the session ends."""
    if base.root.is_dir():  # without one nothing is made for a person who only searched the desktop
        log.set_up(base.logs, "provider")
    asyncio.run(_serve(base, idle_s))
    return 0


async def _serve(base: BaseDir, idle_s: float) -> None:
    try:
        bus = await MessageBus(bus_type=BusType.SESSION).connect()
    except (OSError, ValueError, AuthError, InvalidAddressError) as error:
        raise InklingError(
            "There is no session bus to answer on.",
            hint="It is started by the desktop: nothing has to be done by hand.",
        ) from error
    answers = Answers(base)
    try:
        for interface in (GnomeSearch(answers), KRunnerSearch(answers)):
            bus.export(OBJECT_PATH, interface)
        # Exported first: whoever waits for the name finds what it stands for.
        if await bus.request_name(BUS_NAME) is not RequestNameReply.PRIMARY_OWNER:
            _log.info("another process answers already")
            return
        await _until_idle(bus, answers, idle_s)
        await bus.release_name(BUS_NAME)
    finally:
        answers.close()
        bus.disconnect()


async def _until_idle(bus: MessageBus, answers: Answers, idle_s: float) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(number, ended.set)
    gone = asyncio.ensure_future(bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
    gone.add_done_callback(lambda _: ended.set())
    while not ended.is_set():
        left = answers.last_asked + idle_s - time.monotonic()
        if left <= 0:
            break
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), left)
    if gone.done():
        _log.info("the session bus has gone: %s", gone.exception())
    else:
        gone.cancel()
