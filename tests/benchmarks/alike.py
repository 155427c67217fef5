"""Pictures to pictures: what becomes of a photo on its way asks for the photo.

    python -m tests.benchmarks.alike FOLDER [--most 300] [--asked 60] [--without PART]…
        [--no-words] [--keep DIR]

FOLDER holds pictures; they are indexed under numbers, through the real pipeline; some of them as a
series of three shots, made of one (from other places, turned, in another light). Each of those
asked is cut, made smaller, saved with loss, framed, turned by EXIF and then asked with; prints how
often the picture itself comes first and among the first five. A fourth shot asks for each series;
prints how often one of it comes first, and which part of it is among the first five. By look and
words as people get it, and by the picture's words alone, as it was before there were looks;
--no-words asks by look alone, which takes no OCR. And the processor time that a look takes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from tests.scenes import cut, framed, saved, shot, smaller

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


def chosen(folder: Path, without: Sequence[str], most: int) -> list[Path]:
    """Pictures, no two of the same bytes, chosen by chance but always the same."""
    found: dict[bytes, Path] = {}
    for path in sorted(folder.rglob("*")):
        left_out = any(part in str(path.relative_to(folder)) for part in without)
        if path.suffix.lower() in PICTURES and not left_out:
            found.setdefault(path.read_bytes(), path)
    paths = sorted(found.values())
    random.Random(1).shuffle(paths)
    return paths[:most]


def pixels(path: Path) -> Image.Image:
    with render.opened(path) as image:
        return render.flat_rgb(image)


def fill(corpus: Path, pictures: Sequence[Path], series: Sequence[Path]) -> dict[Path, list[str]]:
    """Pictures under numbers, of a series three shots; their names in the corpus."""
    corpus.mkdir(parents=True, exist_ok=True)
    names: dict[Path, list[str]] = {}
    for number, path in enumerate(pictures):
        if path not in series:
            names[path] = [f"{number:04d}{path.suffix.lower()}"]
            shutil.copyfile(path, corpus / names[path][0])
            continue
        chance = random.Random(number)
        names[path] = [f"{number:04d}-{n}.jpg" for n in range(3)]
        for name in names[path]:
            shot(pixels(path), chance).save(corpus / name, quality=90)
    return names


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


def places(indexer: Indexer, query: Query, wanted: Sequence[str]) -> list[int]:
    """Where each of these files stands, 999 if it is not found."""
    *_, answer = indexer.index.engine.search(query, 30)
    names: list[str] = []
    for hit in answer.hits:
        names += [hit.title, *(Path(copy.path).name for copy in hit.copies)]
    return [names.index(name) if name in names else 999 for name in wanted]


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
    series = pictures[: min(options.asked, len(pictures)) // 2]
    with tempfile.TemporaryDirectory(prefix="inkling-alike-") as scratch:
        place = (options.keep or Path(scratch)).resolve()
        names = fill(place / "corpus", pictures, series)
        indexer, seconds = index(place / "corpus", place / "base")
        counted = indexer.index.looking.counts()
        print(f"{counted[0]} pictures indexed in {seconds:.0f} s, {counted[1]} looked at")
        try:
            report(indexer, options, names, Path(scratch))
        finally:
            indexer.close()
    return 0


def report(
    indexer: Indexer, options: argparse.Namespace, names: Mapping[Path, list[str]], scratch: Path
) -> None:
    alone = [path for path in names if len(names[path]) == 1][: options.asked]
    series = [path for path in names if len(names[path]) > 1]
    chance, took = random.Random(3), list[float]()
    ways = ["by look"] if options.no_words else ["by look and words", "by words alone"]
    print(f"{len(alone)} pictures and {len(series)} series asked for: first, first five")

    def told(change: Change, paths: Sequence[Path], exif: Image.Exif) -> str:
        found: dict[str, list[list[int]]] = {way: [] for way in ways}
        for path in paths:
            picture = change(pixels(path), chance)
            began = time.process_time()
            look_at(picture)
            took.append(time.process_time() - began)
            picture.save(scratch / "asked.png", exif=exif)
            query = query_of(indexer, scratch / "asked.png", not options.no_words)
            found[ways[0]].append(places(indexer, query, names[path]))
            if not options.no_words:
                words_alone = replace(query, look=None)
                found[ways[1]].append(places(indexer, words_alone, names[path]))
        lines = []
        for way, some in found.items():
            first = statistics.fmean(min(each) < 1 for each in some)
            five = statistics.fmean(place < 5 for each in some for place in each)
            lines.append(f"{way} {first:.3f} {five:.3f}")
        return ", ".join(lines)

    for title, change in CHANGES.items():
        exif = Image.Exif()
        if title == "turned by EXIF":
            exif[0x0112] = _TURNED
        print(f"{title:15s} {told(change, alone, exif)}", flush=True)
    print(f"{'a fourth shot':15s} {told(shot, series, Image.Exif())}")
    each = 1000 * statistics.median(took)
    print(f"a look takes {each:.0f} ms of processor time, the picture decoded")


if __name__ == "__main__":
    sys.exit(main())
