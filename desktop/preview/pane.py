"""The preview pane: shows the chosen result at the place that answers."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.jobs import Ticket
from desktop.presentation import kinds
from desktop.presentation.matches import boxes_shown, matched_text
from desktop.presentation.paths import printable, short_folder
from desktop.presentation.thumbnails import Thumbnails
from desktop.preview.bars import FindBar, MatchStrip, ViewBar
from desktop.preview.details import Details
from desktop.preview.find import find_in_text, next_page, pages_with
from desktop.preview.loading import Content, Picture, Text, load, load_page
from desktop.preview.markdown import MarkdownView
from desktop.preview.picture import PictureView
from desktop.preview.table import TableView
from desktop.preview.text import TextView
from desktop.theme import GRID, HALF
from desktop.widgets.elided_label import ElidedLabel
from desktop.widgets.empty_state import EmptyState
from desktop.wording import telling
from engine.contract.errors import InklingError
from engine.contract.types import Box, Hit, Location, Place

#: A row passed by with the arrow keys is not loaded; one rested on for so long is.
_REST_MS = 60
#: The old content stays so long while the new one loads: no flicker when that is quick.
_STALE_MS = 250


class PreviewPane(QWidget):
    """Loads in the background; what was asked last is what is shown."""

    region_chosen = Signal(QImage)
    open_wanted = Signal()
    shown = Signal()  # a content is on the screen

    def __init__(
        self,
        service: IndexerConnection,
        parent: QWidget | None = None,
        thumbnails: Thumbnails | None = None,
    ) -> None:
        """`thumbnails`: shown, enlarged, until the picture itself is there."""
        super().__init__(parent)
        self._service, self._thumbnails = service, thumbnails
        self._key = f"preview-{id(self)}"
        self._hit: Hit | None = None
        self._location = Location()
        self._content: Content | None = None
        self._pages: int | None = None
        self._awaited = False
        self._loading: Ticket | None = None
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._name.setFont(theme.font(self.font(), 1, bold=True))
        self._folder = ElidedLabel(Qt.TextElideMode.ElideLeft, self)
        self._folder.setFont(theme.font(self.font(), -1))
        self._folder.setForegroundRole(self._folder.palette().ColorRole.PlaceholderText)
        self.strip = MatchStrip(self)
        self.picture = PictureView(self)
        self.text = TextView(self)
        self.markdown = MarkdownView(self)
        self.table = TableView(self)
        self.empty = EmptyState(self)
        self.bar = ViewBar(self)
        self.find_bar = FindBar(self)
        self.details = Details(self)
        self._stack = QStackedWidget(self)
        self._blank = QLabel(self)
        self._blank.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._blank.setForegroundRole(self._blank.palette().ColorRole.PlaceholderText)
        for page in (self.empty, self._blank, self.picture, self.text, self.markdown, self.table):
            self._stack.addWidget(page)
        self._lay_out()
        self._connect()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._load)
        self._stale = QTimer(self)
        self._stale.setSingleShot(True)
        self._stale.setInterval(_STALE_MS)
        self._stale.timeout.connect(self._show_blank)
        self.setAccessibleName(s.PREVIEW_NAME)
        self.show_hit(None)

    def minimumSizeHint(self) -> QSize:
        return QSize(30 * GRID, 20 * GRID)

    def _lay_out(self) -> None:
        head = QVBoxLayout()
        head.setContentsMargins(2 * GRID, GRID + HALF, 2 * GRID, GRID)
        head.setSpacing(2)
        head.addWidget(self._name)
        head.addWidget(self._folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.strip)
        column.addWidget(self._stack, 1)
        for widget in (self.find_bar, self.bar, self.details):
            column.addWidget(widget)

    def _connect(self) -> None:
        self.strip.word_hovered.connect(self.picture.show_word)
        self.strip.place_chosen.connect(self.go_to)
        self.picture.region_chosen.connect(self.region_chosen)
        self.picture.sharper_wanted.connect(self._sharpen)
        self.picture.region_mode_changed.connect(self._region_mode)
        self.bar.page_step.connect(self.turn)
        self.bar.zoom_step.connect(self.zoom)
        self.bar.region_wanted.connect(lambda: self.picture.set_region_mode(True))
        self.bar.source_toggled.connect(self._show_source)
        self.find_bar.find_wanted.connect(self._find)
        self.find_bar.typed.connect(self._find_typed)
        self.find_bar.closed.connect(self.setFocus)
        self.empty.clicked.connect(self.open_wanted)
        if self._thumbnails is not None:
            self._thumbnails.ready.connect(self._stand_in)

    # What is shown

    @property
    def hit(self) -> Hit | None:
        return self._hit

    @property
    def location(self) -> Location:
        """Where in the file the preview is now (the page may have been turned)."""
        return self._location

    @property
    def page(self) -> int | None:
        """The page on the screen."""
        return self._content.page if isinstance(self._content, Picture) else None

    @property
    def loading(self) -> bool:
        """A content is awaited."""
        return self._rest.isActive() or self._stale.isActive() or self._awaited

    @property
    def has_picture(self) -> bool:
        return isinstance(self._content, Picture)

    def shown_text(self) -> str:
        """The text on the screen, selected or whole."""
        if isinstance(self._content, Text):
            if self._stack.currentWidget() is self.table:
                return self.table.selected_text() or self._content.text
            view = self.text if self._stack.currentWidget() is self.text else self.markdown
            return view.textCursor().selectedText().replace("\u2029", "\n") or self._content.text
        return self._hit.snippet if self._hit else ""

    def show_hit(self, hit: Hit | None) -> None:
        """Show a result; the same one again (a later stage) keeps place and zoom."""
        same = (
            hit is not None
            and self._hit is not None
            and hit.path == self._hit.path
            and hit.mtime == self._hit.mtime
            and hit.location == self._hit.location
            and self._content is not None
        )
        previous, self._hit = self._hit, hit
        if hit is None:
            self._show_nothing()
            return
        self._head(hit)
        if not same and self._loading is not None:
            # What was asked of the hit before would else be shown as this one's, if it came now.
            self._loading.cancel()
        if same:
            if previous is not None and hit.evidence != previous.evidence:
                self._show_evidence()
            return
        self._location = hit.location
        self._content = None
        self._pages = None
        if self._stack.currentWidget() is self.empty:
            self._stack.setCurrentWidget(self._blank)
        self._blank.clear()
        self._awaited = True
        self._stale.start()
        self._rest.start()
        self._stand_in()

    def _stand_in(self) -> None:
        """The thumbnail in the place and size of the picture, until that comes."""
        hit = self._hit
        if hit is None or self._thumbnails is None or not self._awaited:
            return
        if self._location != hit.location or not kinds.of(hit).has_thumbnail:
            return
        pixmap = self._thumbnails.get(hit)
        if pixmap is None:
            return
        self._stale.stop()
        paged = kinds.of(hit).preview == "pages"
        page = (hit.location.page or 1) if paged else None
        self.picture.show_image(pixmap.toImage(), self._boxes(page), page=paged, stands_in=True)
        self.bar.show_picture(page, None)
        self._stack.setCurrentWidget(self.picture)

    @property
    def stands_in(self) -> bool:
        """A thumbnail is shown in the place of the picture."""
        return self._awaited and self._stack.currentWidget() is self.picture and not self._content

    def _show_blank(self) -> None:
        self.bar.show_nothing()
        self._blank.setText(s.PREVIEW_LOADING)
        self._stack.setCurrentWidget(self._blank)

    def _show_nothing(self) -> None:
        self._rest.stop()
        self._stale.stop()
        self._awaited = False
        self._content = None
        self._name.clear()
        self._folder.clear()
        self.strip.hide()
        self.bar.show_nothing()
        self.find_bar.hide()
        self.details.show_hit(None)
        self._blank.clear()
        self._stack.setCurrentWidget(self._blank)

    def _head(self, hit: Hit) -> None:
        name = printable(PurePath(hit.path).name)
        self._name.setText(name)
        self._name.setToolTip(name)
        self._folder.setText(short_folder(hit.path))
        self._folder.setToolTip(short_folder(hit.path))
        self._show_strip(hit, hit.location)
        self.details.show_hit(hit)

    def _show_strip(self, hit: Hit, here: Location) -> None:
        """Words that matched, and the places of the file where one is not."""
        places = [Place(hit.location, hit.snippet, 0.0), *hit.more]
        others = [place for place in places if place.location != here]
        self.strip.show_match([e.word for e in hit.evidence], others)

    def go_to(self, location: Location) -> None:
        """Another place of the same file."""
        self._location = location
        if self._hit is not None:
            self._show_strip(self._hit, location)
        if isinstance(self._content, Text) and self._stack.currentWidget() is self.text:
            self.text.go_to(location, self._words())
        else:
            self._load()

    def turn(self, pages: int) -> None:
        """Turn pages of a document."""
        page = self.page
        if page is not None and page + pages >= 1:
            self._location = Location(page=page + pages)
            self._load(turning=True)

    def zoom(self, steps: int) -> None:
        """Zoom the picture; 0 fits it."""
        view = self._stack.currentWidget()
        if view is self.picture:
            if steps:
                self.picture.zoom(steps)
            else:
                self.picture.fit()
        elif isinstance(view, TextView | MarkdownView) and steps:
            view.zoomIn(steps)

    # Loading

    def _load(self, *, turning: bool = False) -> None:
        hit, location = self._hit, self._location
        if hit is None:
            return
        width = round(self.width() * self.devicePixelRatioF() * 1.25)
        if hit.offline and kinds.of(hit).has_thumbnail:
            self._show_offline()
            return
        self._loading = self._service.call(
            lambda client: load(client, hit, location, max(width, 800)),
            self._show_content,
            self._no_more_pages if turning else self._failed,
            key=self._key,
        )

    def _show_content(self, content: Content) -> None:
        hit = self._hit
        if hit is None:
            return
        self._content = content
        self._awaited = False
        self._stale.stop()
        if isinstance(content, Picture):
            paged = content.page is not None
            self._pages = content.pages or self._pages
            self.picture.show_image(content.image, self._boxes(content.page), page=paged)
            self._stack.setCurrentWidget(self.picture)
            self.bar.show_picture(content.page, self._pages)
        elif content.cells is not None:
            self.table.show_cells(content.cells, self._location, self._words())
            self._stack.setCurrentWidget(self.table)
            self.bar.show_text(True, content.cut)
        elif content.markdown:
            self.markdown.show_markdown(content.text, hit.snippet, self._words())
            self._stack.setCurrentWidget(self.markdown)
            self.bar.show_text(True, content.cut)
        else:
            self.text.show_text(content, self._location, self._words())
            self._stack.setCurrentWidget(self.text)
            self.bar.show_text(False, content.cut)
        if hit.offline:  # as it was indexed
            self.bar.show_hint(s.OFFLINE_LONG)
        self.shown.emit()

    def _show_offline(self) -> None:
        """What is known of a file whose disk is away: its thumbnail, if there is one."""
        if not self.stands_in:
            self._failed(InklingError(s.OFFLINE_LONG), "")
        else:
            self._awaited = False
            self.bar.show_nothing()
            self.bar.show_hint(s.OFFLINE_LONG)
            self.shown.emit()

    def _show_evidence(self) -> None:
        """A later stage brought better evidence for what is already on the screen."""
        if isinstance(self._content, Picture):
            self.picture.set_boxes(self._boxes(self._content.page))
        elif isinstance(self._content, Text) and self._stack.currentWidget() is self.text:
            self.text.go_to(self._location, self._words())

    def _boxes(self, page: int | None) -> list[tuple[Box, str]]:
        return boxes_shown(self._hit, page) if self._hit is not None else []

    def _words(self) -> list[str]:
        return matched_text(self._hit) if self._hit is not None else []

    def _failed(self, error: InklingError, action: str = s.PREVIEW_OPEN) -> None:
        self._content = None
        self._awaited = False
        self._stale.stop()
        self.bar.show_nothing()
        offline = self._hit is not None and self._hit.offline
        self.empty.show_state("offline" if offline else "other", telling.message(error), action)
        self._stack.setCurrentWidget(self.empty)
        self.shown.emit()

    def _no_more_pages(self, _error: InklingError) -> None:
        """The page after the last one could not be rendered: stay, and know the number now."""
        page = self.page
        if page is not None:
            self._pages = page
            self._location = Location(page=page)
            self.bar.show_picture(page, page)

    def _sharpen(self, width: int) -> None:
        hit, page = self._hit, self.page
        if hit is None:
            return
        self._service.call(
            lambda client: load_page(client, hit, page, width),
            lambda picture: self._sharper(hit, picture),
            lambda _error: None,
            key=self._key + "-sharper",
        )

    def _sharper(self, hit: Hit, picture: Picture) -> None:
        if self._hit is not None and hit.path == self._hit.path and self.page == picture.page:
            self.picture.show_sharper(picture.image)

    def _region_mode(self, on: bool) -> None:
        if on:
            self.bar.show_hint(s.REGION_HINT)
            self.picture.setFocus()
        elif isinstance(self._content, Picture):
            self.bar.show_picture(self._content.page, self._pages)

    def _show_source(self, source: bool) -> None:
        if not isinstance(self._content, Text):
            return
        if source:
            self.text.show_text(self._content, self._location, self._words())
        formatted = self.markdown if self._content.cells is None else self.table
        self._stack.setCurrentWidget(self.text if source else formatted)

    # Find

    def start_find(self) -> None:
        """Open the find bar for texts and for documents with pages."""
        if isinstance(self._content, Text) or self.page is not None:
            self.find_bar.open_bar()

    def _find_typed(self, text: str) -> None:
        """While typing, texts are searched at once; reading pages waits for Enter."""
        self.find_bar.show_result("")
        if isinstance(self._content, Text):
            self.table.clearSelection()
            self.table.setCurrentIndex(QModelIndex())  # from the beginning, at each letter
            self._find(text, backwards=False)

    def _find(self, text: str, backwards: bool) -> None:
        view = self._stack.currentWidget()
        if view is self.picture:
            self._find_page(text, backwards)
        elif isinstance(view, TextView | MarkdownView) and text:
            found = find_in_text(view, text, backwards=backwards)
            self.find_bar.show_result("" if found else s.FIND_NONE)
        elif view is self.table and text:
            found = self.table.find_text(text, backwards=backwards)
            self.find_bar.show_result("" if found else s.FIND_NONE)
        else:
            self.find_bar.show_result("")

    def _find_page(self, text: str, backwards: bool) -> None:
        """Turn to the next page that has the text, round the end."""
        hit, here = self._hit, self.page
        if hit is None or here is None or not text.strip():
            return

        def found(pages: list[int]) -> None:
            if pages:
                self.go_to(Location(page=next_page(pages, here, backwards=backwards)))
            self.find_bar.show_result(s.on_pages(len(pages)) if pages else s.FIND_NONE)

        self._service.call(
            lambda client: pages_with(client, hit.path, text),
            found,
            lambda error: self.find_bar.show_result(telling.message(error)),
            key=self._key + "-find",
        )
