"""A filter means the same in every lane: names (SQLite), words, meaning and late interaction."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.contract.attributes import ATTRIBUTES, Value
from engine.contract.folding import plain
from engine.contract.kinds import FILE_KINDS, KINDS, included_kinds
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import AttributeFilter, FileFacts, Filters, Query, Unit
from engine.engine import Engine
from engine.models.registry import model_spec
from engine.search.ports import NameMatch
from engine.store.condition import Condition
from indexer.ledger.ledger import Done, Found, Ledger

NOON = 1_767_182_400  # seconds; an edge, since bounds are typed as days


@dataclass(frozen=True)
class File:
    """A file with all that a filter can ask of it."""

    path: str  # below the root
    kind: str
    picture: str | None = None
    language: str | None = None
    mtime_ns: int = NOON * 10**9
    size: int = 100
    attributes: dict[str, Value] = field(default_factory=dict)


FILES = (
    File("Work/lighthouse a.png", "screenshot", "screenshot", size=99),
    File(
        "Work/lighthouse b.png",
        "image",
        "photo",
        mtime_ns=(NOON + 10**6) * 10**9,
        attributes={"taken": float(NOON), "camera": "google pixel 7"},
    ),
    File(
        "work stuff/lighthouse c.jpg",
        "image",
        "diagram",
        attributes={"width": 3000.0, "camera": "nikon d750", "lens": "50% 'macro'"},
    ),
    File("Work/Invoices/lighthouse d.pdf", "pdf", mtime_ns=NOON * 10**9 - 1),
    File("Work/lighthouse e.py", "code", language="python", size=101),
    File("homework/lighthouse f.PY", "code", language="python", mtime_ns=(NOON + 1) * 10**9),
    File("notes/Überfahrt/lighthouse g.md", "note", language="de"),
    File("notes/lighthouse h.md", "note", size=0, mtime_ns=NOON * 10**9 + 1),
    File("notes/lighthouse i.résumé", "note", attributes={"pages": 7.0}),
    File("it's/lighthouse j", "other", attributes={"pages": 100.0, "width": 1080.0}),
    File("Work/lighthouse k.pdf", "pdf", attributes={"pages": 101.0, "taken": NOON - 0.5}),
)


def ext_of(file: File) -> str:
    return os.path.splitext(file.path)[1][1:].lower()


class Both:
    """The ledger and the engine over the same files."""

    def __init__(self, place: Path) -> None:
        base = BaseDir(place / "base").create()
        root_path = place / "Root"
        root_path.mkdir()
        self.root = str(root_path)
        self.ledger = Ledger(base.ledger)
        root = self.ledger.add_root(root_path)
        found = [
            Found(os.fsencode(f"{self.root}/{f.path}"), f.size, f.mtime_ns, n, f.kind)
            for n, f in enumerate(FILES)
        ]
        self.ids = dict(zip(self.ledger.add_files(root, found), FILES, strict=True))
        self.ledger.finish(
            [
                Done(i, 1, "h", 1, f.kind, f.picture, f.language, attributes=f.attributes)
                for i, f in self.ids.items()
            ],
            1,
        )
        self.engine = Engine(base, model_spec("minilm"), self.names)
        units = [
            (
                FileFacts(
                    i, f"{self.root}/{f.path}", f.kind, f.picture, ext_of(f), f.mtime_ns / 1e9,
                    f.size, f.attributes,
                ),
                Unit(i, 0, f.kind, f"The keeper of the beacon, {n}.", language=f.language),
            )
            for n, (i, f) in enumerate(self.ids.items())
        ]  # fmt: skip
        stored = self.engine.encode(units)
        self.engine.replace({unit.unit.file_id: [unit] for unit in stored})

    def names(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        return [
            NameMatch(
                FileFacts(
                    hit.file.id, hit.file.path, hit.file.kind, hit.file.picture, hit.file.ext,
                    hit.file.mtime_ns / 1e9, hit.file.size,
                ),
                hit.score,
            )
            for hit in self.ledger.find_names(words, limit, filters)
        ]  # fmt: skip

    def wanted(self, filters: Filters) -> set[str]:
        """What the filters say, in plain words."""
        return {f.path for f in FILES if allows(filters, f, self.root)}

    def relative(self, paths: Sequence[str]) -> set[str]:
        return {os.path.relpath(path, self.root) for path in paths}

    def asked(self, query: Query) -> set[str]:
        """All hits of the last stage."""
        *_, last = self.engine.search(query, limit=50)
        return self.relative([hit.path for hit in last.hits])


def is_kind(kind: str, file: File) -> bool:
    row = KINDS.get(kind)
    if row is not None and row.is_kind:
        return file.kind in included_kinds(kind)
    return file.picture == kind


def is_inside(folder: str, file: File, root: str) -> bool:
    if os.path.isabs(folder):
        return f"{root}/{file.path}".startswith(folder.rstrip("/") + "/")
    above = os.path.dirname(f"{root}/{file.path}").lower() + "/"
    if folder[0] == folder[-1] == "*":
        return folder.lower().strip("*") in above
    return f"/{folder.lower().strip('/')}/" in above


def is_named(pattern: str, file: File) -> bool:
    return fnmatch.fnmatchcase(plain(os.path.basename(file.path)), plain(pattern))


def has(demand: AttributeFilter, file: File) -> bool:
    value = file.attributes.get(demand.name)
    if value is None:
        return demand.negated
    if isinstance(value, str):
        return any(typed in value for typed in demand.values) != demand.negated
    low = demand.low is None or value >= demand.low
    if demand.high is None:
        high = True
    else:
        period = ATTRIBUTES[demand.name].type == "time"
        high = value < demand.high if period else value <= demand.high
    return (low and high) != demand.negated


def allows(f: Filters, file: File, root: str) -> bool:
    date = file.attributes.get("taken", file.mtime_ns / 1e9)
    assert isinstance(date, float)
    return all(
        (
            not f.kinds or any(is_kind(kind, file) for kind in f.kinds),
            not any(is_kind(kind, file) for kind in f.not_kinds),
            not f.exts or ext_of(file) in f.exts,
            ext_of(file) not in f.not_exts,
            not f.languages or file.language in f.languages,
            file.language not in f.not_languages or file.language is None,
            not f.folders or any(is_inside(folder, file, root) for folder in f.folders),
            not any(is_inside(folder, file, root) for folder in f.not_folders),
            not f.names or any(is_named(name, file) for name in f.names),
            not any(is_named(name, file) for name in f.not_names),
            f.after is None or date >= f.after,
            f.before is None or date < f.before,
            f.min_size is None or file.size >= f.min_size,
            f.max_size is None or file.size <= f.max_size,
            all(has(demand, file) for demand in f.attributes),
            all(any(allows(option, file, root) for option in one) for one in f.any_of),
        )
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("both"))
    yield made
    made.engine.close()
    made.ledger.close()


kinds = st.lists(st.sampled_from([*FILE_KINDS, "photo", "diagram", "scan", "'"]), max_size=2)
exts = st.lists(
    st.sampled_from(["png", "py", "md", "pdf", "résumé", "resume", "", "'"]), max_size=2
)
folders = st.lists(
    st.sampled_from(
        [
            "Work", "work", "stuff", "Work/Invoices", "ÜBERFAHRT", "notes", "root", "it's",
            "ROOT/Work", "{root}", "{root}/Work", "{root}/Wor", "/", "%", "_",
        ]
    ),
    max_size=2,
)  # fmt: skip
names = st.lists(
    st.sampled_from(
        [
            "*", "light*", "LIGHT*.P??", "*.résumé", "*.resume", "*é*", "lighthouse ?", "*house a*",
            "?ighthouse ?.pd?", "lighthouse", "* e.py", "*'*", "*.*(", "work*",
        ]
    ),
    max_size=2,
)  # fmt: skip
languages = st.lists(st.sampled_from(["python", "de", "fr"]), max_size=2)
moments = st.sampled_from([None, None, NOON - 1.0, float(NOON), NOON + 1e-6, NOON + 1.0, -1e300])
sizes = st.sampled_from([None, None, 0, 99, 100, 101, 10**30])
TEXTS = sorted(name for name, row in ATTRIBUTES.items() if row.type == "text")
demands = st.lists(
    st.one_of(
        st.builds(
            AttributeFilter,
            st.sampled_from(sorted({*ATTRIBUTES} - {*TEXTS})),
            st.sampled_from([None, 7.0, 100.0, float(NOON)]),
            st.sampled_from([None, 7.0, 101.0, 3000.0, NOON + 1.0]),
            negated=st.booleans(),
        ),
        st.builds(
            AttributeFilter,
            st.sampled_from(TEXTS),
            values=st.lists(
                st.sampled_from(["pixel", "pixel 7", "nikon", "d7", "%", "'", "leica"]),
                min_size=1,
                max_size=2,
            ).map(tuple),
            negated=st.booleans(),
        ),
    ),
    max_size=2,
)
plain_filters = st.builds(
    Filters,
    kinds=kinds.map(tuple), not_kinds=kinds.map(tuple), exts=exts.map(tuple),
    not_exts=exts.map(tuple), folders=folders.map(tuple), not_folders=folders.map(tuple),
    names=names.map(tuple), not_names=names.map(tuple), languages=languages.map(tuple),
    not_languages=languages.map(tuple), after=moments, before=moments,
    min_size=sizes, max_size=sizes, attributes=demands.map(tuple),
)  # fmt: skip


def with_alternatives(options: st.SearchStrategy[Filters]) -> st.SearchStrategy[Filters]:
    """Filters beside OR between filters."""
    one_of = st.lists(options, max_size=3).map(tuple)
    any_of = st.lists(one_of, min_size=1, max_size=2).map(tuple)
    return st.builds(lambda f, more: replace(f, any_of=more), options, any_of)


#: Few demands each: most of all that are possible let nothing in.
few = st.builds(
    Filters,
    kinds=kinds.map(lambda k: tuple(k[:1])), exts=exts.map(lambda e: tuple(e[:1])),
    not_folders=folders.map(lambda f: tuple(f[:1])), after=moments, max_size=sizes,
)  # fmt: skip
filters_strategy = st.one_of(
    plain_filters, with_alternatives(few), with_alternatives(with_alternatives(few))
)


def placed(filters: Filters, root: str) -> Filters:
    """With the root's real path in its folders, those of alternatives included."""

    def fill(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.replace("{root}", root) for name in names)

    return replace(
        filters,
        folders=fill(filters.folders),
        not_folders=fill(filters.not_folders),
        any_of=tuple(tuple(placed(option, root) for option in one) for one in filters.any_of),
    )


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(filters=filters_strategy)
def test_every_lane_keeps_what_the_filter_keeps(both: Both, filters: Filters) -> None:
    f = placed(filters, both.root)
    wanted = both.wanted(f)
    listed = both.ledger.find_names([], 100, f)
    assert both.relative([hit.file.path for hit in listed]) == wanted
    named = both.ledger.find_names(["lighthouse"], 100, f)
    assert both.relative([hit.file.path for hit in named]) == wanted
    where = Condition(f)
    for found in (
        both.engine.store.search_text(["beacon"], where, 100),
        both.engine.store.search_vector(both.engine.store.vectors(["1:0"])["1:0"], where, 100),
    ):
        assert {both.ids[candidate.file_id].path for candidate in found} == wanted


