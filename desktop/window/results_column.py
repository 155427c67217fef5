"""The left half of the window: what a person should know about this answer, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from textwrap import shorten
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop import strings as s
from desktop.asking import strings as asking
from desktop.index.sight_card import SightCard
from desktop.presentation import archive_strings as a
from desktop.presentation import model_strings as ms
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.model import ResultsModel
from desktop.results.sources import SourcesModel
from desktop.results.view import ResultsView
from desktop.theme import GRID
from desktop.widgets.empty_state import EmptyState
from desktop.window import chips
from desktop.window.notice import Notice
from desktop.window.searches_strip import SearchesStrip
from desktop.wording import telling
from engine.contract.asking import Source
from engine.contract.types import FINAL, Answer, Hit
from engine.contract.types import Notice as Notified

#: Characters of a query picture's words in a remark.
MOST_SAID = 90
#: Of the column's height what an answer has above its sources.
PANEL_SHARE = 0.62


class ResultsColumn(QWidget):
    """Shows the stages of an answer; rows, or a sentence where there are none."""

    rows_changed = Signal()  # rows, or what is known of them
    count_changed = Signal(str)  # how many there are, in words
    query_wanted = Signal(str)
    action_wanted = Signal(str)  # an action's id

    def __init__(
        self, model: ResultsModel, thumbnails: Thumbnails, panel: QWidget, parent: QWidget
    ) -> None:
        """`panel`: stands above the rows, where it is shown."""
        super().__init__(parent)
        self._model = model
        self._stage: Answer | None = None
        self._later: list[str] = []  # archives whose rows came below what is looked at
        self._total = ""  # how many there are, in words
        self._said = ""  # to who hears it
        self._empty_action: Callable[[], None] = lambda: None
        self.searches = SearchesStrip(self)
        self.offer = SightCard(self, at_home=True)
        self._offered = False  # shown while nothing is asked
        self._asked = False
        self.notice = Notice(self)
        self.results = ResultsView(model, thumbnails, self)
        self.sources_model = SourcesModel()
        self.sources = ResultsView(self.sources_model, thumbnails, self)
        self.sources.setAccessibleName(asking.SOURCES)
        self.empty = EmptyState(self)
        self._stack = QStackedWidget(self)
        self._below: QWidget = self.results  # what is there again after an answer
        for view in (self.results, self.empty, self.sources):
            self._stack.addWidget(view)
        lower = QWidget(self)
        rows = QVBoxLayout(lower)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.notice)
        rows.addWidget(self._stack, 1)
        self._split = QSplitter(Qt.Orientation.Vertical, self)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(panel)
        self._split.addWidget(lower)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        self._share = PANEL_SHARE
        self._split.splitterMoved.connect(self._split_moved)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.searches)
        column.addWidget(self.offer)
        column.addWidget(self._split, 1)
        self.setMinimumWidth(40 * GRID)
        self.searches.chosen.connect(self.query_wanted)
        self.empty.clicked.connect(lambda: self._empty_action())

    def spoken_count(self) -> str:
        """How many match, or why none does: for a screen reader."""
        if count := self._matching():
            return s.files(count)
        return s.WEAK if self._model.rowCount() else self.empty.sentence

    def _matching(self) -> int:
        """Of the files that are shown: those that answer, where the indexer can tell."""
        told = self._stage.matches if self._stage else None
        return self._model.files if told is None else told

    def show_selected(self, count: int) -> None:
        """How many are selected, beside how many there are."""
        total = self._total
        if self._shows_sources:
            total = asking.sources(self.sources_model.rowCount())
        self.count_changed.emit(s.selected(count, total) if count > 1 else total)

    def _say_count(self, text: str) -> None:
        self._total = text
        if not self._shows_sources:
            self.count_changed.emit(text)

    # An answer in sentences

    def make_room(self) -> None:
        """The panel has come: as much of the column as it had, or as an answer mostly needs."""
        high = self._split.height()
        self._split.setSizes([round(self._share * high), round((1 - self._share) * high)])

    def _split_moved(self) -> None:
        above, below = self._split.sizes()
        self._share = above / max(above + below, 1)

    @property
    def shown(self) -> ResultsView:
        """The list that is to be seen."""
        return self.sources if self._shows_sources else self.results

    @property
    def _shows_sources(self) -> bool:
        return self._stack.currentWidget() is self.sources

    def _put(self, widget: QWidget) -> None:
        """What stands there, unless sources do: then after them."""
        self._below = widget
        if not self._shows_sources:
            self._stack.setCurrentWidget(widget)

    def show_sources(
        self, sources: Sequence[Source], cited: Collection[int], notices: Sequence[Notified] = ()
    ) -> None:
        """What an answer rests on, in the place of the results; these stay as they are."""
        self.sources_model.show_sources(sources, cited)
        if not self._shows_sources:
            self._say_notices(notices)
            self._stack.setCurrentWidget(self.sources)
        if not self.sources.currentIndex().isValid():
            self.sources.step(0)
        self.count_changed.emit(asking.sources(len(sources)))
        self.rows_changed.emit()

    def show_source(self, number: int) -> None:
        """One of them is the current row."""
        row = self.sources_model.row_of(number)
        if row is not None:
            self.sources.step(row - max(self.sources.currentIndex().row(), 0))

    def show_results(self) -> None:
        """The results again, as they were left."""
        if self._shows_sources:
            self._stack.setCurrentWidget(self._below)
            self.sources_model.show_sources((), ())
            self.count_changed.emit(self._total)
            if self._stage is not None and self._stage.stage in FINAL:
                self._say_remark(self._stage, bool(self._model.rowCount()))
        self.rows_changed.emit()

    # An answer

    def forget_count(self) -> None:
        """A new question: what was counted is not of it."""
        self._asked = True
        self._said = ""
        self.offer.hide()
        self._say_count("")

    def take_stage(self, stage: Answer, query: str) -> None:
        """One more stage of the answer to this query."""
        if stage.stage == "names" and not stage.hits:
            return  # the old rows stay until there is something better
        self._stage = stage
        before = {hit.key for hit in self.results.all_hits()}
        self._model.take(stage.hits, stage.matches)
        kept = self._model.frozen and stage.stage == "merged"
        came = [hit.archive for hit in stage.hits if hit.archive and hit.key not in before]
        self._later = list(dict.fromkeys(came)) if kept else []
        self.results.settle()
        count = self._matching()
        self._say_count(s.files(count) if count else "")
        self._show(query, final=stage.stage in FINAL)
        self.rows_changed.emit()

    def finish(self, query: str) -> None:
        """No stage follows. What the last one had to say was said, and an offer may stand there."""
        if self._stage is None or self._stage.stage not in FINAL:
            self._show(query, final=True)
        said, self._said = self._said, self.spoken_count()
        if QAccessible.isActive() and said != self._said:  # a screen reader says how many there are
            event = QAccessibleAnnouncementEvent(self.results, self._said)
            QAccessible.updateAccessibility(event)

    def _show(self, query: str, *, final: bool) -> None:
        stage, there = self._stage, bool(self._model.rowCount())
        if there:
            self._put(self.results)
        elif final:
            self._show_nothing_found(stage, query)
        if final and stage is not None:
            self._say_remark(stage, there)

    def _say_remark(self, stage: Answer, there: bool) -> None:
        """One line above the rows; with an action where one helps."""
        if not there or self._shows_sources:
            self.notice.show_notice("")
            return
        if self._later:
            said = a.MORE_ARCHIVED.format(names=", ".join(self._later))
            self.notice.show_notice(said, "index", a.SORT_IN, self._sort_in)
        elif not self._say_notices(stage.notices):
            self.notice.show_notice(*_remark(stage))

    def _sort_in(self) -> None:
        """What came later stands where it belongs; the row that was looked at is still current."""
        if self._stage is not None:
            self._later = []
            self._model.again()
            self._model.take(self._stage.hits, self._stage.matches)
            self.results.settle()
            self._say_remark(self._stage, bool(self._model.rowCount()))
            self.rows_changed.emit()

    def _say_notices(self, notices: Sequence[Notified]) -> bool:
        """The first of them that this window knows, with its action; whether there is one."""
        known = ms.noticed(notices)
        sentence, button, action = known or ("", "", "")
        self.notice.show_notice(sentence, "info", button, lambda: self.action_wanted.emit(action))
        return known is not None

    def _show_nothing_found(self, stage: Answer | None, query: str) -> None:
        filtered = bool(chips.chips(query))
        sentence = s.NOTHING_FILTERED if filtered else s.NOTHING
        if stage is not None and (known := ms.noticed(stage.notices)):
            self.show_empty("search", known[0], known[1], known[2])
            return
        if stage is not None and stage.coverage.message:
            sentence = f"{sentence} {telling.covered(stage.coverage)}"
        if filtered:
            self._show_empty(
                "search",
                sentence,
                s.DROP_FILTERS,
                lambda: self.query_wanted.emit(chips.words(query)),
            )
        else:
            self.show_empty("search", sentence, s.SHOW_INDEX, "index_panel")

    def show_empty(self, icon: str, sentence: str, button: str, action: str) -> None:
        """A sentence instead of rows, and an action that helps, by its id."""
        self._show_empty(icon, sentence, button, lambda: self.action_wanted.emit(action))

    def _show_empty(self, icon: str, sentence: str, button: str, then: Callable[[], None]) -> None:
        self._empty_action = then
        self.empty.show_state(icon, sentence, button)
        self._put(self.empty)
        self.rows_changed.emit()

    # An empty field

    def show_offer(self, models: dict[str, Any]) -> None:
        """To see pictures, as the indexer tells of models; {} for none."""
        self.offer.show_models(models)
        self._offered = not self.offer.isHidden()
        self.offer.setVisible(self._offered and not self._asked)

    def show_home(
        self, saved: Sequence[str], history: Sequence[str], examples: Sequence[str] = ()
    ) -> None:
        """Searches to choose from; the files used last come by `show_recent`."""
        self.notice.show_notice("")
        self._say_count("")
        self._stage = None
        self._asked = False
        self.offer.setVisible(self._offered)
        self.searches.show_searches(saved, history, examples)
        if not self._model.rowCount():
            self.show_empty("search", s.NO_RECENT, s.NO_RECENT_ACTION, "shortcuts")

    def show_recent(self, hits: Sequence[Hit]) -> None:
        """The files used last; called again when the index changes: what is looked at stays, but
        not what is called otherwise now or gone."""
        if self._stage is not None or self._model.stale:
            self._model.start()
        self._stage = None
        if self._model.frozen:
            there = {hit.path for hit in hits}
            self.results.take_out({hit.path for hit in self.results.all_hits()} - there)
        self._model.take(hits)
        if hits:
            self._put(self.results)
            self.results.settle()
            self._say_count(s.RECENT)
            self.rows_changed.emit()


def _remark(answer: Answer) -> tuple[str, str]:
    """What a person should know first of an answer, and its icon; "" if there is nothing."""
    looked = answer.coverage.pictures > 0
    by_picture = s.PICTURE_WORDS if looked else s.PICTURE_WORDS_ALONE
    remarks = (
        (given_up(answer) if answer.given_up else "", "info"),
        (s.PHRASE_RELAXED if answer.phrase_relaxed else "", "info"),
        (_with(s.PATTERN_RELAXED, pattern=answer.pattern_relaxed), "info"),
        (_with(by_picture, words=shorten(answer.picture_words, MOST_SAID)), "image"),
        (s.WEAK if answer.weak else "", "info"),
        (_with(s.ALSO_SEARCHED, spelling=answer.spelling), "info"),
        (telling.covered(answer.coverage), "index"),
    )
    return next((remark for remark in remarks if remark[0]), ("", "info"))


def _with(sentence: str, **told: str) -> str:
    """The sentence, where there is something to tell."""
    return sentence.format(**told) if all(told.values()) else ""


def given_up(answer: Answer) -> str:
    """Why words that can be read as filters are none in this answer."""
    said = ", ".join(
        s.READING.format(words=reading.words, filter=reading.filter) for reading in answer.read
    )
    return f"{said}. {s.GIVEN_UP.get(answer.given_up, '')}".strip()
