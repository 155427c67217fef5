"""The part of a passage that a row shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.presentation.highlight import runs
from desktop.presentation.passage import Excerpt, code, prose, without_signs
from desktop.presentation.paths import fitting_folder, printable


def marked(excerpt: Excerpt) -> list[str]:
    return [excerpt.text[a:b] for a, b in excerpt.marks]


def test_white_space_is_one_space_and_marks_move_along() -> None:
    text = "  The \n\n certificate\thas   expired. "
    marks = [(text.index("cert"), text.index("cert") + 11), (text.index("exp"), text.index("."))]
    shown = prose(text, marks, 100)
    assert shown.text.strip() == "The certificate has expired."
    assert marked(shown) == ["certificate", "expired"]


def test_a_late_match_is_brought_into_view() -> None:
    text = "word " * 200 + "needle in the haystack" + " more" * 50
    at = text.index("needle")
    shown = prose(text, [(at, at + 6)], 120)
    assert shown.text.startswith("…")
    assert marked(shown) == ["needle"]
    assert shown.text.index("needle") < 60


@pytest.mark.parametrize("text", ["", " ", "\n", "é" * 500, "a" * 5000])
def test_nothing_breaks(text: str) -> None:
    for marks in ([], [(0, len(text))]):
        for shown in (prose(text, marks, 80), code(text, marks, 2)):
            assert all(0 <= a < b <= len(shown.text) for a, b in shown.marks)


def test_code_keeps_lines_and_drops_common_indentation() -> None:
    text = "class A:\n    def needle(self):\n        return 1\n    x = 2\n"
    at = text.index("needle")
    shown = code(text, [(at, at + 6)], 2)
    assert shown.text == "def needle(self):\n    return 1"
    assert marked(shown) == ["needle"]


def test_syntax_runs_cover_what_they_say() -> None:
    text = 'def f(x):\n    return "a"  # note\n'
    found = {(text[r.start : r.start + r.length], r.role) for r in runs(text, "/x/a.py")}
    assert {("def", "keyword"), ("f", "name"), ("# note", "comment")} <= found
    assert runs(text, "/x/unknown.zzz") == []


NOTE = """# Sourdough, the **version** that works

## Ingredients
- 375 g `flour`
- [x] done
> quoted *share*

| a | b |
|---|:-:|
| c | d |

Title
=====
see [the docs](https://x.example/y) and snake_case_name, 2*3, C#, issue #5"""


def test_signs_of_markdown_are_left_out() -> None:
    shown = prose(NOTE, [], 1_000).text
    assert shown == (
        "Sourdough, the version that works Ingredients · 375 g flour · done quoted share "
        "· a · b c · d · Title see the docs and snake_case_name, 2*3, C#, issue #5"
    )
    for sign in ("##", "**", "==", "|", "`", "["):
        assert sign not in shown


def test_joined_lines_lose_their_signs_too() -> None:
    text = "# Sourdough For one loaf of about 850 g. ## Ingredients - 375 g strong flour"
    assert prose(text, [], 500).text == (
        "Sourdough For one loaf of about 850 g. Ingredients · 375 g strong flour"
    )


SIGNS = st.sampled_from(
    [" ", "\n", "\n# ", "\n## ", " **", "** ", "\n- ", "\n- [ ] ", " | ", "\n|---|\n", " `", "` ",
     "\n====\n", "\n> ", " *", "* ", " _"]
)  # fmt: skip


@given(st.lists(SIGNS, min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_marks_stay_on_their_words(signs: list[str], chosen: set[int]) -> None:
    text, marks, words = "", [], []
    for number, sign in enumerate(signs):
        text += sign
        if number in chosen:
            marks.append((len(text), len(text) + len(f"w{number}")))
            words.append(f"w{number}")
        text += f"w{number}"
    shown, moved = without_signs(text, marks)
    assert [shown[a:b] for a, b in moved] == words
    excerpt = prose(text, marks, 1_000)
    assert marked(excerpt) == words


def test_a_mark_in_a_link_stays() -> None:
    text = "before [the docs](https://x.example) after"
    shown, moved = without_signs(text, [(text.index("docs"), text.index("docs") + 4)])
    assert shown == "before the docs after"
    assert [shown[a:b] for a, b in moved] == ["docs"]


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (21, "~/a/long/way/to/Notes"),
        (20, "…/long/way/to/Notes"),
        (12, "…/to/Notes"),
        (3, "…/Notes"),
    ],
)
def test_of_a_folder_the_end_is_told(room: int, shown: str) -> None:
    assert fitting_folder("~/a/long/way/to/Notes", lambda text: len(text) <= room) == shown


def test_a_passage_begins_with_the_sentence_that_means_what_was_asked() -> None:
    text = "A word stands early. " + "Nothing of it. " * 9 + "The **answer**\nis here. More."
    word, sentence = (2, 6), (text.index("The **"), text.index(" More"))
    shown = prose(text, [word], 60, [sentence])
    assert shown.text.startswith("…The answer is here.")
    assert [shown.text[a:b] for a, b in shown.tints] == ["The answer is here."]
    assert shown.marks == ()
    both = prose("One. Two three.", [(5, 8)], 60, [(5, 15)])
    assert ([both.text[a:b] for a, b in both.tints], marked(both)) == (["Two three."], ["Two"])
    lines = code("a = 1\n    # why\n    b = 2\n", [(0, 1)], 2, [(10, 15)])
    assert lines.text == "# why\nb = 2"
    assert [lines.text[a:b] for a, b in lines.tints] == ["# why"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\tc.txt", "a�b�c.txt"),
        ("bad\udcff.txt", "bad�.txt"),
        ("photo\u202egpj.exe", "photo�gpj.exe"),  # would be read as photoexe.jpg
        ("שלום.pdf", "שלום.pdf"),
    ],
)
def test_a_name_is_one_line_in_its_own_order(name: str, shown: str) -> None:
    assert printable(name) == shown
