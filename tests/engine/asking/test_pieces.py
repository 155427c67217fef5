"""An answer is cut into pieces that stand by themselves, however it streams in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.asking.hiding import Visible
from engine.asking.pieces import Piece, Splitter

WHOLE = """Here is what I found:
- The deposit is 1,500.50 € [1]. It is returned on 3. Mai 2019 [2].
- [ ] Dr. Smith said so. [3]
1. First e.g. this [1]

## Steps
| Name | Days |
|:--|--:|
| lease | 30 [2] |

```python
x = a[1]  # hi. there
```
[2]

これは文です。[1]もう一つの文です【2】。 यह है। [3] هل هذا؟ [1] Last one [4, 5]
and goes on in another line [2].
***
> PWNED
See example.com. "Really?" he said [1]. Version 3.5 is out (see [2]). **Note:** this [1].
[1]: file.pdf
"""


def cut(chunks: list[str]) -> list[Piece]:
    splitter = Splitter()
    found = [piece for chunk in chunks for piece in splitter.read(chunk)]
    return found + splitter.end()


def texts(text: str) -> list[str]:
    return [piece.text.strip() for piece in cut([text])]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is due. [1] Then not [2].", ["It is due. [1]", "Then not [2]."]),
        ("It is due [1]. Then not.[2]\n", ["It is due [1].", "Then not.[2]"]),
        ("It costs 3.50 [1]. See a.b.com [2].", ["It costs 3.50 [1].", "See a.b.com [2]."]),
        ("Dr. No lives, e.g. here [1]. Yes.", ["Dr. No lives, e.g. here [1].", "Yes."]),
        ("J. R. R. Tolkien wrote it [1].", ["J. R. R. Tolkien wrote it [1]."]),
        ("Am 3. Mai und am 2. Tag [1]. Gut.", ["Am 3. Mai und am 2. Tag [1].", "Gut."]),
        ("It is 42. It is so [1].", ["It is 42.", "It is so [1]."]),
        ("これは文です。[1]次です。", ["これは文です。[1]", "次です。"]),
        ("هل هذا؟ نعم۔ [1]", ["هل هذا؟", "نعم۔ [1]"]),
        ("यह है। वह है॥ [1]", ["यह है।", "वह है॥ [1]"]),
        ("She said “no.” [1] He left.", ["She said “no.” [1]", "He left."]),
        ("“Really?” she asked [1].", ["“Really?” she asked [1]."]),
        ("A line\nthat goes on [1].\nPWNED", ["A line\nthat goes on [1].", "PWNED"]),
        ("One.\n[1]\nTwo [2].", ["One.\n[1]", "Two [2]."]),
        ("Wait… what [1]? Yes!", ["Wait… what [1]?", "Yes!"]),
        ("etc. [1] Next one [2].", ["etc. [1]", "Next one [2]."]),
    ],
)
def test_where_pieces_end(text: str, found: list[str]) -> None:
    assert texts(text) == found


def test_marks_stand_before_a_piece_and_tell_its_form() -> None:
    found = {piece.text.partition("\n")[0]: piece for piece in cut([WHOLE])}
    forms = {text: (piece.form, piece.item) for text, piece in found.items()}
    assert forms["Here is what I found:"] == ("lead", False)
    assert forms["The deposit is 1,500.50 € [1]."] == ("prose", True)
    assert found["Dr. Smith said so. [3]"].before == "\n- [ ] "
    assert found["First e.g. this [1]"].before == "\n1. "
    assert (found["Steps"].form, found["Steps"].before) == ("lead", "\n\n## ")
    assert forms["Name | Days"] == ("lead", True)
    assert forms["lease | 30 [2]"] == ("prose", True)
    assert found["x = a[1]  # hi. there"].form == "code"
    assert [p.text for p in found.values() if p.form == "nothing"] == [
        "|:--|--:|",
        "***",
        "[1]: file.pdf",
    ]


def chunked(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=80))
@example(list(range(len(WHOLE))))
def test_however_a_text_is_cut_its_pieces_are_the_same(cuts: list[int]) -> None:
    assert cut(chunked(WHOLE, cuts)) == cut([WHOLE])


def letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet='aM1. \n[](*-#|`:?。"、es3)】【>_', max_size=60),
    st.lists(st.integers(0, 60), max_size=60),
)
def test_the_same_of_any_text_and_nothing_is_lost(text: str, cuts: list[int]) -> None:
    whole = cut([text])
    assert cut(chunked(text, cuts)) == whole
    assert cut(list(text)) == whole
    if "```" not in text:
        assert letters("".join(p.before + p.text for p in whole)) == letters(text)


HIDDEN = "A<think>b [1].</think>c<tool_call>{}</tool_call>d <b e[1] [THINK]f[/THINK]g</think>h<|x|>"


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=60))
@example(list(range(len(HIDDEN))))
def test_thoughts_and_calls_of_tools_are_left_out_however_they_are_cut(cuts: list[int]) -> None:
    visible = Visible()
    shown = "".join(visible.read(chunk) for chunk in chunked(HIDDEN, cuts)) + visible.end()
    assert shown == "Acd <b e[1] g\n\nh\n\n"


def test_a_thought_without_end_hides_the_rest() -> None:
    visible = Visible()
    assert visible.read("Yes [1]. <thin") + visible.read("king> no [1].") + visible.end() == (
        "Yes [1]. "
    )
    assert Visible().read("a [TOOL_CALLS][{}] b") == "a "
    harmony = "<|channel|>analysis<|message|>hm<|end|><|channel|>final<|message|>Yes [1]."
    assert Visible().read(harmony) == "Yes [1]."
