"""What the page of privacy says."""

from __future__ import annotations

from desktop.wording.figures import number
from desktop.wording.language import plural as _n
from desktop.wording.language import tr

PRIVACY_INDEXED = tr("{files} in {folders} are known.")
PRIVACY_WITHHELD = tr("Withheld as secret: {whole}.")
PRIVACY_PARTLY = tr("With a secret taken out: {partly}.")
PRIVACY_SHOW_WITHHELD = tr("Show Withheld")
PRIVACY_PLACE = tr("The index lies in {place} ({size}). Nothing is sent anywhere.")
AGENTS_TITLE = tr("What agents were given")
AGENTS_CLEAR = tr("Clear")
NO_AGENTS = tr("No agent was given anything.")
AGENT_AND_MORE = tr("{name} and {more} more")
PURGE_BUTTON = tr("Take Out Without a Trace…")
PURGE_ASK = tr("Take “{folder}” out without a trace?")
PURGE_WHY = tr(
    "What was read in it goes, old versions of the index too, and then all that Inkling keeps is "
    "searched for it. That takes seconds to minutes; the files themselves are not touched."
)
PURGE_YES = tr("Take Out")
PURGE_RUNS = tr("It is being taken out…")
PURGED = tr("Taken out: {files}.")
PURGE_PROVEN = tr("In none of {files} stands any of {words} words that only it had.")
PURGE_UNPROVEN = tr("No word was known that only it had; what there was is written anew.")
PURGE_LEFT = tr("These still hold something of it: {names}. Clear the history, then try again.")
PURGE_RULE = tr("From now on the rule {rule} leaves it out.")


def characters(count: int) -> str:
    return _n("{n} character", "{n} characters", count).format(n=number(count))
