"""What OCR has read of files with many pages, kept on disk so that no page is read twice.

Such a file is read in several rounds, with others, stops and crashes in between, and again when
another model is chosen. A small file of pages beside the store holds them until their document is
removed or has other contents.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_in_place
from indexer.reading.extract.base import ExtractError, OcrPage
from indexer.reading.messages import PackedPage, pack_pages, unpack_pages

log = logging.getLogger(__name__)

_FORM = 2  # of these files; pages in another form are read again


class _Kept(msgspec.Struct):
    form: int
    edition: str
    pages: list[PackedPage]


class KeptPages:
    """The pages by file and edition; callable from any thread, for different files."""

    def __init__(self, base: BaseDir) -> None:
        self._folder = base.pages

    def load(self, file_id: int, edition: str) -> list[OcrPage]:
        """The pages of these contents; [] where there are none, or only of other contents."""
        path = self._path(file_id)
        try:
            kept = msgspec.msgpack.decode(zlib.decompress(path.read_bytes()), type=_Kept)
            if (kept.form, kept.edition) == (_FORM, edition):
                return unpack_pages(kept.pages)
        except FileNotFoundError:
            return []
        except (OSError, zlib.error, msgspec.MsgspecError, ExtractError) as error:
            log.warning("Pages of file %d are read again: %s", file_id, error)
        path.unlink(missing_ok=True)
        return []

    def save(self, file_id: int, edition: str, pages: Sequence[OcrPage]) -> None:
        """Keep these pages instead of what there was; on disk when it returns. InklingError if
        that is not possible."""
        kept = _Kept(_FORM, edition, pack_pages(pages))
        path = self._path(file_id)
        fresh = path.with_suffix(".new")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(zlib.compress(msgspec.msgpack.encode(kept), 1))
                file.flush()
                os.fsync(file.fileno())
            put_in_place(fresh, path)
        except OSError as error:
            raise InklingError(
                "Inkling can't keep what it has read ({error}).",
                hint="Check the permissions and free space of its folder.",
                path=str(self._folder),
                told={"error": error.strerror or error},
            ) from error

    def drop(self, file_ids: Sequence[int]) -> None:
        """These files are gone, or have no contents any more."""
        for file_id in file_ids:
            self._path(file_id).unlink(missing_ok=True)

    def _path(self, file_id: int) -> Path:
        return self._folder / f"{file_id}.pages"
