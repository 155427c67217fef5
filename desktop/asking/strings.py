"""What answers in sentences, and the choice of a language model, say."""

from __future__ import annotations

from desktop.wording.figures import number
from desktop.wording.language import plural as _n
from desktop.wording.language import tr

ASK = tr("Ask")
ASK_TIP = tr("Answer in sentences, from your files ({keys})")
ANSWER = tr("Answer")
SOURCES = tr("Sources")
FOLLOW_UP = tr("Ask a follow-up question")
STOP = tr("Stop")
TRY_AGAIN = tr("Try Again")
COPY_ANSWER = tr("Copy Answer")
NEW_QUESTION = tr("New Question")
MODEL_TIP = tr("The language model that answers")
NEXT_MODEL = tr("Another model answers next")

SEARCHING = tr("Looking for sources…")
WEAK = tr("Nothing found here matches well, so no model was asked.")
NO_SENTENCE = tr("No sentence of the answer had a source, so none is shown.")
EMPTY = tr("The model gave no answer.")
CUT = tr("The answer ends here: the model's room is full.")
STOPPED = tr("Stopped.")
ANSWER_COPIED = tr("Answer copied.")
CONVERSATION_COPIED = tr("Conversation copied.")

DOUBTFUL = tr("The source may not say this.")
UNREAD = tr("A picture without text: whether it says this could not be checked.")

GIVEN_TITLE = tr("What the Model Was Given")
GIVEN_AS = {
    "text": tr("as text"),
    "picture": tr("as a picture"),
    "both": tr("as text and picture"),
}
GIVEN_BY = tr("{model} at {server}")
ROLES = {
    "system": tr("Instructions"),
    "user": tr("Question and sources"),
    "assistant": tr("Earlier answer"),
}
GIVEN_NOTHING = tr("Nothing was given to a model.")

NO_SERVER = tr("Answers need a language model on this computer")
NO_SERVER_WHY = tr(
    "Inkling asks a language model that runs here, so that your files stay here. None was found. "
    "One of these programs brings one; it is found by itself once it runs."
)
LOOK_AGAIN = tr("Look Again")
LOOKING = tr("Looking for a language model…")
COPY = tr("Copy")
COPY_COMMANDS = tr("Copy the commands for {name}")
COMMANDS_COPIED = tr("Commands copied.")
NO_ANSWERS = tr("No language model may be asked here")
CHOOSE_MODEL = tr("Which model answers?")
SEES = tr("sees pictures")
MODEL_AT = tr("{model} · {server}")
OTHER_COMPUTER = tr("Answers would come from another computer")
OTHER_WHY = tr(
    "{host} is named in the settings. To answer, passages of your files, and pictures of pages, "
    "would be sent to it."
)
CONFIRM = tr("Allow…")
CONFIRM_TITLE = tr("Answers from {host}")
CONFIRM_TYPE = tr("Type {host} to send passages of your files to it")
CONFIRM_YES = tr("Send to {host}")
ONLY_HERE = tr("Answer Only on This Computer")
FORBIDDEN = tr("Answers may not come from another computer")
FORBIDDEN_WHY = tr("The settings name another one, but a file on this computer forbids it:")
ELSEWHERE = tr("Answers come from {host}")
ELSEWHERE_TIP = tr("Passages of your files are sent there.")


def dropped(count: int) -> str:
    return _n("{n} sentence had no source.", "{n} sentences had no source.", count).format(
        n=number(count)
    )


def sources(count: int) -> str:
    return _n("{n} source", "{n} sources", count).format(n=number(count))


def reading(count: int) -> str:
    return _n("Reading {n} source…", "Reading {n} sources…", count).format(n=number(count))


def waiting(seconds: int) -> str:
    return tr("Waiting for the model ({n} s)…").format(n=number(seconds))


def tokens(count: int) -> str:
    return _n("{n} token", "{n} tokens", count).format(n=number(count))


def source(count: int) -> str:
    """The name of a citation, for who hears it."""
    return tr("Source {n}").format(n=number(count))


def given_room(used: int, room: int) -> str:
    """How much of the model's room the prompt takes."""
    return tr("{used} of {room} tokens").format(used=number(used), room=number(room))
