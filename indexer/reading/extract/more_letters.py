"""Lines that the recogniser can't read: which script they are in, and those in Cyrillic and Greek.

Its own last layer knows Latin, Chinese and Japanese alone, but what it sees of a line before that
layer tells other letters apart, too. Two small networks were trained on it with lines drawn in a
hundred fonts: one names the script, one reads Cyrillic and Greek (resources/ocr/README.md has how,
and how well).
"""

from __future__ import annotations

import importlib.resources
import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

import resources

#: Of a line: what its script has to have, and what reading it.
SURE_OF_SCRIPT, SURE_OF_TEXT = 0.65, 0.75
READ = ("Cyrillic", "Greek")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Letters:
    """Both networks' weights."""

    mean: Floats  # [f] of the recogniser's features
    scale: Floats  # [f]
    layers: list[tuple[Floats, Floats]]  # [k, in, out] and [out], the last one of one step
    characters: list[str]  # "" first: nothing new
    script_weights: Floats  # [2f, scripts]
    script_bias: Floats
    scripts: list[str]  # "" for those that the recogniser reads, and for what is no text


def script_of(features: Floats) -> str:
    """The script of a line [t, f], "" where it is one of the recogniser's, or none for sure."""
    own = _letters()
    seen = (features - own.mean) * own.scale
    logits = np.concatenate([seen.mean(0), seen.max(0)]) @ own.script_weights + own.script_bias
    likely = np.exp(logits - logits.max())
    best = int(likely.argmax())
    return own.scripts[best] if likely[best] > SURE_OF_SCRIPT * likely.sum() else ""


def steps_of(features: Floats) -> tuple[str, float, list[int]]:
    """A line [t, f] of Cyrillic or Greek: its text, how sure it is, the step of each character."""
    own = _letters()
    seen = (features - own.mean) * own.scale
    for number, (weights, bias) in enumerate(own.layers):
        after = _convolved(seen, weights) + bias
        if number < len(own.layers) - 1:
            after = np.maximum(after, 0)
            seen = after if number == 0 else seen + after
        else:
            seen = after
    best = seen.argmax(axis=1)
    new = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
    if not len(new):
        return "", 0.0, []
    logits = seen[new] - seen[new].max(axis=1, keepdims=True)
    score = float((1 / np.exp(logits).sum(axis=1)).mean())
    return "".join(own.characters[n] for n in best[new]), score, new.tolist()


def _convolved(steps: Floats, weights: Floats) -> Floats:
    """[t, in] by [k, in, out], as many steps as before."""
    reach = len(weights) // 2
    padded = np.pad(steps, ((reach, reach), (0, 0)))
    total: Floats = sum(padded[k : k + len(steps)] @ part for k, part in enumerate(weights))
    return total


@cache
def _letters() -> _Letters:
    """Read once in a process that meets such lines."""
    data = (importlib.resources.files(resources) / "ocr" / "letters.npz").read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        get = {name: held[name] for name in held.files}
    weights = {
        name: value.astype(np.float32) for name, value in get.items() if value.dtype.kind == "f"
    }
    count = sum(name.startswith("weights_") for name in get)
    return _Letters(
        weights["mean"],
        weights["scale"],
        [(weights[f"weights_{n}"], weights[f"bias_{n}"]) for n in range(count)],
        ["", *str(get["characters"])],
        weights["script_weights"],
        weights["script_bias"],
        [str(name) for name in get["scripts"]],
    )
