"""Emoji by the single words that are their names in some languages: resources/words/emoji.tsv.

    python -m engine.search.training.emoji_names resources/words

Names are Unicode's (CLDR), as the package `emoji` carries them.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import emoji

from engine.store.analyzer import analyze
from engine.store.spelling import fold

LANGUAGES = ("en", "de", "fr", "es", "it", "pt")


def named() -> dict[str, list[str]]:
    """By folded word the terms of the emoji that have it for a name."""
    for language in LANGUAGES:
        emoji.config.load_language(language)
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for sign, facts in emoji.EMOJI_DATA.items():
        terms = analyze(sign)
        if len(terms) == 1 and not terms[0].isalnum():
            for name in (*(facts.get(code, "") for code in LANGUAGES), *facts.get("alias", ())):
                word = fold(name.strip(":"))
                if word.isalpha():
                    found[word][terms[0]] = None
    return {word: list(found[word]) for word in sorted(found)}


def main(folder: Path) -> None:
    lines = (f"{word}\t{' '.join(signs)}\n" for word, signs in named().items())
    (folder / "emoji.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
