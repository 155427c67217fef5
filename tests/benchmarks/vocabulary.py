"""Looking up a question's words: processor time over a synthetic vocabulary.

    python -m tests.benchmarks.vocabulary [--words 200000] [--units 20000]

Words are made of syllables, so that most have many neighbours. Prints the median and the 95th
percentile of a look-up for words as they are and with two letters exchanged, of what a question of
two words costs altogether, and of exact search with and without what stands for its words.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from engine.contract.types import FileFacts, Unit
from engine.search.expansion import Expansion, expand
from engine.store import Store, StoredUnit
from engine.store.analyzer import query_terms
from engine.store.vocabulary import Vocabulary

_SOUNDS = "b c d f g h k l m n p r s t v w st tr pr sch br kr|a e i o u ei an en er in on un ar"
CONSONANTS, VOWELS = (sounds.split() for sounds in _SOUNDS.split("|"))
ASKED = 200
COMMON = 2  # passages that hold a word that is known
A_FILE = 50  # units


def made_words(count: int, draw: random.Random) -> list[str]:
    """Different words, the shorter the commoner."""
    syllables = [c + v for c in CONSONANTS for v in VOWELS]
    weights = [1 / (i + 1) ** 0.5 for i in range(len(syllables))]
    words: dict[str, None] = {}
    while len(words) < count:
        words["".join(draw.choices(syllables, weights, k=draw.choice((2, 3, 3, 4, 4, 5))))] = None
    return sorted(words, key=len)


def exchanged(word: str, draw: random.Random) -> str:
    """A word with two letters in each other's place."""
    at = draw.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def filled(store: Store, words: Sequence[str], units: int, draw: random.Random) -> None:
    """Passages of 40 words, common and rare ones."""
    weights = np.cumsum(1 / np.arange(1, len(words) + 1) ** 0.8).tolist()
    direction = np.eye(8, dtype=np.float32)[0]
    for first in range(0, units, 2_000):
        files: dict[int, list[StoredUnit]] = {}
        for number in range(first, min(first + 2_000, units)):
            file_id, ordinal = divmod(number, A_FILE)
            facts = FileFacts(file_id, f"/n/{file_id}.txt", "note", None, "txt", 1.0, 1)
            text = " ".join(draw.choices(words, cum_weights=weights, k=40))
            unit = Unit(file_id, ordinal, "note", text)
            files.setdefault(file_id, []).append(StoredUnit(unit, facts, direction, None))
        store.replace_files(files)
    store.maintain(force=True)


def tell(name: str, asked: Sequence[str], ask: Callable[[str], object]) -> None:
    """Ask each once; say how long it took."""
    took = []
    for question in asked:
        started = time.process_time()
        ask(question)
        took.append((time.process_time() - started) * 1000)
    took.sort()
    print(f"{name:34s} {took[len(took) // 2]:7.2f} {took[int(len(took) * 0.95)]:7.2f} ms")


def compare(store: Store, name: str, asked: Sequence[str]) -> None:
    """What looking up two words costs, and searching with what it gives."""

    def looked_up(text: str) -> Expansion:
        return store.ask_words(lambda lexicon: expand(lexicon, text))

    found = {text: looked_up(text).asked for text in asked}
    tell(f"two {name} words, looked up", asked, looked_up)
    alone = {text: query_terms(text) for text in asked}
    tell("  exact search for them alone", asked, lambda q: store.search_text(alone[q], None, 100))
    tell("  and for what stands for them", asked, lambda q: store.search_text(found[q], None, 100))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--units", type=int, default=20_000)
    options = parser.parse_args()
    draw = random.Random(1)
    words = made_words(options.words, draw)
    some = draw.sample([word for word in words if len(word) > 5], ASKED)
    wrong = [exchanged(word, draw) for word in some]
    vocabulary = Vocabulary.of(words)
    print(f"{len(vocabulary):,} words, {len(vocabulary.to_bytes()) / 1e6:.1f} MB; median, 95 %")
    tell("near, one error", wrong, lambda word: vocabulary.near(word, 1))
    tell("near, two errors", wrong, lambda word: vocabulary.near(word, 2))
    tell(
        "longer words",
        some,
        lambda word: (vocabulary.beginning(word, 200), vocabulary.ending(word, 200)),
    )
    with tempfile.TemporaryDirectory(prefix="inkling-vocabulary-") as folder:
        store = Store.open(Path(folder), "m", 8)
        filled(store, words, options.units, draw)
        print(f"{store.count():,} passages")
        held = store.ask_words(lambda lexicon: lexicon.held(words[:9_000]))
        common = [word for word in held if len(word) > 3 and held[word] > COMMON][:ASKED]
        for name, spelt in (("known", common), ("misspelt", wrong)):
            pairs = zip(spelt[::2], spelt[1::2], strict=False)
            compare(store, name, [f"{one} {other}" for one, other in pairs])
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
