"""Damaged files through every extractor in its sandbox: each ends in a reason.

    python -m tests.benchmarks.fuzz MINUTES FOLDER [--keep DIR] [--seed N]

FOLDER holds sound files; each in turn gets bytes flipped, cut, doubled or set to telling values,
inside zip packages in a member, packed again. Printed are outcomes by extractor; files that ended
a worker or its deadline are kept in DIR.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

from indexer.reading.extract import HEAD, pick
from indexer.reading.extract.base import ExtractError
from indexer.reading.pool import ExtractorPool

#: Outcomes that are findings.
FOUND = ("crashed", "timeout")
LARGEST = 2_000_000
_TELLING = (b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff",
            b"<", b">", b"&", b"\n", b"%s", b"9" * 20, b"-1")  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same with some of it changed."""
    if data.startswith(b"PK") and chance.random() < 0.6:
        return _in_a_member(data, chance)
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8, 32))):
        at = chance.randrange(len(made) or 1)
        way = chance.randrange(5)
        if way == 0 and made:
            made[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            made[at : at + chance.randrange(1, 64)] = b""
        elif way == 2:
            made[at:at] = made[at : at + chance.randrange(1, 256)] * chance.choice((1, 2, 50))
        elif way == 3:
            told = chance.choice(_TELLING)
            made[at : at + len(told)] = told
        elif chance.random() < 0.2:
            del made[at:]
    return bytes(made)


def _in_a_member(data: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as fresh:
        names = archive.namelist()
        chosen = chance.choice(names)
        for name in names:
            content = archive.read(name)
            fresh.writestr(name, damaged(content, chance) if name == chosen else content)
    return out.getvalue()


def seeds(folder: Path) -> dict[str, list[Path]]:
    """Files by the extractor that reads them."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and 0 < path.stat().st_size <= LARGEST:
            with path.open("rb") as file:
                row = pick(path, file.read(HEAD))
            if row is not None:
                found[row.name].append(path)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("minutes", type=float)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, help="findings go here")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance, until = random.Random(given.seed), time.monotonic() + 60 * given.minutes
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    known = seeds(given.folder)
    found = 0
    with tempfile.TemporaryDirectory(prefix="inkling-fuzz-") as temporary:
        pool = ExtractorPool(Path(temporary) / "scratch", 1)
        while time.monotonic() < until:
            name = chance.choice(sorted(known))
            sound = chance.choice(known[name])
            path = Path(temporary) / f"damaged{sound.suffix}"
            path.write_bytes(damaged(sound.read_bytes(), chance))
            try:
                _, scratch = pool.extract(str(path), ocr=chance.random() < 0.1)
                shutil.rmtree(scratch, ignore_errors=True)
                outcome = "read"
            except ExtractError as error:
                outcome = error.reason
                if outcome in FOUND:
                    found += 1
                    print(f"{name}: {outcome}: {error.detail} ({sound.name})", flush=True)
                    if given.keep is not None:
                        given.keep.mkdir(parents=True, exist_ok=True)
                        os.replace(path, given.keep / f"{found:03}-{name}{sound.suffix}")
            outcomes[name][outcome] += 1
        pool.close()
    for name, counts in sorted(outcomes.items()):
        told = ", ".join(f"{outcome} {count}" for outcome, count in counts.most_common())
        print(f"{name}: {told}")
    print(f"{sum(sum(c.values()) for c in outcomes.values())} files, {found} findings")
    return found > 0


if __name__ == "__main__":
    sys.exit(main())
