"""What a picture shows, told from the lines that were read in it."""

import pytest

from engine.contract.types import WordBox
from indexer.reading.screenshot_type import headline, screenshot_types


def lines(text: str) -> str:
    return "\n".join(part.strip() for part in text.split("|"))


@pytest.mark.parametrize(
    ("read", "shown"),
    [
        ("A | B | C | D | 1 | Region | Units | 2 | North | 40", ["spreadsheet worksheet table"]),
        ("B | C | 2 | 3 | 4 | 5 | Create report", ["spreadsheet worksheet table"]),
        ("Rainfall | 0 | 20 | 40 | 60 | 80 | Jan | Feb", ["chart graph"]),
        ("$1,200 | $900 | $600 | $300 | Revenue", ["chart graph"]),
        ("Load | 09:00 | 09:30 | 10:00 | 10:30", ["chart graph"]),
        ("Rent, 40% | Food, 35% | Travel, 25%", ["chart graph"]),
        ("1 | 2 | 3 | 4 | 5 | Steps of the recipe", []),
        ("File | Edit | View | Help | Untitled", ["application window"]),
        ("def f(x): | x = x + 1; | return (x) | print(x); | }", ["source code editor"]),
        ("ada@tower:~/src$ make test | 12 passed", ["terminal command line"]),
        ("$ 20,000 | owed to Ada", []),
        ("From: Ada | To: Grace | Subject: the engine", ["email message"]),
        ("Mon | Tue | Wed | Thu | Fri | Sat | Sun | July", ["calendar"]),
        (
            "Delete this file? | It can't be brought back. | Cancel | Delete",
            ["dialog with buttons"],
        ),
        ("Copy | Ctrl+C | Paste | Ctrl+V", ["menu"]),
        ("In [3]: | total", ["notebook"]),
        ("A walk along the river in the evening", []),
        ("", []),
    ],
)
def test_signs(read: str, shown: list[str]) -> None:
    assert screenshot_types(lines(read)) == shown


def test_a_long_page_with_a_button_is_no_dialog() -> None:
    page = [f"a line of the article, number {n}" for n in range(40)]
    assert screenshot_types("\n".join([*page, "Close", "Cancel"])) == []


def test_the_headline_is_the_topmost_line_of_words() -> None:
    text = "left panel\n12:30\nMonthly report\nfooter"
    tops = {"left": 0.4, "12:30": 0.01, "Monthly": 0.05, "report": 0.06, "footer": 0.9}
    words = [
        WordBox(text.index(word), text.index(word) + len(word), (0.1, top, 0.2, top + 0.02))
        for word, top in tops.items()
    ]
    assert headline(text, words) == "Monthly report"
    assert headline(text, []) == ""
    assert headline("", []) == ""
