"""The window's language: the system's or the one chosen, with its catalogue and its numbers."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

import resources

DOMAIN = "inkling"
FOLDER = Path(resources.__file__).parent / "locale"
#: What the sentences in the code are written in.
SOURCE = "en"
#: As the setting calls it.
LIKE_SYSTEM = "system"

_chosen = LIKE_SYSTEM


def choose(language: str) -> None:
    """What the setting says: a code such as "de", or "system". Before any sentence is read: they
    are translated once, when `desktop.strings` is imported."""
    global _chosen
    _chosen = language
    for answer in (current, locale, _catalogue):
        answer.cache_clear()


def available() -> tuple[str, ...]:
    """The languages that there are catalogues of, and the source's."""
    found = (path.parents[1].name for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return tuple(sorted({SOURCE, *found}))


def first_of(wanted: Sequence[str]) -> str:
    """The first of these languages that there is, such as "de" for "de-AT"; else the source's."""
    known = available()
    for name in wanted:
        code = name.replace("-", "_")
        for candidate in (code, code.partition("_")[0]):
            if candidate in known:
                return candidate
    return SOURCE


@cache
def current() -> str:
    """What the window speaks."""
    # Qt asks each system in its own way, and hears LANGUAGE, LC_ALL and LANG where they count.
    return first_of(QLocale.system().uiLanguages() if _chosen == LIKE_SYSTEM else [_chosen])


@cache
def _catalogue() -> gettext.NullTranslations:
    """The sentences in this language; those of the code where there is no catalogue."""
    languages = [] if current() == SOURCE else [current()]
    return gettext.translation(DOMAIN, str(FOLDER), languages=languages, fallback=True)


def tr(sentence: str) -> str:
    """The sentence in the window's language; itself where there is no translation."""
    return _catalogue().gettext(sentence) if sentence else ""  # "" is the catalogue's head


def plural(one: str, many: str, count: int) -> str:
    """The form of a sentence that goes with so many."""
    return _catalogue().ngettext(one, many, count)


@cache
def locale() -> QLocale:
    """How numbers and dates are written beside these sentences: as in the system's country, where
    that speaks the same language."""
    # Not the system's own locale: it takes months from LC_TIME, which may be of another language.
    system, own = QLocale(QLocale.system().name()), QLocale(current())
    return system if system.language() == own.language() else own


def install(app: QCoreApplication) -> None:
    """Qt's own words (buttons of its dialogs, menus of its fields) and numbers in the same."""
    QLocale.setDefault(locale())
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(locale(), "qtbase", "_", folder):
        app.installTranslator(translator)
