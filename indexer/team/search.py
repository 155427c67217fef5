"""Search over an archive as one asker sees it: questions, files like one, why one is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from engine.contract.errors import InklingError, why_name_only
from engine.contract.filters import both
from engine.contract.notices import notice
from engine.contract.query import changed, parse
from engine.contract.types import Answer, Coverage, Filters, Hit, Query
from indexer.ledger.ledger import FileRecord
from indexer.team.asker import ASKED, Asked, asking
from indexer.team.names import NamesView
from indexer.team.views import View, Views


class ArchiveSearch:
    """The port `Search`; for any thread of a request."""

    def __init__(self, views: Views, away: Callable[[], str]) -> None:
        """`away`: a sentence while the archive can't be reached."""
        self._views, self._away = views, away

    def search(
        self,
        text: str,
        *,
        image: str | None = None,
        limit: int = 20,
        filters: Filters | None = None,
        plain: bool | Sequence[str] = False,
        raw: bool = False,
        elsewhere: bool = False,
    ) -> Iterator[Answer]:
        """The stages of an answer; of nothing `elsewhere`."""
        query = self.query(text, image=image, filters=filters, plain=plain)
        asked, view = ASKED.get(), self._views.of(asking())
        asked.note((), text)
        return self._stages(view, asked, query, limit, raw)

    def _stages(
        self, view: View, asked: Asked, query: Query, limit: int, raw: bool
    ) -> Iterator[Answer]:
        coverage = coverage_of(view.names, self._away())
        for answer in view.searcher.search(query, limit, raw=raw):
            hits = answer.hits
            if raw and answer.statistics is not None:
                hits = tuple(_with_content(view.names, hit) for hit in hits)
            told = structs.replace(answer, hits=hits, coverage=_joined(answer.coverage, coverage))
            if answer.stage == "rescored" and not coverage.files:
                told = structs.replace(told, notices=(*told.notices, notice("nothing-to-read")))
            asked.note(_shown(told))
            yield told

    def query(
        self,
        text: str,
        *,
        image: str | None = None,
        filters: Filters | None = None,
        plain: bool | Sequence[str] = False,
    ) -> Query:
        """The same question as the engine takes it."""
        if image is not None:
            raise InklingError(
                "A team's archive is not asked with pictures.",
                hint="Ask with words, or for files like one of the archive's.",
            )
        query = parse(text, plain=plain)
        if filters is not None:
            query = changed(query, lambda q: replace(q, filters=both(q.filters, filters)))
        return query

    def similar(self, path: str, limit: int = 20) -> Answer:
        """Files like one of the archive; InklingError if there is none that the asker may read."""
        view = self._views.of(asking())
        answer = view.similar.find(known_file(view.names, path).id, limit)
        told = structs.replace(answer, coverage=coverage_of(view.names, self._away()))
        ASKED.get().note([path, *_shown(told)])
        return told

    def explain(
        self, path: str, query: str | None = None, image: str | None = None
    ) -> dict[str, Any]:
        """State and reason of one file, its units, and its place in each lane."""
        view = self._views.of(asking())
        asked = None if query is None and image is None else self.query(query or "", image=image)
        record = known_file(view.names, path)
        ASKED.get().note([path], query or "")
        told: dict[str, Any] = {
            "path": path,
            "state": record.state,
            "reason": record.reason,
            "sentence": why_name_only(record.state, record.reason),
            "detail": record.detail,
            "rule": "",
            "kind": record.kind,
            "units": [
                {
                    "page": row.page,
                    "lines": row.lines,
                    "symbol": row.symbol,
                    "context": row.context,
                    "text": row.text[:200],
                }
                for row in view.store.file_rows(record.id)
            ],
        }
        if asked is not None:
            told["query"] = view.searcher.explain(asked, record.id)
        return told


def known_file(names: NamesView, path: str) -> FileRecord:
    """A file by its path; InklingError where there is none that may be read: that there is one
    that may not is not told."""
    record = names.file(path)
    if record is None:
        raise InklingError(
            "{path} is not in this archive, or you may not read it.",
            hint="Whoever runs the service can say which.",
            path=path,
            told={"path": path},
        )
    return record


def coverage_of(names: NamesView, away: str) -> Coverage:
    """How much there is that the asker may read, and since when nothing new is seen."""
    counts = names.counts()
    return Coverage(sum(counts.values()), counts["done"], 0, not away, away)


def _joined(said: Coverage, coverage: Coverage) -> Coverage:
    """With what an answer itself could not have come from."""
    if not said.message:
        return coverage
    message = f"{said.message} {coverage.message}".strip()
    return structs.replace(coverage, complete=False, message=message)


def _shown(answer: Answer) -> Iterator[str]:
    for hit in answer.hits:
        yield hit.path
        yield from (copy.path for copy in hit.copies)


def _with_content(names: NamesView, hit: Hit) -> Hit:
    """With the hash of its file, by which others know the same file."""
    record = names.file(hit.path)
    content = None if record is None else record.content_hash
    return structs.replace(hit, content=content or "")
