"""Which files the ledger calls copies of one another, and in which order."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from engine.contract.types import Filters, Unit
from indexer.ledger import copies
from indexer.ledger.ledger import Done, Ledger, Root
from indexer.reading.same_text import FEWEST_WORDS, text_hash
from tests.indexer.ledger.noted_files import add, done


def note(ledger: Ledger, *items: Done) -> None:
    assert ledger.finish(items, 1) == []


def groups(ledger: Ledger, ids: list[int], filters: Filters | None = None) -> list[list[str]]:
    found = ledger.copies(ids, filters)
    return [[os.path.basename(file.path) for file in group.files] for group in found]


def test_the_newest_copy_comes_first(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a.md", "b.md", "c.md", "alone.md", "pending.md")
    note(ledger, *(done(i, content_hash="same") for i in ids[:3]), done(ids[3], content_hash="x"))
    assert groups(ledger, ids) == [["c.md", "b.md", "a.md"]]
    assert groups(ledger, [ids[0]]) == [["c.md", "b.md", "a.md"]]
    assert groups(ledger, [ids[3], ids[4]]) == []
    assert groups(ledger, []) == []


def test_one_whose_drive_is_here_comes_before_a_newer_one(
    ledger: Ledger, root: Root, tmp_path: Path
) -> None:
    (here,) = add(ledger, root, "here.md")
    (tmp_path / "drive").mkdir()
    other = ledger.add_root(tmp_path / "drive")
    (away,) = add(ledger, other, "away.md")
    note(ledger, done(here, content_hash="same"), done(away, content_hash="same"))
    assert groups(ledger, [here]) == [["away.md", "here.md"]]
    ledger.set_online(other.id, False)
    assert groups(ledger, [here]) == [["here.md", "away.md"]]


def test_what_is_not_read_any_more_is_no_copy(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a.md", "b.md", "c.md")
    note(ledger, *(done(i, content_hash="same") for i in ids))
    ledger.set_state(ids[1], "withheld", "secret-name")
    assert groups(ledger, ids) == [["c.md", "a.md"]]
    ledger.requeue([ids[0]])
    assert groups(ledger, ids) == []


def test_filters_hold_for_each(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "work/a.md", "work/b.md", "old/c.md")
    note(ledger, *(done(i, content_hash="same") for i in ids))
    assert groups(ledger, ids, Filters(folders=("work",))) == [["b.md", "a.md"]]
    assert groups(ledger, ids, Filters(folders=("old",))) == []


def test_same_bytes_and_same_words_are_one_group(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, "a.md", "b.md", "c.html", "d.html", "e.md")
    hashes = (("1", None), ("1", "words"), ("2", "words"), ("2", None), ("3", None))
    note(
        ledger,
        *(
            replace(done(i, content_hash=content), text_hash=text)
            for i, (content, text) in zip(ids, hashes, strict=True)
        ),
    )
    assert groups(ledger, ids) == [["d.html", "c.html", "b.md", "a.md"]]


def test_of_very_many_the_newest_are_told(ledger: Ledger, root: Root) -> None:
    ids = add(ledger, root, *(f"{n}.md" for n in range(copies.MOST + 50)))
    note(ledger, *(done(i, content_hash="same") for i in ids))
    (group,) = groups(ledger, [ids[-1]])
    assert (group[0], len(group)) == (f"{copies.MOST + 49}.md", copies.MOST)
    (group,) = groups(ledger, ids[:2])  # old ones are in it, too
    assert "0.md" in group


WORDS = " ".join(f"word{n}" for n in range(FEWEST_WORDS))


def of(text: str, kind: str = "note", overlap: int = 0) -> str | None:
    cut = text.index(" ", len(text) // 2)
    units = [
        Unit(1, 0, kind, text[:cut]),
        Unit(1, 1, kind, text[cut - overlap :], overlap=overlap),
    ]
    return text_hash(kind, units)


def test_the_form_of_a_text_does_not_count() -> None:
    assert of(WORDS) is not None
    marked = f"# **{WORDS.upper()}**!".replace(" ", "\n\n* ", 5)
    assert text_hash("note", [Unit(1, 0, "note", marked)]) == text_hash(
        "pdf", [Unit(1, 0, "pdf", WORDS)]
    )
    assert of(WORDS, overlap=9) == of(WORDS)


def test_what_a_text_says_does_count() -> None:
    for other in ("-5", "6", "five", "5.5", "5 not", "not 5"):
        assert of(f"{WORDS} 5") != of(f"{WORDS} {other}"), other
    assert of(f"{WORDS} a 5 - 3") == of(f"{WORDS} a 5 – 3")


def test_where_words_do_not_tell_files_apart() -> None:
    few = WORDS.rpartition(" ")[0]
    assert of(few) is None
    assert [of(WORDS, kind) for kind in ("code", "image", "screenshot", "other")] == [None] * 4
    assert text_hash("pdf", [Unit(1, 0, "pdf", WORDS), Unit(1, 1, "image", "")]) is None
