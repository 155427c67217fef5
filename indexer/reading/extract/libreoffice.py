"""LibreOffice, where it is installed, as a library in the worker: it makes of a file another one
that is read here. So it has the worker's limits of time and memory and may neither write elsewhere,
nor connect, nor start a program, which it could as a process of its own.

Its interface for that (LibreOfficeKit) is a table of functions in C that only ever grows.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError

NAME = "LibreOffice"
_FOLDERS = (
    "/usr/lib/libreoffice/program", "/usr/lib64/libreoffice/program",
    "/opt/libreoffice/program", "/usr/local/lib/libreoffice/program",
    "/Applications/LibreOffice.app/Contents/Frameworks",
    "C:/Program Files/LibreOffice/program",
)  # fmt: skip
_ENDING = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
#: Holding the interface; the second where distributions join all libraries to one.
_LIBRARIES = ("libsofficeapp", "libmergedlo", "sofficeapp", "mergedlo")
#: By the form that is made the library that has to be there, and what people call its part.
_PARTS = {"docx": ("swlo", "Writer"), "pptx": ("sdlo", "Impress"), "xlsx": ("sclo", "Calc")}
#: Neither macros nor links to elsewhere.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop>
</item></oor:items>
"""


class _Kit(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_size_t),
        ("destroy", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("load", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)),
        ("error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
    )


class _Document(ctypes.Structure):
    _text = ctypes.c_char_p
    _fields_ = (
        ("size", ctypes.c_size_t),
        ("destroy", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("save", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _text, _text, _text)),
    )


def installed() -> bool:
    """Whether its library lies where such libraries lie; nothing is loaded."""
    return _library() is not None


def home_of(worker: int, scratch: str | Path) -> Path:
    """Where it keeps what it needs while it runs in this process; to be removed after its end."""
    return Path(scratch, f"office-{worker}")


@cache
def _library() -> Path | None:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    own = [os.path.dirname(os.path.realpath(program))] if program else []
    for folder in (*own, *_FOLDERS):
        for name in _LIBRARIES:
            if (path := Path(folder, name + _ENDING)).is_file():
                return path
    return None


def converted(path: Path, form: str, folder: Path) -> Path:
    """The same as another file in `folder`; ExtractError where that can't be."""
    library = _library()
    if library is None:
        raise ExtractError("needs-program", NAME)
    kit = _started()
    functions = _table(kit, _Kit)
    document = functions.load(kit, path.resolve().as_uri().encode())
    if not document:
        part, called = _PARTS[form]
        if not any(library.parent.glob(f"*{part}{_ENDING}")):
            raise ExtractError("needs-program", f"{NAME} {called}")
        raise ExtractError("broken", f"{NAME} can't open it")
    try:
        made = folder / f"made.{form}"
        if not _table(document, _Document).save(
            document, made.resolve().as_uri().encode(), form.encode(), None
        ):
            raise ExtractError("broken", f"{NAME} can't carry it over")
        return made
    finally:
        _table(document, _Document).destroy(document)


@cache
def _started() -> int:
    """Its instance, which stays for the next file."""
    library = _library()
    assert library is not None
    home = home_of(os.getpid(), tempfile.gettempdir())
    profile = home / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)  # it may have failed to start
    (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS)
    # It draws into memory.
    os.environ |= {"SAL_USE_VCLPLUGIN": "svp", "TMPDIR": str(home), "HOME": str(home)}
    try:
        hook = ctypes.CDLL(str(library)).libreofficekit_hook_2
    except (OSError, AttributeError) as error:
        raise ExtractError("needs-program", f"{NAME} ({error})") from error
    hook.restype, hook.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)
    kit = hook(os.fsencode(library.parent), profile.as_uri().encode())
    if not kit:
        raise ExtractError("needs-program", f"{NAME} (it does not start)")
    return int(kit)


def _table(instance: int, form: Any) -> Any:
    """The functions of an instance: what its first word points to."""
    address = ctypes.c_void_p.from_address(instance).value
    assert address is not None
    return form.from_address(address)
