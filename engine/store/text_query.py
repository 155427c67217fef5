"""What exact search is asked for, as a full-text query of LanceDB's: for when the arrays can't
say."""

from __future__ import annotations

from collections.abc import Sequence

from lancedb.query import BooleanQuery, FullTextOperator, FullTextQuery, MatchQuery, Occur

from engine.store.term_groups import Asked, Variant

_COLUMN = "fts"


def text_query(asked: Sequence[Asked], *, every: bool = False) -> FullTextQuery:
    """Any (or every) of these. A unit that holds several variants of one counts for each, and
    adjacency is not asked for: LanceDB knows no places of terms here."""
    plain = [term for term in asked if isinstance(term, str)]
    if len(plain) == len(asked):
        return _match(plain, every=every)
    occur = Occur.MUST if every else Occur.SHOULD
    return BooleanQuery([(occur, _any_of(group)) for group in asked])


def fuzzy_query(terms: Sequence[str], errors: int) -> MatchQuery:
    """Terms so many typing errors from one of these, or fewer."""
    return MatchQuery(" ".join(terms), _COLUMN, fuzziness=errors)


def _any_of(group: Asked) -> FullTextQuery:
    if isinstance(group, str):
        return _match([group])
    variants = [_variant(variant) for variant in group.variants]
    return (
        variants[0] if len(variants) == 1 else BooleanQuery([(Occur.SHOULD, v) for v in variants])
    )


def _variant(variant: Variant) -> MatchQuery:
    return _match(variant.terms, every=True, boost=variant.weight)


def _match(terms: Sequence[str], *, every: bool = False, boost: float = 1.0) -> MatchQuery:
    # A plain string with quotes would become a phrase query and fail.
    operator = FullTextOperator.AND if every else FullTextOperator.OR
    return MatchQuery(" ".join(terms), _COLUMN, operator=operator, boost=boost)
