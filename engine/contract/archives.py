"""Archives: what an indexer says of other indexes that it asks beside this machine's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

#: How the filter `archive:` calls this machine.
HERE = "here"
#: A name stands in a filter as it is.
NAME = re.compile(r"[^\W_][\w.-]{0,39}")

Fault = Literal["away", "slow", "token", "busy", "certificate", "strange", "forbidden"]

#: Why an archive's files are not in an answer, by code.
FAULTS: Mapping[Fault, str] = {
    "away": "The archive {name} does not answer.",
    "slow": "The archive {name} did not answer in time.",
    "token": "The archive {name} refuses the token.",
    "busy": "The archive {name} takes no more questions for a while.",
    "certificate": "The archive {name} can't prove that it is the one that was added.",
    "strange": "The archive {name} answers in a way that this Inkling does not understand.",
    "forbidden": "The archive {name} may not be asked: a policy of this machine forbids it.",
}
#: What helps.
REMEDIES: Mapping[Fault, str] = {
    "away": "Check its address and the network.",
    "slow": "Try again in a moment.",
    "token": "Ask whoever runs it for another, and add it anew with that.",
    "busy": "Wait a little.",
    "certificate": "Add it anew with the file of its certificate authority, or ask who runs it.",
    "strange": "One of the two may be of an older version; check its address.",
    "forbidden": "Whoever looks after this machine can change it.",
}
#: Its answers are ranked by another model than the one in use here.
OTHER_MODEL = (
    "It answers by another model ({model}): its files are sorted in by how probable it says that"
    " they answer."
)


class ArchiveTold(Struct, frozen=True):
    """An archive that the person added, and how it is."""

    name: str
    url: str
    authority: str = ""  # file with the certificates that vouch for it, where the system's don't
    fault: str = ""  # a Fault, where it can't be asked
    title: str = ""  # as it calls itself
    model: str = ""
    version: str = ""
    judged: bool = True  # its hits can be ranked as if they were here
