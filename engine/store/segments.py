"""Append-only files that hold the token multi-vectors, apart from LanceDB.

LanceDB's maintenance rewrites wide rows whole; here a record is written once. Its reference stays
valid for ever: compaction copies what is alive into a pack that carries an index from references
to its own places, so no row has to change and nothing has to happen in two stores at once.

`00000007.seg` is a raw segment: a reference's offset is its place in the file.
`00000002-00000006.1.pack` stands for those segments: records, then an index, then a footer.

Once there are tokens enough to learn a codebook from, records are written as its codes, and what
was written before becomes codes when it is packed.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.store.codebook import LEARNT_FROM, Codebook, learn
from engine.store.codebooks import Codebooks, Recent
from engine.store.disk import DISK, Disk
from engine.store.segment_files import Container, Pack, Raw, ReadFile, Spot, write_pack
from engine.store.token_record import (
    LOST,
    StoredTokens,
    TokenRecord,
    is_coded,
    pack_coded,
    pack_record,
    unpack_record,
)

log = logging.getLogger(__name__)

SEGMENT_BYTES = 64 * 1024 * 1024
OPEN_FILES = 64  # macOS starts processes with 256 descriptors, LanceDB needs its share
MANY_FILES = 8  # small neighbours that are packed together though nothing in them is dead
#: Records without codes from which a codebook is learnt: 15,000 tokens of 128 dimensions.
LEARN_BYTES = 2 * 1024 * 1024
FEWEST_TOKENS = 2048  # that a codebook is learnt from
_RAW = re.compile(r"(\d{8})\.seg")
_PACK = re.compile(r"(\d{8})-(\d{8})\.(\d+)\.pack")


class TokenRef(NamedTuple):
    """Where a record was first written."""

    segment: int
    offset: int
    length: int


class Segments:
    """The segment files of one vector space: one writer thread, any number of readers."""

    def __init__(self, directory: Path, *, read_only: bool = False, disk: Disk = DISK) -> None:
        self.directory = directory
        self._disk = disk
        self._lock = threading.Lock()
        self._open_files: OrderedDict[Path, ReadFile] = OrderedDict()
        self._containers: list[Container] = []
        if not read_only and not directory.exists():
            directory.mkdir(parents=True)
            disk.sync_directory(directory.parent)
        self._books = Codebooks(directory, read_only=read_only, disk=disk)
        self._recent = Recent()
        self._load(read_only)
        last = self._containers[-1] if self._containers else None
        follows = last.high + 1 if last else 0
        self._current = last.high if isinstance(last, Raw) and self._goes_on(last) else follows

    def _load(self, read_only: bool) -> None:
        """List the files; a crash during compaction leaves some that a pack stands for."""
        found: list[Container] = []
        for path in self.directory.glob("*"):
            if raw := _RAW.fullmatch(path.name):
                found.append(Raw(path, int(raw[1]), int(raw[1]), 0))
            elif pack := _PACK.fullmatch(path.name):
                found.append(Pack(path, int(pack[1]), int(pack[2]), int(pack[3])))
            elif path.suffix == ".tmp" and not read_only:
                self._disk.unlink([path])
        # A pack whose index is broken stands for nothing while there are others.
        found.sort(key=lambda c: (not c.whole, c.low, -c.high, -c.generation))
        chosen: list[Container] = []
        for container in found:
            if not any(c.low <= container.high and container.low <= c.high for c in chosen):
                chosen.append(container)
            elif not read_only and container.whole:
                self._disk.unlink([container.path])
        self._containers = sorted(chosen, key=lambda c: c.low)

    def append(self, records: Sequence[TokenRecord]) -> list[TokenRef]:
        """Write records; they are on disk when this returns."""
        if not records:
            return []
        container = self._writable()
        packed = self._packed(records)
        places = self._disk.append(container.path, packed)
        return [
            TokenRef(container.low, place, len(data))
            for place, data in zip(places, packed, strict=True)
        ]

    def _packed(self, records: Sequence[TokenRecord]) -> list[bytes]:
        """By the newest codebook, where there is one and it is of tokens like these."""
        book = self._books.newest
        if book is None or any(not _fits(record, book) for record in records):
            return [pack_record(record) for record in records]
        tokens = np.concatenate([_floats(record.tokens, book.dim) for record in records])
        codes = book.encode(tokens)
        self._recent.note(tokens, codes)
        ends = np.cumsum([len(record.tokens) for record in records]).tolist()
        pairs = zip(records, [0, *ends], ends, strict=False)
        return [pack_coded(record, codes.part(start, end)) for record, start, end in pairs]

    def _goes_on(self, raw: Raw) -> bool:
        """Whether what is appended now may come to lie there: a raw segment has one form."""
        book = self._books.newest
        wanted = frozenset() if book is None else frozenset([book.id])
        return raw.size() == 0 or raw.books == wanted

    def _writable(self) -> Raw:
        last = self._containers[-1] if self._containers else None
        if isinstance(last, Raw) and last.low == self._current:
            if last.size() < SEGMENT_BYTES and self._goes_on(last):
                return last
            self._current += 1
        path = self.directory / f"{self._current:08d}.seg"
        self._disk.create(path)
        fresh = Raw(path, self._current, self._current, 0)
        with self._lock:
            self._containers.append(fresh)
        return fresh

    def seal(self, above: int = -1) -> None:
        """Write to a new segment from now on, of a number that was never used up to `above`."""
        if self._containers and self._containers[-1].high == self._current:
            self._current += 1
        self._current = max(self._current, above + 1)

    def read(self, refs: Sequence[TokenRef]) -> list[StoredTokens]:
        """The records; LOST in the place of one that can't be read whole."""
        records: list[StoredTokens] = []
        failures: list[Exception] = []
        for ref in refs:
            try:
                records.append(self._read(ref))
            except (OSError, ValueError, LookupError) as error:
                failures.append(error)
                records.append(LOST)
        if failures:  # one line, however many: a query reads dozens
            log.warning(
                "%d of %d token records are lost: %s", len(failures), len(refs), failures[0]
            )
        return records

    def _read(self, ref: TokenRef) -> StoredTokens:
        # pread, not a memory map: as fast (1 ms for 100 records of 90 kB), and a truncated file
        # or a bad disk gives an error instead of SIGBUS.
        return unpack_record(self._raw_bytes(*ref), self._books.by_id)

    def _locate(self, ref: TokenRef) -> tuple[ReadFile, Spot]:
        container = self._container(ref.segment)
        spot = container.spot(*ref)
        file = self._open_files.get(container.path)
        if file is None:
            file = self._open_files[container.path] = ReadFile(container.path)
            if len(self._open_files) > OPEN_FILES:
                self._open_files.popitem(last=False)  # closed when its last reader is done
        self._open_files.move_to_end(container.path)
        return file, spot

    def _container(self, segment: int) -> Container:
        for container in reversed(self._containers):
            if container.low <= segment <= container.high:
                return container
        raise LookupError("its segment is missing")

    def readable(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which references [n, 3] point into what is there, and into nothing whose codebook is
        lost; contents are not checked."""
        fine = np.zeros(len(refs), dtype=np.bool_)
        for container in self._containers:
            if not container.books <= self._books.by_id.keys():
                continue
            inside = (refs[:, 0] >= container.low) & (refs[:, 0] <= container.high)
            fine[inside] = container.holds(refs[inside])
        return fine

    def compact(self, live: NDArray[np.int64], *, force: bool = False) -> int:
        """Rewrite files that are more than half dead; bytes freed.

        `live` [n, 3] int64 lists every reference that a row holds. One pack a call unless forced,
        so that a commit waits for at most one file.
        """
        freed = 0
        if force:
            self.seal()
        while run := self._wasteful(live):
            before = sum(container.size() for container in run)
            freed += before - self._rewrite(run, live)
            if not force:
                break
        return freed

    def purge(self, live: NDArray[np.int64]) -> None:
        """Rewrite every file that holds a record which no row refers to."""
        self.seal()
        for container in list(self._containers):
            if container.payload() > container.live_bytes(live):
                self._rewrite([container], live)

    def _wasteful(self, live: NDArray[np.int64]) -> list[Container]:
        """The first run of neighbours worth packing together; never the one being written."""
        run: list[Container] = []
        total = alive = 0
        for container in self._containers:
            if container.high >= self._current:
                break
            size, here = container.payload(), container.live_bytes(live)
            eligible = size - here > size // 2 or here < SEGMENT_BYTES // 4
            if not eligible or alive + here > SEGMENT_BYTES:
                if _worth(run, total, alive):
                    return run
                run, total, alive = [], 0, 0
            if eligible:
                run, total, alive = [*run, container], total + size, alive + here
        return run if _worth(run, total, alive) else []

    def _rewrite(self, run: Sequence[Container], live: NDArray[np.int64]) -> int:
        low, high = run[0].low, run[-1].high
        wanted = live[(live[:, 0] >= low) & (live[:, 0] <= high)]
        wanted = wanted[self.readable(wanted)]
        wanted = wanted[np.lexsort((wanted[:, 1], wanted[:, 0]))]
        generation = 1 + max(container.generation for container in run)
        path = self.directory / f"{low:08d}-{high:08d}.{generation}.pack"
        coded = self._books.newest is not None
        write_pack(path, wanted, self._kept_bytes, self._disk, coded=coded)
        pack = Pack(path, low, high, generation)
        with self._lock:
            at = self._containers.index(run[0])
            self._containers[at : at + len(run)] = [pack]
            for container in run:
                self._open_files.pop(container.path, None)
        self._disk.unlink(container.path for container in run)
        return pack.size()

    def _raw_bytes(self, segment: int, offset: int, length: int) -> bytes:
        with self._lock:
            file, spot = self._locate(TokenRef(segment, offset, length))
        return file.read_at(*spot)

    def _kept_bytes(self, segment: int, offset: int, length: int) -> bytes:
        """A record as a pack has it: as codes, if it had none. Codes stay: coding what they stand
        for by another codebook would lose a second time."""
        data = self._raw_bytes(segment, offset, length)
        book = self._books.newest
        if book is None or is_coded(data):
            return data
        try:
            record = unpack_record(data)
        except ValueError:
            return data  # whoever reads it sees that it is damaged
        if not isinstance(record, TokenRecord) or not _fits(record, book):
            return data
        return pack_coded(record, book.encode(_floats(record.tokens, book.dim)))

    @property
    def wants_codebook(self) -> bool:
        """Whether there are tokens enough to learn one, or the newest has become a bad one."""
        book = self._books.newest
        if book is None:
            plain = sum(c.size() for c in self._containers if not c.coded)
            return plain >= LEARN_BYTES
        return self._recent.has_outgrown(book)

    def learn(self, live: NDArray[np.int64]) -> None:
        """Make a codebook of what rows hold, or of what was lately appended: 10 s. It is on disk
        before any record refers to it."""
        newest = self._books.newest
        tokens = self._sample(live) if newest is None else self._recent.tokens()
        if len(tokens) < FEWEST_TOKENS:
            return
        book = learn(tokens, self._books.next_number)
        log.info(
            "codebook %d was learnt from %d tokens, error %.3f",
            book.number, book.learnt_from, book.error,
        )  # fmt: skip
        self._books.add(book)
        self._recent = Recent()
        self.seal()

    def _sample(self, live: NDArray[np.int64]) -> NDArray[np.float32]:
        """[n, t] tokens of some records without codes, all of the most usual dimensions."""
        chosen = np.random.default_rng(0).permutation(live)
        by_dim: dict[int, list[NDArray[np.int8]]] = {}
        most = 0
        for start in range(0, len(chosen), 64):
            for record in self.read(
                [TokenRef(*map(int, ref)) for ref in chosen[start : start + 64]]
            ):
                if isinstance(record, TokenRecord) and len(record.tokens):
                    by_dim.setdefault(record.tokens.shape[1], []).append(record.tokens)
            most = max((sum(map(len, some)) for some in by_dim.values()), default=0)
            if most >= 2 * LEARNT_FROM:
                break
        if not by_dim:
            return np.zeros((0, 0), np.float32)
        dim, tokens = max(by_dim.items(), key=lambda item: sum(map(len, item[1])))
        return _floats(np.concatenate(tokens), dim)

    @property
    def wants_coding(self) -> bool:
        """Whether something that is not being written could become codes."""
        return self._books.newest is not None and bool(self._plain())

    def _plain(self) -> list[Container]:
        """The first neighbours without codes, about a segment of them."""
        run: list[Container] = []
        for container in self._containers:
            full = sum(c.size() for c in run) + container.size() > SEGMENT_BYTES
            if container.coded or container.high >= self._current or (run and full):
                if run:
                    break
                continue
            run.append(container)
        return run

    def code_some(self, live: NDArray[np.int64]) -> None:
        """Pack the first neighbours without codes, as codes."""
        if run := self._plain():
            self._rewrite(run, live)

    def size_bytes(self) -> int:
        """Bytes on disk."""
        return sum(c.size() for c in self._containers) + self._books.size_bytes()

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._open_files.clear()


def _fits(record: TokenRecord, book: Codebook) -> bool:
    """Whether its tokens can be codes of this book."""
    return not len(record.tokens) or record.tokens.shape[1] == book.dim


def _floats(tokens: NDArray[np.int8], dim: int) -> NDArray[np.float32]:
    """[n, t] directions."""
    if not len(tokens):
        return np.zeros((0, dim), np.float32)
    floats = tokens.astype(np.float32)
    floats /= np.maximum(np.linalg.norm(floats, axis=1, keepdims=True), 1e-9)
    return floats


def _worth(run: Sequence[Container], total: int, alive: int) -> bool:
    return len(run) >= MANY_FILES or total - alive > total // 2


__all__ = ["LOST", "Segments", "StoredTokens", "TokenRecord", "TokenRef"]
