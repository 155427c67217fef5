"""The window's sentences, translated as the module is loaded; rows of tables keep their own.

The catalogues in resources/locale are made from here and from the tables (`make translations`).
"""

from __future__ import annotations

from desktop.wording.figures import number
from desktop.wording.language import plural as _n
from desktop.wording.language import tr
from engine.contract.readings import GIVEN_UP as _GIVEN_UP
from engine.contract.types import Lane, Location

APP = "Inkling"
SEARCH_PLACEHOLDER = tr("Describe the file you are looking for")
SEARCH_NAME = tr("Search")
CLEAR_SEARCH = tr("Clear the search")
ATTACH_PICTURE = tr("Search with a picture")
REMOVE_PICTURE = tr("Search without the picture")
QUERY_PICTURE = tr("Picture to search with")
MENU = tr("Menu")
RESULTS_NAME = tr("Results")
PREVIEW_NAME = tr("Preview")
PICTURE_NAME = tr("Picture")
PAGES_NAME = tr("Pages of the document")
TEXT_NAME = tr("Text of the file")
TABLE_NAME = tr("Table")
STATUS_NAME = tr("Index")

KIND = tr("Kind")
FOLDER = tr("Folder")
DATE = tr("Date")
ANY_KIND = tr("Every kind")
ANY_FOLDER = tr("Every folder")
ANY_DATE = tr("Any time")
OTHER_FOLDER = tr("Another folder…")
OTHER_DATES = tr("From one day to another…")
FROM_DAY = tr("From")
TO_DAY = tr("To")
SHOW_SPAN = tr("Show")
DATES = {  # value of date: -> label
    "today": tr("Today"),
    "yesterday": tr("Yesterday"),
    "7d": tr("Last 7 days"),
    "30d": tr("Last 30 days"),
    "1y": tr("Last 12 months"),
}
CHIP_KEYS = {
    "ext": tr("ending in"),
    "lang": tr("language"),
    "size": tr("size"),
    "in": tr("in"),
    "before": tr("before"),
    "after": tr("after"),
    "date": tr("date"),
    "kind": tr("kind"),
}
OPENS_MENU = tr("opens a menu")
NOT = tr("not")
REMOVE_CHIP = tr("Remove this filter")
READING = tr("“{words}” = {filter}")  # words of the question, the filter they are read as
DECLINE_READING = tr("Search for these words instead")
GIVEN_UP = {reason: tr(sentence) for reason, sentence in _GIVEN_UP.items()}

LANES: dict[Lane, str] = {
    "name": tr("Found by its name"),
    "text": tr("Found by these words"),
    "dense": tr("Found by meaning"),
    "sight": tr("Found by its look"),
    "seen": tr("Found by what is seen on it"),
    "late": tr("Found by meaning, word by word"),
}
_FOUND_BY = {
    "name": tr("name"),
    "text": tr("words"),
    "dense": tr("meaning"),
    "late": tr("meaning"),
    "sight": tr("look"),
    "seen": tr("picture"),
}
#: What each row of an explained query is.
EXPLAINED = {
    "name": tr("Words of its name"),
    "text": tr("Exact words"),
    "term_coverage": tr("Words anywhere in the file"),
    "exact_coverage": tr("Words as they were typed"),
    "proximity": tr("Words side by side"),
    "sight": tr("How alike the pictures look"),
    "seen": tr("What is seen on it"),
    "dense": tr("Meaning"),
    "document": tr("Meaning of the whole file"),
    "late": tr("Meaning, word by word"),
    "fused": tr("Name, words and meaning together"),
    "rescored": tr("Final order"),
}
EXPLAINED_PLACE = tr("place {rank}")
#: What a row adds to the file's score: from which part of the largest on.
EXPLAINED_SHARES = (
    (0.5, tr("counts much")),
    (0.15, tr("counts")),
    (0.0, tr("counts a little")),
    (-2.0, tr("counts against it")),
)
EXPLAINED_NUMBERS = tr("score {score}, adds {share}")
EXPLAINED_RECENT = tr("Nothing is asked: it is listed because it was used lately.")
EXPLAINED_NOT = tr("not found")
OFFLINE = tr("offline")
#: Of a hit of which only the name is in the index.
NAME_ONLY = {
    "seen": tr("not read yet"),
    "pending": tr("not read yet"),
    "failed": tr("could not be read"),
    "skipped": tr("name only"),
    "withheld": tr("withheld"),
}
#: Of a row below the one that stands for it.
COPY = tr("copy")
OFFLINE_LONG = tr("This file's disk is not connected.")
OFFLINE_HINT = tr("Connect it and try again.")

