"""A key by macOS: Carbon's RegisterEventHotKey, which asks for no permission."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from desktop.system.keys import Keys, none_here, taken
from engine.contract.errors import InklingError

_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_EXISTS = -9878  # eventHotKeyExistsErr
_HANDLED = 0


def four(text: str) -> int:
    """A code of four letters, as Carbon's headers write them."""
    return int.from_bytes(text.encode("ascii"), "big")


class _HotKeyId(ctypes.Structure):
    _fields_ = (("signature", ctypes.c_uint32), ("id", ctypes.c_uint32))


class _EventType(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_uint32), ("number", ctypes.c_uint32))


def failure(status: int, text: str) -> InklingError | None:
    """What Carbon's answer means for a person; None where the key is bound."""
    if status == 0:
        return None
    return taken(text) if status == _EXISTS else none_here()


class MacKey:
    """Binds at once, to be made on the interface's thread: Qt's event loop brings the events."""

    def __init__(
        self,
        keys: Keys,
        text: str,
        pressed: Callable[[str], None],
        failed: Callable[[InklingError], None],
    ) -> None:
        self._carbon: Any = ctypes.CDLL(_CARBON)
        self._carbon.GetApplicationEventTarget.restype = ctypes.c_void_p
        target = ctypes.c_void_p(self._carbon.GetApplicationEventTarget())
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 3)

        def called(_next: object, _event: object, _data: object) -> int:
            pressed("")
            return _HANDLED

        self._called = kind(called)  # kept: Carbon holds no reference
        self._handler, self._key = ctypes.c_void_p(), ctypes.c_void_p()
        wanted = _EventType(four("keyb"), 5)  # kEventHotKeyPressed
        self._carbon.InstallEventHandler(
            target, self._called, 1, ctypes.byref(wanted), None, ctypes.byref(self._handler)
        )
        modifiers, code = keys.mac
        status = self._carbon.RegisterEventHotKey(
            code, modifiers, _HotKeyId(four("Inkl"), 1), target, 0, ctypes.byref(self._key)
        )
        if (error := failure(status, text)) is not None:
            failed(error)

    def stop(self) -> None:
        """Give the key back."""
        if self._key.value:
            self._carbon.UnregisterEventHotKey(self._key)
        self._carbon.RemoveEventHandler(self._handler)
