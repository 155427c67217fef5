"""Files are replaced while others read them, on systems where those are in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.contract import put


def denied(code: int | None) -> PermissionError:
    error = PermissionError(13, "The process cannot access the file")
    if code is not None:
        error.winerror = code  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize("code", [5, 32, 33])
def test_a_reader_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    new, old, replace, tries = tmp_path / "new", tmp_path / "old", os.replace, list[Path]()
    for path in (new, old):
        path.write_text(path.name)

    def busy(source: Path, target: Path) -> None:
        tries.append(target)
        if len(tries) < 3:
            raise denied(code)
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    put.put_in_place(new, old)
    assert old.read_text() == "new"
    assert not new.exists()


@pytest.mark.parametrize("code", [None, 5, 17])
def test_what_stays_forbidden_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise denied(code)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(put, "PATIENCE_S", 0.0)
    with pytest.raises(PermissionError):
        put.put_in_place(tmp_path / "new", tmp_path / "old")
