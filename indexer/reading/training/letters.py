"""The networks that name a line's script and read Cyrillic and Greek: resources/ocr/letters.npz.

    python -m indexer.reading.training.letters FILE [--lines N] [--pictures FOLDER]

Lines are drawn here, the recogniser's features of each are taken as they are, and two networks
learn from them: three convolutions for the letters, one layer for the scripts. FOLDER: pictures
whose lines stand for what is no text, or in one of the recogniser's own scripts. Printed is how
much of lines in fonts held out is read. Half an hour of one core.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.reading.extract import ocr, render
from indexer.reading.training.drawn_lines import SHAPED, Drawing, Pixels

READ = ("CYRILLIC", "GREEK", "CYRILLIC")
#: What the script is called where that is not its letters' name; "": not to be told.
NAMES = {"LATIN": "", "JUNK": "", "HANGUL": "Korean"}
WIDTH, REACH, ROUNDS, BATCH = 128, 5, 12, 48
LEAST_SEEN = 8  # times a character is drawn, to be one of those that are learnt

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the recogniser sees it."""

    script: str
    text: str
    features: NDArray[np.float16]  # [t, f]


def seen(script_text_pixels: Iterable[tuple[str, str, Pixels]]) -> Iterator[Line]:
    """Lines with the recogniser's features."""
    for script, text, pixels in script_text_pixels:
        (features,) = ocr.features_of([pixels])
        yield Line(script, text, features.astype(np.float16))


def drawn(seed: int, count: int, *, held_out: bool) -> list[Line]:
    """Of ten lines seven in scripts that are read, two in others, one in Latin."""
    drawing = Drawing(seed, held_out=held_out)
    kinds = ((READ, 0.7), (SHAPED, 0.2), (("LATIN",), 0.1))
    lines = (
        line for scripts, share in kinds for line in drawing.lines(scripts, int(share * count))
    )
    return list(seen((line.script, line.text, line.bgr) for line in lines))


def of_pictures(folder: Path, most: int = 1500) -> list[Line]:
    """Lines of pictures, upright and upside down."""
    found: list[Line] = []
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".webp"))
    random.Random(5).shuffle(files)
    for file in files:
        try:
            with render.opened(file) as image:
                pixels = np.asarray(render.flat_rgb(image))
        except Exception:  # noqa: BLE001 - one that can't be read is none
            continue
        for crop in ocr.lines_of(pixels)[:40]:
            turned = np.ascontiguousarray(crop[::-1, ::-1])
            found += seen(("JUNK", "", pixels) for pixels in (crop, turned))
        if len(found) >= most:
            break
    return found


