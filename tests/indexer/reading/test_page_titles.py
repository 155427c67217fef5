"""Page titles: the first line that is the page's own."""

from indexer.reading.extract.page_titles import page_titles


def test_running_headers_are_passed_over() -> None:
    pages = [
        f"Annual report 2019 | {n}\nThe Company\nNote {'abcdefgh'[n]}\nText." for n in range(8)
    ]
    assert page_titles(pages) == [f"Note {'abcdefgh'[n]}" for n in range(8)]


def test_running_text_and_numbers_are_no_titles() -> None:
    pages = [
        "which was agreed on before\nResults",
        "1,234 5,678 9,012 (a)\nResults",
        "A sentence that goes on " * 5,
        "Balance sheet\n1 2 3",
        "12\n\n  Statement   of income  \nRevenue 5",
        "",
    ]
    assert page_titles(pages) == ["", "Results", "", "Balance sheet", "Statement of income", ""]


def test_two_pages_may_have_the_same_title() -> None:
    assert page_titles(["Agenda\none", "Agenda\ntwo", "Costs\nthree"]) == [
        "Agenda",
        "Agenda",
        "Costs",
    ]
