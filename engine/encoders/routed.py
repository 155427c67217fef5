"""Where encoding happens: on another machine where one is named and answers, else here.

The same calls as the pool's. What fails elsewhere is done here at once, input by input, and what
came back is kept: nothing is encoded twice in the index, nothing is lost. Where the weights are not
here, it waits until the other machine is back.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.elsewhere import (
    AwayError,
    Elsewhere,
    FindElsewhere,
    Job,
    Made,
    Samples,
    no_samples,
)
from engine.encoders.pool import EncoderPool, State
from engine.encoders.requests import InputsFailedError
from engine.models.files import weights_here
from engine.models.registry import ModelSpec

Place = Literal["here", "elsewhere"]

#: Texts of one request, and characters. Whole messages of the worker: quantised models give what
#: they give in the same company alone, there as here.
_TEXTS, _CHARACTERS = 32, 2_000_000
#: Pictures of one request, and their bytes.
_PICTURES, _PICTURE_BYTES = 4, 16_000_000
#: Requests on their way at once: one is encoded while the other travels.
_AT_ONCE = 2
#: Seconds that a question waits for another machine, where this one could do it, too.
QUESTION_S = 5.0
#: Seconds for passages; a long document has more. Where nothing is here, as long as the worker has.
_PASSAGES_S, _PATIENT_S, _DEADLINE_CHARACTERS = 120.0, 900.0, 16_000
_RATE_S = 60.0  # what a rate is taken over


class Tally:
    """How many inputs were encoded where, of late; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: deque[tuple[float, int, Place]] = deque()
        self.total: dict[Place, int] = {"here": 0, "elsewhere": 0}

    def note(self, count: int, place: Place) -> None:
        """So many were encoded there now."""
        with self._lock:
            self._done.append((time.monotonic(), count, place))
            self.total[place] += count

    def rate(self, place: Place) -> float:
        """A second, over the last minute in which there were any."""
        now = time.monotonic()
        with self._lock:
            while self._done and now - self._done[0][0] > _RATE_S:
                self._done.popleft()
            mine = [(at, count) for at, count, where in self._done if where == place]
        if len(mine) < 2:
            return 0.0
        took = mine[-1][0] - mine[0][0]
        return sum(count for _, count in mine[1:]) / max(took, 1e-3)


