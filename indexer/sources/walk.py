"""One walk over a root: meets what is there, compares with the ledger, writes the differences."""

from __future__ import annotations

import errno
import json
import os
import stat as stat_module
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.ledger.ledger import FileRecord, Found, Ledger, Root
from indexer.ledger.left_out import LeftOut
from indexer.ledger.listed import as_listed
from indexer.ledger.records import extension
from indexer.sources import systems
from indexer.sources.beside import tells_of_others, told_of
from indexer.sources.facts import facts_of
from indexer.sources.ignore import OWN_FILE, Ignored, IgnoreRules, Scope
from indexer.sources.left_out import LeftOutMet
from indexer.sources.moves import moves_among
from indexer.sources.presence import Presence, Sight, Sights
from indexer.sources.secret_names import names_digest, secret_name

#: Entries per transaction: names become searchable while the walk goes on.
_BATCH = 2_000
#: Reasons that pass without a trace in size and time.
READ_LATER = ("unreadable", "in-use", "placeholder")


@dataclass(slots=True)
class ScanResult:
    """What a scan found; the ledger says the same already."""

    seen: int = 0  # files that belong to the index
    added: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    moved: list[tuple[int, str, str]] = field(default_factory=list)  # file id, old path, new path
    #: Still on record, but withheld or skipped now: what the store holds of them has to go.
    dropped: list[int] = field(default_factory=list)
    offline: bool = False
    complete: bool = True  # False when it was stopped: nothing was removed then
    errors: list[tuple[str, str]] = field(default_factory=list)  # path, what happened


Known = dict[bytes, tuple[int, int, int, int]]
Progress = Callable[[int], None]


