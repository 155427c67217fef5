"""The accounts of this machine: what their users and groups are called, and who is in which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users with their groups, and names; what has no name is told by its number."""

    groups_of: Mapping[int, frozenset[int]]  # by user: all groups, the first one included
    users: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of_this_machine(cls) -> Self:
        """As the system's own databases say (files, LDAP and what else it asks)."""
        import grp
        import pwd

        people, circles = pwd.getpwall(), grp.getgrall()
        groups_of = {person.pw_uid: {person.pw_gid} for person in people}
        uids = {person.pw_name: person.pw_uid for person in people}
        for circle in circles:
            for name in circle.gr_mem:
                if name in uids:
                    groups_of[uids[name]].add(circle.gr_gid)
        return cls(
            {uid: frozenset(gids) for uid, gids in groups_of.items()},
            # Of two names for a number the first is what the system shows.
            {person.pw_uid: person.pw_name for person in reversed(people)},
            {circle.gr_gid: circle.gr_name for circle in reversed(circles)},
        )

    def user(self, uid: int) -> str:
        """What stands for a user among a file's readers."""
        return f"user:{self.users[uid]}" if uid in self.users else f"uid:{uid}"

    def group(self, gid: int) -> str:
        """The same of a group."""
        return f"group:{self.groups[gid]}" if gid in self.groups else f"gid:{gid}"

    def principals(self, uid: int) -> frozenset[str]:
        """All that stands for a user: reading takes that one of these is among the readers."""
        groups = self.groups_of.get(uid, frozenset())
        return frozenset({EVERYONE, self.user(uid), *map(self.group, groups)})
