"""How common words are in a hundred languages: resources/words/common.tsv, and known.txt.

    python -m engine.search.training.common_words resources/words

multilingual-e5's vocabulary is a unigram model of text in a hundred languages: it tells the log
probability of each piece. A word has those of its spellings together ("Die", "die"). What is one
piece there is a word; misspelt ones fall into several.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.encoders.text_onnx import packed_file
from engine.encoders.text_onnx.packages import PACKAGED
from engine.encoders.text_onnx.unigram import Unigram
from engine.encoders.text_onnx.weights import check_digest, package_folder
from engine.models.registry import MODELS
from engine.store.spelling import fold

#: Log probability from which on a word is common, and from which on it is known. Of 21 usual
#: misspellings of English words "teh" alone is above the second ("recieve", "adress" are no piece).
LEAST, KNOWN = -10.5, -14.0
_BEGIN = "▁"  # of a piece that begins a word


def words_of(pieces: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Log probability by folded word, commonest first, of pieces with theirs."""
    likely: dict[str, float] = defaultdict(float)
    for piece, score in pieces:
        word = piece.removeprefix(_BEGIN)
        if word != piece and word.isalpha():
            likely[fold(word)] += math.exp(score)
    told = {word: math.log(p) for word, p in likely.items()}
    return {word: told[word] for word in sorted(told, key=lambda w: (-told[w], w))}


def common_words(pieces: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Those of them that hold sentences together."""
    return {word: score for word, score in words_of(pieces).items() if score >= LEAST}


def lines(words: Mapping[str, float]) -> str:
    """As the file has them."""
    return "".join(f"{word}\t{score:.2f}\n" for word, score in words.items())


def main(folder: Path) -> None:
    packaged = PACKAGED["e5"]
    place = package_folder(packaged.package, packaged.distribution) / packaged.folder
    file = place / packaged.weights
    check_digest(file, MODELS["e5-minilm"].sha256[packaged.weights], packaged.distribution)
    vocabulary = packed_file.vocabulary(file)
    scored = zip(Unigram(vocabulary).pieces(), vocabulary.scores.tolist(), strict=True)
    pieces = [(piece, score) for piece, score in scored if score]
    (folder / "common.tsv").write_text(lines(common_words(pieces)), encoding="utf-8")
    known = sorted(word for word, score in words_of(pieces).items() if score >= KNOWN)
    (folder / "known.txt").write_text("\n".join(known) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
