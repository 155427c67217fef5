"""Which words OCR finds that are known to be there, on pictures drawn here, for how much time.

    python -m tests.benchmarks.ocr_drawn [KIND …] [--pictures N]

Lonely words of many heights on large pictures: labels of pies and diagrams on white, signs before
a blurred ground. Each is read with one look and with the coarse one besides, in turn.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from indexer.reading.extract import ocr

WORDS = [
    *("Rent", "Food", "Travel", "Insurance", "Savings", "Books", "Heating", "Water", "Garden"),
    *("Phone", "Repairs", "Taxes", "Music", "Sports", "Exit", "Harbour", "Revenue", "Costs"),
    *("Germany", "France", "Lisbon", "Kyoto", "12%", "37%", "2019", "Q3"),
]
SHORT = [word for word in WORDS if len(word) <= 4]
HEIGHTS = (20, 28, 49, 60, 100, 150, 300)


@dataclass
class Score:
    """Of one way to read: words found, words there, seconds of processor time."""

    found: int = 0
    there: int = 0
    seconds: float = 0.0


def pie(rng: random.Random, height: int) -> tuple[Image.Image, list[str]]:
    """Six slices, each with its label beside it."""
    image, words = Image.new("RGB", (2248, 1497), "white"), rng.sample(WORDS, 6)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(height)
    cuts = [60.0 * n + rng.uniform(0, 30) for n in range(7)]
    cuts[6] = cuts[0] + 360
    for n, word in enumerate(words):
        start, end = cuts[n], cuts[n + 1]
        colour = tuple(rng.randint(60, 230) for _ in range(3))
        draw.pieslice((724, 348, 1524, 1148), start, end, colour)
        middle = math.radians((start + end) / 2)
        x, y = 1124 + 480 * math.cos(middle), 748 + 480 * math.sin(middle)
        left = draw.textlength(word, font) if math.cos(middle) < 0 else 0
        draw.text((x - left, y - height / 2), word, "black", font)
    return image, words


def diagram(rng: random.Random, height: int) -> tuple[Image.Image, list[str]]:
    """Boxes far apart, joined by lines."""
    image, words = Image.new("RGB", (2400, 1600), "white"), rng.sample(WORDS, 4)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(height)
    for n, word in enumerate(words):
        x, y = 200 + 1200 * (n % 2), 200 + 800 * (n // 2)
        wide = draw.textlength(word, font)
        draw.rectangle((x - 30, y - 20, x + wide + 30, y + height * 1.3 + 20), None, "gray", 3)
        draw.line((x, y + height * 1.3 + 20, 1200, 800), "gray", 4)
        draw.text((x, y), word, "black", font)
    return image, words


def sign(rng: random.Random, height: int) -> tuple[Image.Image, list[str]]:
    """One sign in a photo that is out of focus."""
    values = np.random.default_rng(rng.randrange(1 << 30)).integers(60, 190, (28, 42, 3))
    ground = Image.fromarray(values.astype(np.uint8))
    image, word = ground.resize((1280, 832), Image.Resampling.BICUBIC), rng.choice(SHORT)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(height)
    wide = draw.textlength(word, font)
    draw.rectangle((180, 180, 220 + wide, 235 + height), (240, 240, 230))
    draw.text((200, 195), word, (20, 20, 60), font)
    return image, [word]


DRAWN: dict[str, Callable[[random.Random, int], tuple[Image.Image, list[str]]]] = {
    "pie": pie,
    "diagram": diagram,
    "sign": sign,
}


def pictures(kinds: Sequence[str], count: int) -> Iterator[tuple[str, Image.Image, list[str]]]:
    """So many of each kind and height."""
    rng = random.Random(7)
    for kind in kinds:
        draw = DRAWN[kind]
        for height in HEIGHTS:
            if kind != "sign" and height > 100:
                continue  # they would not fit
            for _ in range(count):
                yield f"{kind} {height}", *draw(rng, height)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(DRAWN))
    parser.add_argument("--pictures", type=int, default=2, help="of each kind and height")
    options = parser.parse_args()
    if unknown := set(options.kinds) - DRAWN.keys():
        parser.error(f"unknown kinds: {', '.join(sorted(unknown))}")
    ocr.read(np.full((64, 64, 3), 255, np.uint8))  # loading is not measured
    usual = ocr.COARSE_FROM
    ways = {"one look": 1 << 60, "two looks": usual}
    scores: dict[str, dict[str, Score]] = {}
    for name, image, words in pictures(options.kinds or list(DRAWN), options.pictures):
        rows = scores.setdefault(name, {way: Score() for way in ways})
        for way, threshold in ways.items():
            ocr.COARSE_FROM = threshold
            start = time.process_time()
            read = " ".join(line.text for line in ocr.read(np.asarray(image)).lines)
            rows[way].seconds += time.process_time() - start
            rows[way].there += len(words)
            rows[way].found += sum(word in read for word in words)
    for name, rows in scores.items():
        said = [f"{way} {s.found}/{s.there} in {s.seconds:.1f} s" for way, s in rows.items()]
        print(f"{name:12}", "; ".join(said))
    for way in ways:
        found, there, seconds = (
            sum(getattr(rows[way], field) for rows in scores.values())
            for field in ("found", "there", "seconds")
        )
        print(f"{way}: {found} of {there} words in {seconds:.1f} s of processor time")


if __name__ == "__main__":
    main()
