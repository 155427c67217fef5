"""What the arrays hold as of one commit: read by any thread, while the writer makes the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.store.array_bm25 import Scorer, best_of
from engine.store.array_files import ArrayFiles, UnsoundError
from engine.store.array_rows import ITSELF, NONE, Names, fulfilling
from engine.store.array_scan import Codes
from engine.store.array_signs import Signs
from engine.store.array_terms import Terms, among
from engine.store.lexicon import Lexicon
from engine.store.manifests import Mark
from engine.store.rows import Candidate, Row, unpacked_row
from engine.store.term_groups import Asked
from engine.store.text_matches import TextMatches
from engine.store.where import Demands

T = TypeVar("T")
_ORDINAL_BITS = 22  # of a key; what does not fit is refused by `Places`
_MOST_DEMANDS = 8  # of which it is kept who fulfils them
_MOST_CHANGED = 2_000  # files, before the changes are worked into the order


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where each unit's row is: all of an earlier time in order, and the files changed since."""

    keys: NDArray[np.int64]  # in order
    rows: NDArray[np.int32]  # of each key
    changed: Mapping[int, Mapping[int, int]]  # of a file all its ordinals' rows; none: it is gone

    @classmethod
    def of(cls, rows: NDArray[np.void], alive: NDArray[np.bool_]) -> Places:
        """All in order. ValueError if the numbers are too large to be."""
        places = np.flatnonzero(alive).astype(np.int32)
        files, ordinals = rows["file"][places], rows["ordinal"][places].astype(np.int64)
        if len(places) and (
            min(files.min(), ordinals.min()) < 0
            or files.max() >> (62 - _ORDINAL_BITS)
            or ordinals.max() >> _ORDINAL_BITS
        ):
            raise ValueError("numbers of files or units are out of range")
        keys = (files << _ORDINAL_BITS) | ordinals
        order = np.argsort(keys, kind="stable")
        if len(keys) and (np.diff(keys[order]) == 0).any():
            raise ValueError("a unit is there twice")
        return cls(keys[order], places[order], {})

    def of_file(self, file: int) -> list[int]:
        """A file's rows."""
        if file in self.changed:
            return list(self.changed[file].values())
        start, end = np.searchsorted(
            self.keys, [file << _ORDINAL_BITS, (file + 1) << _ORDINAL_BITS]
        )
        return self.rows[start:end].tolist()  # type: ignore[no-any-return]

    def of_files(self, files: Iterable[int]) -> list[int]:
        """Rows of several files."""
        asked = list(dict.fromkeys(files))
        rows = [row for file in asked for row in self.changed.get(file, {}).values()]
        plain = np.array([file for file in asked if file not in self.changed], np.int64)
        starts = np.searchsorted(self.keys, plain << _ORDINAL_BITS)
        ends = np.searchsorted(self.keys, (plain + 1) << _ORDINAL_BITS)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            rows += self.rows[start:end].tolist()
        return rows

    def of_units(self, unit_ids: Iterable[str]) -> dict[str, int]:
        """Rows by unit id; what is not there is left out."""
        found: dict[str, int] = {}
        asked: list[tuple[str, int]] = []
        for unit_id in unit_ids:
            file, ordinal = _numbers(unit_id)
            if file in self.changed:
                if (row := self.changed[file].get(ordinal)) is not None:
                    found[unit_id] = row
            elif file >= 0:
                asked.append((unit_id, (file << _ORDINAL_BITS) | ordinal))
        if len(self.keys):
            keys = np.array([key for _, key in asked], np.int64)
            at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            there, rows = (self.keys[at] == keys).tolist(), self.rows[at].tolist()
            for (unit_id, _), known, row in zip(asked, there, rows, strict=True):
                if known:
                    found[unit_id] = row
        return found

    def with_files(self, changes: Mapping[int, Mapping[int, int]]) -> Places:
        """The same with other rows for these files."""
        return Places(self.keys, self.rows, {**self.changed, **changes})

    @property
    def are_many(self) -> bool:
        """Whether so many files have changed that the order should be made anew."""
        return len(self.changed) > _MOST_CHANGED + len(self.keys) // 64


def _numbers(unit_id: str) -> tuple[int, int]:
    """File and ordinal of a unit's id; (-1, -1) if it is none."""
    file, _, ordinal = unit_id.partition(":")
    if not (unit_id.isascii() and file.isdigit() and ordinal.isdigit()):
        return -1, -1
    numbers = int(file), int(ordinal)
    fits = not (numbers[0] >> (62 - _ORDINAL_BITS) or numbers[1] >> _ORDINAL_BITS)
    return numbers if fits and unit_id == f"{numbers[0]}:{numbers[1]}" else (-1, -1)


