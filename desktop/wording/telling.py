"""What engine and indexer say, in the window's language: errors, and what an answer lacks."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.wording.figures import number
from desktop.wording.language import tr
from engine.contract.archives import FAULTS
from engine.contract.errors import InklingError
from engine.contract.left_out import ALLOW
from engine.contract.types import NOT_LOOKED_AT, NOT_READ_YET, Coverage

#: Sentences that speak of the command line, and what helps in the window.
IN_WINDOW = {
    "Judge more: `inkling judge QUESTION FILE`.": tr("Judge more answers first."),
    "Say which file answers one: `inkling judge QUESTION FILE`.": tr("Judge some answers first."),
    "Files are encoded on this machine; `inkling encoder local` says so.": tr(
        "Files are encoded on this machine; on the page “Model” that can be said."
    ),
    "Start one there with `inkling serve --encoder`; a server with OpenAI's API is named with "
    "--model.": tr("Start one there, or name the model of a server with OpenAI's API."),
    "It must be for that name; one of your own is trusted by `inkling encoder use URL --ca "
    "FILE`.": tr("It must be for that name; one of your own is trusted by its file."),
    "See `inkling judge`.": tr("Look at what was judged."),
    "Any model that is downloaded brings them: `inkling model list`.": tr(
        "Any model that is downloaded brings them: see the page “Model”."
    ),
    "Use the newer one, or end its indexer with `inkling stop`.": tr(
        "Use the newer one, or end it first."
    ),
    "Add its folder with `inkling add`, or see `inkling explain`.": tr(
        "Its folder can be added on the page “Index”."
    ),
    "Index it after all with `inkling allow`.": tr(
        "It can be allowed on the page “Index”, under “Withheld”."
    ),
    "It is started by the next command.": tr("Try again in a moment."),
    ALLOW: tr("It is read when you allow it under “Withheld”."),
    "Get the files again with `inkling model download`.": tr(
        "It can be got again on the page “Model”."
    ),
    "Get the files again with `inkling model download`, or add a complete folder.": tr(
        "It can be got again on the page “Model”."
    ),
    "Free some space, or put the weights elsewhere and use `inkling model add`.": tr(
        "Free some space, or choose another model."
    ),
    "What is here is kept: the same command goes on from there. A folder with the files can be "
    "added with `inkling model add`.": tr(
        "What is here is kept: a download goes on from there. A folder with the files can be "
        "added, too."
    ),
    "What is here is kept: the same command goes on from there.": tr(
        "What is here is kept: a download goes on from there."
    ),
    "{notice} Accept it with `--accept-licence`.": tr("It can be accepted on the page “Model”."),
    "The page “Model” or `inkling model download {id}` gets them ({size} GB), `inkling model add "
    "PATH` takes a folder that you have.": tr(
        "The page “Model” gets them, or takes a folder that you have."
    ),
    "The page “Model” or `inkling model download {id}` installs them (some gigabytes).": tr(
        "Download it on the page “Model”: that installs them, too (some gigabytes)."
    ),
    "Known models: {known}. See `inkling model list`.": tr("The page “Model” lists them."),
    "Choose another with `inkling model use ID` first.": tr(
        "Choose another on the page “Model” first."
    ),
    "Choose another with `inkling model use ID --for sight`, or `none`, first.": tr(
        "Choose another on the page “Model” first."
    ),
    "Wait until it is there, or stop it with `inkling model remove {id}`.": tr(
        "Wait until it is there, or stop it on the page “Model”."
    ),
    "They are listed by `inkling status`.": tr("The page “Index” lists them."),
    "Use it, or end it with `inkling stop`.": tr("Use it, or end it first."),
    "Start its server; `inkling ask --servers` shows what is found here, or how to get one.": tr(
        "Start its server; the page for asking shows what is found here, or how to get one."
    ),
    "Its address ends with /v1 as a rule; `inkling ask --servers` shows what is found.": tr(
        "Its address ends with /v1 as a rule; the page for asking shows what is found."
    ),
    "How to get one is shown by `inkling ask --servers`.": tr(
        "The page for asking shows how to get one."
    ),
    "Those it has are listed by `inkling ask --servers`.": tr(
        "The page for asking lists those it has."
    ),
    "Ask a server on this machine; `inkling ask --servers` lists them.": tr(
        "Ask a server on this machine; the page for asking lists them."
    ),
    "Name it in the settings and confirm it there, or with `inkling ask`.": tr(
        "Name it in the settings and confirm it on the page for asking."
    ),
    "Set the variable INKLING_ASK_KEY and end the indexer with `inkling stop`: it starts again "
    "with it.": tr("Set the variable INKLING_ASK_KEY, quit Inkling and start it again."),
}


def here(sentence: str) -> str:
    """A sentence of the indexer's tables, for who sees the window."""
    return IN_WINDOW.get(sentence) or tr(sentence)


def said(error: InklingError) -> str:
    """An error as the window says it: what happened, and what to do next."""
    return f"{message(error)} {hint(error)}".strip()


def message(error: InklingError) -> str:
    return _filled(tr(error.template), error)


def hint(error: InklingError) -> str:
    """What to do next; as it came where only half of the error could be translated."""
    if error.hint_template in IN_WINDOW:
        return here(error.hint_template)
    known = tr(error.template) != error.template
    return _filled(tr(error.hint_template), error) if known else error.hint


def _filled(template: str, error: InklingError) -> str:
    return template if error.told is None else template.format(**error.told)


def covered(told: Coverage) -> str:
    """What an answer could not have come from yet. The indexer says it in English; what it counts
    is worded here."""
    sentence = told.message
    for template, counts in (
        (NOT_READ_YET, {"waiting": told.pending, "total": told.files}),
        (NOT_LOOKED_AT, {"looked_at": told.looked_at, "pictures": told.pictures}),
    ):
        theirs = template.format(**{name: f"{count:,}" for name, count in counts.items()})
        ours = tr(template).format(**{name: number(count) for name, count in counts.items()})
        sentence = sentence.replace(theirs, ours)
    for name, fault in told.away.items():
        theirs = without({name: fault}, translate=False)
        sentence = sentence.replace(theirs, without({name: fault})) if theirs else sentence
    return tr(sentence)


def without(away: Mapping[str, str], *, translate: bool = True) -> str:
    """Which archives do not answer, by name with the code of the reason."""
    told = [
        (name, FAULTS[code]) for name, given in away.items() for code in FAULTS if code == given
    ]
    return " ".join((tr(t) if translate else t).format(name=name) for name, t in told)
