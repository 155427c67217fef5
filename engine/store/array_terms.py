"""Which units hold a term, and how often: postings on disk as of the arrays' making, and in memory
what came since.

Terms are the analyzer's, known here by 64 bits of a hash: among a million terms two share one in
3 of 100 million libraries.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.store.segment_files import ReadFile
from engine.store.vocabulary import Vocabulary, is_word

_HEAD = struct.Struct("<4sIQQIII")  # magic, checksum of what follows, rows, terms, three checksums
_MAGIC = b"IkV2"
_BUCKETS = 16  # by the first bits of a hash: as much of the postings is sorted in memory at once
_ENTRY = np.dtype([("key", "<u8"), ("row", "<u4"), ("count", "<u2")])
PARTS = ("postings", "counts", "vocabulary")
#: Postings kept in memory, in units of all terms together: 6 bytes each.
_KEPT_UNITS = 2_000_000


#: Rows [k] in order that hold a term, and how often each.
_Holding = tuple[NDArray[np.uint32], NDArray[np.uint16]]


def keys_of(terms: Iterable[str]) -> NDArray[np.uint64]:
    """What each term is known by, 1 µs a term."""
    hashed = (hashlib.blake2b(term.encode(), digest_size=8).digest() for term in terms)
    return np.frombuffer(b"".join(hashed), "<u8")


@dataclass(frozen=True, eq=False)
class Run:
    """Postings of some units in memory, in the order of keys and then of rows."""

    entries: NDArray[np.void]  # [p] of _ENTRY
    words: frozenset[str]  # of their terms, those that are words
    #: [p] apart from them: to search a field of packed records, numpy copies all of it each time.
    keys: NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", np.ascontiguousarray(self.entries["key"]))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its words in order; made when first asked for, so that no commit waits for it."""
        return Vocabulary.of(self.words)

    def of(self, key: np.uint64) -> _Holding:
        """Rows [k] that hold a term, and how often each."""
        start, end = (int(np.searchsorted(self.keys, key, side)) for side in ("left", "right"))
        return self.entries["row"][start:end], self.entries["count"][start:end]

    def with_later(self, other: Run) -> Run:
        """Both as one; the other's rows come after all of these."""
        both = np.concatenate([self.entries, other.entries])
        order = np.argsort(np.concatenate([self.keys, other.keys]), kind="stable")
        return Run(both[order], self.words | other.words)


def run_of(texts: Sequence[str], first: int) -> tuple[Run, NDArray[np.uint32]]:
    """Postings of units by their terms set in spaces, and how many terms [n] each has.

    The units' rows are counted from `first`.
    """
    trimmed = pc.utf8_trim(pa.array(texts, pa.large_string()), " ")
    lists = pc.split_pattern(trimmed, " ")
    words = lists.flatten().dictionary_encode()
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.uint32)
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    vocabulary = words.dictionary.to_pylist()
    keys = keys_of(vocabulary)
    order = np.argsort(keys)
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.arange(len(keys))
    numbers = words.indices.to_numpy(zero_copy_only=False)
    pairs, counts = np.unique((rank[numbers] << 32) | owners, return_counts=True)
    entries = np.empty(len(pairs), _ENTRY)
    entries["key"] = keys[order][pairs >> 32]
    entries["row"] = (pairs & 0xFFFFFFFF) + first
    entries["count"] = np.minimum(counts, 0xFFFF)
    if "" in vocabulary:  # of units without any
        entries = entries[entries["key"] != keys_of([""])]
        lengths[[not text.strip() for text in texts]] = 0
    return Run(entries, frozenset(filter(is_word, vocabulary))), lengths


def _temporary(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)


class PostingsWriter:
    """Takes runs in the order of their rows, and puts all of them in the order of terms on disk."""

    def __init__(self, folder: Path) -> None:
        self._open = ExitStack()
        self._buckets = [self._open.enter_context(_temporary(folder)) for _ in range(_BUCKETS)]
        self._rows = 0
        self._words: set[str] = set()

    def add(self, run: Run, rows: int) -> None:
        """One run; there are so many rows now."""
        firsts = np.arange(_BUCKETS, dtype=np.uint64) << np.uint64(60)
        starts = [*np.searchsorted(run.keys, firsts).tolist(), len(run.entries)]
        for bucket, start, end in zip(self._buckets, starts, starts[1:], strict=False):
            bucket.write(run.entries[start:end].tobytes())
        self._words |= run.words
        self._rows = rows

    def finish(self, postings: Path, counts: Path, vocabulary: Path) -> None:
        """Write the files."""
        keys, sizes = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
        sums = [0, 0]
        for path in (postings, counts, vocabulary):
            path.touch(mode=0o600)
        with postings.open("wb") as rows_file, counts.open("wb") as counts_file:
            for bucket in self._buckets:
                bucket.seek(0)
                entries = np.frombuffer(bucket.read(), _ENTRY)
                bucket.close()
                entries = entries[np.argsort(entries["key"], kind="stable")]
                for i, (file, name) in enumerate(((rows_file, "row"), (counts_file, "count"))):
                    data = np.ascontiguousarray(entries[name]).tobytes()
                    file.write(data)
                    sums[i] = zlib.crc32(data, sums[i])
                terms, each = np.unique(entries["key"], return_counts=True)
                keys.append(terms)
                sizes.append(each.astype(np.int64))
        terms = np.concatenate(keys)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(sizes))])
        words = Vocabulary.of(self._words).to_bytes()
        body = terms.tobytes() + starts.tobytes() + words
        head = _HEAD.pack(_MAGIC, 0, self._rows, len(terms), *sums, zlib.crc32(body))
        seal = struct.pack("<I", zlib.crc32(head[8:]))
        vocabulary.write_bytes(_MAGIC + seal + head[8:] + body)

    def __enter__(self) -> PostingsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


