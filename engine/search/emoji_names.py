"""Emoji by name: who asks for a penguin means 🐧, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from engine.search.common_words import words_file

#: What an emoji counts for the word that names it.
NAMED = 0.4


def emoji_named(word: str) -> Sequence[str]:
    """Terms of the emoji that a folded word names."""
    return _names().get(word, ())


@cache
def _names() -> dict[str, list[str]]:
    """Made by engine.search.training.emoji_names."""
    lines = words_file("emoji.tsv")
    return {word: signs.split() for word, signs in (line.split("\t") for line in lines)}
