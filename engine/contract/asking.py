"""Asking for an answer in sentences: what is asked, and the events of the answer as it comes.

An answer is `Found`, then for each sentence any number of `Draft` and at last `Sentence` or
`Dropped`, then `Finished`; `Failed` may take the place of all that is still to come.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from engine.contract.errors import InklingError
from engine.contract.types import Hit, Notice

#: How a source went to the model.
Given = Literal["text", "picture", "both"]

#: Why an answer ended: the model was done; its room was full; nothing that was found matches well,
#: and no model was asked; the person stopped it.
Ending = Literal["complete", "length", "nothing", "stopped"]


def unconfirmed(host: str) -> InklingError:
    """Another machine would be asked that the person has not confirmed."""
    return InklingError(
        "{host} is another machine: what the answer rests on would be sent there.",
        hint="Name it in the settings and confirm it there, or with `inkling ask`.",
        told={"host": host},
    )


def host_to_confirm(error: InklingError) -> str:
    """The machine that such an error tells of; "" of another error."""
    told = error.told or {}
    host = str(told.get("host", ""))
    return host if error.template == unconfirmed(host).template else ""


class Source(Struct, frozen=True):
    """A place that the model was given, and the number that sentences cite it by."""

    number: int  # 1-based
    unit: str  # opaque; handed back with a `Turn` to keep the place as context
    hit: Hit  # at this place: file, page or lines, evidence and boxes
    text: str = ""  # what the model was given of it, as it stood in the prompt
    given: Given = "text"
    tokens: int = 0  # of the prompt; of a picture an estimate


class Turn(Struct, frozen=True):
    """A question of the same conversation and its answer, as shown, with the places it rests on."""

    question: str
    answer: str = ""
    units: tuple[str, ...] = ()


class Citation(Struct, frozen=True):
    """A source that a sentence cites."""

    number: int
    #: 0..1, how much of the sentence the source holds; None where that was not measured (a picture
    #: without text).
    support: float | None = None
    doubtful: bool = False  # below the measured threshold


class Found(Struct, frozen=True, tag_field="event", tag="found"):
    """What was found and is given to which model; nothing is, where `weak`."""

    sources: tuple[Source, ...] = ()
    model: str = ""
    server: str = ""  # its address
    local: bool = True  # whether that is this machine
    sees: bool = False
    tokens: int = 0  # of the whole prompt
    room: int = 0  # tokens that there are for prompt and answer
    weak: bool = False
    notices: tuple[Notice, ...] = ()
    #: The prompt as it goes to the model, role by role; pictures as "[picture of 3]".
    prompt: tuple[tuple[str, str], ...] = ()


class Draft(Struct, frozen=True, tag_field="event", tag="draft"):
    """More text of the sentence that is being written; not to be believed yet."""

    text: str


class Sentence(Struct, frozen=True, tag_field="event", tag="sentence"):
    """A sentence, or another piece that stands by itself (an item, a row, a piece of code), with
    its proof; takes the place of its drafts."""

    text: str  # without its citations
    before: str = ""  # what stands between it and the sentence before: blanks, line ends, "- "
    citations: tuple[Citation, ...] = ()


class Dropped(Struct, frozen=True, tag_field="event", tag="dropped"):
    """The drafted sentence cites nothing that there is: it is not shown."""

    count: int  # so far


class Finished(Struct, frozen=True, tag_field="event", tag="finished"):
    """The end of an answer."""

    ending: Ending
    dropped: int = 0
    doubtful: int = 0
    found_ms: float = 0.0  # until the request went to the model
    first_ms: float = 0.0  # until its first token came, from the same start; 0: none came
    took_ms: float = 0.0
    notices: tuple[Notice, ...] = ()


class Failed(Struct, frozen=True, tag_field="event", tag="failed"):
    """What went wrong, as `InklingError.as_data` gives it."""

    error: dict[str, Any] = field(default_factory=dict)


Event: TypeAlias = Found | Draft | Sentence | Dropped | Finished | Failed


class ServedModel(Struct, frozen=True):
    """A language model that a server offers."""

    id: str
    sees: bool | None = None  # None: the server does not say
    context: int | None = None  # tokens; None: the server does not say


class LanguageServer(Struct, frozen=True):
    """A server that answers as OpenAI's API does."""

    url: str  # with /v1
    name: str = ""  # Ollama, llama.cpp, LM Studio, vLLM, … where it can be told
    local: bool = True
    models: tuple[ServedModel, ...] = ()
    error: dict[str, Any] | None = None  # why it can't be asked; `InklingError.as_data`


class HowTo(Struct, frozen=True):
    """How to get a server on this system, where there is none."""

    name: str
    commands: tuple[str, ...]
    url: str = ""  # where its makers say more; shown, never opened by itself


class Servers(Struct, frozen=True):
    """What can be asked: servers found, the one that will be, and how to get one."""

    servers: tuple[LanguageServer, ...] = ()
    server: str = ""  # address of the one that is asked
    model: str = ""
    #: An address of another machine is named in the settings and not confirmed yet; its host.
    to_confirm: str = ""
    #: A policy file forbids other machines; its path.
    forbidden_by: str = ""
    how_to: tuple[HowTo, ...] = ()
    #: Why no model may be asked at all, not even on this machine; `InklingError.as_data`.
    error: dict[str, Any] | None = None