RECENT = tr("Recent")
SEARCHES = tr("Searches")
SEARCH_IS_KEPT = tr("Kept search")
SEARCH_IS_RECENT = tr("Recent search")
SEARCH_IS_EXAMPLE = tr("Example")

NOTHING = tr("Nothing matches.")
NOTHING_FILTERED = tr("Nothing matches with these filters.")
DROP_FILTERS = tr("Search without filters")
PHRASE_RELAXED = tr("Nothing holds the quoted words as they stand; these are the closest.")
PATTERN_RELAXED = tr("No name is of this pattern; these are of “{pattern}”.")
SIMILAR = tr("Also similar")
WEAK = tr("Nothing is sure to match; these are the closest.")
PICTURE_WORDS = tr("Asked by how the picture looks, and by its words “{words}”.")
PICTURE_WORDS_ALONE = tr("Asked by its words “{words}”.")
ALSO_SEARCHED = tr("Also searched for “{spelling}”.")
NO_RECENT = tr("Type a few words about a file: what it shows, says or does.")
NO_RECENT_ACTION = tr("See the keyboard shortcuts")
NO_FOLDERS = tr("Inkling does not look into any folder yet.")
CHOOSE_FOLDERS = tr("Choose folders")
STARTING = tr("The indexer is starting…")
NO_INDEXER = tr("The indexer does not answer.")
START_INDEXER = tr("Start it again")
SHOW_INDEX = tr("Show the index")

PREVIEW_LOADING = tr("Loading…")
PREVIEW_OPEN = tr("Open it")
PAGE_REFUSED = tr("This page can't be shown.")
EXAMPLES = (
    tr("screenshot of an error message"),
    tr("invoice from last month"),
    tr("notes about the trip"),
)
PREVIEW_CUT = tr("Only the beginning is shown here.")
RENDERED = tr("Formatted")
UNFOLD = tr("All Lines")
FOLD = tr("Fold")
SOURCE = tr("Source")
FIND = tr("Find in preview")
FIND_NONE = tr("Not found")
FIND_NEXT = tr("Next")
FIND_PREVIOUS = tr("Previous")
CLOSE = tr("Close")
WHERE_MATCHED = tr("Matched")
MORE_PLACES = tr("More places")
REGION_HINT = tr("Drag a rectangle over what you look for. Esc ends it.")
DETAILS_PATH = tr("Path")
DETAILS_SIZE = tr("Size")
DETAILS_MODIFIED = tr("Modified")
DETAILS_TAKEN = tr("Taken")
DETAILS_CAMERA = tr("Camera")
DETAILS_LENGTH = tr("Length")
DETAILS_KIND = tr("Kind")
DETAILS_PLACE = tr("Place")
DETAILS_FOUND = tr("Found by")

PAUSE = tr("Pause")
RESUME = tr("Resume")
PAUSE_HOUR = tr("For one hour")
PAUSE_MORNING = tr("Until tomorrow")
PAUSE_OPEN = tr("Until I resume")

FILTERS_OFFERED = tr("Filters")
PALETTE_PLACEHOLDER = tr("What do you want to do?")
SHORTCUTS_TITLE = tr("Keyboard Shortcuts")
SHORTCUTS_TYPED = tr("Typed into the search")
SYNTAX = (
    ("kind:pdf", tr("only this kind: {kinds}")),
    ("in:Documents", tr("only in this folder; several are possible")),
    ("ext:md", tr("only files with this ending")),
    ("date:today  date:7d  date:2024-03", tr("only from this time")),
    ("before:2024  after:2023-06-30", tr("changed before or after")),
    ("size:>10MB", tr("larger or smaller than")),
    ("lang:python", tr("only this language")),
    (tr("“exact words”"), tr("must occur as they stand")),
    (tr("-word"), tr("must not occur")),
    ("ext:pdf OR ext:md", tr("one or the other; with words, too")),
    (tr("invoice (kind:pdf OR kind:image)"), tr("parentheses hold together what OR joins")),
)

