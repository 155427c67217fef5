"""Two halves as one vector: side by side, so that a dot product is the weighted sum of cosines.

Passages weigh the halves alike whatever their language; a question weighs them by how far from
English it is, which is told by the number of pieces that MiniLM's English vocabulary tears it into,
for each of E5's.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.encoders.text_onnx.weights import Floats

#: E5's share of the sum of cosines where the question is English. Mean nDCG@10 of the single vector
#: over nine sets, by the same share for all questions: 0 0.580, 1/2 0.686, 0.7 0.704, 1 0.685; with
#: what follows: 0.4 0.701, 0.5 0.702, 0.55 0.704, 0.6 0.704.
SHARE = 0.575
#: MiniLM's pieces for each of E5's from where on its share falls, and where nothing is left of it.
#: Nine of ten English questions have less than 1.0, the median Italian to Arabic one has 1.7.
_ENGLISH, _FOREIGN = 1.0, 1.5

Weights = tuple[float, float]  # of MiniLM's half and of E5's
PASSAGE: Weights = (math.sqrt(1 - SHARE), math.sqrt(SHARE))


def share_of_e5(minilm_pieces: int, e5_pieces: int) -> float:
    """E5's share of the sum of cosines for a question of so many pieces in each vocabulary."""
    ratio = minilm_pieces / max(e5_pieces, 1)
    foreign = min(max((ratio - _ENGLISH) / (_FOREIGN - _ENGLISH), 0.0), 1.0)
    return SHARE + (1 - SHARE) * foreign


def of_question(minilm_pieces: int, e5_pieces: int) -> Weights:
    """What a passage weighs its halves by is the other factor of each product."""
    share = share_of_e5(minilm_pieces, e5_pieces)
    return (1 - share) / PASSAGE[0], share / PASSAGE[1]


def joined(minilm: Floats, e5: Floats, weights: Weights) -> Floats:
    """[..., a + b] of unit rows [..., a] and [..., b]."""
    made: Floats = np.concatenate([minilm * weights[0], e5 * weights[1]], axis=-1)
    return made


def aligned(states: Floats, places: NDArray[np.int32], wanted: NDArray[np.int32]) -> Floats:
    """[n, width] what one tokenizer's states [m, width] say of the characters of another's tokens.

    The mean of all that share characters with a token. `places` [m, 2] and `wanted` [n, 2] are
    runs of the same characters; (-1, -1) for none: those have the first state, the last one the
    last.
    """
    inner, (starts, ends) = states[1:-1], places[1:-1].T
    sums = np.zeros((len(inner) + 1, states.shape[1]), np.float32)
    np.cumsum(inner, axis=0, out=sums[1:])
    low = np.searchsorted(ends, wanted[:, 0], "right")
    high = np.searchsorted(starts, wanted[:, 1], "left")
    met = (high > low) & (wanted[:, 0] >= 0)
    made = np.repeat(states[:1], len(wanted), axis=0)
    counts = (high - low)[met, None].astype(np.float32)
    made[met] = (sums[high[met]] - sums[low[met]]) / counts
    made[-1] = states[-1]
    return made
