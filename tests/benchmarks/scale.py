"""What an archive costs by its size: `python -m tests.benchmarks.scale INDEX_DIR…`.

INDEX_DIR: a base directory whose index is kept (tests.benchmarks.quality --keep). Its passages are
put into archives on disk and behind an S3 server on loopback (moto), a hundred files a commit; what
is told: bytes a passage and of what, requests and processor time a commit and where they grow.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.archive import Archive, ArchivedFile, file_id
from engine.contract.paths import BaseDir
from engine.contract.types import FileFacts
from engine.models.registry import DEFAULT_MODEL, ModelSpec, model_spec
from engine.store import Store, StoredUnit
from engine.store.token_record import pack_record
from tests.benchmarks.served import stored

#: Files put together, and of how many passages an archive is told at most.
AT_ONCE, MOST = 100, 20_000
_ASKED = re.compile(r'"(GET|PUT|POST|HEAD|DELETE) ')


def moved_to(archive: str, units: Sequence[StoredUnit], copy: int) -> list[StoredUnit]:
    """The same units of a file of an archive; `copy`: of another path."""
    old = units[0].file
    path = f"/copy-{copy}{old.path}"
    facts = FileFacts(
        file_id(archive, path),
        path,
        old.kind,
        old.picture,
        old.ext,
        old.mtime,
        old.size,
        old.attributes,
    )
    return [
        StoredUnit(replace(one.unit, file_id=facts.file_id), facts, one.vector, one.tokens)
        for one in units
    ]


def size_of(folder: Path) -> int:
    """Bytes on disk."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


class Requests(logging.Handler):
    """Counts what an S3 server on loopback is asked, by method."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if found := _ASKED.search(record.getMessage()):
            self.counts[found[1]] += 1


@contextmanager
def object_store() -> Iterator[tuple[str, Requests]]:
    """A bucket on loopback, and what it is asked."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    port = server.get_host_and_port()[1]
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    os.environ.update(keys, AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", AWS_REGION="us-east-1")
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="archive")
    told = Requests()
    log = logging.getLogger("werkzeug")
    log.setLevel(logging.INFO)
    log.handlers = [told]  # and not the terminal
    log.propagate = False
    try:
        yield "s3://archive/scale", told
    finally:
        server.stop()


def filled(
    uri: str, spec: ModelSpec, files: Sequence[Sequence[StoredUnit]], most: int, told: Requests
) -> None:
    """Put files until there are so many passages; a line whenever their number doubled."""
    archive = Archive.create(uri, "scale", spec)
    count, commits, copy, said = 0, 0, 0, 1_000
    processor, counts = time.process_time(), Counter(told.counts)
    while count < most:
        for start in range(0, len(files), AT_ONCE):
            block = [
                moved_to(archive.about.archive_id, u, copy) for u in files[start : start + AT_ONCE]
            ]
            archive.put(
                [
                    (ArchivedFile(u[0].file, "", frozenset({"everyone"}), units=len(u)), u)
                    for u in block
                ]
            )
            count += sum(map(len, block))
            commits += 1
            if count >= said:
                took = (time.process_time() - processor) * 1000 / commits
                asked = {m: round((told.counts[m] - counts[m]) / commits) for m in told.counts}
                size = f", {size_of(Path(uri)) / count:.0f} bytes each" if "://" not in uri else ""
                print(
                    f"  {count} passages{size}; a commit {took:.0f} ms of processor time {asked}",
                    flush=True,
                )
                said, commits = 2 * said, 0
                processor, counts = time.process_time(), Counter(told.counts)
            if count >= most:
                break
        copy += 1
    archive.compact()
    if "://" not in uri:
        print(f"  compacted: {size_of(Path(uri)) / count:.0f} bytes a passage", flush=True)
    archive.close()


def main() -> int:
    """Print; nothing is kept."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("bases", nargs="+", type=Path, metavar="INDEX_DIR")
    parser.add_argument("--passages", type=int, default=MOST)
    options = parser.parse_args()
    spec = model_spec(DEFAULT_MODEL)
    files: list[list[StoredUnit]] = []
    for base in options.bases:
        store = Store.open(BaseDir(base).store, spec.space, spec.dim, read_only=True, arrays=False)
        by_file: dict[int, list[StoredUnit]] = {}
        for some in stored(store, spec.dim):
            for one in some:
                by_file.setdefault(one.file.file_id, []).append(one)
        files += by_file.values()
        store.close()
    units = [one for file in files for one in file]
    texts = [len((one.unit.text + one.unit.context).encode()) for one in units]
    records = [len(pack_record(one.tokens)) for one in units if one.tokens is not None]
    tokens = [len(one.tokens.tokens) for one in units if one.tokens is not None]
    print(
        f"{len(files)} files, {len(units)} passages: {np.mean(texts):.0f} bytes of text,"
        f" {2 * 2 * spec.dim} of directions, {np.mean(records):.0f} of tokens and their places"
        f" ({np.mean(tokens):.1f} tokens)"
    )
    folder = Path(tempfile.mkdtemp(prefix="inkling-scale-"))
    try:
        print("on disk:")
        filled(str(folder / "archive"), spec, files, options.passages, Requests())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("behind an S3 server on loopback:")
    with object_store() as (uri, told):
        filled(uri, spec, files, min(options.passages, 8_000), told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
