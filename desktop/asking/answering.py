"""From a question to its answer on the screen: asks, takes the events, follows up, stops, tries
again. Nothing of a conversation is written anywhere: it goes with the window, or the next one."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.asking import copying
from desktop.asking import strings as s
from desktop.asking.confirm_dialog import ConfirmDialog
from desktop.asking.conversation import Conversation, Exchange
from desktop.asking.panel import AskingPanel
from desktop.connection import IndexerConnection, Question
from desktop.wording import telling
from engine.contract import codec
from engine.contract.asking import (
    Draft,
    Dropped,
    Event,
    Failed,
    Finished,
    Found,
    Sentence,
    Servers,
)
from engine.contract.errors import InklingError

#: The panel waits so long for what was found: where that is nothing it never comes.
_APPEAR_MS = 200
#: Drafts come letter by letter; so often they are seen.
_DRAFT_MS = 24
_SECOND_MS = 1_000
#: A model that says nothing for so long is said to be waited for.
_PATIENT_S = 3
#: Characters of a source that tell what it is.
_FIRST_WORDS = 160


class Answering(QObject):
    """Holds the conversation and its panel."""

    shown_changed = Signal(bool)
    sources_changed = Signal(object)  # the Exchange whose sources are to be listed, or None
    source_wanted = Signal(int)  # the number of a source to be shown
    said = Signal(str)  # what was done, in a few words
    failed = Signal(object)  # InklingError, of what is no answer
    weak = Signal()  # nothing that was found matches well: there is no answer

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self.conversation = Conversation()
        self.panel = AskingPanel(self.conversation, self.describe, parent)
        self.panel.hide()
        self.shown = False
        self._asked = Question()  # what the conversation began with
        self._listed: Exchange | None = None  # whose sources are listed
        self._since = 0.0  # when the model was given the question, or wrote last
        self._appear = self._timer(_APPEAR_MS, self.panel.show, single=True)
        self._draft = self._timer(_DRAFT_MS, self._show_draft, single=True)
        self._second = self._timer(_SECOND_MS, self._show_waiting, single=False)
        panel = self.panel
        panel.follow_up_wanted.connect(self.follow_up)
        panel.stop_wanted.connect(self.stop)
        panel.again_wanted.connect(self.try_again)
        panel.models_wanted.connect(self.choose_model)
        panel.model_chosen.connect(self._use_model)
        panel.view.cited.connect(self.show_source)
        panel.numbered_wanted.connect(self.show_numbered)
        panel.servers.look_again.connect(self._look_again)
        panel.servers.confirm_wanted.connect(self._confirm)
        panel.servers.only_here_wanted.connect(self.only_here)
        panel.servers.copied.connect(lambda: self.said.emit(s.COMMANDS_COPIED))

    def _timer(self, milliseconds: int, then: Callable[[], None], *, single: bool) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(milliseconds)
        timer.setSingleShot(single)
        timer.timeout.connect(then)
        return timer

    # What the person does

    @property
    def running(self) -> bool:
        """An answer still comes."""
        return self.conversation.running

    @property
    def has_failed(self) -> bool:
        """The last question could not be answered."""
        return self.conversation.last is not None and self.conversation.last.error is not None

    def ask(self, question: Question) -> None:
        """A new conversation; or the one that was left, where it began with the same."""
        last = self.conversation.last
        if not self.shown and last is not None and last.complete and question == self._asked:
            self._show(True)
            self._come()
            self._list(last)
            return
        self.stop()
        self._asked = question
        self.conversation.exchanges.clear()
        self.panel.view.rebuild()
        self._show(True)
        self._send(question.text)

    def follow_up(self, text: str) -> None:
        """A question that builds on those before."""
        self.stop()
        self._send(text)

    def stop(self) -> None:
        """End the answer that comes, at once; what is proven stays."""
        exchange = self.conversation.last
        if exchange is None or not exchange.running:
            return
        self._service.stop_asking()
        exchange.stop()
        self._ended(exchange)

    def leave(self) -> None:
        """The answer goes, and what was there before it comes back. Asked once more it is there
        again: a key too many loses nothing."""
        self.stop()
        self._show(False)

    def forget(self) -> None:
        """The answer goes for good."""
        self.leave()
        self.conversation.exchanges.clear()
        self.panel.view.rebuild()

    def try_again(self) -> None:
        """The last question once more."""
        exchange = self.conversation.last
        if exchange is None or exchange.running:
            return
        self.conversation.exchanges.pop()
        self.panel.view.rebuild()
        self._send(exchange.question)

    def asks(self, question: Question) -> bool:
        """Whether this is what the conversation that is shown began with."""
        return self.shown and bool(self.conversation.exchanges) and question == self._asked

    # To the indexer

    def _send(self, text: str) -> None:
        first = not self.conversation.exchanges
        exchange = self.conversation.ask(text)
        body = {
            "question": text,
            "turns": [codec.to_data(turn) for turn in self.conversation.turns()],
            "image": self._asked.image if first else None,
            "plain": list(self._asked.plain) if first else [],
        }
        self.panel.begin()
        self.panel.view.begin(exchange)
        self.panel.view.tail(s.SEARCHING, "note")
        if first:
            self._list(None)
        self._service.ask(body, self._take, self._fail, self._end)

    def _take(self, event: Event) -> None:
        """One more event of the answer."""
        exchange = self.conversation.last
        if exchange is None or not exchange.running:
            return
        exchange.take(event)
        if not isinstance(event, Draft) or event.text:  # an empty one only says that it lives
            self._since = time.monotonic()
        match event:
            case Found():
                self._found(exchange, event)
            case Draft():
                if not self._draft.isActive():
                    self._draft.start()
            case Sentence():
                self._draft.stop()
                self.panel.view.sentence(event)
                self._list(exchange)
            case Dropped():
                self._draft.stop()
                self.panel.view.drop_tail()
            case Finished():
                self._ended(exchange)
            case Failed() if exchange.error is not None:
                self._failed(exchange, exchange.error)

    def _found(self, exchange: Exchange, found: Found) -> None:
        if found.weak:
            return  # the list stays as it is
        self._come()
        self.panel.show_model(found)
        self._second.start()
        self.panel.view.tail(s.reading(len(found.sources)), "note")
        self._list(exchange)

    def _show_draft(self) -> None:
        exchange = self.conversation.last
        if exchange is not None and exchange.draft:
            self.panel.view.tail(exchange.draft, "draft")

    def _show_waiting(self) -> None:
        exchange, seconds = self.conversation.last, round(time.monotonic() - self._since)
        if exchange is not None and not exchange.draft and seconds >= _PATIENT_S:
            self.panel.view.tail(s.waiting(seconds), "note")

    def _wait_no_more(self) -> None:
        self._second.stop()
        self._draft.stop()

    def _end(self) -> None:
        """No event follows: one that ended in order has said so."""
        if self.running:
            self._fail(InklingError("The answer broke off."))

    def _ended(self, exchange: Exchange) -> None:
        self._wait_no_more()
        if exchange.weak and len(self.conversation.exchanges) == 1:
            self._show(False)
            self.weak.emit()
            return
        self.panel.view.end(exchange)
        self.panel.set_running(False)
        if exchange.sources and not exchange.weak:
            self._list(exchange)

    def _fail(self, error: InklingError) -> None:
        exchange = self.conversation.last
        if exchange is not None and exchange.running:
            exchange.fail(error)
            self._failed(exchange, error)

    def _failed(self, exchange: Exchange, error: InklingError) -> None:
        """Perhaps there is nobody to ask: that is looked at before an error is shown."""
        self._come()
        self._ended(exchange)
        if not exchange.sentences:
            self.panel.view.tail(s.LOOKING, "note")
        self._look(
            lambda servers: self._why(exchange, error, servers),
            lambda _error: self._why(exchange, error, None),
        )

    def _why(self, exchange: Exchange, error: InklingError, servers: Servers | None) -> None:
        if exchange is not self.conversation.last:
            return  # another question was asked meanwhile
        self.panel.view.drop_tail()
        if servers is not None and not ready(servers) and not exchange.sentences:
            self.panel.show_servers(servers)
        else:
            self.panel.show_failure(telling.said(error))

    # Sources

    def _list(self, exchange: Exchange | None) -> None:
        self._listed = exchange
        self.sources_changed.emit(exchange)

    def show_source(self, of: int, number: int) -> None:
        """The source of a citation; `of`: which exchange it is in."""
        exchanges = self.conversation.exchanges
        if not 0 <= of < len(exchanges) or exchanges[of].source(number) is None:
            return
        if exchanges[of] is not self._listed:
            self._list(exchanges[of])
        self.panel.view.mark(of, number)
        self.source_wanted.emit(number)

    def mark(self, number: int) -> None:
        """This one of those that are listed is looked at: what cites it is marked."""
        if self._listed is not None:
            self.panel.view.mark(self.conversation.exchanges.index(self._listed), number)

    def show_numbered(self, number: int) -> None:
        """A source of those that are listed, by its number."""
        if self._listed is not None:
            self.show_source(self.conversation.exchanges.index(self._listed), number)

    def describe(self, of: int, number: int) -> str:
        """A citation's source: name, page, first words."""
        source = self.conversation.exchanges[of].source(number)
        if source is None:
            return ""
        words = " ".join((source.text or source.hit.snippet).split())
        if len(words) > _FIRST_WORDS:
            words = words[:_FIRST_WORDS].rsplit(" ", 1)[0] + "…"
        return "\n".join(filter(None, (copying.named(source.hit), words)))

    # Copying

    def copied_answer(self) -> str:
        """The last answer as Markdown; "" where there is none."""
        exchange = self.conversation.last
        return copying.answer(exchange) if exchange is not None else ""

    def copied_conversation(self) -> str:
        return copying.conversation(self.conversation.exchanges)

    # Which model

    def _look(
        self, done: Callable[[Servers], None], failed: Callable[[InklingError], None]
    ) -> None:
        self._service.call(
            lambda client: codec.from_data(client.call("GET", "/v1/ask/servers"), Servers),
            done,
            failed,
            key="ask-servers",
        )

    def choose_model(self) -> None:
        """Offer what there is."""
        self._look(self._offer_models, self.failed.emit)

    def _offer_models(self, servers: Servers) -> None:
        if ready(servers):
            self.panel.choose_model(servers)
        else:
            self.panel.show_servers(servers)

    def _use_model(self, url: str, model: str) -> None:
        self._set({"ask_server": url, "ask_model": model}, self._model_changed)

    def _model_changed(self) -> None:
        last = self.conversation.last
        if last is not None and last.error is not None:
            self.try_again()
        elif last is not None:
            self.panel.show_next_model()

    def only_here(self) -> None:
        """No other computer is asked any more."""
        self._set({"ask_server": "", "ask_model": ""}, self._look_again)

    def _set(self, values: dict[str, str], then: Callable[[], None]) -> None:
        """The indexer has the settings; the window follows them."""

        def done(_answer: object) -> None:
            self._service.refresh()
            then()

        self._service.call(
            lambda client: client.call("PATCH", "/v1/settings", dict(values)),
            done,
            self.failed.emit,
        )

    def _look_again(self) -> None:
        """There may be somebody to ask now: the question is asked, or it is said what is left."""
        last = self.conversation.last
        if self.shown and last is not None and last.error is not None:
            self._look(self._looked, self.failed.emit)

    def _looked(self, servers: Servers) -> None:
        if ready(servers):
            self.try_again()
        else:
            self.panel.show_servers(servers)

    def _confirm(self, host: str) -> None:
        ConfirmDialog(host, self._confirmed, self.panel).open()

    def _confirmed(self, typed: str) -> None:
        def done(_answer: object) -> None:
            self._service.refresh()
            self.try_again()

        self._service.call(
            lambda client: client.call("POST", "/v1/ask/confirm", {"host": typed}),
            done,
            self.failed.emit,
        )

    def _show(self, shown: bool) -> None:
        if shown != self.shown:
            self.shown = shown
            if shown:
                self._appear.start()
            else:
                self._appear.stop()
                self.panel.hide()
            self.shown_changed.emit(shown)

    def _come(self) -> None:
        """There is something to see."""
        if self.shown:
            self._appear.stop()
            self.panel.show()


def ready(servers: Servers) -> bool:
    """Somebody can be asked."""
    return bool(servers.server) and not servers.to_confirm and servers.error is None
