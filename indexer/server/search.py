"""Search over the index in use: queries, query pictures, similar files, explanations."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from engine.contract.archives import HERE
from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.filters import both
from engine.contract.notices import notice
from engine.contract.query import changed, parse
from engine.contract.types import (
    NOT_LOOKED_AT,
    Answer,
    Coverage,
    Filters,
    Hit,
    Look,
    Notice,
    Query,
)
from indexer.archives.merging import lean, merged
from indexer.archives.service import Archives
from indexer.indexing.both_spaces import PICTURES
from indexer.indexing.index import Index
from indexer.ledger.listed import folders_as_listed
from indexer.reading.extract.base import ExtractError
from indexer.reading.messages import unpack_look
from indexer.reading.pool import ExtractorPool
from indexer.server.coverage import CoverageCounter
from indexer.server.explain import explain
from indexer.server.indexed_file import indexed_file
from indexer.sources.ignore import IgnoreRules

log = logging.getLogger(__name__)

#: Words of a query picture that ask; the rest of a long page adds nothing but time.
_PICTURE_WORDS = 120
_NOTHING_SEEN = (
    "There is no text in this picture, and how pictures look is not compared. Turn that on in the"
    " settings (“Compare pictures by their look”), or choose a model that sees pictures."
)


class IndexSearch:
    """The port `Search`; for any thread."""

    def __init__(
        self,
        index: Index,
        extractors: ExtractorPool,
        coverage: CoverageCounter,
        rules: Callable[[], IgnoreRules],
        archives: Archives,
    ) -> None:
        self._index, self._extractors = index, extractors
        self._coverage, self._rules, self._archives = coverage, rules, archives

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
        """The stages of an answer; `raw`: the last with what its hits were ranked by. `elsewhere`:
        archives are asked, too; this machine's stages don't wait for them."""
        if not elsewhere:
            yield from self._here(text, image, limit, filters, plain, raw)
            return
        query = _read(text, image, filters, plain)
        if image is not None:
            for answer in self._here(text, image, limit, filters, plain, raw):
                if answer.stage == "rescored" and self._archives.any:
                    said = (*answer.notices, notice("picture-stays"))
                    answer = structs.replace(answer, notices=said)
                yield answer
            return
        asked = self._archives.ask(text, limit, filters, plain, partial(_wanted, query.filters))
        local = Answer(())
        try:
            if _wanted(query.filters, HERE):
                beside = asked is not None
                for local in self._here(text, image, limit, filters, plain, beside, beside):
                    yield lean(local)
            elif asked is None:
                yield local
            if asked is not None:
                newest = not query.text
                ranker = self._index.engine.ranker()
                yield from merged(local, asked, ranker, limit, newest=newest)
        finally:
            if asked is not None:
                asked.close()

    def _here(
        self,
        text: str,
        image: str | None,
        limit: int,
        filters: Filters | None,
        plain: bool | Sequence[str],
        raw: bool,
        beside: bool = False,
    ) -> Iterator[Answer]:
        """This machine's stages. `beside`: archives answer, too, so that an empty index is no
        reason for an empty answer."""
        query = _read(text, image, filters, plain)
        told_words = ""
        notices: tuple[Notice, ...] = () if beside else self.nothing_there()
        coverage = self._coverage.told()  # once for all stages
        if image is not None:
            query, told_words = self._with_picture(query, image)
            if query.look is not None or query.image is not None:
                coverage = self._of_pictures(coverage)
            else:
                notices = (*notices, notice("no-sight"))
            if not (query.text or query.look or query.image):
                told = Coverage(complete=False, message=_NOTHING_SEEN)
                yield Answer((), coverage=told, notices=notices)
                return
        index = self._index
        try:
            for answer in index.engine.search(query, limit, raw=raw):
                made = self._annotated(answer, coverage)
                if raw and made.statistics is not None:
                    made = structs.replace(made, hits=tuple(map(self._with_content, made.hits)))
                if answer.stage == "rescored":
                    made = structs.replace(made, notices=(*notices, *made.notices))
                yield structs.replace(made, picture_words=told_words)
        except StoreDamagedError as error:
            # The names are in the ledger: they are whole.
            index.on_damage(error)
            message = f"{error} Only names were searched."
            told = structs.replace(coverage, complete=False, message=message)
            yield self._annotated(index.engine.search_names(query, limit), told)

    def query(
        self,
        text: str,
        *,
        image: str | None = None,
        filters: Filters | None = None,
        plain: bool | Sequence[str] = False,
    ) -> Query:
        """The same question as the engine takes it."""
        query = _read(text, image, filters, plain)
        return query if image is None else self._with_picture(query, image)[0]

    def similar(self, path: str, limit: int = 20) -> Answer:
        """Files like an indexed one; InklingError if it is not in the index."""
        record = indexed_file(self._index.ledger, path)
        answer = self._index.engine.similar(record.id, limit)
        coverage = self._coverage.told()
        if record.kind in PICTURES:
            coverage = self._of_pictures(coverage)
        return self._annotated(answer, coverage)

    def explain(
        self, path: str, query: str | None = None, image: str | None = None
    ) -> dict[str, Any]:
        """State, reason and rule of one file, its units, and its place in each lane."""
        asked = None if query is None and image is None else parse(query or "", image=image)
        if asked is not None and image is not None:
            asked, _ = self._with_picture(asked, image)
        return explain(self._index, self._rules(), path, asked)

    def _annotated(self, answer: Answer, coverage: Coverage) -> Answer:
        """With what it could not have come from, and hits on drives that are away marked so."""
        if answer.coverage.message:
            coverage = structs.replace(coverage, complete=False, message=answer.coverage.message)
        roots = self._index.ledger.roots()
        away = tuple(root.path.rstrip(os.sep) + os.sep for root in roots if not root.online)
        hits = tuple(_marked(hit, away) for hit in answer.hits) if away else answer.hits
        return structs.replace(answer, hits=hits, coverage=coverage)

    def _with_content(self, hit: Hit) -> Hit:
        """With the hash of its file, by which others know the same file."""
        record = self._index.ledger.file(hit.path)
        content = None if record is None else record.content_hash
        return structs.replace(hit, content=content or "")

    def _with_picture(self, query: Query, image: str) -> tuple[Query, str]:
        """The query with how its picture looks; where nothing was typed and the model does not
        see, with what the picture says, which is also told by itself. InklingError if there is no
        picture."""
        if not Path(image).is_file():
            raise InklingError(
                "There is no picture at {path}.",
                hint="Check the path.",
                path=image,
                told={"path": image},
            )
        wanted = self._index.settings.sight
        seen = self._sees or self._index.seeing.model is not None
        if query.text or self._sees:
            look = self._look_of(image) if wanted else None
            if seen:
                return changed(query, lambda q: replace(q, look=look)), ""
            if look is not None:
                return changed(query, lambda q: replace(q, look=look, image=None)), ""
        extraction, scratch = self._extractors.extract(image, look=wanted, urgent=True)
        shutil.rmtree(scratch, ignore_errors=True)
        written = " ".join(part.text for part in extraction.parts).split()[:_PICTURE_WORDS]
        said = " ".join([*written, *extraction.shows])
        look = None if extraction.look is None else unpack_look(extraction.look)
        kept = image if seen else None

        def told(q: Query) -> Query:
            text = f"{q.text} {said}".strip()
            return replace(q, text=text, told_by_image=not q.text, look=look, image=kept)

        return changed(query, told), said

    def _look_of(self, image: str) -> Look | None:
        """How a picture looks; None where no picture can be looked at."""
        try:
            return self._extractors.look(image, urgent=True)
        except ExtractError as error:
            if error.reason != "encoder":
                raise
            log.warning("A query picture could not be looked at: %s", error.detail)
            return None

    @property
    def _sees(self) -> bool:
        """Whether the model takes pictures as they are."""
        return "image" in self._index.engine.spec.modalities

    def nothing_there(self) -> tuple[Notice, ...]:
        """What is said where the index is empty and nothing is on its way."""
        if not self._index.ledger.roots():
            return (notice("no-folders"),)
        counts = self._coverage.counts()
        files = sum(counts.values())
        on_its_way = counts.get("pending", 0) + counts.get("seen", 0)
        if files and not counts.get("done") and not on_its_way:
            return (notice("nothing-indexed", files=f"{files:,}"),)
        return ()

    def _of_pictures(self, coverage: Coverage) -> Coverage:
        """With how many pictures could be compared: by their look, or by the sight model."""
        counts = [self._index.looking.counts()]
        if self._index.seeing.model is not None:
            counts.append(self._index.seeing.counts())
        pictures, looked_at = max(counts, key=lambda told: told[0] - told[1])
        coverage = structs.replace(coverage, pictures=pictures, looked_at=looked_at)
        if looked_at >= pictures:
            return coverage
        said = NOT_LOOKED_AT.format(looked_at=f"{looked_at:,}", pictures=f"{pictures:,}")
        message = f"{coverage.message} {said}".strip()
        return structs.replace(coverage, complete=False, message=message)


def _wanted(filters: Filters, name: str) -> bool:
    """Whether an archive, or this machine (HERE), is to be asked."""
    named, without = ({n.casefold() for n in f} for f in (filters.archives, filters.not_archives))
    return name.casefold() not in without and (not named or name.casefold() in named)


def _read(
    text: str, image: str | None, filters: Filters | None, plain: bool | Sequence[str]
) -> Query:
    """A question with its chips, folders written as they are listed."""
    query = parse(text, image=image, plain=plain)
    if filters is not None:
        query = changed(query, lambda q: replace(q, filters=both(q.filters, filters)))
    return changed(query, lambda q: replace(q, filters=folders_as_listed(q.filters)))


def _marked(hit: Hit, away: tuple[str, ...]) -> Hit:
    """With it and its copies marked offline where they are in one of these folders."""
    copies = tuple(structs.replace(copy, offline=copy.path.startswith(away)) for copy in hit.copies)
    return structs.replace(hit, offline=hit.path.startswith(away), copies=copies)
