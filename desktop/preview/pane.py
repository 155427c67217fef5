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
from desktop.preview.pages import PagesView
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
        self._awaited = False
        self._loading: Ticket | None = None
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._name.setFont(theme.font(self.font(), 1, bold=True))
        self._folder = ElidedLabel(Qt.TextElideMode.ElideLeft, self)
        self._folder.setFont(theme.font(self.font(), -1))
        self._folder.setForegroundRole(self._folder.palette().ColorRole.PlaceholderText)
        self.strip = MatchStrip(self)
        self.picture = PictureView(self)
        self.pages = PagesView(self)
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
        self.views = (self.picture, self.pages, self.text, self.markdown, self.table)
        for view in (self.empty, self._blank, *self.views):
            self._stack.addWidget(view)
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
        self.strip.place_chosen.connect(self.go_to)
        for pixels in (self.picture, self.pages):
            self.strip.word_hovered.connect(pixels.show_word)
            pixels.region_chosen.connect(self.region_chosen)
            pixels.region_mode_changed.connect(self._region_mode)
        self.picture.sharper_wanted.connect(self._sharpen)
        self.pages.page_wanted.connect(self._draw_page)
        self.pages.page_changed.connect(self._scrolled_to)
        self.bar.page_step.connect(self.turn)
        self.bar.zoom_step.connect(self.zoom)
        self.bar.region_wanted.connect(lambda: self.set_region_mode(True))
        self.bar.source_toggled.connect(self._show_source)
        self.bar.open_toggled.connect(self.text.set_open)
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
        return self.pages.page if self._content and self._pixels is self.pages else None

    @property
    def loading(self) -> bool:
        """A content is awaited."""
        return self._rest.isActive() or self._stale.isActive() or self._awaited

    @property
    def has_picture(self) -> bool:
        return isinstance(self._content, Picture)

    @property
    def _pixels(self) -> PictureView | PagesView | None:
        """The view of pixels that is on the screen."""
        view = self._stack.currentWidget()
        return view if isinstance(view, PictureView | PagesView) else None

    def image(self) -> QImage:
        """The picture, or the page, on the screen; null where there is none."""
        return self._pixels.image if self._pixels is not None else QImage()

    @property
    def region_mode(self) -> bool:
        """Whether a drag marks a region to search with."""
        return self._pixels is not None and self._pixels.region_mode

    def set_region_mode(self, on: bool) -> None:
        """Whether it shall, where pixels are shown."""
        if self._pixels is not None:
            self._pixels.set_region_mode(on)

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
        page = hit.location.page or 1 if kinds.of(hit).preview == "pages" else None
        if page is not None:
            self._stack.setCurrentWidget(self.pages)
            self.pages.stand_in(pixmap.toImage(), page, self._boxes)
        else:
            self._stack.setCurrentWidget(self.picture)
            self.picture.show_image(pixmap.toImage(), self._boxes(None), stands_in=True)
        self.bar.show_picture(page, None)

    @property
    def stands_in(self) -> bool:
        """A thumbnail is shown in the place of the picture."""
        return self._awaited and self._pixels is not None and not self._content

    def _show_blank(self) -> None:
        self.bar.show_nothing()
        self._blank.setText(s.PREVIEW_LOADING)
        self._stack.setCurrentWidget(self._blank)

    def _show_nothing(self) -> None:
        self._rest.stop()
        self._stale.stop()
        self._awaited = False
        self._content = None
        self.pages.clear()
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
        elif self.page is not None and location.page is not None:
            self.pages.go_to(location.page)
            self._page_arrived()
        else:
            self._load()

    def turn(self, pages: int) -> None:
        """Turn pages of a document."""
        if self.page is not None and 1 <= self.page + pages <= self.pages.pages:
            self._location = Location(page=self.page + pages)
            self.pages.go_to(self.page + pages)
            self._page_arrived()

    def _scrolled_to(self, page: int) -> None:
        self._location = Location(page=page)
        self._page_arrived()

    def _page_arrived(self) -> None:
        if self.page is not None and not self.region_mode:
            self.bar.show_picture(self.page, self.pages.pages)

    def zoom(self, steps: int) -> None:
        """Zoom the picture or the pages; 0 fits them."""
        view = self._stack.currentWidget()
        if isinstance(view, PictureView | PagesView):
            if steps:
                view.zoom(steps)
            else:
                view.fit()
        elif isinstance(view, TextView | MarkdownView) and steps:
            view.zoomIn(steps)

    # Loading

    def _load(self) -> None:
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
            self._failed,
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
            if content.page is not None:
                self._stack.setCurrentWidget(self.pages)
                self.pages.show_document(content.image, content.page, content.pages, self._boxes)
            else:
                self._stack.setCurrentWidget(self.picture)
                self.picture.show_image(content.image, self._boxes(None))
            self.bar.show_picture(self.page, content.pages)
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
            self.bar.show_text(False, content.cut, folds=self.text.can_fold)
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
        if self.page is not None:
            self.pages.set_regions(self._boxes)
        elif isinstance(self._content, Picture):
            self.picture.set_boxes(self._boxes(None))
        elif isinstance(self._content, Text):
            shown = self._stack.currentWidget()
            if shown is self.markdown:
                self.markdown.mark(self._words())
            elif shown is self.text or shown is self.table:
                shown.go_to(self._location, self._words())

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

    def _sharpen(self, width: int) -> None:
        hit = self._hit
        if hit is not None:
            self._service.call(
                lambda client: load_page(client, hit, None, width),
                lambda picture: self._sharper(hit, picture),
                lambda _error: None,
                key=self._key + "-sharper",
            )

    def _sharper(self, hit: Hit, picture: Picture) -> None:
        if self._hit is not None and hit.path == self._hit.path and self.has_picture:
            self.picture.show_sharper(picture.image)

    def _draw_page(self, page: int, width: int) -> None:
        """A page that came near; only of the document that is still shown then."""
        hit, shown = self._hit, self._content
        if hit is None:
            return

        def drawn(picture: Picture | None) -> None:
            if self._content is not shown:
                return
            if picture is None:
                self.pages.refuse(page)
            else:
                self.pages.take(page, picture.image)

        self._service.call(
            lambda client: load_page(client, hit, page, width), drawn, lambda _error: drawn(None)
        )

    def _region_mode(self, on: bool) -> None:
        if on and self._pixels is not None:
            self.bar.show_hint(s.REGION_HINT)
            self._pixels.setFocus()
        elif isinstance(self._content, Picture):
            self.bar.show_picture(self.page, self.pages.pages)

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
        if view is self.pages:
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
