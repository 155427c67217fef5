"""Sentences to photographs: descriptions that come with pictures, asked of them without names.

    python -m tests.benchmarks.photos FOLDER [--most 300] [--without PART]… [--keep DIR]

FOLDER holds pictures with a text file of the same name beside each, whose first line describes it
(Debian's tuxpaint-stamps-default is one). The pictures are indexed under numbers, through the real
pipeline; --without leaves out paths that have this part. Prints nDCG@10 and hit@10, and what chance
would give.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.quality import Asked, index, measures

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


def described(folder: Path, without: Sequence[str], most: int) -> list[tuple[Path, str]]:
    """Pictures and their descriptions, at most so many, chosen by chance but always the same."""
    found = []
    for picture in sorted(folder.rglob("*")):
        text = picture.with_suffix(".txt")
        left_out = any(part in str(picture.relative_to(folder)) for part in without)
        if picture.suffix.lower() in PICTURES and text.exists() and not left_out:
            lines = text.read_text(encoding="utf-8", errors="replace").splitlines()
            if lines and lines[0].strip():
                found.append((picture, lines[0].strip()))
    random.Random(1).shuffle(found)
    return found[:most]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--without", action="append", default=[], metavar="PART")
    parser.add_argument("--keep", type=Path, help="keep the index here for the next run")
    options = parser.parse_args()
    pictures = described(options.folder, options.without, options.most)
    with tempfile.TemporaryDirectory(prefix="inkling-photos-") as scratch:
        place = (options.keep or Path(scratch)).resolve()
        corpus = place / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        answers: dict[str, dict[str, int]] = defaultdict(dict)
        for number, (picture, text) in enumerate(pictures):
            name = f"{number:04d}{picture.suffix.lower()}"
            if not (corpus / name).exists():
                shutil.copyfile(picture, corpus / name)
            answers[text][name] = 1
        indexer, seconds = index(corpus, place / "base")
        try:
            told = [
                measures(grades, Asked(indexer, corpus, text).ranking("rescored", False))
                for text, grades in answers.items()
            ]
        finally:
            indexer.close()
    ndcg, _, hit, _ = (statistics.fmean(column) for column in zip(*told, strict=True))
    print(f"{len(pictures)} pictures read and indexed in {seconds:.0f} s; {len(answers)} sentences")
    print(f"nDCG@10 {ndcg:.3f}, hit@10 {hit:.3f} (by chance {10 / max(len(pictures), 10):.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
