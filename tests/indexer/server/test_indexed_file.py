"""Which files of the index may be shown, and to whom."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from indexer.ledger.ledger import Done, Found, Ledger
from indexer.server.indexed_file import bare_file, shown_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


def read(base: BaseDir, folder: Path, detail: str = "") -> tuple[Ledger, str]:
    """A ledger with one picture that was read, with what was said of it."""
    picture = folder / "page.png"
    picture.write_bytes(b"pixels")
    facts = picture.stat()
    ledger = Ledger(base.ledger)
    root = ledger.add_root(folder)
    row = Found(os.fsencode(picture), facts.st_size, facts.st_mtime_ns, facts.st_ino, "image")
    (one,) = ledger.add_files(root, [row])
    ledger.finish([Done(one, 1, "h", 1, "image", detail=detail)], 1)
    return ledger, str(picture)


def test_a_model_is_shown_what_holds_no_secret(base: BaseDir, folder: Path) -> None:
    ledger, path = read(base, folder)
    assert bare_file(ledger, path, lambda _path: str(folder)) == path
    ledger.close()


def test_what_is_withheld_of_its_text_is_not_shown_as_pixels(base: BaseDir, folder: Path) -> None:
    ledger, path = read(base, folder, "2 secrets withheld: key, token")
    with pytest.raises(InklingError, match="only the text"):
        bare_file(ledger, path, lambda _path: str(folder))
    assert shown_file(ledger, path, lambda _path: str(folder)) == path  # to the person it is
    ledger.close()


def test_a_file_that_has_changed_since_is_not_shown(base: BaseDir, folder: Path) -> None:
    """Whether it holds a secret now is not known."""
    ledger, path = read(base, folder)
    os.utime(path, (1, 1))
    with pytest.raises(InklingError, match="only the text"):
        bare_file(ledger, path, lambda _path: str(folder))
    ledger.close()
