"""What a person judged is kept, taken back and forgotten, for its owner alone."""

from __future__ import annotations

import os
import stat

from engine.contract.judgements import Judgement, Judgements
from engine.contract.paths import BaseDir


def test_the_last_word_on_an_answer_holds(base: BaseDir) -> None:
    kept = Judgements(base.create())
    first = Judgement("where do we retry", "/a.py")
    kept.note(first)
    kept.note(Judgement("where do we retry", "/b.pdf", 3))
    kept.note(Judgement("where do we retry", "/a.py", right=False))
    assert [(j.label, j.right) for j in kept.all()] == [("/b.pdf#3", True), ("/a.py", False)]
    assert all(j.at > 0 for j in kept.all())
    assert stat.S_IMODE(os.stat(kept.path).st_mode) == 0o600
    assert kept.take_back(first)
    assert not kept.take_back(first)
    assert [j.label for j in kept.all()] == ["/b.pdf#3"]


def test_files_are_forgotten_with_their_questions(base: BaseDir) -> None:
    kept = Judgements(base.create())
    kept.forget(lambda path: True)
    for n in range(4):
        kept.note(Judgement(f"secret {n}", f"/x/{n % 2}.md"))
    kept.forget(lambda path: path == "/x/0.md")
    assert {j.path for j in kept.all()} == {"/x/1.md"}
    assert b"secret 2" not in kept.path.read_bytes()
    kept.clear()
    assert kept.all() == []


def test_a_line_that_is_none_is_passed_over_and_names_of_any_bytes_are_kept(base: BaseDir) -> None:
    kept = Judgements(base.create())
    odd = os.fsdecode(b"/x/\xff.md")
    kept.note(Judgement("q", odd))
    with kept.path.open("ab") as file:
        file.write(b"{broken\n")
    assert [j.path for j in kept.all()] == [odd]
