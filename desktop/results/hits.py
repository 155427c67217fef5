"""Reads hits and stages from the indexer's JSON: all of the parsing, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.contract.types import Box, Evidence, Hit, Lane, Location, Place, Stage


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the files the answer could see."""

    files: int = 0
    done: int = 0
    pending: int = 0
    complete: bool = True
    message: str = ""


@dataclass(frozen=True, slots=True)
class StageOfAnswer:
    """One stage of an answer, as it came over the wire."""

    hits: tuple[Hit, ...]
    stage: Stage
    weak: bool
    loose: bool
    coverage: Coverage
    took_ms: float


Json = Mapping[str, Any]


def read_stage(data: Json) -> StageOfAnswer:
    """One line of a staged search."""
    known = data.get("coverage") or {}
    return StageOfAnswer(
        hits=tuple(read_hit(hit) for hit in data["hits"]),
        stage=cast(Stage, data.get("stage", "rescored")),
        weak=bool(data.get("weak")),
        loose=bool(data.get("loose")),
        coverage=Coverage(**{k: known[k] for k in Coverage.__slots__ if k in known}),
        took_ms=float(data.get("took_ms", 0.0)),
    )


def read_hit(data: Json) -> Hit:
    """One hit; what an older or newer indexer leaves out has a harmless value."""
    return Hit(
        path=data["path"],
        file_id=int(data.get("file_id", 0)),
        kind=data.get("kind", "other"),
        picture=data.get("picture"),
        score=float(data.get("score", 0.0)),
        title=data.get("title", ""),
        snippet=data.get("snippet", ""),
        location=_location(data.get("location") or {}),
        evidence=tuple(_evidence(e) for e in data.get("evidence", ())),
        lanes=cast("tuple[Lane, ...]", tuple(data.get("lanes", ()))),
        mtime=float(data.get("mtime", 0.0)),
        size=int(data.get("size", 0)),
        more=tuple(
            Place(
                _location(m.get("location") or {}), m.get("snippet", ""), float(m.get("score", 0))
            )
            for m in data.get("more", ())
        ),
        offline=bool(data.get("offline")),
    )


def _location(data: Json) -> Location:
    lines = data.get("lines")
    return Location(
        page=data.get("page"),
        lines=(int(lines[0]), int(lines[1])) if lines else None,
        symbol=data.get("symbol"),
    )


def _evidence(data: Json) -> Evidence:
    box = data.get("box")
    return Evidence(
        type=data["type"],
        start=int(data.get("start", 0)),
        end=int(data.get("end", 0)),
        page=data.get("page"),
        box=cast(Box, tuple(map(float, box))) if box else None,
        word=data.get("word") or "",
    )