class RoutedEncoders:
    """Encodes elsewhere or through the pool of this machine; thread-safe."""

    def __init__(
        self, pool: EncoderPool, elsewhere: Elsewhere, has_weights: Callable[[], bool]
    ) -> None:
        """`has_weights`: whether the pool could encode at all."""
        self.pool, self.elsewhere = pool, elsewhere
        self.spec: ModelSpec = pool.spec
        self.tally = Tally()
        self._has_weights = has_weights
        self._asked: set[Future[Made | None]] = set()  # somebody waits for them
        self._closed = False
        self._fast = False  # elsewhere, as it was told last
        self._notes: tuple[str, ...] = ()
        self._stranded = False  # neither there nor here could the last inputs be encoded

    # What the pool has, too

    @property
    def idle_s(self) -> float:
        return self.pool.idle_s

    @idle_s.setter
    def idle_s(self, seconds: float) -> None:
        self.pool.idle_s = seconds

    @property
    def notes(self) -> list[str]:
        """What a person should know of how it runs now."""
        return [*self.pool.notes, *(self._notes if self.elsewhere.ready() else ())]

    @property
    def fast(self) -> bool:
        """Whether a few dozen texts cost a person no wait."""
        return self.pool.fast or (self._fast and self.elsewhere.ready())

    @property
    def state(self) -> State:
        """As of the pool; "failed", too, where neither machine can encode."""
        return "failed" if self._stranded else self.pool.state

    def wake(self) -> None:
        """Begin to load what encodes questions, where that never sleeps; does not wait."""
        self.pool.wake()

    def pids(self) -> list[int]:
        """Process ids of the workers that live now."""
        return self.pool.pids()

    def close(self) -> None:
        """Stop for good; whoever waits gets an error."""
        self._closed = True
        self.pool.close()
        for asked in list(self._asked):
            with suppress(InvalidStateError):
                asked.set_exception(InklingError("Inkling is stopping."))

    def told(self) -> dict[str, Any]:
        """For a person: where encoding happens, and how many inputs a second."""
        total, rate = self.tally.total, self.tally.rate
        return {
            **self.elsewhere.told(),
            "here": {"encoded": total["here"], "per_second": round(rate("here"), 1)},
            "there": {"encoded": total["elsewhere"], "per_second": round(rate("elsewhere"), 1)},
            "weights_here": self._has_weights(),
        }

    # Encoding

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        """Before any waiting batch; blocks."""
        return list(self.encode_queries_by_adapter(queries, [adapter])[adapter])

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> Mapping[Adapter, list[Encoding]]:
        """Questions for each of several adapters. An awake model is here, and faster than any
        way."""
        if self.spec.awake:
            return self.pool.encode_queries_by_adapter(queries, adapters)
        return {adapter: self._queries(list(queries), adapter) for adapter in adapters}

    def _queries(self, queries: list[str], adapter: Adapter) -> list[Encoding]:
        return self._encode(
            [Job("queries", adapter, queries, True, self._seconds(QUESTION_S))] if queries else [],
            [list(range(len(queries)))],
            lambda left: self.pool.encode_queries([queries[i] for i in left], adapter),
        )

    def encode_texts(
        self, texts: Sequence[TextInput], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """Any number of texts; `urgent` when a person waits for them."""
        items = [[text.text, text.context] for text in texts]
        sizes = [len(text.text) + len(text.context) for text in texts]
        order = sorted(range(len(texts)), key=sizes.__getitem__)
        message = self.spec.texts_per_request
        parts = _cut(order, sizes, message * max(1, _TEXTS // message), _CHARACTERS)
        seconds = self._seconds(QUESTION_S if urgent else _PASSAGES_S)
        return self._encode(
            [Job("texts", adapter, [items[i] for i in part], urgent, seconds) for part in parts],
            parts,
            lambda left: self.pool.encode_texts([texts[i] for i in left], adapter, urgent=urgent),
        )

    def encode_images(
        self, paths: Sequence[str], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """Picture files; `urgent` for a picture that is the query."""

        def here(left: Sequence[int]) -> list[Encoding]:
            return self.pool.encode_images([paths[i] for i in left], adapter, urgent=urgent)

        if not self.elsewhere.ready():
            return self._encode([], [], here, count=len(paths))
        try:
            pictures = [Path(path).read_bytes() for path in paths]
        except OSError as error:
            raise InklingError(
                "The picture {picture} can't be read.",
                told={"picture": error.filename or ""},
            ) from error
        sizes = [len(picture) for picture in pictures]
        parts = _cut(range(len(paths)), sizes, _PICTURES, _PICTURE_BYTES)
        seconds = self._seconds(QUESTION_S if urgent else _PASSAGES_S)
        return self._encode(
            [Job("images", adapter, [pictures[i] for i in p], urgent, seconds) for p in parts],
            parts,
            here,
        )

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        """One document with its chunks, in one request: they share a forward."""
        if not spans:
            return []
        seconds = self._seconds(_PASSAGES_S) * max(1.0, len(text) / _DEADLINE_CHARACTERS)
        items = [text, [list(span) for span in spans], context]
        return self._encode(
            [Job("chunks", adapter, items, deadline_s=seconds)],
            [list(range(len(spans)))],
            # They share a forward: all of them, or none.
            lambda left: self.pool.encode_chunks(text, spans, context, adapter),
            whole=True,
        )

    def _seconds(self, seconds: float) -> float:
        """As long as that where it could be done here instead, else as long as it takes."""
        return seconds if self._has_weights() else _PATIENT_S

    def _encode(
        self,
        jobs: Sequence[Job],
        parts: Sequence[Sequence[int]],
        here: Callable[[Sequence[int]], list[Encoding]],
        *,
        count: int | None = None,
        whole: bool = False,
    ) -> list[Encoding]:
        """All inputs in their order: of `jobs` elsewhere, what is left of them `here`."""
        count = sum(map(len, parts)) if count is None else count
        made: list[Encoding | None] = [None] * count
        failed: dict[int, InklingError] = {}
        for part, answer in zip(parts, self._ask_all(jobs), strict=True):
            if answer is not None:
                for place, position in enumerate(part):
                    made[position] = answer.encodings[place]
                failed |= {part[place]: error for place, error in answer.failed.items()}
        left = [position for position, encoding in enumerate(made) if encoding is None]
        self._stranded = False
        if left:
            done = self._here(range(count) if whole else left, failed, made, here)
            for position, encoding in zip(range(count) if whole else left, done, strict=True):
                made[position] = encoding
        return [encoding for encoding in made if encoding is not None]

    def _ask_all(self, jobs: Sequence[Job]) -> list[Made | None]:
        """What was made elsewhere of each; None where it is away. Some are on their way at once,
        by threads that nobody has to wait for at the end."""
        if not jobs or not self.elsewhere.ready():
            return [None] * len(jobs)
        waiting = deque((job, Future[Made | None]()) for job in jobs)
        asked = [future for _, future in waiting]
        self._asked |= set(asked)
        if self._closed:
            raise InklingError("Inkling is stopping.")
        try:
            for _ in range(min(_AT_ONCE, len(jobs))):
                threading.Thread(
                    target=self._work, args=(waiting,), name="encode-elsewhere", daemon=True
                ).start()
            return [future.result() for future in asked]
        finally:
            self._asked -= set(asked)

    def _work(self, waiting: deque[tuple[Job, Future[Made | None]]]) -> None:
        while waiting and not self._closed:
            try:
                job, future = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                made = self._ask(job)
            except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
                with suppress(InvalidStateError):
                    future.set_exception(error)
            else:
                with suppress(InvalidStateError):
                    future.set_result(made)

    def _ask(self, job: Job) -> Made | None:
        """What was made elsewhere; None where it is away."""
        if not self.elsewhere.ready():
            return None  # a request before this one has just found so
        try:
            made = self.elsewhere.encode(job)
        except AwayError:
            return None
        self.tally.note(sum(one is not None for one in made.encodings), "elsewhere")
        self._fast, self._notes = made.fast, made.notes
        return made

    def _here(
        self,
        positions: Sequence[int],
        failed: Mapping[int, InklingError],
        made: Sequence[Encoding | None],
        here: Callable[[Sequence[int]], list[Encoding]],
    ) -> list[Encoding]:
        """These inputs by the model of this machine, whose word on them is the last."""
        if not self._has_weights():
            if len(failed) == len(positions):  # that machine can't take them, and no other is there
                raise InputsFailedError(dict(failed), made)
            self._stranded = True
            raise stranded(self.spec, self.elsewhere.why())
        try:
            done = here(positions)
        except InputsFailedError as error:  # by their places among all inputs
            whole = list(made)
            for place, encoding in zip(positions, error.encodings, strict=True):
                whole[place] = encoding
            wrong = {positions[place]: each for place, each in error.failed.items()}
            raise InputsFailedError(wrong, whole) from error
        self.tally.note(len(done), "here")
        return done


def stranded(spec: ModelSpec, why: InklingError) -> AwayError:
    """Nothing can be encoded: not there, and not here."""
    return AwayError(
        "{title} can't encode now: {why}",
        hint="Its weights are not on this machine, so that the other one is needed for files and "
        "for questions. Search goes on with names and words.",
        told={"title": spec.title, "why": why.message},
    )


def _cut(order: Sequence[int], sizes: Sequence[int], most: int, room: int) -> list[list[int]]:
    """Runs of so many inputs at most, and of so much of what `sizes` counts."""
    parts: list[list[int]] = []
    full = 0
    for position in order:
        if not parts or len(parts[-1]) == most or full + sizes[position] > room:
            parts.append([])
            full = 0
        parts[-1].append(position)
        full += sizes[position]
    return parts


def routed(
    pool: EncoderPool, base: BaseDir, elsewhere: FindElsewhere | None, samples: Samples = no_samples
) -> EncoderPool | RoutedEncoders:
    """The pool, with another machine before it where there may be one."""
    if elsewhere is None:
        return pool
    there = elsewhere(pool.spec, samples)
    return RoutedEncoders(pool, there, lambda: weights_here(pool.spec, base))
