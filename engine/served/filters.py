"""Conditions as filters over points' payload: the same that engine.contract.conditions says in SQL.

What no index of Qdrant tells (phrases as they stand, patterns of names with several parts) is
looked up by whoever asks, here as `Lookup`, and becomes a list.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

from engine.contract.attributes import ATTRIBUTES
from engine.contract.conditions import folder_key
from engine.contract.folding import plain
from engine.contract.kinds import KINDS, file_kinds
from engine.contract.path_text import clean, path_to_text
from engine.contract.types import AttributeFilter, Filters
from engine.served.points import (
    EVERYTHING,
    NOTHING,
    AnyOfValues,
    Between,
    Demand,
    Filter,
    HoldsTerms,
    HoldsText,
    IsPoint,
    Present,
    point_id,
)
from engine.store.analyzer import analyze
from engine.store.condition import ANYTHING, Condition

_FURTHEST = 1e18


class Lookup(Protocol):
    """What has to be read to be told."""

    def texts(self, text: str, where: Filter) -> Sequence[UUID]:
        """Points that fulfil a filter and whose text or context holds this one, whatever its case,
        spacing and line breaks."""

    def names(self, pattern: str, where: Filter) -> Sequence[str]:
        """Names of points that fulfil a filter which meet a pattern."""


def filter_of(condition: Condition | None, without: Sequence[int], lookup: Lookup) -> Filter:
    """What a condition demands, of none of the files `without`."""
    c = condition or ANYTHING
    must: list[Demand] = [IsPoint([point_id(uid) for uid in ids]) for ids in c.candidate_ids]
    if c.file_ids is not None:
        must.append(AnyOfValues("file_id", list(c.file_ids)))
    if c.kinds:
        must.append(_one_of("kind", c.kinds))
    told = Filter(tuple(must)) & _filters(c.filters, lookup)
    must_not: list[Demand] = [AnyOfValues("file_id", list(without))] if without else []
    texts = []
    for word in c.excluded:
        terms = analyze(word)
        if len(word.split()) > 1 or not terms:
            texts.append(word)
        else:
            must_not.append(HoldsTerms("fts", terms[:1]))
    told &= Filter(must_not=tuple(must_not))
    for phrase in c.phrases:
        # Where its words stand is known by then, or they are too many to list: they are whole.
        terms = list(dict.fromkeys(analyze(phrase)))
        words = Filter((HoldsTerms("fts", terms),)) if terms else EVERYTHING
        told &= Filter((IsPoint(lookup.texts(phrase, told & words)),))
    for text in texts:
        told &= Filter(must_not=(IsPoint(lookup.texts(text, told)),))
    return told


def _filters(f: Filters, lookup: Lookup) -> Filter:
    must: list[Demand] = []
    must_not: list[Demand] = []
    for column, wanted, unwanted in (
        ("ext", f.exts, f.not_exts),
        ("language", f.languages, f.not_languages),
    ):
        if wanted:
            must.append(_one_of(column, wanted))
        if unwanted:
            must_not.append(_one_of(column, unwanted))
    if f.kinds:
        must.append(_any(map(_of_kind, f.kinds)))
    must_not += map(_of_kind, f.not_kinds)
    if f.folders:
        must.append(_any(map(_inside, f.folders)))
    must_not += map(_inside, f.not_folders)
    if f.names:
        must.append(_any(_named(pattern, lookup) for pattern in f.names))
    must_not += [_named(pattern, lookup) for pattern in f.not_names]
    must += [
        bound
        for given, bound in (
            (f.after, Between("date", gte=_number(f.after))),
            (f.before, Between("date", lt=_number(f.before))),
            (f.min_size, Between("size", gte=_whole(f.min_size))),
            (f.max_size, Between("size", lte=_whole(f.max_size))),
        )
        if given is not None
    ]
    for demand in f.attributes:
        (must_not if demand.negated else must).append(_of_attribute(demand))
    for options in f.any_of:
        must.append(_any(_filters(option, lookup) for option in options))
    return Filter(tuple(must), must_not=tuple(must_not))


def _spelt(values: Iterable[str]) -> list[str]:
    return [clean(value).replace("\x00", "") for value in values]


def _one_of(column: str, values: Iterable[str]) -> Demand:
    return AnyOfValues(column, _spelt(values))


def _any(demands: Iterable[Demand]) -> Demand:
    """One of these; nothing where there is none."""
    listed = tuple(demands)
    if len(listed) == 1:
        return listed[0]
    return Filter(should=listed) if listed else NOTHING


def _number(value: float | None) -> float:
    return min(max(float(value or 0.0), -_FURTHEST), _FURTHEST)


def _whole(value: float | None) -> int:
    return int(min(max(value or 0, -(2**62)), 2**62))


def _of_kind(kind: str) -> Demand:
    row = KINDS.get(kind)
    if row is not None and row.is_kind:
        return _one_of("kind", file_kinds(kind))
    return _one_of("picture", [kind])


def _inside(folder: str) -> Demand:
    if os.path.isabs(folder):
        below = path_to_text((folder.rstrip("/\\") or os.sep).rstrip(os.sep) + os.sep)
        return HoldsText("directory", _spelt([below])[0], begins=True)
    name = folder_key(folder).strip("/")
    if name.startswith("*") and name.endswith("*"):
        return _holding("folder", name.strip("*"))
    return _holding("folder", f"/{name}/")


def _holding(column: str, text: str) -> Demand:
    """Whether a column's text holds this text; every one holds none."""
    (spelt,) = _spelt([text])
    return HoldsText(column, spelt) if spelt else Present(column)


def _named(pattern: str, lookup: Lookup) -> Demand:
    """A pattern of one part is told by the index; of several parts the index tells the names that
    hold each, and these are looked through."""
    (folded,) = _spelt([plain(pattern)])
    parts = [part for part in f"/{folded}/".replace("?", "*").split("*") if part != "/" and part]
    holding = tuple(_holding("plain", part) for part in parts)
    if "?" not in folded and len(parts) < 2:
        return Filter(holding)
    return AnyOfValues("name", list(lookup.names(pattern, Filter(holding))))


def _of_attribute(demand: AttributeFilter) -> Demand:
    row = ATTRIBUTES.get(demand.name)
    if row is None:
        # "Not" of what nothing is takes nothing either, as in SQL.
        return EVERYTHING if demand.negated else NOTHING
    parts: list[Demand] = [Present(row.name)]
    if demand.values and row.part:
        parts.append(_any(_holding(row.name, value) for value in demand.values))
    elif demand.values:
        parts.append(_one_of(row.name, demand.values))
    if demand.low is not None:
        parts.append(Between(row.name, gte=_number(demand.low)))
    if demand.high is not None:
        high = _number(demand.high)
        by_time = row.type == "time"
        parts.append(Between(row.name, lt=high) if by_time else Between(row.name, lte=high))
    return Filter(tuple(parts))