class Walk:
    """One scan: what is still to be met, what is to be written."""

    def __init__(
        self,
        ledger: Ledger,
        root: Root,
        sight: Sight,
        rules: IgnoreRules,
        stop: threading.Event | None,
        on_progress: Progress | None,
        kinds: Mapping[str, str],
    ) -> None:
        self.ledger = ledger
        self.root = root
        self.rules = rules
        self._sight = sight  # the root as it was when the walk began
        self.stop = stop or threading.Event()
        self.on_progress = on_progress
        self.kinds = kinds
        self._began = time.time_ns()
        said = ledger.meta(f"scanned:{root.id}")
        self._first = said is None
        self._beside: list[str] = []  # new, changed and gone files that tell of others
        self._last_began = int(said) if said else self._began  # not told by an older Inkling
        self.known: Known = {}
        self.left_out = LeftOutMet(ledger, root.id)
        self.result = ScanResult()
        self._new: list[Found] = []
        self._changed: list[tuple[int, Found]] = []
        self._kept: list[bytes] = []  # folders that could not be listed
        self._device = sight.device
        self._top = os.fsencode(root.path)
        self._closed = {
            os.fsencode(ledger.path.parent),
            os.fsencode(os.path.realpath(ledger.path.parent)),
        }
        # What left things out at the last complete scan, by the folder it stands in.
        self._last_digests: dict[str, str] = json.loads(ledger.meta(f"rules:{root.id}") or "{}")
        self._digests = {"": f"{rules.digest}-{names_digest()}"}
        self.same_rules = self._last_digests.get("") == self._digests[""]
        self._closed |= {os.fsencode(other.path) for other in ledger.roots() if other.id != root.id}
        self._shut = [os.fsdecode(path) for path in self._closed]

    # -- walking -------------------------------------------------------------------------------

    def folder(self, top: bytes, outer: Scope | None, same: bool) -> None:
        """Meet all that lies below a folder; `outer` is what holds around it, None for the root.

        `same`: what holds around it did so at the last complete scan.
        """
        # A folder, what holds around it, and whether all that is the same as in the last scan.
        stack = [(top, outer, same)]
        while stack:
            if self.stop.is_set():
                self.result.complete = False
                return
            path, around, same = stack.pop()
            entries = self._list(path)
            text = os.fsdecode(path)
            dotted = [os.fsdecode(e.name) for e in entries if e.name.startswith(b".")]
            if around is None:
                scope = self.rules.root_scope(text, dotted)
            else:
                scope = self.rules.inner(around, text, dotted)
            if scope is not around:
                self._digests[text] = scope.digest
            same = same and self._last_digests.get(text) == self._digests.get(text)
            for inner in self._entries(entries, path, scope, same):
                stack.append((inner, scope, same))

    def _list(self, path: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(systems.reachable(path)) as listing:
                return list(listing)
        except FileNotFoundError:
            return []  # gone since its parent was listed, or its drive is: decided at the end
        except OSError as error:
            self._unlisted(path, error, folder=True)
            return []

    def _entries(
        self, entries: Sequence[os.DirEntry[bytes]], folder: bytes, scope: Scope, same: bool
    ) -> list[bytes]:
        """Meet the files of a folder; the folders in it that are to be entered."""
        folders, above, parent = [], systems.prefix(folder), os.fsdecode(folder)
        for entry in entries:
            path = above + entry.name  # its own begins with what made it reachable
            try:
                # What was let in under the same rules is not asked about again: that is most.
                row = self.known.get(path) if same else None
                if row is not None:
                    found = entry.stat(follow_symlinks=False)
                    if row[1:] == facts_of(found) and not self._touched(found):
                        self.result.seen += 1
                        del self.known[path]
                        continue
                is_folder = entry.is_dir(follow_symlinks=False)
                name, link = os.fsdecode(entry.name), entry.is_symlink()
                ignored = scope.decision(parent, name, is_folder)
                if ignored is None:  # no look at what a rule names: those may be many
                    found = entry.stat(follow_symlinks=False)
                    link = systems.is_link(found)
                    if systems.is_hidden(found):
                        ignored = scope.decision(parent, name, is_folder, hidden=True)
                if not self._enters(path, name, is_folder, link, ignored):
                    continue
                found = entry.stat(follow_symlinks=False)  # remembered by the entry
                if not is_folder:
                    self._meet(path, name, found)
                elif self._on_this_disk(path, found):
                    folders.append(path)
            except FileNotFoundError:
                continue  # gone since the listing, or its drive is: decided at the end
            except OSError as error:
                self._unlisted(path, error)
        return folders

    def _enters(
        self, path: bytes, name: str, folder: bool, link: bool, ignored: Ignored | None
    ) -> bool:
        """Whether an entry belongs to the index by rules; what doesn't is noted."""
        if path in self._closed:
            return False  # our own, or another root
        if ignored is not None and (folder or link or not _listed_by_name(ignored, name)):
            self.left_out.by_rule(path, ignored, folder)
            return False
        if link:
            self.left_out.met(path, LeftOut("link", "", "", False))
        return not link

    def _on_this_disk(self, path: bytes, found: os.stat_result) -> bool:
        # A disk mounted in here is a root of its own if it is added: then it may go away without
        # its files counting as deleted.
        same = systems.same_disk(found, self._device)
        if not same:
            self.left_out.met(path, LeftOut("other-disk", "", "", True))
        return same

    def path(self, path: str) -> None:
        """Meet one path as the walk would have met it."""
        raw = os.fsencode(path)
        if raw.startswith(systems.prefix(self._top)):
            listed = as_listed(path, self.root.path)
            if listed != path:  # renamed in capitals alone: what was on record by this name is not
                self._expect(path, raw)
                path, raw = listed, os.fsencode(listed)
        if raw == self._top:
            self.known.update(self.ledger.snapshot(self.root.id))
            self.left_out.expect()
            self.folder(self._top, None, self.same_rules)
            return
        if not raw.startswith(systems.prefix(self._top)):
            return
        record = self._expect(path, raw)
        if record is not None:
            self.readable_again([record])
        try:
            scope = self._scope_of(path)
            found = os.lstat(systems.reachable(path))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._unlisted(raw, error)
            return
        if scope is None:
            return
        name = os.path.basename(path)
        is_folder = stat_module.S_ISDIR(found.st_mode)
        hidden = systems.is_hidden(found)
        ignored = scope.decision(os.path.dirname(path), name, is_folder, hidden)
        if not self._enters(raw, name, is_folder, systems.is_link(found), ignored):
            return
        if not is_folder:
            self._meet(raw, name, found)
        elif self._on_this_disk(raw, found):
            self.folder(raw, scope, False)

    def _expect(self, path: str, raw: bytes) -> FileRecord | None:
        """The walk is about to meet a path and all below it; what is on record of it itself."""
        self.known.update(self.ledger.snapshot(self.root.id, raw))
        self.left_out.expect(raw)
        record = self.ledger.file(path)
        if record is None or record.root_id != self.root.id:
            return None
        self.known[raw] = (record.id, record.size, record.mtime_ns, record.inode)
        return record

    def _scope_of(self, path: str) -> Scope | None:
        """What holds in the folder around a path; None if the walk would not get there."""
        current, scope = self.root.path, self.rules.root_scope(self.root.path)
        for name in os.path.relpath(os.path.dirname(path), self.root.path).split(os.sep):
            if name == os.curdir:
                return scope
            parent, current = current, os.path.join(current, name)
            found = os.lstat(systems.reachable(current))
            if systems.is_link(found) or os.fsencode(current) in self._closed:
                return None
            if not systems.same_disk(found, self._device):
                return None
            if scope.decision(parent, name, True, systems.is_hidden(found)) is not None:
                return None
            scope = self.rules.inner(scope, current)
        return scope

    def _unlisted(self, path: bytes, error: OSError, folder: bool = False) -> None:
        self._kept.append(path)
        said = error.strerror or str(error)
        if path not in self.known:
            if error.errno == errno.ENAMETOOLONG:
                # Nothing below can be asked about: the folder itself stands for it, with its
                # reason.
                self._new.append(Found(path, 0, 0, 0, "other", "failed", "unreadable"))
            else:
                self.left_out.met(path, LeftOut("no-access", "", said, folder))
        self.result.errors.append((os.fsdecode(path), said))

    # -- comparing -----------------------------------------------------------------------------

    def _meet(self, path: bytes, name: str, found: os.stat_result) -> None:
        self.result.seen += 1
        row = self.known.pop(path, None)
        # Under rules that have changed a name may say now that it holds secrets.
        same = row is not None and row[1:] == facts_of(found)
        # What was read and is only in the cloud now is known as it was.
        same = same and (systems.in_cloud(name, found) or not self._touched(found))
        if same and (self.same_rules or not secret_name(name)):
            return
        item = self._found(path, name, found)
        if row is None:
            self._new.append(item)
            if len(self._new) >= _BATCH:
                self._write_new()
        else:
            self._changed.append((row[0], item))
            if len(self._changed) >= _BATCH:
                self._write_changed()

    def _touched(self, found: os.stat_result) -> bool:
        """Whether something was done to a file since the last scan that its time need not tell:
        an edit that puts the time back, or no more than a change of permissions. Its contents
        are compared then. Clocks of other machines may be ahead."""
        return self._last_began < found.st_ctime_ns <= self._began

    def _found(self, path: bytes, name: str, found: os.stat_result) -> Found:
        facts = (path, *facts_of(found))
        kind = self.kinds.get(extension(name), "other")
        if not stat_module.S_ISREG(found.st_mode):
            return Found(*facts, kind, "skipped", "not-regular")
        rule = secret_name(os.fsdecode(path))
        if rule is not None:
            return Found(*facts, kind, "withheld", "secret-name", rule)
        if systems.in_cloud(name, found):
            return Found(*facts, kind, "skipped", "placeholder")
        return Found(*facts, kind)

    # -- writing -------------------------------------------------------------------------------

    def close(self, whole: bool = False) -> ScanResult:
        """Write what is left to write; `whole`: the walk began at the root."""
        self._write_new()
        self._write_changed()
        if self.result.complete and Sight.of(self.ledger, self.root) is None:
            # The drive went away in the middle: what was not met is not gone.
            self.ledger.set_online(self.root.id, False)
            self.result.offline, self.result.complete = True, False
        if not self._sight.holds():
            self.result.complete = False  # another folder stands in its place
        if self.result.complete and whole and not self.same_rules:
            self._no_secret_any_more()
        self.left_out.close(self.result.complete, self._kept)
        if self.result.complete:
            self._write_removed()
            if whole:
                self.ledger.set_meta(f"scanned:{self.root.id}", str(self._began))
            if whole and self._digests != self._last_digests:
                self.ledger.set_meta(f"rules:{self.root.id}", json.dumps(self._digests))
        self._read_told_of()
        self._report()
        return self.result

    def readable_again(self, records: Sequence[FileRecord]) -> None:
        """Take up files that could not be opened and now can, or came from the cloud: no size or
        time tells of that."""
        ids = [
            record.id
            for record in records
            if record.reason in READ_LATER
            and record.root_id == self.root.id
            and _readable(systems.reachable(record.path))
        ]
        if ids:
            self.ledger.requeue(ids)
            self.result.changed.extend(ids)

    def _read_told_of(self) -> None:
        """Take up what was read before its subtitles or XMP came, changed or went."""
        if self._first:
            return
        known = {*self.result.added, *self.result.changed}
        for path in self._beside:
            ids = self.ledger.read_again([*map(os.fsencode, told_of(path, self.kinds))])
            self.result.changed.extend(i for i in ids if i not in known)
            known.update(ids)

    def _no_secret_any_more(self) -> None:
        """Take up files that were withheld by a rule on names that there is no more."""
        withheld = self.ledger.files("withheld", root_id=self.root.id)
        ids = [r.id for r in withheld if r.reason == "secret-name" and not secret_name(r.path)]
        if ids:
            self.ledger.requeue(ids)
            self.result.changed.extend(ids)

    def _report(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.result.seen)

    def _write_new(self) -> None:
        if not self._new:
            return
        found, self._new = self._new, []
        moves = moves_among(self.ledger, found, Sights(self.ledger))
        if moves:
            overwritten = self.ledger.move_files(self.root.id, [(i, item) for i, item, _ in moves])
            self.result.removed.extend(overwritten)
            for file_id, item, old in moves:
                self.known.pop(os.fsencode(old), None)
                self.result.moved.append((file_id, old, os.fsdecode(item.path)))
            moved = {item.path for _, item, _ in moves}
            found = [item for item in found if item.path not in moved]
            for _, item, old in moves:
                self._beside += filter(tells_of_others, (old, os.fsdecode(item.path)))
        self._beside += filter(tells_of_others, (os.fsdecode(item.path) for item in found))
        self.result.added.extend(self.ledger.add_files(self.root, found))
        self._report()

    def _write_changed(self) -> None:
        changes, self._changed = self._changed, []
        if not changes:
            return
        records = self.ledger.files_by_ids([file_id for file_id, _ in changes])
        writes = []
        for file_id, item in changes:
            if item.state == "withheld" and records[file_id].allowed:
                item = Found(item.path, item.size, item.mtime_ns, item.inode, item.kind)
            writes.append((file_id, item))
            self._beside += filter(tells_of_others, (os.fsdecode(item.path),))
            if item.state != "pending":
                self.result.dropped.append(file_id)
        self.ledger.change_files(writes)
        self.result.changed.extend(file_id for file_id, _ in writes)
        self._report()

    def _write_removed(self) -> None:
        """Forget what was known and not met, where that is proven: gone, or left out now."""
        kept = tuple(self._kept)
        below = tuple(systems.prefix(path) for path in kept)
        sight, scopes = self._sight.again(), dict[str, Scope | None]()
        removed = []
        for path, row in self.known.items():
            if kept and (path in kept or path.startswith(below)):
                continue
            found = sight.look(path)
            if found is Presence.GONE or (
                found is Presence.THERE and self._left_out(os.fsdecode(path), scopes)
            ):
                removed.append(row[0])
                self._beside += filter(tells_of_others, (os.fsdecode(path),))
        if not self._sight.holds():
            self.result.complete = False
            return
        self.ledger.mark_removed(removed)
        self.result.removed.extend(removed)

    def _left_out(self, path: str, scopes: dict[str, Scope | None]) -> bool:
        """Whether a file that is there does not belong to the index; if it does, the walk missed
        it: its folder was away for a moment."""
        parent = os.path.dirname(path)
        if any(parent == shut or parent.startswith(shut + os.sep) for shut in self._shut):
            return True
        return left_out(self.rules, self.root.path, path, scopes)


def left_out(rules: IgnoreRules, root: str, path: str, scopes: dict[str, Scope | None]) -> bool:
    """Whether a file that is there is not met by a walk of its root; `scopes` keeps what was found
    about folders."""
    parent, name = os.path.split(path)
    scope = rules.scope_inside(root, parent, scopes)
    try:
        found = os.lstat(systems.reachable(path))
    except OSError:
        return False
    if scope is None or systems.is_link(found) or stat_module.S_ISDIR(found.st_mode):
        return True
    ignored = scope.decision(parent, name, False, systems.is_hidden(found))
    return not (ignored is None or _listed_by_name(ignored, name))


def _readable(path: str) -> bool:
    try:
        return os.access(path, os.R_OK) and not systems.in_cloud(
            os.path.basename(path), os.lstat(path)
        )
    except OSError:
        return False


def _listed_by_name(ignored: Ignored, name: str) -> bool:
    """Whether a file that is left out is on record for its name alone: a .env is withheld, what
    stands for a file in the cloud is hidden, too."""
    by_person = ignored.source == "settings" or OWN_FILE in ignored.source
    return not by_person and (secret_name(name) is not None or systems.is_stub(name))