@pytest.mark.parametrize(
    "text",
    [
        "kind:image", "kind:screenshot", "kind:photo", "-kind:image", "ext:py", "in:work",
        "in:work/invoices", "-in:Work", "lang:python", "before:2025-12-31", "after:2025-12-31",
        "date:2025-12-31", "size:>100", "size:<100", "taken:2025", "pages:>7", "pages:7..100",
        "-pages:>7", "width:3000", "camera:pixel", "camera:d750,pixel", 'camera:"pixel 7"',
        "-camera:nikon", "date:2025-12 kind:image", "-date:2025-12-31 kind:photo",
        "after:2026-01-05", "seconds:>1", "album:stuff", "album:Work",
        "-album:STUFF", "-(album:home)",
        "name:light*", "*.pdf", "-*.pdf", "name:resume", 'name:"*house ?.md"',
        "kind:image -kind:photo size:>99", "kind:photo OR ext:py", "(ext:pdf OR ext:md) in:work",
        "(ext:pdf OR kind:code) (in:work | size:>100)", "-(kind:image OR ext:py)",
        "-(kind:image in:Work)", "-date:2025-12-31", "-size:100..101", "name:resume OR *.pdf",
        "(pages:>7 OR width:3000) -in:notes", "-(size:>99 (ext:pdf OR -kind:note))",
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", ["", "lighthouse", "keeper of the beacon"])
def test_a_typed_filter_keeps_the_same_with_and_without_words(
    both: Both, text: str, words: str
) -> None:
    query = parse(f"{text} {words}".strip())
    assert query.text == words, "all of it is a filter"
    assert both.asked(query) == both.wanted(query.filters)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kind:photo OR ext:py", {"b.png", "e.py", "f.PY"}),
        ("-(kind:image OR ext:py)", {"d.pdf", "g.md", "h.md", "i.résumé", "j", "k.pdf"}),
        ("(ext:pdf | ext:md) in:work", {"d.pdf", "k.pdf"}),
        ("-size:100..101", {"a.png", "h.md"}),
        ("-(-ext:py)", {"e.py", "f.PY"}),
    ],
)
def test_or_and_minus_mean_what_people_know(both: Both, text: str, wanted: set[str]) -> None:
    found = {path.rpartition("lighthouse ")[2] for path in both.wanted(parse(text).filters)}
    assert found == wanted
    assert both.asked(parse(text)) == both.wanted(parse(text).filters)


def test_words_with_or_find_what_answers_either(both: Both) -> None:
    query = parse('"beacon, 3" OR "beacon, 5"')
    assert len(query.alternatives) == 2
    found = {path.rpartition("lighthouse ")[2] for path in both.asked(query)}
    assert found == {"d.pdf", "f.PY"}
