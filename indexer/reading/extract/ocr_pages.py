"""Pages read by OCR, as many as a call's time allows: what was read before is taken over."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from indexer.reading.extract import ocr
from indexer.reading.extract.base import OcrPage
from indexer.reading.extract.render import is_blank


class OcrPages:
    """Reads the pages of one file; at least one that is new, so that every call gets further."""

    def __init__(self, known: Sequence[OcrPage], seconds: float) -> None:
        """`known`: what earlier calls have read of the same contents. `seconds`: of processor time
        for all that is new."""
        self.unread: list[int] = []  # pages (1-based) there was no time for
        self._new: list[OcrPage] = []
        self._known = {page.page: page for page in known}
        self._seconds, self._spent = seconds, 0.0

    def read(
        self, number: int, picture: Callable[[], Image.Image], *, glance: bool = False
    ) -> OcrPage | None:
        """What a page (1-based) holds, known or new; None, and noted as unread, if time is up.
        `glance`: most such pictures hold no words, and a look at a small copy tells."""
        if (known := self._known.get(number)) is not None:
            return known
        if self._new and self._spent > self._seconds:
            self.unread.append(number)
            return None
        began = time.process_time()
        image = picture()
        pixels = np.asarray(image)
        empty = is_blank(image) or (glance and not ocr.holds_lines(pixels))
        reading = ocr.Reading([]) if empty else ocr.read(pixels)
        text, words = ocr.as_text(reading.lines)
        self._spent += time.process_time() - began
        page = OcrPage(number, text, words, reading.illegible)
        self._new.append(page)
        return page

    @property
    def to_keep(self) -> list[OcrPage]:
        """What this call has read of a file that takes several."""
        return self._new if self.unread or self._known else []

    def notes(self, count: int, pages: int) -> list[str]:
        """How far it is, in words, where there was no time for all `count` of so many pages, and
        what can't be read of those that were."""
        notes = [f"{count - len(self.unread)} of {pages} pages read."] if self.unread else []
        pages_read = (*self._known.values(), *self._new)
        scripts = Counter(script for page in pages_read for script in page.illegible)
        for script, lines in scripts.most_common():
            many = "one line" if lines == 1 else f"{lines} lines"
            what = f"{script} text" if script else "Letters that it does not know"
            notes.append(f"{what} ({many}): no OCR model here reads it.")
        return notes

    def knows(self, number: int) -> bool:
        """Whether a page was read by an earlier call."""
        return number in self._known
