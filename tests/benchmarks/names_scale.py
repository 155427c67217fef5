"""Finding files by name among very many: milliseconds a question, cost of upkeep, size on disk.

    python -m tests.benchmarks.names_scale LEDGER_FOLDER [--files 1000000] [--rounds 25]

The ledger is made in the folder where there is none and used again where there is: one that an
older checkout's copy of this module made is carried over first, and that is timed. Run it in both
for a comparison; questions that the older code can't answer show as no hit. Times are wall and
processor milliseconds of one call, each question a different one of its sort.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from pathlib import Path

from engine.contract.query import parse
from indexer.ledger.ledger import Found, Ledger

BATCH = 1_000


def _words(text: str) -> list[str]:
    return text.split()


ENGLISH = _words(
    "report invoice budget meeting notes draft final holiday tenancy agreement library song album"
    " connector project plan summary contract letter receipt ticket photo scan backup archive"
    " quarterly annual review proposal design guide manual recipe garden travel family school"
    " insurance bank statement salary application certificate passport house kitchen server client"
    " parser handler controller config test model view index main utils service schema migration"
)
GERMAN = _words(
    "Mietvertrag Rechnung Kündigung Versicherung Steuererklärung Gehaltsabrechnung Protokoll"
    " Sitzung Müllabfuhr Gebühren Straße Haus Garten Urlaub Norwegen Fahrplan Zeugnis Bewerbung"
    " Lebenslauf Anleitung Übersicht Entwurf Vertrag Bescheid Antrag Vollmacht Quittung Angebot"
)
OTHERS = _words(
    "facture résumé réunion été contrat factura reunión año договор отчёт счёт фотография"
    " αρχείο λογαριασμός 会议记录 请求书 報告書 회의록 계약서 عقد تقرير"
)
SYLLABLES = _words(
    "ka ro mi ta ne so lu vi der gen ber lin stein bach hof mann ford ton ham bury ville court"
    " son sen ski ova ini elli ard ier ant"
)
ENDINGS = _words(
    "pdf docx xlsx txt md jpg png mp3 mp4 py js ts java html json csv zip doc pptx eml go rs c h"
)


def made_word(chance: random.Random) -> str:
    """A name of a person, a place or a product: most of a vocabulary is such."""
    return "".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4))))


def made_names(files: int) -> list[str]:
    """Paths below the root, folder by folder, in several languages and habits of naming."""
    chance = random.Random(7)
    people = [made_word(chance) for _ in range(max(files // 20, 100))]
    weights = [1 / (n + 1) for n in range(len(people))]
    drawn = iter(chance.choices(people, weights, k=files * 4))
    paths: dict[str, None] = {}  # each once, in order
    while len(paths) < files:
        pool = chance.choices((ENGLISH, GERMAN, OTHERS), (6, 3, 1))[0]
        depth = chance.choice((1, 2, 3, 4, 6))
        folder = "/".join(
            chance.choice((chance.choice(pool), next(drawn, "y"), str(chance.randint(1999, 2026))))
            for _ in range(depth)
        )
        for _ in range(chance.choice((1, 3, 10, 40))):
            paths[f"{folder}/{one_name(chance, pool, next(drawn, 'x'))}"] = None
    return list(paths)[:files]


def one_name(chance: random.Random, pool: list[str], person: str) -> str:
    a, b = chance.choice(pool), chance.choice(pool)
    day = f"20{chance.randint(10, 26)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    number = chance.randint(1, 9999)
    stem = chance.choices(
        (
            f"{a} {person} {day}", f"{a}_{b}_{number}", f"{a}{b.capitalize()}{person.capitalize()}",
            f"IMG_{day.replace('-', '')}_{number:06}", f"{person}-{a}-v2.{number}",
            f"{a} {b} {person}", "index", f"{chance.getrandbits(64):016x}", f"{day} {a}", a,
        ),
        (10, 10, 8, 10, 6, 10, 2, 3, 6, 5),
    )[0]  # fmt: skip
    return f"{stem}.{chance.choice(ENDINGS)}"


def fill(ledger: Ledger, paths: list[str]) -> None:
    folder = ledger.path.parent.parent / "files"
    folder.mkdir(exist_ok=True)
    root = ledger.add_root(folder)
    begun, processor = time.perf_counter(), time.process_time()
    for start in range(0, len(paths), BATCH):
        ledger.add_files(
            root,
            [
                Found(os.fsencode(f"{root.path}/{path}"), 1000, (start + n) * 10**9, start + n)
                for n, path in enumerate(paths[start : start + BATCH])
            ],
        )
    wall, processor = time.perf_counter() - begun, time.process_time() - processor
    print(
        f"insertion: {len(paths) / wall:,.0f} rows/s wall,"
        f" {processor / len(paths) * 1e6:.1f} µs processor a row"
    )


def questions(paths: list[str], rounds: int) -> dict[str, list[tuple[str, str]]]:
    """By sort, (typed, what the first name should hold or "")."""
    chance = random.Random(3)
    chosen = chance.choices(paths, k=rounds * 8)
    names = [os.path.basename(path) for path in chosen]
    stems = [os.path.splitext(name)[0] for name in names]
    spaced = [stem for stem in stems if stem.count(" ") > 1]
    parts = [word for stem in stems for word in stem.replace("_", " ").replace("-", " ").split()]
    long = [word for word in parts if len(word) > 7 and word.isalpha() and word.islower()]
    common = chance.choices(ENGLISH, k=rounds)
    folders = [path.split("/")[-3:-1] for path in chosen if path.count("/") > 1]
    everything = {
        "exact name": [(name, name) for name in names],
        "stem": [(stem, stem) for stem in stems],
        "two words": [(" ".join(chance.sample(stem.split(), 2)), "") for stem in spaced],
        "all words": [(" ".join(sorted(stem.split())), stem) for stem in spaced],
        "common word": [(word, word) for word in common],
        "1 letter": [(word[0], "") for word in common],
        "2 letters": [(word[:2], word[:2]) for word in common],
        "3 letters": [(word[:3], word[:3]) for word in common],
        "4 letters": [(word[:4], word[:4]) for word in common],
        "typing error": [(misspelled(chance, word), word) for word in long],
        "inside": [(word[2:-1], word[2:-1]) for word in long],
        "wildcard end": [(f"{name[:5]}*{name[-4:]}", name[:5]) for name in names],
        "wildcard begin": [(f"*{stem[-6:]}.*", stem[-6:]) for stem in stems],
        "path part": [("/".join(pair), "") for pair in folders],
        "sentence": [(f"the {common[0]} of the {word} i wrote", word) for word in long],
        "miss": [(made_word(chance) + "qxz", "") for _ in range(rounds)],
    }
    return {sort: asked[:rounds] for sort, asked in everything.items()}


def misspelled(chance: random.Random, word: str) -> str:
    """One letter left out, doubled, swapped with the next, or another."""
    i = chance.randint(1, len(word) - 2)
    return chance.choice(
        (
            word[:i] + word[i + 1 :],
            word[:i] + word[i] + word[i:],
            word[:i] + word[i + 1] + word[i] + word[i + 2 :],
            word[:i] + chance.choice("aeiourst") + word[i + 1 :],
        )
    )


def ask(ledger: Ledger, asked: dict[str, list[tuple[str, str]]]) -> None:
    print(f"{'':16}{'median':>9}{'95 %':>9}{'processor':>11}  found first, found, asked")
    for sort, typed in asked.items():
        wall, processor = list[float](), list[float]()
        first = found = 0
        for text, wanted in typed:
            query = parse(text)
            begun, before = time.perf_counter(), time.process_time()
            hits = ledger.find_names(query.text.split(), 40, query.filters)
            wall.append((time.perf_counter() - begun) * 1e3)
            processor.append((time.process_time() - before) * 1e3)
            holds = [wanted.lower() in os.path.basename(hit.file.path).lower() for hit in hits]
            first, found = first + any(holds[:1]), found + any(holds)
        told = f"{first:>13}{found:>7}{len(typed):>7}" if typed[0][1] else ""
        print(
            f"{sort:16}{statistics.median(wall):>9.2f}{sorted(wall)[int(len(wall) * 0.95)]:>9.2f}"
            f"{statistics.median(processor):>11.2f}{told}"
        )


def sizes(ledger: Ledger) -> None:
    """Pages by table, where SQLite was built to tell."""
    with ledger.database.read() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        print(f"ledger: {pages * size / 1e6:,.0f} MB")
        rows = connection.execute(
            "SELECT name, sum(pgsize) / 1e6 FROM dbstat WHERE name LIKE 'names%' OR"
            " name LIKE 'word%' OR name LIKE 'files_by_name' GROUP BY name"
        ).fetchall()
        for name, megabytes in rows:
            print(f"  {name:24}{megabytes:>8.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=25)
    given = parser.parse_args()
    base = given.folder / "base"
    base.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    ledger = Ledger(base / "ledger.sqlite")
    print(f"opened in {time.perf_counter() - begun:.1f} s")
    paths = made_names(given.files)
    if not sum(ledger.counts().values()):
        fill(ledger, paths)
    ask(ledger, questions(paths, given.rounds))
    sizes(ledger)
    ledger.close()


if __name__ == "__main__":
    main()
