"""Pictures to pictures: what becomes of a photo on its way asks for the photo.

    python -m tests.benchmarks.alike FOLDER [--most 300] [--asked 60] [--without PART]…
        [--no-words] [--keep DIR]

FOLDER holds pictures; they are indexed under numbers, through the real pipeline, and so are their
series: pictures of one folder whose names differ in a number only. Each of some is cut, made
smaller, saved with loss, framed, turned by EXIF and then asked with. Prints how often the picture
itself comes first and among the first five, and how many of its series come among the first five
that are not itself; by look and words as people get it, and by the picture's words alone, as it was
before there were looks. --no-words asks by look alone, which takes no OCR. And the processor time
that a look takes.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from engine.contract.query import parse
from engine.contract.types import Query
from engine.encoders.image_onnx.look import look_at
from indexer.reading.extract import render
from indexer.reading.messages import unpack_look
from indexer.server.lifecycle import Indexer
from tests.benchmarks.photos import PICTURES
from tests.benchmarks.quality import index
from tests.scenes import cut, framed, saved, smaller

Change = Callable[[Image.Image, random.Random], Image.Image]
CHANGES: Mapping[str, Change] = {
    "as it is": lambda picture, chance: picture,
    "cut to 0.9": lambda picture, chance: cut(picture, 0.9, chance.random(), chance.random()),
    "cut to 0.8": lambda picture, chance: cut(picture, 0.8, chance.random(), chance.random()),
    "cut to 0.7": lambda picture, chance: cut(picture, 0.7, chance.random(), chance.random()),
    "cut to 0.6": lambda picture, chance: cut(picture, 0.6, chance.random(), chance.random()),
    "half as large": lambda picture, chance: smaller(picture, 0.5),
    "a quarter": lambda picture, chance: smaller(picture, 0.25),
    "JPEG 30": lambda picture, chance: saved(picture, 30),
    "JPEG 10": lambda picture, chance: saved(picture, 10),
    "framed": lambda picture, chance: framed(picture, chance.choice(("black", "white", "navy"))),
    "turned by EXIF": lambda picture, chance: picture.rotate(90, expand=True),
}
_TURNED = 6  # EXIF: to be turned by 90° to the right when shown


@dataclass
class Told:
    """One way of asking: places of the picture itself, and shares of its series found."""

    places: list[int] = field(default_factory=list)
    series: list[float] = field(default_factory=list)

    def line(self) -> str:
        def share(most: int) -> str:
            return f"{sum(place < most for place in self.places) / len(self.places):6.3f}"

        series = f"{sum(self.series) / len(self.series):6.3f}" if self.series else "     –"
        return f"{share(1)} {share(5)} {series}"


def chosen(folder: Path, without: Sequence[str], most: int) -> list[Path]:
    """Pictures, no two of the same bytes, chosen by chance but always the same; of a series all."""
    found: dict[bytes, Path] = {}
    for path in sorted(folder.rglob("*")):
        left_out = any(part in str(path.relative_to(folder)) for part in without)
        if path.suffix.lower() in PICTURES and not left_out:
            found.setdefault(path.read_bytes(), path)
    series: dict[str, list[Path]] = defaultdict(list)
    for path in found.values():
        series[stem(path)].append(path)
    groups = sorted(series.values())
    random.Random(1).shuffle(groups)
    return [path for group in groups for path in group][:most]


def stem(path: Path) -> str:
    """The same for all pictures of a series."""
    return str(path.parent / re.sub(r"[\W_]*\d+[\W_]*$", "", path.stem))


def query_of(indexer: Indexer, picture: Path, words: bool) -> Query:
    """As the search asks with a picture alone."""
    if not words:
        return replace(parse(""), look=indexer.extractors.look(str(picture), urgent=True))
    extraction, scratch = indexer.extractors.extract(str(picture), look=True, urgent=True)
    shutil.rmtree(scratch, ignore_errors=True)
    written = " ".join(part.text for part in extraction.parts).split()[:120]
    said = " ".join([*written, *extraction.shows])
    assert extraction.look is not None
    look = unpack_look(extraction.look)
    return replace(parse("", image=None), text=said, told_by_image=True, look=look)


def ask(indexer: Indexer, query: Query, own: str, series: set[str], told: Told) -> None:
    *_, answer = indexer.index.engine.search(query, 30)
    names = [
        name
        for hit in answer.hits
        for name in (hit.title, *(Path(c.path).name for c in hit.copies))
    ]
    told.places.append(names.index(own) if own in names else 999)
    if others := series - {own}:
        first = [name for name in names if name != own][:5]
        told.series.append(len(others.intersection(first)) / min(5, len(others)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--asked", type=int, default=60)
    parser.add_argument("--without", action="append", default=[], metavar="PART")
    parser.add_argument("--no-words", action="store_true")
    parser.add_argument("--keep", type=Path, help="keep the index here for the next run")
    options = parser.parse_args()
    pictures = chosen(options.folder, options.without, options.most)
    names = {path: f"{number:04d}{path.suffix.lower()}" for number, path in enumerate(pictures)}
    series: dict[str, set[str]] = defaultdict(set)
    for path, name in names.items():
        series[stem(path)].add(name)
    with tempfile.TemporaryDirectory(prefix="inkling-alike-") as scratch:
        place = (options.keep or Path(scratch)).resolve()
        corpus = place / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for path, name in names.items():
            if not (corpus / name).exists():
                shutil.copyfile(path, corpus / name)
        indexer, seconds = index(corpus, place / "base")
        counted = indexer.index.looking.counts()
        print(f"{len(pictures)} pictures indexed in {seconds:.0f} s, {counted[1]} looked at")
        try:
            report(indexer, options, names, series, Path(scratch))
        finally:
            indexer.close()
    return 0


def report(
    indexer: Indexer,
    options: argparse.Namespace,
    names: Mapping[Path, str],
    series: Mapping[str, set[str]],
    scratch: Path,
) -> None:
    sample = random.Random(2).sample(sorted(names), min(options.asked, len(names)))
    ways = ["by look"] if options.no_words else ["by look and words", "by words alone"]
    print(f"{len(sample)} asked; first, first five, series in first five: {'; '.join(ways)}")
    chance, took = random.Random(3), 0.0
    for title, change in CHANGES.items():
        told = {way: Told() for way in ways}
        for path in sample:
            with render.opened(path) as image:
                picture = render.flat_rgb(image)
            began = time.process_time()
            look_at(picture)
            took += time.process_time() - began
            asked = scratch / "asked.png"
            exif = Image.Exif()
            if title == "turned by EXIF":
                exif[0x0112] = _TURNED
            change(picture, chance).save(asked, exif=exif)
            query = query_of(indexer, asked, not options.no_words)
            own, mine = names[path], series[stem(path)]
            ask(indexer, query, own, mine, told[ways[0]])
            if not options.no_words:
                ask(indexer, replace(query, look=None), own, mine, told[ways[1]])
        print(f"{title:15s} " + " | ".join(told[way].line() for way in ways), flush=True)
    each = 1000 * took / (len(CHANGES) * len(sample))
    print(f"a look takes {each:.0f} ms of processor time, the picture decoded")


if __name__ == "__main__":
    sys.exit(main())