def learn_letters(lines: Sequence[Line], mean: Floats, scale: Floats) -> tuple[Any, str]:
    """A network from features to characters, and these."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    counted = Counter(c for line in lines for c in line.text if line.script in READ)
    characters = (
        "".join(sorted(c for c, n in counted.items() if n >= LEAST_SEEN and c != " ")) + " "
    )
    number = {c: n for n, c in enumerate(characters, start=1)}
    known = [
        (torch.from_numpy((line.features.astype(np.float32) - mean) * scale).T, wanted)
        for line in lines
        if line.text and (wanted := [number[c] for c in line.text if c in number])
        and len(wanted) >= 0.95 * len(line.text) and len(wanted) + 2 <= len(line.features)
    ]  # fmt: skip
    known.sort(key=lambda pair: pair[0].shape[1])
    batches = [known[at : at + BATCH] for at in range(0, len(known), BATCH)]
    network = letter_network(nn, len(characters) + 1)
    steps = ROUNDS * len(batches)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2.5e-3, total_steps=steps + 1)
    loss_of = nn.CTCLoss(zero_infinity=True)
    for turn in range(ROUNDS):
        random.Random(turn).shuffle(batches)
        for batch in batches:
            longest = max(features.shape[1] for features, _ in batch)
            inputs = torch.zeros(len(batch), len(mean), longest)
            for row, (features, _) in enumerate(batch):
                inputs[row, :, : features.shape[1]] = features
            inputs += 0.1 * torch.randn_like(inputs)
            likely = network(inputs).permute(2, 0, 1).log_softmax(2)
            numbers = torch.tensor([n for _, text in batch for n in text])
            sizes = [torch.tensor([f.shape[1] for f, _ in batch]),
                     torch.tensor([len(text) for _, text in batch])]  # fmt: skip
            optimiser.zero_grad()
            loss_of(likely, numbers, *sizes).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            pace.step()
    return network, characters


def letter_network(nn: Any, characters: int) -> Any:
    """Convolutions over a line's steps, each added to what it was given, then the characters."""

    class Letters(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            sides = ((ocr.FEATURES, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH))
            self.layers = nn.ModuleList(nn.Conv1d(*s, REACH, padding=REACH // 2) for s in sides)
            self.last = nn.Conv1d(WIDTH, characters, 1)
            self.drop = nn.Dropout(0.1)

        def forward(self, steps: Any) -> Any:
            first, *others = self.layers
            steps = first(steps).relu()
            for layer in others:
                steps = steps + layer(self.drop(steps)).relu()
            return self.last(steps)

    return Letters()


def learn_scripts(lines: Sequence[Line], mean: Floats, scale: Floats) -> tuple[Any, list[str]]:
    """One layer from a line's mean and highest features to its script, and the scripts."""
    import torch
    from torch import nn

    names = [NAMES.get(line.script, line.script.title()) for line in lines]
    scripts = sorted(set(names))
    rows = []
    for line in lines:
        features = (line.features.astype(np.float32) - mean) * scale
        rows.append(np.concatenate([features.mean(0), features.max(0)]))
    inputs, wanted = torch.from_numpy(np.array(rows)), torch.tensor([*map(scripts.index, names)])
    layer = nn.Linear(2 * len(mean), len(scripts))
    optimiser = torch.optim.AdamW(layer.parameters(), 1e-2, weight_decay=1e-2)
    for _ in range(600):
        optimiser.zero_grad()
        nn.functional.cross_entropy(layer(inputs), wanted).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return layer, scripts


def report(lines: Sequence[Line]) -> None:
    """Print of each script how many words are read, and of how many lines the script is told."""
    from indexer.reading.extract import more_letters

    for script in sorted({line.script for line in lines}):
        own = [line for line in lines if line.script == script]
        name = NAMES.get(script, script.title())
        told = sum(more_letters.script_of(line.features.astype(np.float32)) == name for line in own)
        there = right = 0
        for line in own if script in READ else ():
            text, _, _ = more_letters.steps_of(line.features.astype(np.float32))
            words, read = Counter(line.text.lower().split()), Counter(text.lower().split())
            there, right = there + words.total(), right + (words & read).total()
        print(f"{script:12s} script of {told}/{len(own)} lines, {right}/{there} words")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=15_000)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    lines = drawn(1, given.lines, held_out=False)
    all_features = np.concatenate([line.features for line in lines]).astype(np.float32)
    mean, scale = all_features.mean(0), 1 / (all_features.std(0) + 1e-3)
    network, characters = learn_letters(lines, mean, scale)
    others = of_pictures(given.pictures) if given.pictures else []
    layer, scripts = learn_scripts([*lines, *others], mean, scale)
    write(given.file, mean, scale, network.eval(), characters, layer, scripts)
    report(drawn(7, 1000, held_out=True))


def write(
    file: Path, mean: Floats, scale: Floats, network: Any, characters: str, layer: Any,
    scripts: list[str],
) -> None:  # fmt: skip
    """As indexer.reading.extract.more_letters reads it."""
    held: dict[str, Any] = {"mean": mean, "scale": scale, "characters": np.array(characters)}
    for number, part in enumerate([*network.layers, network.last]):
        held[f"weights_{number}"] = part.weight.detach().numpy().transpose(2, 1, 0)
        held[f"bias_{number}"] = part.bias.detach().numpy()
    held["script_weights"] = layer.weight.detach().numpy().T
    held["script_bias"] = layer.bias.detach().numpy()
    small = {n: v.astype(np.float16) if v.dtype == np.float32 else v for n, v in held.items()}
    np.savez_compressed(file, **small, scripts=np.array(scripts))


if __name__ == "__main__":
    main()
