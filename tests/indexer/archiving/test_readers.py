"""Who may read a file, held against the kernel's own judgement."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from indexer.archiving.accounts import EVERYONE, Accounts
from indexer.archiving.readers import SourceReaders

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="takes root: files of other users"
)
USERS = tuple(range(61_001, 61_009))
GROUPS = tuple(range(62_001, 62_006))
ACL, VERSION, ENTRY = "system.posix_acl_access", struct.pack("<I", 2), struct.Struct("<HHI")
NOBODY = 0xFFFFFFFF


def packed(
    owner: int,
    users: Sequence[tuple[int, int]],
    group: int,
    groups: Sequence[tuple[int, int]],
    mask: int,
    other: int,
) -> bytes:
    """An access control list as its extended attribute holds it."""
    entries = [
        (0x01, owner, NOBODY),
        *((0x02, bits, uid) for uid, bits in sorted(users)),
        (0x04, group, NOBODY),
        *((0x08, bits, gid) for gid, bits in sorted(groups)),
        (0x10, mask, NOBODY),
        (0x20, other, NOBODY),
    ]
    return VERSION + b"".join(ENTRY.pack(*entry) for entry in entries)


def accounts(chance: random.Random) -> Accounts:
    """Users in up to three groups; some have names."""
    groups_of = {uid: frozenset(chance.sample(GROUPS, chance.randint(0, 3))) for uid in USERS}
    return Accounts(groups_of, {USERS[0]: "anna", USERS[1]: "bert"}, {GROUPS[0]: "staff"})


def shut(path: Path, chance: random.Random) -> None:
    """A random owner, mode and, often, list; half of all grant a lot, so that much is readable."""

    def bits() -> int:
        return chance.choice((7, 7, 5, 4, 1, 0))

    os.chown(path, chance.choice((0, *USERS)), chance.choice((0, *GROUPS)))
    if chance.random() < 0.4:
        os.chmod(path, bits() << 6 | bits() << 3 | bits())
        return
    users = [(uid, bits()) for uid in chance.sample(USERS, chance.randint(0, 3))]
    groups = [(gid, bits()) for gid in chance.sample(GROUPS, chance.randint(0, 3))]
    try:
        os.setxattr(path, ACL, packed(bits(), users, bits(), groups, bits(), bits()))
    except OSError as error:
        pytest.skip(f"no access control lists in {path.parent}: {error}")


def opened_by(uid: int, gids: frozenset[int], paths: Sequence[Path]) -> list[bool]:
    """Which files the kernel lets a user open, asked in a child that is that user."""
    mine, childs = os.pipe()
    child = os.fork()
    if child == 0:
        answer = bytearray()
        try:
            os.close(mine)
            os.setgroups(sorted(gids))
            gid = min(gids, default=69_999)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            for path in paths:
                try:
                    os.close(os.open(path, os.O_RDONLY))
                    answer.append(1)
                except PermissionError:
                    answer.append(0)
            os.write(childs, answer)
        finally:
            os._exit(0)
    os.close(childs)
    with os.fdopen(mine, "rb") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    assert len(told) == len(paths)
    return [bool(one) for one in told]


@pytest.fixture
def open_place(tmp_path: Path) -> Iterator[Path]:
    """A folder that every user can reach."""
    above = [tmp_path, *tmp_path.parents]
    modes = {folder: folder.stat().st_mode for folder in above if folder.stat().st_uid == 0}
    for folder, mode in modes.items():
        if not mode & 0o001:
            folder.chmod(mode | 0o111)
    yield tmp_path
    for folder, mode in modes.items():
        folder.chmod(mode)


@as_root
@pytest.mark.parametrize("seed", range(4))
def test_what_the_kernel_says(open_place: Path, seed: int) -> None:
    chance = random.Random(seed)
    people = accounts(chance)
    paths = []
    for number in range(60):
        folder = open_place / f"{number}"
        inner = folder / "inner"
        inner.mkdir(parents=True)
        path = inner / "file"
        path.touch()
        shut(path, chance)
        for above in (inner, folder):
            if chance.random() < 0.5:
                shut(above, chance)
        paths.append(path)
    source = SourceReaders(people)
    readers = [source.of(str(path)) for path in paths]
    for uid in USERS:
        principals = people.principals(uid)
        said = [bool(principals & some) for some in readers]
        assert said == opened_by(uid, people.groups_of[uid], paths), f"user {uid}, seed {seed}"
    assert any(EVERYONE in some for some in readers)
    assert any(not some & {EVERYONE} and len(some) > 1 for some in readers)


@as_root
def test_a_stranger_gets_no_more_than_the_kernel_gives(open_place: Path) -> None:
    """Whom no account names (a directory that is not listed) is never let in by a group or by
    everyone where the kernel would not."""
    chance = random.Random(9)
    people = Accounts({}, {}, {})
    paths = []
    for number in range(80):
        path = open_place / f"{number}"
        path.touch()
        shut(path, chance)
        paths.append(path)
    source = SourceReaders(people)
    readers = [source.of(str(path)) for path in paths]
    for uid in (69_001, 69_002):
        gids = frozenset(chance.sample(GROUPS, 2))
        principals = {EVERYONE, people.user(uid), *map(people.group, gids)}
        opened = opened_by(uid, gids, paths)
        leaks = [
            path
            for path, some, may in zip(paths, readers, opened, strict=True)
            if principals & some and not may
        ]
        assert not leaks


def test_names_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o600)
    uid = os.getuid()
    source = SourceReaders(Accounts({uid: frozenset()}, {uid: "mara"}, {}))
    assert source.of(str(path)) == {"user:mara"}
    assert SourceReaders(Accounts({}, {}, {})).of(str(path)) == {f"uid:{uid}"}
    assert source.of(str(tmp_path / "none")) == frozenset()


def test_this_machines_accounts() -> None:
    people = Accounts.of_this_machine()
    assert people.user(0) == "user:root"
    assert EVERYONE in people.principals(0)
    assert people.group(0) in people.principals(0)
