"""Search over the index in use: queries, query pictures, similar files, explanations."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.filters import both
from engine.contract.query import changed, parse
from engine.contract.types import Answer, Coverage, Filters, Hit
from indexer.indexing.index import Index
from indexer.reading.pool import ExtractorPool
from indexer.server.coverage import CoverageCounter
from indexer.server.explain import explain
from indexer.server.indexed_file import indexed_file
from indexer.sources.ignore import IgnoreRules

#: Words of a query picture that ask; the rest of a long page adds nothing but time.
_PICTURE_WORDS = 120
_NOTHING_SEEN = (
    "The model does not see pictures, there is no text in this one, and what it shows is not among"
    " the things that Inkling knows by itself. Choose a model that sees pictures."
)


class IndexSearch:
    """The port `Search`; for any thread."""

    def __init__(
        self,
        index: Index,
        extractors: ExtractorPool,
        coverage: CoverageCounter,
        rules: Callable[[], IgnoreRules],
    ) -> None:
        self._index, self._extractors = index, extractors
        self._coverage, self._rules = coverage, rules

    def search(
        self,
        text: str,
        *,
        image: str | None = None,
        limit: int = 20,
        filters: Filters | None = None,
        plain: bool | Sequence[str] = False,
    ) -> Iterator[Answer]:
        """The stages of an answer."""
        query = parse(text, image=image, plain=plain)
        if filters is not None:
            query = changed(query, lambda q: replace(q, filters=both(q.filters, filters)))
        told_words = ""
        if image is not None and not self._sees(image):
            words = self._words_of(image)
            told_words = " ".join(words)
            if not words and not query.text:
                yield Answer((), coverage=Coverage(complete=False, message=_NOTHING_SEEN))
                return
            query = changed(
                query, lambda q: replace(q, text=" ".join([q.text, *words]).strip(), image=None)
            )
        coverage = self._coverage.told()  # once for all stages
        index = self._index
        try:
            for answer in index.engine.search(query, limit):
                yield structs.replace(self._annotated(answer, coverage), picture_words=told_words)
        except StoreDamagedError as error:
            # The names are in the ledger: they are whole.
            index.on_damage(error)
            message = f"{error} Only names were searched."
            told = structs.replace(coverage, complete=False, message=message)
            yield self._annotated(index.engine.search_names(query, limit), told)

    def similar(self, path: str, limit: int = 20) -> Answer:
        """Files like an indexed one; InklingError if it is not in the index."""
        record = indexed_file(self._index.ledger, path)
        answer = self._index.engine.similar(record.id, limit)
        return self._annotated(answer, self._coverage.told())

    def explain(self, path: str, query: str | None = None) -> dict[str, Any]:
        """State, reason and rule of one file, its units, and its place in each lane."""
        return explain(self._index, self._rules(), path, query)

    def _annotated(self, answer: Answer, coverage: Coverage) -> Answer:
        """With what it could not have come from, and hits on drives that are away marked so."""
        if answer.coverage.message:
            coverage = structs.replace(coverage, complete=False, message=answer.coverage.message)
        roots = self._index.ledger.roots()
        away = tuple(root.path.rstrip("/") + "/" for root in roots if not root.online)
        hits = tuple(_marked(hit, away) for hit in answer.hits) if away else answer.hits
        return structs.replace(answer, hits=hits, coverage=coverage)

    def _sees(self, image: str) -> bool:
        """Whether the model takes this picture as it is; InklingError if there is none."""
        if not Path(image).is_file():
            raise InklingError(
                f"There is no picture at {image}.", hint="Check the path.", path=image
            )
        return "image" in self._index.engine.spec.modalities

    def _words_of(self, image: str) -> list[str]:
        """What stands in a picture and what it seems to show."""
        extraction, scratch = self._extractors.extract(image, urgent=True)
        shutil.rmtree(scratch, ignore_errors=True)
        written = " ".join(part.text for part in extraction.parts).split()[:_PICTURE_WORDS]
        return [*written, *extraction.shows]


def _marked(hit: Hit, away: tuple[str, ...]) -> Hit:
    """With it and its copies marked offline where they are in one of these folders."""
    copies = tuple(structs.replace(copy, offline=copy.path.startswith(away)) for copy in hit.copies)
    return structs.replace(hit, offline=hit.path.startswith(away), copies=copies)
