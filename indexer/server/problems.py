"""Problems: what is not in the index, or not with all that is in it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.contract.errors import READ_IN_PART, REASONS, InklingError, Reason
from engine.contract.left_out import ALLOW, LEFT_OUT
from indexer.ledger.ledger import FileRecord, Lookups

#: States that may be asked for beside those of files.
PARTLY, LEFT = "partly", "left-out"
_STATES = ("failed", "skipped", "withheld", PARTLY, LEFT)
_OF_PARTS = ("partly-read", READ_IN_PART.code)


def told(
    ledger: Lookups, reason: str | None, state: str | None, rule: str | None, limit: int
) -> dict[str, Any]:
    """The answer of the route: all of it, or the list of one reason, state or rule."""
    _check(reason, state)
    if reason is None and state is None and rule is None:
        counts = ledger.counts()
        return {
            "problems": [_row(record) for record in ledger.problems(limit=limit)],
            "counts": _counts(ledger),
            "partly": [_row(record) for record in ledger.partly_read(limit)],
            "left_out": list(_rules(ledger)),
            "pending": counts.get("pending", 0) + counts.get("seen", 0),
        }
    rows = _listed(ledger, reason, state, rule, limit)
    return {"problems": list(rows)[:limit], "counts": _counts(ledger)}


def _check(reason: str | None, state: str | None) -> None:
    reasons = (*REASONS, READ_IN_PART.code, *LEFT_OUT)
    if reason is not None and reason not in reasons:
        raise InklingError(
            "There is no reason “{reason}”.", hint=", ".join(reasons), told={"reason": reason}
        )
    if state is not None and state not in _STATES:
        raise InklingError(
            "No problem has the state “{state}”.", hint=", ".join(_STATES), told={"state": state}
        )


def _listed(
    ledger: Lookups, reason: str | None, state: str | None, rule: str | None, limit: int
) -> Iterator[dict[str, Any]]:
    # A rule asks for what it leaves out and what it withholds; a reason is of one of the three.
    if state == PARTLY or reason in _OF_PARTS:
        if rule is None and state in (None, PARTLY):
            records = ledger.partly_read(None if reason else limit)
            yield from (row for row in map(_row, records) if reason in (None, row["reason"]))
        return
    if state in (None, LEFT) and (reason is None or reason in LEFT_OUT):
        for path, entry in ledger.left_out(reason, rule, limit):
            yield {
                "path": path,
                "state": LEFT,
                "reason": entry.code,
                "sentence": LEFT_OUT[entry.code].sentence if entry.code in LEFT_OUT else "",
                "detail": ", ".join(filter(None, (entry.rule, entry.source))),
                "retry": False,
                "folder": entry.folder,
            }
    if state != LEFT and reason not in LEFT_OUT:
        yield from map(_row, ledger.problems(reason, state, limit, rule))


def _reason(record: FileRecord) -> Reason:
    return REASONS[record.reason] if record.reason else READ_IN_PART


def _row(record: FileRecord) -> dict[str, Any]:
    reason = _reason(record)
    return {
        "path": record.path,
        "state": record.state,
        "reason": reason.code,
        "sentence": reason.sentence,
        "detail": record.detail,
        "retry": reason.retry,
    }


def _counts(ledger: Lookups) -> dict[str, int]:
    """Files by reason."""
    stay, more = ledger.partly_read_counts()
    parts: Iterable[tuple[str, int]] = zip(_OF_PARTS, (more, stay), strict=True)
    return ledger.reasons() | {code: count for code, count in parts if count}


def _rules(ledger: Lookups) -> Iterator[dict[str, Any]]:
    """What each rule leaves out or withholds."""
    for count in ledger.left_out_counts():
        known = LEFT_OUT.get(count.code)
        yield {
            "reason": count.code,
            "rule": count.rule,
            "source": count.source,
            "sentence": known.sentence if known else "",
            "hint": known.hint if known else "",
            "files": count.files,
            "folders": count.folders,
        }
    for rule, files in ledger.withheld_by_rule().items():
        yield {
            "reason": "secret-name",
            "rule": rule,
            "source": "",
            "sentence": REASONS["secret-name"].sentence,
            "hint": ALLOW,
            "files": files,
            "folders": 0,
        }
