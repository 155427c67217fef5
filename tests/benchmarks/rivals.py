"""Inkling beside Recoll and plain BM25, over the same files and questions.

    python -m tests.benchmarks.rivals SET_DIR… [--keep DIR]

Sets, and indexes kept, are those of `tests.benchmarks.quality`. BM25 is SQLite's (k1 1.2, b 0.75)
over the text that Inkling read of each file, words stemmed by Porter. Recoll, where `recollindex`
is installed, reads the files itself, as its packages come; questions are asked of it as "any
term", for "all terms" finds next to nothing by a sentence. Prints nDCG@10 and hit@1 of files.
"""

from __future__ import annotations

import argparse
import base64
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote

from indexer.server.lifecycle import Indexer
from tests.benchmarks.quality import Asked, Question, index, measures, questions

Ranking = Callable[[str], Sequence[str]]  # files, best first, for a question


def inkling(indexer: Indexer, corpus: Path) -> Ranking:
    return lambda text: Asked(indexer, corpus, text).ranking("rescored", False)


def bm25(indexer: Indexer, corpus: Path) -> Ranking:
    """Whole files, as one text each."""
    texts: dict[str, list[str]] = defaultdict(list)
    engine = indexer.index.engine
    for file_id in engine.file_ids():
        for row in engine.file_rows(file_id):
            texts[str(Path(row.file.path).relative_to(corpus))].append(row.text)
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE f USING fts5(path UNINDEXED, body, tokenize='porter')")
    table.executemany("INSERT INTO f VALUES (?, ?)", [(p, "\n".join(t)) for p, t in texts.items()])

    def ask(text: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", text))
        if not words:
            return []
        query = "SELECT path FROM f WHERE f MATCH ? ORDER BY bm25(f) LIMIT 10"
        return [path for (path,) in table.execute(query, (words,))]

    return ask


def recoll(corpus: Path, scratch: Path) -> Ranking:
    """Its own index, made now."""
    settings = scratch / "recoll"
    settings.mkdir()
    (settings / "recoll.conf").write_text(f"topdirs = {corpus}\n", encoding="utf-8")
    _run(["recollindex", "-c", str(settings), "-z"])

    def ask(text: str) -> list[str]:
        plain = " ".join(re.findall(r"\w+", text))
        told = _run(
            ["recollq", "-c", str(settings), "-o", "-n", "0-30", "-N", "-F", "url", "--", plain]
        )
        found = []
        for line in told.splitlines():
            if line.startswith("url "):  # and not the question, told first, about an "url"
                url = base64.b64decode(line.removeprefix("url ")).decode("utf-8", "replace")
                found.append(unquote(url).removeprefix(f"file://{corpus}/"))
        return list(dict.fromkeys(found))[:10]

    return ask


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def report(name: str, asked: Sequence[Question], rankings: dict[str, Ranking]) -> None:
    print(f"{name}: {len(asked)} questions")
    for rival, ask in rankings.items():
        told = [(q.grades, list(dict.fromkeys(ask(q.text)))[:10]) for q in asked]
        ndcg = statistics.fmean(measures(grades, found)[0] for grades, found in told)
        first = statistics.fmean(bool(found) and found[0] in grades for grades, found in told)
        print(f"  {rival:8s} nDCG@10 {ndcg:.3f}  hit@1 {first:.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, help="keep Inkling's indexes here for the next run")
    options = parser.parse_args()
    for folder in options.sets:
        neutral = (folder / "corpus_neutral").is_dir()
        corpus = (folder / ("corpus_neutral" if neutral else "corpus")).resolve()
        name = folder.name + ("-neutral" if neutral else "")
        with tempfile.TemporaryDirectory(prefix="inkling-rivals-") as scratch:
            base = (options.keep or Path(scratch)) / name
            base.parent.mkdir(parents=True, exist_ok=True)
            indexer, _ = index(corpus, base)
            try:
                rankings = {"Inkling": inkling(indexer, corpus), "BM25": bm25(indexer, corpus)}
                if shutil.which("recollindex"):
                    rankings["Recoll"] = recoll(corpus, Path(scratch))
                asked = [q for q in questions(folder, neutral) if not q.by_page]
                report(name, asked, rankings)
            finally:
                indexer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
