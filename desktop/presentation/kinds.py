"""How files of each kind look and open here; a kind without a row looks like any other file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from desktop.wording.language import tr
from engine.contract import kinds as contract
from engine.contract.types import Hit

#: "pixels": one picture; "pages": pixels, one page at a time; "text": the file's text.
Preview = Literal["pixels", "pages", "text"]


@dataclass(frozen=True, slots=True)
class KindRow:
    """One value of `kind:` and how files of it look and open here."""

    id: str
    singular: str
    only: str = ""  # title of the action that filters by it; without one it has no shortcut
    key: str = ""  # shortcut of that action
    preview: Preview = "text"
    code: bool = False  # text with syntax colours in the font for code
    open_setting: str = ""  # key of the setting with the command that opens it at its place
    icon: str = ""  # where it is not the id
    frame: bool = False  # its thumbnail is a picture out of it

    @property
    def plural(self) -> str:
        return tr(contract.KINDS[self.id].title)

    @property
    def icon_name(self) -> str:
        return self.icon or self.id

    @property
    def has_thumbnail(self) -> bool:
        return self.frame or self.preview != "text"


_OTHER = KindRow("other", tr("File"))

#: In the order of the menus. The last three are what a picture shows, not kinds of their own.
KINDS: dict[str, KindRow] = {
    row.id: row
    for row in (
        KindRow(
            "screenshot", tr("Screenshot"),
            tr("Screenshots Only"), "Ctrl+1", preview="pixels",
        ),
        KindRow("image", tr("Image"), tr("Images Only"), "Ctrl+2", preview="pixels"),
        KindRow(
            "pdf", tr("PDF"), tr("PDFs Only"), "Ctrl+3",
            preview="pages", open_setting="viewer_command",
        ),
        KindRow(
            "code", tr("Code"), tr("Code Only"), "Ctrl+4",
            code=True, open_setting="editor_command",
        ),
        KindRow(
            "note", tr("Note"), tr("Notes Only"), "Ctrl+5",
            open_setting="editor_command",
        ),
        KindRow("audio", tr("Audio file")),
        KindRow("video", tr("Video"), frame=True),
        _OTHER,
        KindRow("photo", tr("Photo"), preview="pixels", icon="image"),
        KindRow("diagram", tr("Diagram"), preview="pixels", icon="image"),
        KindRow("scan", tr("Scan"), preview="pixels", icon="image"),
    )
}  # fmt: skip

KINDS |= {
    kind: KindRow(kind, tr(row.title), icon="other")
    for kind, row in contract.KINDS.items()
    if kind not in KINDS
}

#: The kinds with an action and a shortcut of their own.
WITH_ACTION: tuple[KindRow, ...] = tuple(row for row in KINDS.values() if row.only)


def of(hit: Hit) -> KindRow:
    """The row of a result's kind; one that a newer indexer invented is shown as “other”."""
    return KINDS.get(hit.kind, _OTHER)


def name(hit: Hit) -> str:
    """What a result is, in a word: a photo rather than an image."""
    kind = hit.picture or hit.kind
    return KINDS[kind].singular if kind in KINDS else kind


def plural(kind: str) -> str:
    """What a filter asks for; a value that is no kind stands for itself."""
    return KINDS[kind].plural if kind in KINDS else kind
