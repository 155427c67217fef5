"""The codebooks of one space, beside its segments: none is ever changed.

With a codebook all its codes would be lost. So that one bad block costs nothing there are two files
of each, `00000001.book` and `00000001.copy`.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.store.codebook import Codebook, Codes
from engine.store.disk import DISK, Disk

log = logging.getLogger(__name__)

#: A codebook is learnt anew when it tells so many tokens so much worse than those it was tried on.
OUTGROWN_TOKENS, OUTGROWN = 200_000, 1.15
_KEPT = 10  # every tenth of them is what the new one is learnt from: 2.5 MB at 128 dimensions

_NAME = re.compile(r"(\d{8})\.(book|copy)")


class Codebooks:
    """Those that can be read; `add` for the writer's thread alone."""

    def __init__(self, directory: Path, *, read_only: bool = False, disk: Disk = DISK) -> None:
        self._directory, self._disk = directory, disk
        found = {
            int(name[1]) for path in directory.glob("*") if (name := _NAME.fullmatch(path.name))
        }
        self._last = max(found, default=0)
        read = [self._read(number, mend=not read_only) for number in sorted(found)]
        self._newest = read[-1] if read else None
        #: Replaced, never changed: readers hold on to one.
        self.by_id = {book.id: book for book in read if book is not None}

    @property
    def newest(self) -> Codebook | None:
        """The one that new codes are of."""
        return self._newest

    @property
    def next_number(self) -> int:
        """One that none ever had, readable or not."""
        return self._last + 1

    def add(self, book: Codebook) -> None:
        """Both files are on disk when this returns: only then may a record refer to it."""
        data = book.to_bytes()
        for path in self._paths(book.number):
            self._disk.replace_with(path, [data])
        self.by_id = {**self.by_id, book.id: book}
        self._newest, self._last = book, book.number

    def size_bytes(self) -> int:
        """Bytes on disk."""
        return sum(2 * len(book.to_bytes()) for book in self.by_id.values())

    def _paths(self, number: int) -> tuple[Path, Path]:
        name = self._directory / f"{number:08d}"
        return name.with_suffix(".book"), name.with_suffix(".copy")

    def _read(self, number: int, *, mend: bool) -> Codebook | None:
        """The book by either file; OSError if the system does not let us read what may be whole."""
        whole: dict[Path, bytes] = {}
        refused: OSError | None = None
        for path in self._paths(number):
            try:
                data = path.read_bytes()
                if Codebook.from_bytes(data).number != number:
                    raise ValueError("it is another codebook")
                whole[path] = data
            except FileNotFoundError:
                continue
            except ValueError as error:
                log.warning("%s can't be read: %s", path.name, error)
            except OSError as error:
                refused = error
        if not whole:
            if refused is not None:
                raise refused
            return None
        data = next(iter(whole.values()))
        for path in self._paths(number):
            if mend and path not in whole and refused is None:
                self._disk.replace_with(path, [data])
        return Codebook.from_bytes(data)


class Recent:
    """Tokens that were coded since the newest codebook came, or this process started."""

    def __init__(self) -> None:
        self._kept: list[NDArray[np.int8]] = []
        self._noted = self._measured = 0
        self._error = 0.0  # sum over those measured

    def note(self, tokens: NDArray[np.float32], codes: Codes) -> None:
        """Tokens [n, t] of length 1, and what they became."""
        some = slice(self._noted % _KEPT, None, _KEPT)
        kept = tokens[some]
        self._noted += len(tokens)
        self._error += codes.book.error_of(kept, Codes(codes.book, codes.rows[some])) * len(kept)
        self._measured += len(kept)
        if self._noted <= OUTGROWN_TOKENS:
            self._kept.append(np.rint(kept * 127).astype(np.int8))

    def has_outgrown(self, book: Codebook) -> bool:
        """Whether they are no longer like those that the codebook was learnt from, or it is of an
        earlier making."""
        if self._noted < OUTGROWN_TOKENS:
            return False
        return book.is_coarse or self._error > OUTGROWN * book.error * self._measured

    def tokens(self) -> NDArray[np.float32]:
        """[n, t] some of them."""
        return np.concatenate(self._kept).astype(np.float32) / np.float32(127)
