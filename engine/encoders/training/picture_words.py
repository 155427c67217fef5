"""Words for the classes of the picture network: resources/sight/words.tsv.

    python -m engine.encoders.training.picture_words --wordnet DIR --classes FILE > words.tsv

DIR holds WordNet 3.0's data.noun and cntlist.rev (Debian: wordnet-base), FILE one synset a line
("n01440764") in the order of the classes. A class is called by its own first two names and by what
it is a kind of, as far as that is a word in use and not nearly everything: a golden retriever is a
dog and an animal, and neither a placental nor an object.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: A class's own names that are taken.
_NAMES = 2
#: Of what the class is a kind of: how often it must stand in WordNet's annotated texts, and which
#: share of the classes it may cover. nDCG@10 of 403 descriptions of 430 photos by these words
#: 0.362; from 0 times on 0.357, from 3 on 0.351, from 10 on 0.344; up to a fifth of classes 0.347.
_USED, _SHARE = 1, 0.4


@dataclass(frozen=True, slots=True)
class _Noun:
    names: tuple[str, ...]
    used: int  # in annotated texts, by any of the names
    above: tuple[str, ...]  # what it is a kind of


def read_nouns(folder: Path) -> dict[str, _Noun]:
    """WordNet's nouns by synset ("n02084071")."""
    used: Counter[str] = Counter()
    for line in (folder / "cntlist.rev").read_text(encoding="latin-1").splitlines():
        key, _, count = line.split()
        used[key] = int(count)
    nouns = {}
    for line in (folder / "data.noun").read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue  # the licence
        offset, lexicographer, _, count, *rest = line.split(" | ")[0].split()
        size = 2 * int(count, 16)
        words = list(zip(rest[0:size:2], rest[1:size:2], strict=True))
        pointers = rest[size + 1 :]
        keys = [f"{word.lower()}%1:{lexicographer}:{int(at, 16):02d}::" for word, at in words]
        nouns[f"n{offset}"] = _Noun(
            tuple(word.replace("_", " ") for word, _ in words),
            sum(used[key] for key in keys),
            tuple(
                f"n{pointers[i + 1]}"
                for i in range(0, 4 * int(rest[size]), 4)
                if pointers[i] in ("@", "@i")
            ),
        )
    return nouns


def kinds_above(synset: str, nouns: Mapping[str, _Noun]) -> list[str]:
    """All it is a kind of, nearest first."""
    found: dict[str, None] = {}
    level: Iterable[str] = nouns[synset].above
    while level := [one for one in dict.fromkeys(level) if one not in found]:
        found |= dict.fromkeys(level)
        level = [above for one in level for above in nouns[one].above]
    return list(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--classes", type=Path, required=True)
    options = parser.parse_args()
    nouns = read_nouns(options.wordnet)
    classes = options.classes.read_text(encoding="ascii").split()
    above = {synset: kinds_above(synset, nouns) for synset in classes}
    covers = Counter(kind for kinds in above.values() for kind in kinds)
    for synset in classes:
        general = [
            nouns[kind].names[0]
            for kind in above[synset]
            if nouns[kind].used >= _USED and covers[kind] <= _SHARE * len(classes)
        ]
        own = nouns[synset].names[:_NAMES]
        print(synset, ", ".join(own), ", ".join(w for w in general if w not in own), sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