class Postings:
    """The postings on disk of the rows before `rows`; ValueError, OSError if they are not whole."""

    def __init__(self, postings: Path, counts: Path, vocabulary: Path) -> None:
        data = vocabulary.read_bytes()
        if len(data) < _HEAD.size or data[:4] != _MAGIC:
            raise ValueError("no vocabulary")
        _, seal, self.rows, terms, *sums = _HEAD.unpack_from(data)
        body = data[_HEAD.size :]
        if seal != zlib.crc32(data[8 : _HEAD.size]) or len(body) < 16 * terms + 8:
            raise ValueError("the vocabulary was cut short or has changed")
        if [_checksum(postings), _checksum(counts), zlib.crc32(body)] != sums:
            raise ValueError("a checksum of the postings differs")
        self.keys = np.frombuffer(body, np.uint64, terms)
        self._starts = np.frombuffer(body, np.int64, terms + 1, 8 * terms)
        self.vocabulary = Vocabulary.from_bytes(body[16 * terms + 8 :])
        self._postings, self._counts = ReadFile(postings), ReadFile(counts)
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Holding] = OrderedDict()
        self._kept_units = 0

    def of(self, key: np.uint64) -> _Holding:
        """Rows [k] that hold a term, and how often each. ValueError, OSError."""
        with self._lock:
            if int(key) in self._kept:
                self._kept.move_to_end(int(key))
                return self._kept[int(key)]
        read = self._read(key)
        with self._lock:
            self._kept[int(key)] = read
            self._kept_units += len(read[0])
            while self._kept_units > _KEPT_UNITS:
                self._kept_units -= len(self._kept.popitem(last=False)[1][0])
        return read

    def _read(self, key: np.uint64) -> _Holding:
        at = int(np.searchsorted(self.keys, key))
        if at == len(self.keys) or self.keys[at] != key:
            return np.zeros(0, np.uint32), np.zeros(0, np.uint16)
        start, size = int(self._starts[at]), int(self._starts[at + 1] - self._starts[at])
        rows = np.frombuffer(self._postings.read_at(start * 4, size * 4), "<u4")
        counts = np.frombuffer(self._counts.read_at(start * 2, size * 2), "<u2")
        if len(rows) != size or len(counts) != size or rows[-1] >= self.rows:
            raise ValueError("postings are missing")
        return rows, counts


def _checksum(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while data := file.read(1 << 22):
            crc = zlib.crc32(data, crc)
    return crc


def among(rows: NDArray[Any], holding: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """[n] which of these rows are among those of a term, which are in order."""
    if not len(holding):
        return np.zeros(len(rows), np.bool_)
    # Of one type: else all the postings of a common word are converted for it.
    asked = rows.astype(holding.dtype, copy=False)
    at = np.minimum(np.searchsorted(holding, asked), len(holding) - 1)
    return np.asarray(holding[at] == asked)


@dataclass(frozen=True, slots=True)
class Terms:
    """All postings as of one commit: those on disk, and runs of what came since."""

    base: Postings | None
    runs: tuple[Run, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows' postings are on disk; of the rest they are in the runs."""
        return 0 if self.base is None else self.base.rows

    def with_run(self, run: Run) -> Terms:
        """One more; small ones become one, so that there are few."""
        runs = [*self.runs, run]
        while len(runs) > 1 and len(runs[-2].entries) < 2 * len(runs[-1].entries):
            later = runs.pop()
            runs[-1] = runs[-1].with_later(later)
        return Terms(self.base, tuple(runs))

    @property
    def _parts(self) -> list[Postings | Run]:
        return [*([self.base] if self.base else []), *self.runs]

    @property
    def vocabularies(self) -> list[Vocabulary]:
        """Those of all parts; words of outdated units are in them, too."""
        return [part.vocabulary for part in self._parts]

    def held(self, terms: Sequence[str], alive: NDArray[np.bool_]) -> dict[str, int]:
        """How many units that are alive hold each term; those that none holds are left out.
        ValueError, OSError."""
        counts = {
            term: int(np.count_nonzero(alive[self.of(term)[0]])) for term in self.known(terms)
        }
        return {term: count for term, count in counts.items() if count}

    def known(self, terms: Sequence[str]) -> list[str]:
        """Those of these terms that some unit holds, outdated ones too."""
        keys = keys_of(terms)
        there = np.zeros(len(keys), np.bool_)
        for part in self._parts:
            if len(part.keys):
                at = np.minimum(np.searchsorted(part.keys, keys), len(part.keys) - 1)
                there |= part.keys[at] == keys
        return [terms[i] for i in np.flatnonzero(there).tolist()]

    def beside(self, term: str, others: Sequence[str], alive: NDArray[np.bool_]) -> int:
        """How many units that are alive hold a term and any of these. ValueError, OSError."""
        rows = self.living(term, alive)[0]
        if not len(rows) or not others:
            return 0
        there = np.zeros(len(rows), np.bool_)
        for other in others:
            there |= among(rows, self.of(other)[0])
        return int(np.count_nonzero(there))

    def of(self, term: str) -> _Holding:
        """Rows [k] that hold a term, outdated ones too, and how often each. ValueError, OSError."""
        (key,) = keys_of([term])
        found = [part.of(key) for part in self._parts]
        if not found:
            return np.zeros(0, np.uint32), np.zeros(0, np.uint16)
        rows, counts = zip(*found, strict=True)
        return np.concatenate(rows), np.concatenate(counts)

    def living(self, term: str, alive: NDArray[np.bool_]) -> _Holding:
        """The same without outdated ones."""
        rows, counts = self.of(term)
        there = alive[rows]
        return (rows, counts) if there.all() else (rows[there], counts[there])
