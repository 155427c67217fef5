"""A key by Windows: RegisterHotKey, whose messages come to the thread that registered it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

from desktop.system.keys import Keys, taken
from engine.contract.errors import InklingError

_ID = 1
_NO_REPEAT = 0x4000
_WM_QUIT, _WM_HOTKEY = 0x0012, 0x0312


def arguments(keys: Keys) -> tuple[None, int, int, int]:
    """Of RegisterHotKey: no window, our number, modifiers without repetition, virtual key."""
    modifiers, key = keys.windows
    return None, _ID, modifiers | _NO_REPEAT, key


class WindowsKey:
    """Binds at once; `pressed` and `failed` are called from its thread."""

    def __init__(
        self,
        keys: Keys,
        text: str,
        pressed: Callable[[str], None],
        failed: Callable[[InklingError], None],
    ) -> None:
        libraries: Any = ctypes  # of Windows alone, as is `windll`
        self._user, self._kernel = libraries.windll.user32, libraries.windll.kernel32
        self._keys, self._text, self._pressed, self._failed = keys, text, pressed, failed
        self._number = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="inkling-key", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give the key back."""
        self._ready.wait(2.0)
        self._user.PostThreadMessageW(self._number, _WM_QUIT, 0, 0)
        self._thread.join(2.0)

    def _listen(self) -> None:
        from ctypes import wintypes

        self._number = self._kernel.GetCurrentThreadId()
        bound = self._user.RegisterHotKey(*arguments(self._keys))
        self._ready.set()
        if not bound:
            self._failed(taken(self._text))
            return
        message = wintypes.MSG()
        while self._user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            if message.message == _WM_HOTKEY:
                self._pressed("")
        self._user.UnregisterHotKey(None, _ID)