INDEX_TITLE = tr("Index")
TAB_FOLDERS = tr("Folders")
TAB_PROBLEMS = tr("Problems")
TAB_WITHHELD = tr("Withheld")
TAB_LEFT_OUT = tr("Left Out")
TAB_MODEL = tr("Model")
ADD_FOLDER = tr("Add Folder…")
REMOVE_FOLDER = tr("Remove")
REMOVE_FOLDER_ASK = tr("Stop looking into “{folder}”?")
REMOVE_FOLDER_WHY = tr("Its files are no longer found. The files themselves are not touched.")
FOLDER_OFFLINE = tr("Not connected; its files are still found.")
FOLDER_SCANNING = tr("Looking for files…")
RETRY_ALL = tr("Try All Again")
RETRY = tr("Try Again")
ALLOW = tr("Allow")
BY_ENTER = tr("{action} with Enter")
ALLOW_ASK = tr("Make “{name}” searchable?")
ALLOW_WHY = tr("It seems to hold a secret. Its text would show up in results on this machine.")
NO_PROBLEMS = tr("Every file could be read.")
NOT_READ = tr("Show files of types that are not read")
LEFT_OUT_WHY = tr("Rules leave these out: they are not read, and not found by name.")
NO_LEFT_OUT = tr("No rule leaves anything out.")
SHOW_LEFT_OUT = tr("Show")
ALL_RULES = tr("All Rules")
NO_WITHHELD = tr("No secrets were found.")
WITHHELD_WHY = tr("These files look as if they hold secrets; they never show up in results.")
SPACE_USED = tr("{size} used by the index")
MODEL_CURRENT = tr("In use")
MODEL_USE = tr("Use This Model")
MODEL_DOWNLOAD = tr("Download and Use")
MODEL_LICENCE_ASK = tr("Do you accept the licence of {title}?")
MODEL_NON_COMMERCIAL = tr("Not for commercial use.")
MODEL_INCLUDED = tr("Comes with Inkling; works offline.")
MODEL_REMOVE = tr("Remove")
MODEL_BUTTON = tr("{action}: {title}")
MODEL_INDEX = tr("Index {size}")
MODEL_REBUILD = tr("The present index answers until the new one is complete.")

WELCOME = tr("Find a file from an inkling of what was in it")
WELCOME_WHY = tr(
    "Inkling reads the folders you choose so that you can describe a screenshot, a page or a "
    "function in your own words."
)
WELCOME_PRIVATE = tr(
    "Everything stays on this machine. Nothing is sent anywhere; files that hold secrets are "
    "left out."
)
WELCOME_START = tr("Start")
WELCOME_LATER = tr("Not Now")
WELCOME_OTHER = tr("Another folder…")
COUNTING = tr("counting…")
#: Why a folder is, or is not, ticked.
SUGGESTED_WHY = {
    "PICTURES": tr("screenshots and photos, found by what they show and say"),
    "DOCUMENTS": tr("PDFs, letters, tables and notes"),
    "DESKTOP": tr("what you work on just now"),
    "DOWNLOADS": tr("mostly passes through, so it is not ticked"),
    "CODE": tr("source, found by what it does"),
}
SUGGESTED = {
    "PICTURES": tr("Pictures"),
    "DOCUMENTS": tr("Documents"),
    "DESKTOP": tr("Desktop"),
    "DOWNLOADS": tr("Downloads"),
    "CODE": tr("Code"),
}

SETTINGS_TITLE = tr("Settings")
RESTART_WINDOW = tr("Takes hold when Inkling is opened again.")
CHOOSE = tr("Choose…")
RESTART_NOW = tr("Open Again Now")
RESTART_INDEXER = tr("Takes hold when the indexer starts again.")

GROW = tr("Show in the window")
PANEL_KEY = tr("Show or hide the search panel")
TRAY_PANEL = tr("Search…")
TRAY_SHOW = tr("Show Inkling")
TRAY_NOTICE = tr("Inkling is still here. Quit it from this icon's menu or with {keys}.")

