"""Files of the same contents are one hit in every stage, read and asked for as in life."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Answer, Filters, Hit
from indexer.server.lifecycle import Indexer
from tests.waiting import until

pytestmark = pytest.mark.slow

SHIPS = "The keeper of the lighthouse counts the ships that pass in the night.\n"
#: Long enough for its words to tell it from other documents.
REPORT = " ".join(f"In week {n} the harbour had {n * 7} ships and -{n} degrees." for n in range(12))
#: What differs from it in one number, as the bill of the next month does.
OTHER = REPORT.replace("84 ships", "85 ships").replace("77 ships", "78 ships")


class Library:
    """An indexer in this process, over a folder whose files it has read."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "files"
        self._fill()
        base = BaseDir(place / "base").create()
        settings = Settings.load(base)
        settings.min_free_disk_gb, settings.pause_on_battery = 0, False
        self.indexer = Indexer(base, settings).open()
        self.indexer.start()
        self.indexer.ports.library.add_folders([str(self.folder)])
        until(lambda: self.indexer.state() == "idle", self.indexer.state)

    def _fill(self) -> None:
        self.write("work/ships.md", SHIPS, 100)
        for number, name in enumerate(("old/ships of the night.md", "keep/x.md", "work/deep/y.md")):
            self.write(name, SHIPS, 10 + number)
        self.write("report.md", f"# Harbour\n\n**{REPORT}**\n", 300)
        html = f"<html><body><h1>Harbour</h1><p>{REPORT}</p></body></html>"
        self.write("export/harbour.html", html, 200)
        self.write("next report.md", f"# Harbour\n\n{OTHER}\n", 301)
        self.write("a/sum.py", "def total(a, b):\n    return a + b\n", 1)
        self.write("b/sum.py", "def total(a, b):\n    return a - b\n", 2)
        self.write("c/sum.py", "def total(a, b):\n    return a + b\n", 3)
        for name in ("one.zip", "two.zip"):
            self.write(f"archives/{name}", "PK\x03\x04 the same", 1)

    def write(self, name: str, text: str, age: int) -> Path:
        """A file, the younger the larger its age is."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_000_000 + age,) * 2)
        return path

    def stages(self, query: str, filters: Filters | None = None) -> list[Answer]:
        return list(self.indexer.ports.search.search(query, filters=filters))

    def hit(self, query: str, name: str) -> Hit:
        """The last stage's hit on a file."""
        hits = {os.path.relpath(h.path, self.folder): h for h in self.stages(query)[-1].hits}
        assert name in hits
        return hits[name]

    def copies(self, hit: Hit) -> set[str]:
        assert hit.copy_count == len(hit.copies)
        return {os.path.relpath(copy.path, self.folder) for copy in hit.copies}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library(tmp_path_factory.mktemp("copies"))
    yield made
    made.indexer.close()


def names(answer: Answer) -> list[str]:
    return [os.path.basename(hit.path) for hit in answer.hits]


def test_the_newest_stands_for_its_copies(library: Library) -> None:
    hit = library.hit("who counted boats in the dark", "work/ships.md")
    assert library.copies(hit) == {"old/ships of the night.md", "keep/x.md", "work/deep/y.md"}
    assert [copy.mtime for copy in hit.copies] == sorted(
        (c.mtime for c in hit.copies), reverse=True
    )


def test_the_copy_that_is_named_so_stands_for_all(library: Library) -> None:
    hit = library.hit("ships of the night", "old/ships of the night.md")
    assert library.copies(hit) == {"work/ships.md", "keep/x.md", "work/deep/y.md"}
    assert (hit.title, hit.snippet) == ("ships of the night.md", SHIPS.strip())


@pytest.mark.parametrize("query", ["ships of the night", "ships", "x", "lighthouse keeper"])
def test_every_stage_shows_the_same_copy_once(library: Library, query: str) -> None:
    shown = []
    for answer in library.stages(query):
        ours = [h for h in answer.hits if h.snippet == SHIPS.strip() or h.copy_count == 3]
        assert len(ours) <= 1
        shown += [hit.path for hit in ours]
    assert len(shown) >= 3
    assert len(set(shown)) == 1


