"""What engine and indexer say, in the window's language: errors, and what an answer lacks."""

from __future__ import annotations

from desktop.wording.figures import number
from desktop.wording.language import tr
from engine.contract.errors import InklingError
from engine.contract.left_out import ALLOW
from engine.contract.types import NOT_LOOKED_AT, NOT_READ_YET, Coverage

#: Sentences that speak of the command line, and what helps in the window.
IN_WINDOW = {
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
    return tr(sentence)