DROP_PICTURE = tr("Search with this picture")
PICK_PICTURE = tr("Choose a picture")
PICTURE_FILTER = tr("Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff *.heic *.avif)")
NO_PICTURE_ON_CLIPBOARD = tr("There is no picture on the clipboard.")
UNDO = tr("Undo")
CLEAR_HISTORY = tr("Clear History")
CLEAR_HISTORY_TITLE = tr("What you searched for")
CLEAR_HISTORY_HELP = tr("Forgets all searches, and which files you opened. Kept searches stay.")
HISTORY_CLEARED = tr("History cleared.")
DELETE_INDEX = tr("Delete the Index")
DELETE_INDEX_BUTTON = tr("Delete the Index…")
DELETE_INDEX_TITLE = tr("The index")
DELETE_INDEX_HELP = tr(
    "Forgets every folder and all that was read in it. The files themselves are not touched."
)
DELETE_INDEX_ASK = tr("Delete the index?")
INDEX_IS_DELETED = tr("The index is being deleted…")
INDEX_DELETED = tr("The index is deleted.")
TAB_PRIVACY = tr("Privacy")
PRIVACY_TITLE = tr("What Inkling knows")
PRIVACY_HELP = tr(
    "What is indexed and withheld, where it lies, what agents were given; taking a folder out "
    "without a trace."
)
PRIVACY_SHOW = tr("Show…")
NOTHING_TO_UNDO = tr("There is nothing to take back.")
NOT_BINNED = tr("“{name}” can't be moved to the bin.")
NOT_BINNED_HINT = tr("Its disk may have no bin, or the folder can't be written to.")
NOT_IN_BIN = tr("“{name}” is not in the bin any more.")
NOT_TAKEN_BACK = tr("“{name}” can't be taken back from the bin.")
TAKEN_MEANWHILE = tr("There is a “{name}” again where it was; the other stays in the bin.")
RENAME = tr("Rename")
RENAME_TITLE = tr("Rename “{name}”")
RENAME_FIELD = tr("New name")
RENAMED = tr("“{old}” is now called “{new}”.")
NO_NAME = tr("A file can't be called “{name}”.")
NAME_TOO_LONG = tr("This name is too long.")
NAME_TAKEN = tr("There is a “{name}” already.")
NOT_RENAMED = tr("“{name}” can't be renamed: {error}.")
LEFT_OUT = tr("{folder} is left out of the index.")
IS_WATCHED = tr("{folder} is itself looked into, or holds a folder that is.")
IS_WATCHED_HINT = tr("Take it away in the index (Ctrl+I).")
NO_TERMINAL = tr("No terminal was found.")
NO_TERMINAL_HINT = tr("The variable TERMINAL says which one is to be used.")
OPEN_MANY = tr("Open {files}?")
SORT = tr("Sort")
ORDERS = {
    "relevance": tr("By relevance"),
    "date": tr("By date"),
    "name": tr("By name"),
    "size": tr("By size"),
    "folder": tr("By folder"),
}
COPIED_PATH = tr("Path copied.")
COPIED_FILE = tr("File copied.")
COPIED_TEXT = tr("Text copied.")
COPIED_PICTURE = tr("Picture copied.")
JUDGED_RIGHT = tr("Kept: this answers the question.")
JUDGED_WRONG = tr("Kept: this is no answer.")
JUDGED_COUNT = tr("{answers} judged in all, on this computer alone.")
JUDGED_NOT = tr("Taken back.")
JUDGED_FORGOTTEN = tr("What you judged is forgotten.")
FORGET_JUDGED = tr("Forget What I Judged")
SEARCH_KEPT = tr("Search kept; it is offered on an empty field.")
SEARCH_FORGOTTEN = tr("Search no longer kept.")
FILE_GONE = tr("“{name}” is not there any more.")
NO_PROGRAM = tr("No program could open “{name}”.")
COMMAND_FAILED = tr("“{command}” could not be started.")
CHECK_SETTINGS = tr("Check the command in the settings.")
OPEN_WITH_PROMPT = tr("Program to open “{name}” with")
STATES = {
    "done": tr("It is indexed, with everything in it."),
    "pending": tr("It waits for its turn; its name is searchable."),
    "seen": tr("Its name is known; what is in it comes later."),
}
EXPLAIN_TITLE = tr("Why “{name}” is found")
SIMILAR_TO = tr("Like {name}")
SETTINGS_MESSAGE = tr("Some settings could not be read.")


