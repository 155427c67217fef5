"""The field's benchmarks (ViDoRe, Jina-VDR, CoIR, MTEB, LongEmbed) over Inkling's own encoders, and
over the whole of Inkling, by the mteb package; results are in its own form.

    python -m tests.benchmarks.mteb --model ROW --tasks NAME… [--mode single|truncated|multi|stored]
    python -m tests.benchmarks.mteb --model ROW --benchmark "ViDoRe(v3)"
    python -m tests.benchmarks.mteb --model ROW --folder DIR…     tasks that are here
    … --whole [--sight ROW]                                         all lanes, the corpus as files

Needs `pip install inkling-search[benchmarks]`. What the tasks are made of is fetched by mteb, once;
where there is no network give folders (tests/benchmarks/field/tasks.py says what is in them).
Models are those of the base directory (`inkling model add`), or `--weights` names their folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MALLOC_ARENA_MAX", "2")

import mteb
from mteb.cache import ResultCache

from engine.contract.errors import InklingError
from engine.contract.paths import base_dir
from engine.models.registry import model_spec, spec_for
from engine.models.sizes import as_found
from tests.benchmarks.field.searching import MODES, EncoderSearch, WholeSearch
from tests.benchmarks.field.tasks import task_of


def chosen(options: argparse.Namespace) -> list[Any]:
    """The tasks that are meant; InklingError if there are none."""
    tasks: list[Any] = [task_of(folder) for folder in options.folder]
    if options.tasks:
        tasks += mteb.get_tasks(tasks=options.tasks)
    if options.benchmark:
        tasks += list(mteb.get_benchmark(options.benchmark).tasks)
    if not tasks:
        raise InklingError("No task is named.", hint="Give --tasks, --benchmark or --folder.")
    return tasks


def run(options: argparse.Namespace) -> list[Any]:
    """Results of the tasks, as mteb has them; kept in --results."""
    spec, base = model_spec(options.model), base_dir(options.base_dir)
    cache = ResultCache(cache_path=options.results)
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        search: Any
        if options.whole:
            sight = spec_for("sight", options.sight).id if options.sight else ""
            search = WholeSearch(spec, Path(scratch), sight)
        else:
            found = spec if options.weights else as_found(spec, base)
            search = EncoderSearch(found, base, options.mode, folder=options.weights)
        try:
            told = mteb.evaluate(
                search,
                chosen(options),
                cache=cache,
                overwrite_strategy="always" if options.again else "only-missing",
                show_progress_bar=False,
            )
        finally:
            search.close()
    return list(told.task_results)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--tasks", nargs="*", default=[])
    parser.add_argument("--benchmark")
    parser.add_argument("--folder", type=Path, nargs="*", default=[])
    parser.add_argument("--mode", choices=MODES, default="stored")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--sight", default="", help="with --whole: the model that sees pictures")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--base-dir")
    parser.add_argument("--results", type=Path, default=Path("mteb-results"))
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--again", action="store_true", help="though a result is there")
    try:
        results = run(parser.parse_args(arguments))
    except InklingError as error:
        print(error, file=sys.stderr)
        return 2
    for result in results:
        for split, scores in result.scores.items():
            for score in scores:
                print(
                    f"{result.task_name:40} {split:6} {score['hf_subset']:12}"
                    f" nDCG@10 {score['ndcg_at_10']:.4f}  recall@10 {score['recall_at_10']:.4f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
