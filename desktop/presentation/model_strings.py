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

ENCODER_TITLE = tr("Encoder on another computer")
ENCODER_WHY = tr(
    "A computer with a graphics card can turn your passages and pictures into what is searched:"
    " `inkling serve --encoder` there. Without one everything happens here."
)
ENCODER_ADDRESS = tr("Address, such as https://workstation:8424")
ENCODER_TOKEN = tr("Token that the service showed")
ENCODER_USE = tr("Use and Test")
ENCODER_LEAVE = tr("Encode Only on This Computer")
ENCODER_SERVES = tr("{host} serves {title}.")
ENCODER_AWAY = tr("{host} is not used now: {why}")
ENCODER_READY = tr("{host} is used as soon as there is something to encode.")
ENCODER_USED = tr("{host} encodes: {count} so far, {rate} a second of late; here {here}.")
ENCODER_QUESTIONS = tr(
    "The weights of the model are not on this computer: questions go there, too, and while it is"
    " away names and words answer."
)
ENCODER_SENDS = tr(
    "{host} is another computer. The passages and pictures of your files are sent there to be"
    " encoded, now and whenever files change, and with large models your questions, too."
)
ENCODER_TYPE = tr("Type {host} to confirm that.")
ENCODER_CONFIRM = tr("Confirm")
ENCODER_AT = tr("Encoded at {host}")
ENCODER_TIP = tr("Passages and pictures of your files are sent there to be encoded.")
