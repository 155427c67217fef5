"""Answers as JSON has them: one form for HTTP, the command line and agents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.contract.types import Answer, Hit


def answer_dict(answer: Answer) -> dict[str, Any]:
    """An answer as JSON has it."""
    return {
        "hits": [hit_dict(hit) for hit in answer.hits],
        "stage": answer.stage,
        "weak": answer.weak,
        "loose": answer.loose,
        "coverage": dict(answer.coverage),
        "took_ms": round(answer.took_ms, 2),
    }


def hit_dict(hit: Hit) -> dict[str, Any]:
    """A hit as JSON has it; what a location or evidence lacks is left out."""
    return {
        "path": hit.path,
        "kind": hit.kind,
        "picture": hit.picture,
        "score": round(hit.score, 5),
        "title": hit.title,
        "snippet": hit.snippet,
        "location": _present(asdict(hit.location)),
        "evidence": [
            {"type": "text", "start": e.start, "end": e.end, "word": e.word}
            if e.type == "text"
            else {"type": "box", "page": e.page, "box": e.box, "word": e.word}
            for e in hit.evidence
        ],
        "lanes": list(hit.lanes),
        "mtime": hit.mtime,
        "size": hit.size,
        "more": [
            {
                "location": _present(asdict(place.location)),
                "snippet": place.snippet,
                "score": round(place.score, 5),
            }
            for place in hit.more
        ],
        "offline": hit.offline,
    }


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