def test_what_is_asked_with_or_shows_it_once(library: Library) -> None:
    for answer in library.stages("ships OR x"):  # each names another copy
        ours = [h for h in answer.hits if h.copy_count == 3]
        assert len(ours) == 1
        assert ours[0].title in ("ships.md", "x.md")


def test_filters_hold_for_each_copy(library: Library) -> None:
    in_keep = library.stages("lighthouse in:keep")[-1]
    assert names(in_keep) == ["x.md"]
    assert in_keep.hits[0].copy_count == 0
    hit = library.hit("lighthouse in:work", "work/ships.md")
    assert library.copies(hit) == {"work/deep/y.md"}
    excluded = library.hit("lighthouse -deep", "work/ships.md")
    assert "work/deep/y.md" not in library.copies(excluded)


def test_with_filters_alone_copies_are_one_row(library: Library) -> None:
    assert names(library.stages("in:keep")[-1]) == ["x.md"]
    assert names(library.stages("ext:md")[-1]) == ["next report.md", "report.md", "ships.md"]


def test_the_same_words_in_another_format_are_a_copy(library: Library) -> None:
    hit = library.hit("how many ships did the harbour have in week 3", "report.md")
    assert library.copies(hit) == {"export/harbour.html"}
    assert hit.location.lines is not None
    named = library.hit("harbour.html", "export/harbour.html")
    assert library.copies(named) == {"report.md"}


def test_one_other_number_is_no_copy(library: Library) -> None:
    found = names(library.stages("weeks with ships and degrees")[-1])
    assert {"report.md", "next report.md"} <= set(found)


def test_code_is_more_than_its_words(library: Library) -> None:
    hit = library.hit("sum of two numbers", "c/sum.py")
    assert library.copies(hit) == {"a/sum.py"}
    assert library.hit("sum of two numbers", "b/sum.py").copy_count == 0


def test_what_was_not_read_is_not_folded(library: Library) -> None:
    assert set(names(library.stages("archives zip")[-1])) >= {"one.zip", "two.zip"}


def test_a_wildcard_that_no_name_meets_is_relaxed_with_a_word(library: Library) -> None:
    answers = library.stages("harb*.txt")
    assert [names(answer) for answer in answers] == [["harbour.html"]] * 4
    assert {answer.pattern_relaxed for answer in answers} == {"harb*"}
    assert library.stages("harb*.html")[-1].pattern_relaxed == ""
    assert library.stages("zebra*.txt")[-1].hits == ()


def test_counts_are_of_matches_where_these_are_known(library: Library) -> None:
    assert library.stages("ext:md")[-1].matches == 3
    words, *_, last = (a for a in library.stages("lighthouse") if a.stage != "names")
    assert (words.matches, last.matches) == (None, 1)  # known in the end
    for query in ("income tax of married people", "who won the football match"):
        answer = library.stages(query)[-1]
        assert answer.matches is not None
        assert answer.matches < len(answer.hits)


def test_files_like_one_are_folded_without_itself(library: Library) -> None:
    similar = library.indexer.ports.search.similar(str(library.folder / "keep/x.md"))
    first = similar.hits[0]
    assert os.path.relpath(first.path, library.folder) == "work/ships.md"
    assert library.copies(first) == {"old/ships of the night.md", "work/deep/y.md"}


def test_a_copy_that_changes_is_none(tmp_path: Path) -> None:
    library = Library(tmp_path)
    try:
        library.write("keep/x.md", SHIPS.replace("night", "evening"), 500)
        shutil.rmtree(library.folder / "old")
        library.indexer.ports.library.add_folders([str(library.folder)])
        ledger = library.indexer.index.ledger
        until(lambda: ledger.file(library.folder / "old/ships of the night.md") is None)
        until(lambda: library.indexer.state() == "idle", library.indexer.state)
        hit = library.hit("lighthouse", "work/ships.md")
        assert library.copies(hit) == {"work/deep/y.md"}
        assert library.hit("lighthouse", "keep/x.md").copy_count == 0
    finally:
        library.indexer.close()
