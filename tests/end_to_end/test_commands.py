"""Commands about what is not found: problems, explain, allow, pause; as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Inkling

pytestmark = pytest.mark.slow


def test_from_a_problem_to_its_end(inkling: Inkling, notes: Path) -> None:
    secret = notes / "creds.txt"
    secret.write_text("AKIAQYLPMN5HFIQR7XYA\n")
    (notes / "scan.pdf").write_bytes(b"not a document at all")
    (notes / "draft.tmp").write_text("left behind")
    inkling.ok("add", str(notes), "--wait")

    problems = inkling.ok("problems")
    assert "*.tmp: 1 file" in problems
    assert "draft.tmp" in inkling.ok("problems", "--rule", "*.tmp")
    assert "draft.tmp" in inkling.ok("problems", "--reason", "default")
    assert "Every file" not in problems
    (notes / "draft.tmp").unlink()
    assert "creds.txt" in problems
    assert "AKIA" not in problems
    assert "scan.pdf" in problems
    assert "creds.txt" not in inkling.ok("problems", "--reason", "broken")
    wrong = inkling.run("problems", "--reason", "unlucky")
    assert (wrong.returncode, "secret-content" in wrong.stderr) == (2, True)

    assert "State: withheld" in inkling.ok("explain", str(secret))
    refused = inkling.run("allow", str(notes / "upload.py"))
    assert refused.returncode == 2
    assert "not withheld" in refused.stderr
    assert inkling.ok("allow", str(secret)) == "1 file is indexed from now on.\n"
    inkling.ok("add", str(notes), "--wait")
    assert inkling.json("explain", str(secret))["state"] == "done"
    assert "exact words" in inkling.ok("explain", str(secret), "--query", "bucket key")
    files = [path for path in notes.rglob("*") if path.is_file()]
    folder = inkling.json("explain", str(notes))
    assert folder["state"] == "folder"
    assert f"{len(files) - 1} of its {len(files)} files" in folder["sentence"]  # all but scan.pdf

    (notes / "scan.pdf").unlink()
    inkling.ok("add", str(notes), "--wait")
    assert inkling.ok("problems", "--retry") == "There is nothing to try again.\n"


def test_pause_and_resume(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")
    assert "Paused until" in inkling.ok("pause", "--until", "tomorrow")
    status = inkling.json("status")
    assert status["state"] == "paused"
    assert status["paused_until"] is not None
    inkling.ok("pause")
    assert inkling.json("status")["paused_until"] is None
    inkling.ok("resume")
    assert inkling.json("status")["state"] != "paused"
    assert inkling.run("pause", "--minutes", "0").returncode == 2


def test_questions_are_judged_and_measured(inkling: Inkling, notes: Path) -> None:
    inkling.ok("add", str(notes), "--wait")
    bread = str(notes / "cooking" / "bread.md")
    assert inkling.ok("judge", "how is sourdough baked", bread) == "Noted. 1 answer is judged.\n"
    assert "2 answers" in inkling.ok("judge", "how is sourdough baked", "/nowhere.md", "--wrong")
    assert inkling.ok("judge").splitlines()[0] == "+ how is sourdough baked"
    told = inkling.json("evaluate")
    assert told["questions"] == 1
    assert told["models"][0]["shipped"]["hit_at_10"] == 1.0
    assert "(in use)" in inkling.ok("evaluate")
    refused = inkling.run("evaluate", "--fit")
    assert refused.returncode == 2
    assert "fitting takes 8" in refused.stderr
    assert "as Inkling comes" in inkling.ok("evaluate", "--shipped")
    file = notes.parent / "mine.jsonl"
    file.write_text('{"question": "sourdough", "path": "notes/cooking/bread.md"}\n')
    assert inkling.json("evaluate", str(file))["models"][0]["shipped"]["hit_at_10"] == 1.0
    file.write_text("no judgement\n")
    assert "1 lines that are no judgement" in inkling.run("evaluate", str(file)).stderr
    assert "1 answer is judged" in inkling.ok("judge", "how is sourdough baked", bread, "--forget")
    inkling.ok("judge", "--clear")
    assert inkling.ok("judge") == ""
