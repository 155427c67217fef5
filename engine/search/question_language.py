"""Which language a question is written in, where that is sure; and whether a model reads it.

Of 1,634 English questions of nine DEV sets and of 204 everyday ones two are taken for another
language, and those are German words; of sentences 95 % of the German, 93 % of the Italian and
Portuguese, 98 % of the Polish, all of the French and Turkish ones are told, of other scripts 95 to
100 % (tests.benchmarks.unread). Nothing in the ranking depends on it.
"""

from __future__ import annotations

import logging
import re
import threading
import unicodedata
from functools import cache
from typing import Protocol

from engine.contract.notices import LANGUAGES, notice
from engine.contract.types import Notice
from engine.models.registry import ModelSpec

log = logging.getLogger(__name__)

#: From here on it is said: below it, single words and names in any language are guessed at.
SURE = 0.8
#: Less says nothing of a language, and needs no meaning to be found.
_WORDS, _LETTERS = 2, 7
#: Share of letters in other scripts from which on a question is in them.
_FOREIGN = 0.5
_WORD = re.compile(r"[^\W\d_]{2,}")


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]:
        """Language and how sure that is, 0..1."""


def warm(spec: ModelSpec) -> None:
    """Begin to load what tells languages (a second), where questions for this model need it; does
    not wait."""
    if spec.languages and not _identifier.cache_info().currsize:
        threading.Thread(target=_load, name="languages", daemon=True).start()


def unread_by(spec: ModelSpec, text: str) -> Notice | None:
    """Why the model can't make sense of a question; None where it can, or that is not sure."""
    letters = [c for c in text if c.isalpha()]
    if spec.latin_only and letters:
        foreign = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
        if foreign / len(letters) >= _FOREIGN:
            return notice("script", model=spec.title)
    if not spec.languages:
        return None
    told = language_of(text)
    if not told or told in spec.languages:
        return None
    return notice("language", model=spec.title, language=told)


def language_of(text: str) -> str:
    """ISO 639-1 of a question in Latin script, one of LANGUAGES; "" where it is not sure."""
    words = _WORD.findall(text)
    if len(words) < _WORDS or sum(map(len, words)) < _LETTERS:
        return ""
    identifier = _load()
    if identifier is None:
        return ""
    language, sure = identifier.classify(" ".join(words))
    return language if sure >= SURE else ""


_loading = threading.Lock()


def _load() -> _Identifier | None:
    with _loading:
        return _identifier()


@cache
def _identifier() -> _Identifier | None:
    """None where the library or its data is not to be had."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        made: _Identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        made.set_languages(list(LANGUAGES))  # type: ignore[attr-defined]
    except (ImportError, OSError, ValueError) as error:
        log.warning("Languages of questions are not told: %s", error)
        return None
    return made
