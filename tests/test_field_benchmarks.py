"""The field's own benchmark package over Inkling, on tasks made from the sample library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.golden.tiny_retrievers import make

pytest.importorskip("mteb", reason="the extra `benchmarks` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SAMPLE = Path(__file__).resolve().parents[1] / "resources" / "sample" / "library"
Run = Callable[..., tuple[int, dict[str, float]]]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """The sample's notes, each asked by its own first sentence of some length."""
    folder = tmp_path / "sample-notes"
    folder.mkdir()
    corpus, queries, judged = [], [], []
    for number, path in enumerate(sorted(SAMPLE.rglob("*.md"))):
        title, _, text = path.read_text(encoding="utf-8").partition("\n")
        row = {"_id": f"d{number}", "title": title.lstrip("# "), "text": text.strip()}
        corpus.append(row)
        lines = [line for line in text.splitlines() if len(line.split()) > 6]
        if lines:
            asked = " ".join(lines[0].split()[:9])
            queries.append({"_id": f"q{number}", "text": asked})
            judged.append(f"q{number}\td{number}\t1")
    _write(folder, corpus, queries, judged)
    return folder


def _write(
    folder: Path, corpus: list[dict[str, str]], queries: list[dict[str, str]], judged: list[str]
) -> None:
    for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        (folder / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]))


@pytest.fixture
def run(tmp_path: Path, base_root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    from tests.benchmarks import mteb as runner

    def run(*arguments: str) -> tuple[int, dict[str, float]]:
        where = ["--base-dir", str(base_root), "--results", str(tmp_path / "results")]
        code = runner.main([*arguments, *where, "--scratch", str(tmp_path)])
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        return code, {line[0]: float(line[4]) for line in lines if "nDCG@10" in line}

    return run


@pytest.fixture
def base_root(tmp_path: Path) -> Path:
    return tmp_path / "base"


@pytest.mark.parametrize("mode", ["single", "truncated", "multi", "stored"])
def test_an_encoder_is_judged_by_the_package(
    run: Run, notes: Path, tmp_path: Path, mode: str
) -> None:
    code, told = run("--model", "minilm", "--folder", str(notes), "--mode", mode)
    assert code == 0
    assert told["sample-notes"] > 0.8
    [kept] = (tmp_path / "results").rglob("sample-notes.json")
    assert f"minilm-{mode}" in str(kept)
    assert json.loads(kept.read_text())["scores"]["test"][0]["ndcg_at_10"] == pytest.approx(
        told["sample-notes"], abs=1e-4
    )


def test_the_whole_of_inkling_is_judged_alike(run: Run, notes: Path) -> None:
    code, told = run("--model", "minilm", "--folder", str(notes), "--whole")
    assert code == 0
    assert told["sample-notes"] > 0.9


def test_pictures_are_judged_by_what_sees_them(run: Run, tmp_path: Path) -> None:
    folder, weights = tmp_path / "sample-pictures", tmp_path / "ckpt"
    (folder / "images").mkdir(parents=True)
    make("colmodernvbert", weights)
    corpus, queries, judged = [], [], []
    for number, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (64, 48), colour).save(folder / "images" / f"{number}.png")
        corpus.append({"_id": f"d{number}", "image": f"images/{number}.png"})
        queries.append({"_id": f"q{number}", "text": f"a {colour} page"})
        judged.append(f"q{number}\td{number}\t1")
    _write(folder, corpus, queries, judged)
    model = ("--model", "colmodernvbert", "--weights", str(weights))
    code, told = run(*model, "--folder", str(folder), "--mode", "multi")
    assert code == 0
    assert 0.0 < told["sample-pictures"] <= 1.0  # weights made by chance


def test_what_is_no_task_is_said(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--model", "minilm", "--folder", str(tmp_path))[0] == 2
    assert run("--model", "minilm")[0] == 2