@dataclass(frozen=True, eq=False)
class View:
    """The arrays as of one commit: n rows, some of them outdated."""

    mark: Mark
    rows: NDArray[np.void]  # [n] of ROW
    alive: NDArray[np.bool_]  # [n]
    places: Places
    names: Names
    files: ArrayFiles
    near: Codes | Signs | None  # None where an index is cheaper than a scan
    terms: Terms | None  # the same

    @cached_property
    def count(self) -> int:
        """Number of units."""
        return int(np.count_nonzero(self.alive))

    @cached_property
    def _scorer(self) -> Scorer | None:
        """Of full text; None where an index is cheaper."""
        if self.terms is None:
            return None
        lengths = np.ascontiguousarray(self.rows["words"])
        return Scorer(self.terms, lengths, self.alive, self._texts)

    @cached_property
    def _fulfilled(self) -> dict[Demands, NDArray[np.bool_]]:
        """[n] by demands whether a unit is there and fulfils them: lanes ask the same."""
        return {}

    @cached_property
    def _directed(self) -> NDArray[np.bool_]:
        """[n] whether a unit is there and has a vector."""
        return self.alive & (self.rows["vector"] > 0)

    def vectors(
        self, unit_ids: Iterable[str], column: Literal["vector", "document"]
    ) -> dict[str, NDArray[np.float32]]:
        """Vectors [d] by unit id, as Reader.vectors has them. OSError, UnsoundError."""
        found = self.places.of_units(unit_ids)
        if column == "vector":
            there = {uid: row for uid, row in found.items() if self.rows["vector"][row]}
            return self._own_vectors(there)
        wholes = {uid: int(self.rows["document"][row]) for uid, row in found.items()}
        wanted = sorted({whole for whole in wholes.values() if whole >= 0})
        vectors = self.files.whole(np.array(wanted, np.intp))
        by_whole = dict(zip(wanted, vectors, strict=True))
        known = self._own_vectors({u: row for u, row in found.items() if wholes[u] == ITSELF})
        return {
            uid: known[uid] if whole == ITSELF else by_whole[whole]
            for uid, whole in wholes.items()
            if whole != NONE
        }

    def _own_vectors(self, places: Mapping[str, int]) -> dict[str, NDArray[np.float32]]:
        matrix = self.files.vectors(np.array(list(places.values()), np.intp))
        return dict(zip(places, matrix, strict=True))

    def units(self, unit_ids: Iterable[str]) -> dict[str, Row]:
        """Rows by unit id, as Reader.rows has them. OSError, UnsoundError."""
        found = self.places.of_units(unit_ids)
        return dict(zip(found, self._records(list(found.values())), strict=True))

    def file_units(self, file_id: int) -> list[Row]:
        """A file's rows in the order of its units. OSError, UnsoundError."""
        places = self.places.of_file(file_id)
        return self._records(sorted(places, key=lambda row: int(self.rows["ordinal"][row])))

    def _records(self, places: list[int]) -> list[Row]:
        chosen = self.rows[places]
        where = zip(chosen["at"].tolist(), chosen["length"].tolist(), strict=True)
        try:
            return [unpacked_row(record) for record in self.files.runs("records", where)]
        except (ValueError, LookupError, TypeError) as error:
            raise UnsoundError(f"a record can't be understood: {error}") from error

    def ask_words(self, question: Callable[[Lexicon], T]) -> T | None:
        """As Reader.ask_words; None if that is not for us to say. OSError, ValueError,
        UnsoundError."""
        return None if self.terms is None else question(_Words(self, self.terms))

    def passages(self, postings: Terms, term: str, most: int) -> list[Row]:
        """Some rows that hold a term. OSError, ValueError, UnsoundError."""
        rows = postings.of(term)[0]
        return self._records(rows[self.alive[rows]][:most].tolist())

    def holding(
        self,
        terms: Sequence[Asked],
        demands: Demands,
        limit: int,
        every: bool,
        without: Sequence[int] = (),
    ) -> list[Candidate] | None:
        """As Reader.search_text has them; None if that is not for us to say. OSError,
        ValueError."""
        if self._scorer is None:
            return None
        scores = self._scorer.scores(terms, self._allowed(demands, without), every=every)
        best = best_of(scores, limit)
        return [Candidate(*values) for values in self._named(best, scores[best])]

    def holding_within(
        self,
        asked: Sequence[Asked],
        file_ids: Iterable[int],
        limit: int,
        terms: Sequence[str],
    ) -> TextMatches | None:
        """As Reader.text_within has them; None if that is not for us to say. OSError, ValueError,
        UnsoundError."""
        if self._scorer is None or self.terms is None:
            return None
        within = np.array(sorted(self.places.of_files(file_ids)), np.intp)
        scores = self._scorer.scores_of(asked, within)
        first = best_of(scores, limit)
        best = within[first]
        found = [Candidate(*values) for values in self._named(best, scores[first])]
        held = np.zeros((len(best), len(terms)), np.bool_)
        for i, term in enumerate(terms):
            held[:, i] = among(best, self.terms.of(term)[0])
        return TextMatches(found, terms, held)

    def unit_terms(self, unit_ids: Iterable[str]) -> dict[str, str]:
        """As Reader.unit_terms has them. OSError, UnsoundError."""
        found = self.places.of_units(unit_ids)
        return dict(zip(found, self._texts(np.array(list(found.values()), np.intp)), strict=True))

    def _texts(self, places: NDArray[np.intp]) -> list[str]:
        """The terms of these rows, set in spaces. OSError, UnsoundError."""
        chosen = self.rows[places]
        where = zip(chosen["terms_at"].tolist(), chosen["terms_length"].tolist(), strict=True)
        return [text.decode() for text in self.files.runs("terms", where)]

    def _allowed(self, demands: Demands, without: Sequence[int]) -> NDArray[np.bool_]:
        """[n]: whether a unit is there, fulfils the demands, and is of none of these files."""
        allowed = self.alive
        if demands != Demands():
            known = self._fulfilled
            if demands not in known:
                if len(known) >= _MOST_DEMANDS:
                    known.clear()
                known[demands] = allowed & fulfilling(self.rows, demands, self.names)
            allowed = known[demands]
        if without:
            allowed = allowed.copy()
            allowed[self.places.of_files(without)] = False
        return allowed

    def _named(
        self, places: NDArray[np.intp], scores: NDArray[np.float32]
    ) -> Iterator[tuple[str, int, float]]:
        """Unit id, file id and score of each."""
        chosen = self.rows[places]
        files, ordinals = chosen["file"].tolist(), chosen["ordinal"].tolist()
        for file, ordinal, score in zip(files, ordinals, scores.tolist(), strict=True):
            yield f"{file}:{ordinal}", file, score

    def nearest(
        self,
        vector: NDArray[np.float32],
        demands: Demands,
        limit: int,
        without: Sequence[int] = (),
    ) -> list[Candidate] | None:
        """As Reader.search_vector has them; None if that is not for a scan to say."""
        length = float(np.linalg.norm(vector))
        if self.near is None or not (np.isfinite(length) and length > 0):
            return None
        if vector.shape != (self.near.dim,):
            return None
        allowed = self._directed
        if demands != Demands() or without:
            allowed = allowed & self._allowed(demands, without)
        best, cosines = self.near.nearest(vector, allowed, limit, self.files.vectors)
        return [Candidate(*values) for values in self._named(best, cosines)]


@dataclass(frozen=True, slots=True)
class _Words:
    """The lexicon of a view."""

    view: View
    postings: Terms

    def held(self, terms: Sequence[str]) -> dict[str, int]:
        return self.postings.held(terms, self.view.alive)

    def known(self, terms: Sequence[str]) -> set[str]:
        return set(self.postings.known(terms))

    def beside(self, term: str, others: Sequence[str]) -> int:
        return self.postings.beside(term, others, self.view.alive)

    def near(self, word: str, errors: int) -> list[str]:
        found = (words.near(word, errors) for words in self.postings.vocabularies)
        return list(dict.fromkeys(chain.from_iterable(found)))

    def longer(self, word: str, most: int) -> tuple[list[str], list[str]]:
        parts = self.postings.vocabularies
        begun = chain.from_iterable(words.beginning(word, most) for words in parts)
        ended = chain.from_iterable(words.ending(word, most) for words in parts)
        return list(dict.fromkeys(begun)), list(dict.fromkeys(ended))

    def passages(self, term: str, most: int) -> list[Row]:
        return self.view.passages(self.postings, term, most)
