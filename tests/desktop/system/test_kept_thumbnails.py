"""Thumbnails of the desktop: found by the digest of the address, and only if they are of now."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from desktop.system.kept_thumbnails import find


def keep(file: Path, uri: str, cache: Path, *, mtime: str | None = None, said: str = "") -> bytes:
    info = PngInfo()
    info.add_text("Thumb::URI", said or uri)
    info.add_text("Thumb::MTime", mtime or str(int(file.stat().st_mtime)))
    out = io.BytesIO()
    Image.new("RGB", (256, 128), "red").save(out, "PNG", pnginfo=info)
    folder = cache / "thumbnails" / "large"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{hashlib.md5(uri.encode()).hexdigest()}.png").write_bytes(out.getvalue())
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "a b (1), ü;.jpg"
    made.write_bytes(b"x")
    return made


def test_as_desktops_write_them(file: Path, tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert find(str(file), environment) is None
    uri = f"file://{tmp_path}/a%20b%20(1),%20%C3%BC%3B.jpg"
    data = keep(file, uri, tmp_path / "cache")
    assert find(str(file), environment) == data
    os.utime(file, (1, 1))  # the file was changed since
    assert find(str(file), environment) is None
    assert find(str(file), {}) is None


def test_what_is_of_another_file_or_no_picture_is_none(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / ".cache"
    environment = {"XDG_CACHE_HOME": str(cache)}
    uri = f"file://{tmp_path}/a%20b%20(1),%20%C3%BC%3B.jpg"
    keep(file, uri, cache, said="file:///another")
    assert find(str(file), environment) is None
    for odd in (b"", b"no picture", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt"):
        (kept,) = (cache / "thumbnails/large").iterdir()
        kept.write_bytes(odd)
        assert find(str(file), environment) is None
    assert find("/gone/\udcff.jpg", environment) is None
