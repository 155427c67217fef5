"""From keystrokes and pictures to questions: the newest one, at most every few milliseconds."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QTimer, Signal
from PySide6.QtGui import QImage

from desktop import icons, theme
from desktop import strings as s
from desktop.connection import IndexerConnection, Question
from desktop.presentation import kinds
from desktop.presentation.thumbnails import Thumbnails
from desktop.settings.settings_client import SettingsClient
from desktop.state import HistoryCursor, State
from desktop.window import chips
from desktop.window.completions import Known
from desktop.window.filter_completer import FilterCompleter
from desktop.window.held_values import HeldValues
from desktop.window.query_picture import keep_picture, picture_file, small_picture
from desktop.window.search_bar import SearchBar
from engine.contract.paths import BaseDir
from engine.contract.types import FINAL, Answer, Hit

#: A keystroke is searched at once, the next ones at most this often: names answer in a few ms.
_KEYSTROKE_MS = 40
#: A search rested on for so long was meant: it goes into the history.
_MEANT_MS = 2_500
#: As many files as the indexer gives at once.
_MOST = 5_000
#: While the index grows an answer with rows is brought up to date at most this often.
_RENEW_SECONDS = 10.0


class SearchController(QObject):
    """Holds the question that is being put and sends it when it has changed."""

    typed = Signal(str, tuple)  # the field's text, at every change, and its words that are plain
    asked = Signal(bool)  # a question was sent: whether it is another one than before
    emptied = Signal()  # there is no question any more
    failed = Signal(object)  # InklingError

    def __init__(
        self,
        search: SearchBar,
        service: IndexerConnection,
        base: BaseDir,
        settings: SettingsClient,
        state: State,
        thumbnails: Thumbnails,
        limit: int | None = None,
    ) -> None:
        """`limit`: files that are asked for at first; as the setting says where none is given."""
        super().__init__(search)
        self._first = limit
        self._search, self._service, self._base = search, service, base
        self._settings, self._state, self._thumbnails = settings, state, thumbnails
        self.question = Question()
        self._sent = Question()
        self._limit = 0  # how many files were asked for
        self._complete = True  # there are no more than are shown
        self._deeper = False  # the same was asked for more rows, or of a larger index
        self._running = False  # stages are still to come
        self._merges = False  # archives answer, too
        self._outdated = False  # the index has grown since it was asked
        self._answered = 0.0  # when the last one came
        self._pictures = 0
        self.history = HistoryCursor(state)
        self._keystroke = self._timer(_KEYSTROKE_MS)
        self._keystroke.timeout.connect(self.send)
        self._meant = self._timer(_MEANT_MS)
        self._meant.timeout.connect(lambda: self.remember(used=False))
        self.held = HeldValues(service, self)
        self.completer = FilterCompleter(search.field, self._known)
        self.held.changed.connect(self.completer.look_again)
        search.changed.connect(self._typed)
        search.field.picture_pasted.connect(self.take_picture)
        search.picture_removed.connect(self.drop_picture)

    def _known(self) -> Known:
        """What filters can be completed with."""
        folders = tuple(str(f["path"]) for f in self._service.status.get("folders", ()))
        if ":" in self._search.field.text():
            self.held.refresh()
        archives = tuple(row.partition(" ")[0] for row in self._settings.values.archives)
        return Known(folders, self.held.values, archives)

    def _timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        return timer

    @property
    def settled(self) -> bool:
        """What was typed last has been asked."""
        return self.question == self._sent

    def close(self) -> None:
        """Stop, and take away the pictures that were only kept for searching."""
        self._keystroke.stop()
        self._meant.stop()
        for number in range(1, self._pictures + 1):
            self._picture_path(number).unlink(missing_ok=True)

    # Text

    def _typed(self, text: str) -> None:
        folded = text.casefold()
        plain = tuple(words for words in self.question.plain if words.casefold() in folded)
        self.typed.emit(text, plain)
        self.history.reset()
        self._meant.start()
        like = self.question.like if not chips.words(text) else None
        if like is None and self.question.like is not None:
            self._search.picture.show_image(None, "")  # words take the place of "like this"
        self.question = Question(text, self.question.image, like, plain)
        if not self._keystroke.isActive():
            self.send()

    def decline(self, words: str) -> None:
        """These words, which were read as a filter, are words for as long as they stand there."""
        self.question = replace(self.question, plain=(*self.question.plain, words))
        self.typed.emit(self.question.text, self.question.plain)
        self._search.focus(select=False)
        self.send()

    def send(self) -> None:
        """Ask the newest question, if it differs from the last one asked."""
        if self.question != self._sent:
            self._send(new=True)

    def _send(self, *, new: bool) -> None:
        self._sent = self.question
        self._keystroke.start()
        if self.question.empty:
            self._service.stop_search()
            self.emptied.emit()
            return
        self.asked.emit(new)
        self._complete, self._deeper, self._merges = True, False, False
        self._ask(self._first or self._settings.values.result_limit)

    def _ask(self, limit: int) -> None:
        self._limit, self._running, self._outdated = limit, True, False
        self._service.search(self.question, limit)

    def goes_on(self, stage: Answer) -> bool:
        """A stage came: whether it is to be shown. Of the same once more only the last one is, so
        that what is new stands in its order."""
        if stage.stage not in FINAL:
            return not self._deeper
        if stage.stage == "merged":
            self._merges = True
        elif self._deeper and self._merges:
            return False  # what archives have would go, and come back
        self._complete = len(stage.hits) < self._limit
        self._deeper = False
        return True

    def deeper(self) -> bool:
        """The end of the list is near: ask for twice as many; whether there may be more."""
        known = self.question == self._sent and not self._deeper
        if not known or self._complete or self._limit >= _MOST:
            return False
        self._deeper = True
        self._ask(min(2 * self._limit, _MOST))
        return True

    def renew(self, *, grown: bool, at_once: bool) -> None:
        """The index may have grown since the question was asked: ask it once more, in silence.

        An answer that is still to come is waited for: on a machine that is slower than its index
        grows it would never come.
        """
        self._outdated |= grown
        rested = time.monotonic() - self._answered > _RENEW_SECONDS
        ready = self.settled and not self.question.empty and not self._running
        if self._outdated and ready and (at_once or rested):
            self._deeper = True
            self._ask(self._limit)

    def ended(self) -> None:
        """No further stage comes."""
        self._deeper = self._running = False
        self._answered = time.monotonic()

    def again(self) -> None:
        """Ask the same once more (a setting or the index changed)."""
        self._send(new=self.question != self._sent)

    def search_for(self, text: str) -> None:
        """Put a text into the field and search."""
        self._search.set_text(text)
        self._search.focus(select=False)

    def clear(self) -> None:
        """Take text and picture away."""
        self._search.set_text("")
        self.drop_picture()
        self._search.focus()

    def step_history(self, *, older: bool) -> None:
        """The search before or after this one."""
        text = self.history.step(older, self._search.text())
        place = self.history.place
        self.search_for(text)
        self.history.place = place  # setting the text looks like typing

    def remember(self, *, used: bool = True) -> None:
        """This search was meant: Alt+Up brings it back. `used`: a result of it was opened."""
        if self._settings.values.remember_searches and self.question.text.strip():
            self._state.remember(self.question.text, used=used)

    # Pictures

    def _picture_path(self, number: int) -> Path:
        return self._base.run / f"query-{os.getpid()}-{number}.png"

    def take_picture(self, data: QMimeData) -> None:
        """A picture was pasted or dropped."""
        if path := picture_file(data):
            self.search_picture_file(path)
            return
        pixels = data.imageData()
        if isinstance(pixels, QImage) and not pixels.isNull():
            self.search_image(pixels, s.QUERY_PICTURE)

    def search_image(self, image: QImage, name: str) -> None:
        """Search with pixels that are no file yet: kept in the base dir while the window lives."""
        self._pictures += 1
        path = self._picture_path(self._pictures)

        def kept(thumb: QImage) -> None:
            self._with_picture(str(path), thumb, name)

        self._service.work(lambda: keep_picture(image, path), kept, self.failed.emit, key="picture")

    def search_picture_file(self, path: str) -> None:
        """Search with a picture that is a file already."""

        def read(thumb: QImage) -> None:
            self._with_picture(path, thumb, Path(path).name)

        self._service.work(lambda: small_picture(path), read, self.failed.emit, key="picture")

    def _with_picture(self, path: str, thumb: QImage, name: str) -> None:
        self.question = Question(self._search.text(), path, plain=self.question.plain)
        self._search.show_picture(thumb, name)
        self._search.focus(select=False)
        self.send()

    def drop_picture(self) -> None:
        """Search without the picture again."""
        if self.question.image or self.question.like:
            self.question = Question(self._search.text(), plain=self.question.plain)
            self._search.show_picture(None)
            self.send()

    def more_like(self, hit: Hit) -> None:
        """Ask for files like this one."""
        pixmap = self._thumbnails.get(hit)
        if pixmap is None:
            accent = theme.of(self._search.palette()).accent
            pixmap = icons.pixmap(kinds.of(hit).icon_name, accent, 40, 2.0)
        self._search.set_text("")
        self.question = Question(like=hit.path)
        name = s.SIMILAR_TO.format(name=Path(hit.path).name)
        self._search.show_picture(pixmap.toImage(), name)
        self.send()
