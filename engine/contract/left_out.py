"""What a scan does not enter, by the kind of rule that says so, and what lets it in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOutBy:
    """A kind of rule."""

    code: str
    sentence: str
    hint: str  # what a person can do about it


_BRING_BACK = "“!” and the rule, as a line of a file .inklingignore beside it, lets it in."

#: What lets a file in that is withheld for its name.
ALLOW = "It is read when you allow it: under “Withheld”, or with `inkling allow FILE`."

#: Codes stand in the ledger: a later Inkling may add some, and never gives one another meaning.
LEFT_OUT: dict[str, LeftOutBy] = {
    row.code: row
    for row in (
        LeftOutBy(
            "hidden",
            "Its name begins with a dot: it is hidden.",
            "The setting “Hidden files and folders” lets all of them in; “!” and a name, as a line"
            " of a file .inklingignore beside it, one.",
        ),
        LeftOutBy(
            "default",
            "Inkling's own list names it: what programs make and can make again.",
            _BRING_BACK,
        ),
        LeftOutBy("gitignore", "A .gitignore names it, and git does not track it.", _BRING_BACK),
        LeftOutBy(
            "inklingignore",
            "A file .inklingignore names it.",
            "It is let in when the line is taken out of that file.",
        ),
        LeftOutBy(
            "setting",
            "A pattern of your own names it.",
            "It is let in when the pattern is taken out of the setting “Leave out”.",
        ),
        LeftOutBy(
            "link",
            "It is a symbolic link, and links are not followed.",
            "Add the folder that it leads to, if that lies in none of the watched ones.",
        ),
        LeftOutBy(
            "other-disk",
            "It is on a disk of its own inside the folder.",
            "Add that disk as a folder of its own.",
        ),
        LeftOutBy(
            "no-access",
            "It can't be looked into.",
            "It is read as soon as you have the permission to.",
        ),
    )
}
