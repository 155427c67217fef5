"""Text to Query: the query language that people type, scripts send and chips edit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from engine.contract.filters import FILTERS, add_name
from engine.contract.query_grammar import Group, Item, Node, form_of, questions
from engine.contract.readings import read_words
from engine.contract.types import Filters, Query, Reading

#: Questions with words of their own that one with OR is asked as; what is beyond is asked as one.
MOST_ALTERNATIVES = 4
#: A longer text was pasted: it tells, and asks for no date.
_MOST_SPOKEN = 30
#: Wildcards among the characters of a name. A question mark that ends a word is a question's, and
#: two asterisks are a programmer's.
_PATTERN = re.compile(r"(?!\*\*)(?=.*\w)[\w.\-+~*?]*(?:\*|\?(?=.*[\w*]))[\w.\-+~*?]*")
#: The same with an ending: a file's name even among other words.
_WITH_ENDING = re.compile(r".*\.(?=.*\w)[\w*?]{1,8}")
#: Fields of Filters of which any value may hold.
_LISTS = ("kinds", "exts", "folders", "languages", "names")


def parse(
    raw: str,
    *,
    image: str | None = None,
    plain: bool | Collection[str] = False,
    now: float | None = None,
) -> Query:
    """Read a query; never fails: what is no valid filter stays text.

    `plain`: words that are not to be read as a filter (as `Reading.words` has them), or True for
    all. `now` (seconds since the epoch) fixes "today" and "7d" in tests.
    """
    moment = dt.datetime.now() if now is None else dt.datetime.fromtimestamp(now)
    nodes = form_of(raw)
    words = _asked(raw, nodes, image, moment)
    found = [] if plain is True else _readings(raw, nodes, moment)
    if not isinstance(plain, bool):
        declined = frozenset(map(_same, plain))
        found = [reading for reading in found if _same(reading.words) not in declined]
    rest = [n for n in nodes if not any(f.start <= n.start < f.end for f in found)]
    if not found or not (rest or image or len(found) > 1):
        # "yesterday" alone is as likely a song's name as the wish to see all of a day; "screenshots
        # from yesterday" asks for no content, but for nothing else either.
        return words
    filters = [node for reading in found for node in form_of(reading.filter)]
    read = _asked(raw, (*rest, *filters), image, moment)
    return replace(read, read=tuple(Reading(f.words, f.filter) for f in found), unread=words)


def changed(query: Query, change: Callable[[Query], Query]) -> Query:
    """A query with a change made to it and to all that it may be asked as."""
    return replace(
        change(query),
        unread=None if query.unread is None else changed(query.unread, change),
        alternatives=tuple(changed(other, change) for other in query.alternatives),
    )


def _same(words: str) -> str:
    return " ".join(words.split()).casefold()


# Questions


@dataclass(slots=True)
class _Draft:
    """What has been read so far."""

    words: list[str]  # as they stand, those of phrases too
    phrases: list[str]
    excluded: list[str]
    filters: Filters
    patterns: dict[int, tuple[str, bool]]  # by place among the words: name pattern, negated


def _asked(raw: str, nodes: Sequence[Node], image: str | None, moment: dt.datetime) -> Query:
    """The query of these parts; one with OR between words as the questions it stands for."""
    ways = questions(nodes) or [tuple(_words_of(nodes))]
    together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Filters]] = {}
    for items in ways:
        draft = _read(items, moment)
        key = " ".join(draft.words), tuple(draft.phrases), tuple(draft.excluded)
        together.setdefault(key, []).append(draft.filters)
    asked = [
        Query(raw, text, phrases, excluded, _one_of(filters), image)
        for (text, phrases, excluded), filters in together.items()
    ]
    if len(asked) == 1:
        return asked[0]
    if len(asked) > MOST_ALTERNATIVES:
        rest = asked[MOST_ALTERNATIVES - 1 :]
        asked = [*asked[: MOST_ALTERNATIVES - 1], _as_one(rest)]
    return replace(_as_one(asked), alternatives=tuple(asked))


def _as_one(asked: Sequence[Query]) -> Query:
    """All the words of several questions, and what each of them demands."""
    words = dict.fromkeys(word for query in asked for word in query.text.split())
    excluded = [w for w in asked[0].excluded if all(w in query.excluded for query in asked)]
    return replace(
        asked[0],
        text=" ".join(words),
        phrases=(),
        excluded=tuple(excluded),
        filters=_one_of([query.filters for query in asked]),
    )


def _one_of(options: Sequence[Filters]) -> Filters:
    """What all of these demand, and that one of them holds."""
    options = list(dict.fromkeys(options))
    none = Filters()
    differ = [
        field.name
        for field in fields(Filters)
        if len({getattr(option, field.name) for option in options}) > 1
    ]
    cleared: dict[str, Any] = {name: getattr(none, name) for name in differ}
    common = replace(options[0], **cleared)
    own = [replace(none, **{name: getattr(o, name) for name in differ}) for o in options]
    if none in own:
        return common
    if len(differ) == 1 and differ[0] in _LISTS:  # any value of such a list will do
        values = (value for option in options for value in getattr(option, differ[0]))
        cleared[differ[0]] = tuple(dict.fromkeys(values))
        return replace(common, **cleared)
    return replace(common, any_of=(*common.any_of, tuple(own)))


def _words_of(nodes: Iterable[Node]) -> Iterator[Item]:
    """The words alone, of a query that is too much to be taken apart."""
    for node in nodes:
        if isinstance(node, Item):
            yield from () if node.key or node.negated else (node,)
        else:
            yield from _words_of(node.parts if isinstance(node, Group) else node.options)


def _read(items: Iterable[Item], moment: dt.datetime) -> _Draft:
    """A question without OR."""
    draft = _Draft([], [], [], Filters(), {})
    for item in items:
        _read_item(item, draft, moment)
    _take_patterns(draft)
    return draft


def _read_item(item: Item, draft: _Draft, moment: dt.datetime) -> None:
    if item.key:
        row = FILTERS.get(item.key)
        read = row.read(draft.filters, item.value, item.negated, moment) if row else None
        if item.value and read is not None:
            draft.filters = read
        else:
            draft.words.append(item.raw)
    elif item.quoted:
        phrase = " ".join(item.value.split())
        if phrase and item.negated:
            draft.excluded.append(phrase)
        elif phrase:
            draft.phrases.append(phrase)
            draft.words.append(phrase)
    elif _PATTERN.fullmatch(item.value):
        draft.patterns[len(draft.words)] = item.value, item.negated
        draft.words.append(item.raw)
    elif item.negated and item.value[0].isalnum():
        draft.excluded.append(item.value)
    else:
        draft.words.append(item.raw if item.negated else item.value)


def _take_patterns(draft: _Draft) -> None:
    """`lea*.txt` is a demand on names; a wildcard in a sentence is one only in a file's name."""
    alone = len(draft.patterns) == len(draft.words)
    taken = {
        place
        for place, (pattern, _) in draft.patterns.items()
        if alone or _WITH_ENDING.fullmatch(pattern)
    }
    for place in sorted(taken):
        draft.filters = add_name(draft.filters, *draft.patterns[place])
    draft.words = [word for place, word in enumerate(draft.words) if place not in taken]


# Readings


@dataclass(frozen=True, slots=True)
class _Found:
    words: str
    filter: str
    start: int  # characters of the query
    end: int


def _readings(raw: str, nodes: Sequence[Node], moment: dt.datetime) -> list[_Found]:
    """What of the words outside of quotations and parentheses is read as a filter."""
    if len(nodes) > _MOST_SPOKEN:
        return []
    spoken = [node for node in nodes if not _is_filter(node, moment)]
    words = [_word(node) for node in spoken]
    found = []
    for first, end, filter_ in read_words(words, moment.date()):
        a, b = spoken[first].start, spoken[end - 1].end
        if not any(a < node.start < b for node in nodes if node not in spoken[first:end]):
            found.append(_Found(raw[a:b], filter_, a, b))
    return found


def _word(node: Node) -> str | None:
    """A free word as it stands."""
    if not isinstance(node, Item) or node.quoted or node.negated or node.key:
        return None
    return node.raw


def _is_filter(node: Node, moment: dt.datetime) -> bool:
    if not isinstance(node, Item) or not node.key:
        return False
    row = FILTERS.get(node.key)
    return bool(
        row and node.value and row.read(Filters(), node.value, node.negated, moment) is not None
    )
