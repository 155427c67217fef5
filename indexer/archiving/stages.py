"""The stages of a fill in one process: read, then encode, a few files at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from indexer.archiving.encoding import UNITS, Encoding, Made
from indexer.archiving.job import Job
from indexer.archiving.reading import Attempts, ReadFile, Reading
from indexer.archiving.survey import Task

#: Files that were read and wait for their encoding, at most.
FILES = 32
Stages = Callable[[Job, Sequence[Task]], Iterator[Made]]


def in_this_process(job: Job, tasks: Sequence[Task]) -> Iterator[Made]:
    """Each file once, in order."""
    reading, encoding = Reading(job, Attempts().begin), Encoding(job)
    try:
        waiting: list[ReadFile] = []
        for task in tasks:
            waiting.append(reading.read(task))
            if len(waiting) >= FILES or sum(len(one.units) for one in waiting) >= UNITS:
                yield from encoding.encode(waiting)
                waiting = []
        yield from encoding.encode(waiting)
    finally:
        reading.close()
        encoding.close()
