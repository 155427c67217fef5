"""Filters, phrases and exclusions as one SQL prefilter; the one place that quotes."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence

from engine.contract.types import KINDS, Filters
from engine.store.analyzer import analyze
from engine.store.text import clean, path_to_text


def build_where(
    filters: Filters | None = None,
    *,
    phrases: Sequence[str] = (),
    excluded: Sequence[str] = (),
    kinds: Sequence[str] = (),
    not_kinds: Sequence[str] = (),
    among: Sequence[Sequence[str]] = (),
    file_ids: Sequence[int] | None = None,
) -> str | None:
    """The condition a row must fulfil, or None if every row does.

    `kinds` and `not_kinds` are the caller's own demand on top of the filters (an adapter's lane:
    code units or all others). `among`: lists of unit ids, each of which a row must be in;
    `file_ids`: the files that it may be of.
    """
    # First, so that the index decides and the costlier conditions see few rows.
    demands = [_in("id", unit_ids) if unit_ids else "false" for unit_ids in among]
    if file_ids is not None:
        demands.append(f"file_id IN ({', '.join(map(str, file_ids))})" if file_ids else "false")
    demands += _filter_demands(filters or Filters())
    if kinds:
        demands.append(_in("kind", kinds))
    if not_kinds:
        demands.append(f"NOT {_in('kind', not_kinds)}")
    demands += [contains(phrase) for phrase in phrases]
    demands += [f"NOT {_mentions(word)}" for word in excluded]
    return " AND ".join(demands) or None


def _filter_demands(f: Filters) -> list[str]:
    demands: list[str] = []
    for column, wanted, unwanted in (
        ("ext", f.exts, f.not_exts),
        ("language", f.languages, f.not_languages),
    ):
        if wanted:
            demands.append(_in(column, wanted))
        if unwanted:
            demands.append(f"({column} IS NULL OR NOT {_in(column, unwanted)})")
    if f.kinds:
        demands.append(_any(_is_kind(kind) for kind in f.kinds))
    demands += [f"NOT {_is_kind(kind)}" for kind in f.not_kinds]
    if f.folders:
        demands.append(_any(_inside(folder) for folder in f.folders))
    demands += [f"NOT {_inside(folder)}" for folder in f.not_folders]
    for column, sign, bound in (
        ("mtime", ">=", f.after),
        ("mtime", "<", f.before),
        ("size", ">=", f.min_size),
        ("size", "<=", f.max_size),
    ):
        if bound is not None:
            demands.append(f"{column} {sign} {bound!r}")
    return demands


def quote(value: str) -> str:
    """A SQL string literal."""
    return "'" + clean(value).replace("\x00", "").replace("'", "''") + "'"


def contains(phrase: str) -> str:
    """Whether text or context holds the phrase, whatever its case, spacing and line breaks."""
    words = (re.escape(word) for word in clean(phrase).split())
    # ".?" keeps DataFusion from turning a plain text into LIKE, where "\\" would not match itself.
    pattern = quote("(?is).?" + r"\s+".join(words))
    return f"(regexp_like(text, {pattern}) OR regexp_like(context, {pattern}))"


def _mentions(word: str) -> str:
    """Whether a row's full-text terms hold this word, whole if it is an identifier."""
    terms = analyze(word)
    if len(word.split()) > 1 or not terms:
        return contains(word)
    return f"contains(fts, {quote(f' {terms[0]} ')})"


def _is_kind(kind: str) -> str:
    """A kind or a picture class; every picture is an image, screenshots too."""
    if kind == "image":
        return "kind IN ('image', 'screenshot')"
    if kind in KINDS:
        return f"kind = {quote(kind)}"
    return f"(picture IS NOT NULL AND picture = {quote(kind)})"


def _inside(folder: str) -> str:
    """Below an absolute folder, or below any folder of that name."""
    if os.path.isabs(folder):
        prefix = folder.rstrip("/\\") + os.sep
        return f"starts_with(path, {quote(path_to_text(prefix))})"
    name = folder_key(folder).strip("/")
    return f"contains(folder, {quote(f'/{name}/')})"


def folder_key(folder: str) -> str:
    """How the column `folder` spells a directory: slashes, lower case, composed."""
    slashed = folder.replace("\\", "/") if os.sep == "\\" else folder
    return unicodedata.normalize("NFC", path_to_text(slashed)).lower().rstrip("/") + "/"


def _in(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(quote(value) for value in values)})"


def _any(conditions: object) -> str:
    return "(" + " OR ".join(conditions) + ")"  # type: ignore[arg-type]
