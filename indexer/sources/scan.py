"""The scan that is the truth: compares a root with the ledger and notes every difference."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping

from indexer.ledger.ledger import Ledger, Root
from indexer.sources.ignore import IgnoreRules
from indexer.sources.presence import Sight
from indexer.sources.walk import READ_LATER, ScanResult, Walk

__all__ = ["ScanResult", "scan_paths", "scan_root"]


def scan_root(
    ledger: Ledger,
    root: Root,
    rules: IgnoreRules,
    stop: threading.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
) -> ScanResult:
    """Compare a whole root with the ledger; a root that is not there is offline, not empty."""
    sight = Sight.of(ledger, root)
    if sight is None:
        ledger.set_online(root.id, False)
        return ScanResult(offline=True)
    if not root.online or str(sight.device) != root.identity:
        ledger.set_online(root.id, True, str(sight.device))
    walk = Walk(ledger, root, sight, rules, stop, on_progress, kinds or {})
    walk.known = ledger.snapshot(root.id)
    walk.left_out.expect()
    walk.folder(os.fsencode(root.path), None, walk.same_rules)
    for reason in READ_LATER:
        walk.readable_again(ledger.problems(reason=reason))
    return walk.close(whole=True)


def scan_paths(
    ledger: Ledger,
    root: Root,
    paths: Collection[str],
    rules: IgnoreRules,
    stop: threading.Event | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
) -> ScanResult:
    """Compare single files and folders (with all below them) with the ledger."""
    sight = Sight.of(ledger, root)
    if sight is None:
        ledger.set_online(root.id, False)
        return ScanResult(offline=True)
    walk = Walk(ledger, root, sight, rules, stop, None, kinds or {})
    for path in _outermost(paths):
        walk.path(path)
    return walk.close()


def _outermost(paths: Collection[str]) -> Iterator[str]:
    """The paths without those that lie below another."""
    last = None
    for path in sorted(paths, key=lambda path: path.split(os.sep)):
        if last is None or not (path == last or path.startswith(last.rstrip(os.sep) + os.sep)):
            last = path
            yield path