def on_pages(count: int) -> str:
    return _n("on {n} page", "on {n} pages", count).format(n=number(count))


def files(count: int) -> str:
    return _n("{n} file", "{n} files", count).format(n=number(count))


def answers(count: int) -> str:
    return _n("{n} answer", "{n} answers", count).format(n=number(count))


def folders(count: int) -> str:
    return _n("{n} folder", "{n} folders", count).format(n=number(count))


def pictures(count: int) -> str:
    return _n("{n} picture", "{n} pictures", count).format(n=number(count))


def found_by(lanes: tuple[str, ...]) -> str:
    """How a file was found, in as few words as tell it: name + words + meaning."""
    return " + ".join(dict.fromkeys(_FOUND_BY[lane] for lane in lanes if lane in _FOUND_BY))


def lines_folded(count: int) -> str:
    return _n("{n} line folded", "{n} lines folded", count).format(n=number(count))


def lines_shown(count: int) -> str:
    return _n("{n} line shown", "{n} lines shown", count).format(n=number(count))


def lines_hidden(count: int) -> str:
    return _n("⋯ {n} line", "⋯ {n} lines", count).format(n=number(count))


def more_places(count: int) -> str:
    return _n("{n} more place", "{n} more places", count).format(n=number(count))


def more_copies(count: int) -> str:
    return _n("{n} more copy", "{n} more copies", count).format(n=number(count))


def problems(count: int) -> str:
    return _n("{n} problem", "{n} problems", count).format(n=number(count))


def still_to_read(count: int) -> str:
    return _n(
        "No problems so far; {n} file is still to be read.",
        "No problems so far; {n} files are still to be read.",
        count,
    ).format(n=number(count))


def entries(file_count: int, folder_count: int) -> str:
    """12 files · 3 folders; what there is of them."""
    folders = _n("{n} folder", "{n} folders", folder_count).format(n=number(folder_count))
    told = [files(file_count)] if file_count or not folder_count else []
    return " · ".join([*told, folders] if folder_count else told)


def binned(count: int) -> str:
    return _n("{n} file is in the bin.", "{n} files are in the bin.", count).format(n=number(count))


def selected(count: int, total: str) -> str:
    return tr("{n} selected · {total}").format(n=number(count), total=total)


def copied(count: int) -> str:
    return _n("{n} copied.", "{n} copied.", count).format(n=number(count))


def withheld(count: int) -> str:
    return _n("{n} withheld", "{n} withheld", count).format(n=number(count))


def skipped(count: int) -> str:
    return tr("{n} by name only").format(n=number(count))


def place(location: Location) -> str:
    """Page 3; Line 12; Lines 10–24; the symbol where there is one."""
    parts = []
    if location.page is not None:
        parts.append(tr("Page {n}").format(n=location.page))
    if location.symbol:
        parts.append(location.symbol)
    if location.lines:
        first, last = location.lines
        one = tr("Line {a}").format(a=first)
        parts.append(one if first == last else tr("Lines {a}–{b}").format(a=first, b=last))
    return " · ".join(parts)


def short_place(location: Location) -> str:
    """A place in as few words as name it: for buttons."""
    if location.symbol and location.page is None:
        return location.symbol.rsplit(" › ", 1)[-1]
    return place(location)


def coverage(done: int, total: int) -> str:
    return tr("{done} of {files} readable so far").format(done=number(done), files=files(total))


def away(count: int) -> str:
    return _n("{n} folder is not connected", "{n} folders are not connected", count).format(
        n=number(count)
    )


def new_index(done: int, total: int) -> str:
    return tr("Index for another model: {done} of {total}").format(
        done=number(done), total=number(total)
    )


def up_to_date(count: int) -> str:
    return tr("Up to date · {files}").format(files=files(count))


def page_of(page: int, pages: int | None) -> str:
    if pages:
        return tr("{page} of {pages}").format(page=page, pages=pages)
    return tr("Page {n}").format(n=page)
