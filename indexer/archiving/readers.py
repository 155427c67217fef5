"""Who may read a file: its mode and its access control list, and the same of the folders above.

The kernel asks: the owner, else a user who is named, else any group that matches, else others; the
first of these that fits decides, also where it denies. Readers of an archive are a list without
denials, so it is as long as it must be: where `everyone` or a group would let in somebody whom the
kernel turns away, those whom it lets in are named one by one.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from engine.contract.errors import InklingError
from indexer.archiving.accounts import EVERYONE, Accounts

_READ, _SEARCH = 4, 1
_ACL, _NFS4_ACL = "system.posix_acl_access", "system.nfs4_acl"
_HEAD, _ENTRY, _ACL_VERSION = struct.Struct("<I"), struct.Struct("<HHI"), 2
#: Tags of entries: linux/posix_acl.h.
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
#: What says that a file has no list, or its file system none at all.
_WITHOUT = (errno.ENODATA, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom one file or folder grants what is asked of it."""

    owner: int
    owner_may: bool
    users: tuple[tuple[int, bool], ...]  # named in its list
    groups: tuple[tuple[int, bool], ...]  # its own, and those named in its list
    others_may: bool

    def allows(self, uid: int, gids: frozenset[int]) -> bool:
        """The kernel's own order."""
        if uid == self.owner:
            return self.owner_may
        for user, may in self.users:
            if user == uid:
                return may
        mine = [may for group, may in self.groups if group in gids]
        return any(mine) if mine else self.others_may

    @property
    def allows_all(self) -> bool:
        named = (may for _, may in (*self.users, *self.groups))
        return self.owner_may and self.others_may and all(named)

    def allows_group(self, group: int) -> bool:
        """Whether whoever is in the group is let in, unless it is a user with an own entry."""
        if any(may for other, may in self.groups if other == group):
            return True
        return self.others_may and all(may for _, may in self.groups)


class SourceReaders:
    """Reads modes and lists, each folder once; not for threads."""

    def __init__(self, accounts: Accounts | None = None) -> None:
        if not hasattr(os, "getxattr"):
            raise InklingError(
                "Who may read a file can't be told by modes and access control lists here.",
                hint="Say it in a table: --readers FILE.",
            )
        self._accounts = accounts or Accounts.of_this_machine()
        self._above: dict[str, tuple[Rule, ...]] = {}
        self._known: dict[frozenset[Rule], frozenset[str]] = {}
        self.foreign = 0  # files with lists of a kind that is not understood

    def of(self, path: str) -> frozenset[str]:
        """The readers of a file; none where its mode or list can't be read."""
        try:
            rules = [*self._folders(os.path.dirname(path)), self._rule(path, _READ)]
        except OSError:
            return frozenset()
        asked = frozenset(rule for rule in rules if not rule.allows_all)
        if asked not in self._known:
            self._known[asked] = frozenset(self._readers(asked))
        return self._known[asked]

    def _folders(self, folder: str) -> tuple[Rule, ...]:
        """The rules of a folder and all above it: whoever can't search one gets no further."""
        if folder not in self._above:
            above = os.path.dirname(folder)
            outer = self._folders(above) if above != folder else ()
            own = self._rule(folder, _SEARCH)
            self._above[folder] = outer if own.allows_all else (*outer, own)
        return self._above[folder]

    def _rule(self, path: str, wanted: int) -> Rule:
        found = os.stat(path)
        mode = found.st_mode
        plain = Rule(
            found.st_uid,
            bool(mode >> 6 & wanted),
            (),
            ((found.st_gid, bool(mode >> 3 & wanted)),),
            bool(mode & wanted),
        )
        try:
            packed = os.getxattr(path, _ACL)
        except OSError as error:
            if error.errno not in _WITHOUT:
                raise
            if error.errno == errno.EOPNOTSUPP and _NFS4_ACL in _attributes(path):
                # Its mode is a guess of the server's: only the owner is sure.
                self.foreign += not stat.S_ISDIR(mode)
                return Rule(found.st_uid, plain.owner_may, (), (), False)
            return plain
        # The kernel does not look at a list whose mask grants nothing, and goes by the mode.
        return _listed(plain, packed, wanted) if mode & stat.S_IRWXG else plain

    def _readers(self, rules: frozenset[Rule]) -> Iterator[str]:
        if not rules:
            yield EVERYONE
            return
        known = self._accounts.groups_of
        named = {uid for rule in rules for uid in (rule.owner, *(user for user, _ in rule.users))}
        groups_of = {**{uid: frozenset[int]() for uid in named}, **known}
        may = {
            uid for uid, gids in groups_of.items() if all(rule.allows(uid, gids) for rule in rules)
        }
        covered = set[int]()
        for group in sorted({group for rule in rules for group, _ in rule.groups}):
            members = {uid for uid, gids in groups_of.items() if group in gids}
            if members <= may and all(rule.allows_group(group) for rule in rules):
                covered |= members
                yield self._accounts.group(group)
        for uid in sorted(may - covered):
            yield self._accounts.user(uid)


def _listed(plain: Rule, packed: bytes, wanted: int) -> Rule:
    """The rule of an access control list, as its extended attribute holds it."""
    if len(packed) < _HEAD.size or _HEAD.unpack_from(packed)[0] != _ACL_VERSION:
        raise OSError(errno.EINVAL, "an access control list of an unknown version")
    if (len(packed) - _HEAD.size) % _ENTRY.size:
        raise OSError(errno.EINVAL, "an access control list that is cut off")
    entries = list(_ENTRY.iter_unpack(packed[_HEAD.size :]))
    mask = next((bits for tag, bits, _ in entries if tag == _MASK), 0o7)

    def may(bits: int) -> bool:
        return bool(bits & mask & wanted)

    own = plain.groups[0][0]
    users = tuple((who, may(bits)) for tag, bits, who in entries if tag == _USER)
    groups = tuple(
        (own if tag == _GROUP_OBJ else who, may(bits))
        for tag, bits, who in entries
        if tag in (_GROUP_OBJ, _GROUP)
    )
    others = any(bits & wanted for tag, bits, _ in entries if tag == _OTHER)
    return Rule(plain.owner, plain.owner_may, users, groups, others)


def _attributes(path: str) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError:
        return []
