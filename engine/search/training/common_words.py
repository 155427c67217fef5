"""How common words are in a hundred languages: resources/words/common.tsv.

    python -m engine.search.training.common_words > resources/words/common.tsv

multilingual-e5's vocabulary is a unigram model of text in a hundred languages: it tells the log
probability of each piece. A word has those of its spellings together ("Die", "die").
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping

from engine.encoders.text_onnx import packed_file
from engine.encoders.text_onnx.packages import PACKAGED
from engine.encoders.text_onnx.unigram import Unigram
from engine.encoders.text_onnx.weights import check_digest, package_folder
from engine.models.registry import MODELS
from engine.store.analyzer import fold

#: Log probability from which on a word is in the table.
LEAST = -10.5
_BEGIN = "▁"  # of a piece that begins a word


def common_words(pieces: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Log probability by folded word, commonest first, of pieces with theirs."""
    likely: dict[str, float] = defaultdict(float)
    for piece, score in pieces:
        word = piece.removeprefix(_BEGIN)
        if word != piece and word.isalpha():
            likely[fold(word)] += math.exp(score)
    told = {word: math.log(p) for word, p in likely.items()}
    common = (word for word in told if told[word] >= LEAST)
    return {word: told[word] for word in sorted(common, key=lambda w: (-told[w], w))}


def lines(words: Mapping[str, float]) -> str:
    """As the file has them."""
    return "".join(f"{word}\t{score:.2f}\n" for word, score in words.items())


def main() -> int:
    packaged = PACKAGED["e5"]
    place = package_folder(packaged.package, packaged.distribution) / packaged.folder
    file = place / packaged.weights
    check_digest(file, MODELS["e5-minilm"].sha256[packaged.weights], packaged.distribution)
    vocabulary = packed_file.vocabulary(file)
    pieces = zip(Unigram(vocabulary).pieces(), vocabulary.scores.tolist(), strict=True)
    sys.stdout.write(lines(common_words((piece, score) for piece, score in pieces if score)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
