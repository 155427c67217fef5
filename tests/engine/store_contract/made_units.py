"""Made-up units of every kind: all about a file follows from its seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.contract.types import AttributeFilter, FileFacts, Filters, Kind, Unit
from engine.store import Condition, StoredUnit
from engine.store.segments import TokenRecord
from engine.store.term_groups import AnyOf, Asked, Variant
from tests.engine.store.store_units import DIM, vector

KINDS: tuple[Kind, ...] = ("note", "code", "pdf", "image")
WORDS = (
    "amber", "birch", "birches", "copper", "coppersmith", "delta", "deltas", "ember", "fjord",
    "Lichtmaschine", "maschine", "getRetryCount", "2024-03-01", "c++", "größe", "日本語", "ambre",
)  # fmt: skip
FOLDERS = ("/home/me/Docs", "/home/me/Docs/Work", "/home/me/Fotos 2024", "/srv/Team/Émile")
NAMES = (
    "Lea's letter.txt",
    "lease.md",
    "Größe.py",
    "report 1.pdf",
    "IMG_01.jpg",
    "a.b.md",
    "Æon.md",
)
CAMERAS = ("pixel 7", "canon eos r6", None)


@dataclass(frozen=True)
class About:
    """What a store over Qdrant wants to know of its archive."""

    archive_id: str = "archive"
    space: str = f"made-1-{DIM}"
    dim: int = DIM


def made(file_id: int, seed: int, most: int = 4) -> list[StoredUnit]:
    """Units of a file."""
    draw = random.Random(seed)
    kind = draw.choice(KINDS)
    picture = draw.choice((None, "screenshot", "photo")) if kind == "image" else None
    name = draw.choice(NAMES)
    attributes: dict[str, float | str] = {}
    if draw.random() < 0.4:
        attributes["taken"] = float(draw.randrange(6)) + 0.5
    if camera := draw.choice(CAMERAS):
        attributes["camera"] = camera
    if draw.random() < 0.5:
        attributes["pages"] = float(draw.randrange(1, 5))
    file = FileFacts(
        file_id, f"{draw.choice(FOLDERS)}/{name}", kind, picture, name.rpartition(".")[2].lower(),
        float(draw.randrange(6)), draw.randrange(6), attributes,
    )  # fmt: skip
    stored = []
    for n in range(draw.randrange(1, most + 1)):
        count = draw.choice((0, 1, 3, 9, 30))
        text = " ".join(draw.choices(WORDS, range(len(WORDS), 0, -1), k=count))
        if draw.random() < 0.2:
            text = text.replace(" ", "\n ").upper()
        content = Unit(
            file_id, n * 2, kind, text, context=draw.choice(("Title › Part", "", "Copper kettle")),
            page=draw.choice((None, 1, 2)), lines=draw.choice((None, (1, 4))),
            symbol=draw.choice((None, "Retry.count")), language=draw.choice((None, "en", "python")),
        )  # fmt: skip
        direction = None if draw.random() < 0.15 else vector(draw.randrange(200))
        tokens = None
        if draw.random() < 0.8:
            numbers = np.random.default_rng(seed * 31 + n)
            rows = int(numbers.integers(1, 5))
            spans = numbers.integers(0, 9, (rows, 2)).astype(np.int32)
            tokens = TokenRecord(numbers.integers(-127, 128, (rows, 8)).astype(np.int8), spans)
        stored.append(StoredUnit(content, file, direction, tokens))
    return stored


def drawn_filters(draw: random.Random, depth: int = 0) -> Filters:
    """Any filters at all."""

    def some(values: Sequence[str], chance: float = 0.12) -> tuple[str, ...]:
        return tuple(draw.sample(values, draw.randrange(1, 3))) if draw.random() < chance else ()

    kinds = (*KINDS, "photo", "screenshot", "document")
    folders = ("Docs", "Work", "docs/work", "/home/me/Docs", "/home/me", "*oto*", "Emile", "Émile")
    names = (
        "le*",
        "*.md",
        "*e*",
        "lea?s*",
        "l*.md",
        "größe.py",
        "IMG_??.jpg",
        "*",
        "ae*",
        "grosse*",
    )
    exts = ("md", "txt", "py", "none")

    def bound(chance: float = 0.1) -> float | None:
        return float(draw.randrange(7)) if draw.random() < chance else None

    attributes: list[AttributeFilter] = []
    if draw.random() < 0.25:
        attributes.append(
            draw.choice((
                AttributeFilter("camera", values=("pixel",), negated=draw.random() < 0.5),
                AttributeFilter("camera", values=("canon", "e"), negated=draw.random() < 0.5),
                AttributeFilter("pages", 2.0, 3.0, negated=draw.random() < 0.5),
                AttributeFilter("taken", 1.0, 3.5, negated=draw.random() < 0.5),
                AttributeFilter("taken"),
                AttributeFilter("nothing", 1.0, negated=draw.random() < 0.5),
            ))
        )  # fmt: skip
    any_of: tuple[tuple[Filters, ...], ...] = ()
    if depth == 0 and draw.random() < 0.2:
        any_of = (tuple(drawn_filters(draw, 1) for _ in range(draw.randrange(3))),)
    low, high = bound(), bound()
    return Filters(
        kinds=some(kinds), not_kinds=some(kinds), exts=some(exts), not_exts=some(exts),
        folders=some(folders), not_folders=some(folders), names=some(names), not_names=some(names),
        languages=some(("en", "python")), not_languages=some(("en", "python")),
        after=bound(), before=bound(), min_size=None if low is None else int(low),
        max_size=None if high is None else int(high), attributes=tuple(attributes), any_of=any_of,
    )  # fmt: skip


def drawn_condition(draw: random.Random, files: Sequence[int]) -> Condition | None:
    """Any condition at all, often none."""
    if draw.random() < 0.3:
        return None
    filters = drawn_filters(draw) if draw.random() < 0.8 else Filters()
    phrases = ("amber birch", "copper kettle", "title › part", "birch")
    excluded = ("delta", "größe", "amber birch", "retry", "c++", "kettle")
    return Condition(
        filters,
        phrases=(draw.choice(phrases),) if draw.random() < 0.2 else (),
        excluded=(draw.choice(excluded),) if draw.random() < 0.2 else (),
        kinds=tuple(draw.sample(KINDS, 2)) if draw.random() < 0.2 else (),
        candidate_ids=(tuple(f"{draw.choice(files)}:{n}" for n in (0, 0, 2, 4)),)
        if files and draw.random() < 0.1
        else (),
        file_ids=tuple(draw.sample(files, min(len(files), 5)))
        if files and draw.random() < 0.15
        else None,
    )


#: Terms as the analyzer makes them, of the words above.
TERMS = (
    "amber", "birch", "copper", "coppersmith", "delta", "ember", "fjord", "lichtmaschin",
    "getretrycount", "get", "retri", "count", "c++", "titl", "kettl", "日本", "missing",
)  # fmt: skip


def drawn_terms(draw: random.Random) -> list[Asked]:
    """What may be asked of full text."""
    asked: list[Asked] = []
    for _ in range(draw.randrange(1, 5)):
        if draw.random() < 0.5:
            asked.append(draw.choice(TERMS))
            continue
        variants = []
        for _ in range(draw.randrange(1, 4)):
            terms = tuple(draw.sample(TERMS, draw.choice((1, 1, 2))))
            weight = draw.choice((1.0, 0.7, 0.3))
            variants.append(Variant(terms, weight, len(terms) > 1 and draw.random() < 0.5))
        asked.append(AnyOf(tuple(dict.fromkeys(variants))))
    return asked
