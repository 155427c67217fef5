"""What the window says of archives: other indexes that are asked beside this computer's."""

from __future__ import annotations

from desktop.wording.language import tr

TITLE = tr("Archives")
HELP = tr(
    "Other indexes, such as your team's, are asked beside this computer's. What you search for goes"
    " there as text, with its filters. No file of yours does, and no picture that you search with."
)
NONE = tr("No archive is asked yet.")
NAME = tr("Name")
NAME_HELP = tr("As you call it, such as “Lab”: it stands in rows.")
ADDRESS = tr("Address")
TOKEN = tr("Token")
TOKEN_HELP = tr("From whoever runs it; kept in a file for you alone.")
AUTHORITY = tr("Certificate authority")
AUTHORITY_HELP = tr("Only where it has certificates of its own.")
ADD = tr("Add Archive")
ADDING = tr("Asking it…")
CHECK = tr("Check Again")
ANSWERS = tr("It answers.")
REMOVE = tr("Remove")
REMOVE_ONE = tr("Remove the archive {name}")
CHOOSE_FILE = tr("Choose…")
IN_ARCHIVE = tr("in the archive {name}")
ARCHIVED = tr("This file is in the archive {name}, not on this machine.")
ARCHIVED_HINT = tr("“Copy Path” copies where it lies there.")
MORE_ARCHIVED = tr("The archive {names} found more; it is below, so that nothing moves.")
SORT_IN = tr("Sort In")
