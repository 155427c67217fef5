"""What the window says of models, and of what an answer can't hold: see desktop.strings."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.wording.language import tr
from engine.contract.notices import LANGUAGES as _LANGUAGES
from engine.contract.notices import NOTICES as _NOTICES
from engine.contract.types import Notice

#: By code: what an answer can't hold, the button that helps and the action it is.
NOTICES: dict[str, tuple[str, str, str]] = {
    code: (tr(row.sentence), tr(row.button), row.action) for code, row in _NOTICES.items()
}
LANGUAGE_NAMES = {code: tr(name) for code, name in _LANGUAGES.items()}


def noticed(notices: Sequence[Notice]) -> tuple[str, str, str] | None:
    """Of the first notice that this window knows: sentence, button and action."""
    for notice in notices:
        if row := NOTICES.get(notice.code):
            sentence, button, action = row
            told = dict(notice.told)
            if "language" in told:
                told["language"] = LANGUAGE_NAMES.get(told["language"], told["language"])
            return sentence.format_map(told), button, action
    return None


SIGHT_TITLE = tr("See pictures")
SIGHT_FREE = tr("free for any use")
SIGHT_NOT_FREE = tr("not for commercial use")
SIGHT_CHANGES = tr(
    "Pictures, and pages that show something, are then found by what is seen on them, by a"
    " sentence in any language or by another picture. Nothing else is done again, and search goes"
    " on."
)
SIGHT_START = tr("Download and See Pictures")
SIGHT_START_HERE = tr("See Pictures")
SIGHT_NOT_NOW = tr("Not Now")
SIGHT_MORE = tr("See Pictures…")
SIGHT_STOP = tr("Stop Seeing Pictures")
SIGHT_SEEING = tr("{seen} of {pictures} pictures and documents are seen.")
SIGHT_ESTIMATED = tr("About {time} for your {pictures}, estimated from how fast this machine is.")
SIGHT_MEASURED = tr("About {time} more, as measured on this machine.")
SIGHT_UNKNOWN = tr("How long your {pictures} take is known after the first of them.")
MODEL_SEES = tr("Sees your pictures")
MODEL_USE_FOR_SIGHT = tr("Use for Pictures")
MODEL_PAUSE = tr("Pause")
MODEL_GO_ON = tr("Go On")
MODEL_ROLES = {("text",): tr("Reads"), ("sight", "text"): tr("Reads and sees pictures")}
MODEL_RECOMMENDED = tr("Recommended for seeing pictures")
MODELS_ALL = tr("All models")
MODEL_FIGURE = tr("{what}: {value} ({source})")
