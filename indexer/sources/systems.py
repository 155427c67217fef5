"""What differs by operating system in what a walk meets: pure decisions, each told its system.

`SYSTEM` is the one that this process runs on. Nowhere else below `sources` is that asked, so that
all three are tested on any of them.
"""

from __future__ import annotations

import ntpath
import os
import re
import stat as stat_module
import sys
from collections.abc import Iterable
from typing import AnyStr

from engine.contract import cloud
from engine.contract.file_names import reserved

SYSTEM = sys.platform
WINDOWS, MACOS = "win32", "darwin"

#: Windows: what stands in st_file_attributes.
_HIDDEN = 0x2
#: Of a reparse tag (st_reparse_tag): it stands for another file or folder, as links and junctions
#: do, and files in the cloud, deduplicated or compressed ones don't.
_STANDS_FOR_ANOTHER = 0x20000000
#: Folders that macOS shows as one file and starts, in gitignore's grammar: there a folder that is
#: called so is a program, elsewhere it may be a website's.
_PROGRAMS = ("*.app/", "*.framework/", "*.bundle/", "*.plugin/", "*.kext/")
#: macOS: what stands in st_flags.
_UF_HIDDEN = 0x8000
#: Windows takes no longer path of a folder without the prefix that means "as it is written".
_LONGEST_PATH = 247
_AS_WRITTEN, _SERVER = "\\\\?\\", "\\\\?\\UNC\\"
_REMOTE = re.compile(
    r"nfs4?|cifs|smb[23]?|smbfs|afpfs|webdav|davfs|9p|ceph|vboxsf|(fuse\.)?vmhgfs(-fuse)?|prl_fs"
    r"|fuse\.(sshfs|rclone|glusterfs|s3fs|gvfsd-fuse)"
)
#: Another program has a file, or a part of it, for itself.
_IN_USE = frozenset({32, 33})


def is_link(found: os.stat_result, system: str = SYSTEM) -> bool:
    """Whether an entry leads elsewhere: what is behind it is met where it lies, and no circle is
    walked. On Windows junctions and mounted volumes do, too."""
    if stat_module.S_ISLNK(found.st_mode):
        return True
    return system == WINDOWS and bool(getattr(found, "st_reparse_tag", 0) & _STANDS_FOR_ANOTHER)


def in_cloud(name: str, found: os.stat_result, system: str = SYSTEM) -> bool:
    """Whether opening a file would fetch its contents from elsewhere. Linux has no sign of that;
    what is mounted there from a cloud is another file system, entered only as a root of its own."""
    if system == WINDOWS:
        return cloud.away_on_windows(found)
    return system == MACOS and cloud.away_on_macos(name, found)


def is_stub(name: str, system: str = SYSTEM) -> bool:
    """Whether a hidden name stands for a file in the cloud."""
    return system == MACOS and cloud.is_stub(name)


def left_out_here(system: str = SYSTEM) -> tuple[str, ...]:
    """What is left out by default on this system alone."""
    return _PROGRAMS if system == MACOS else ()


def is_hidden(found: os.stat_result, system: str = SYSTEM) -> bool:
    """Whether the system's file manager leaves an entry out that has an ordinary name."""
    if system == WINDOWS:
        return bool(getattr(found, "st_file_attributes", 0) & _HIDDEN)
    return system == MACOS and bool(getattr(found, "st_flags", 0) & _UF_HIDDEN)


def hidden_at(path: str, system: str = SYSTEM) -> bool:
    """The same of what stands at a path; no look where no system would tell."""
    if system not in (WINDOWS, MACOS):
        return False
    try:
        return is_hidden(os.lstat(reachable(path, system)), system)
    except OSError:
        return False


def inode(found: os.stat_result, system: str = SYSTEM) -> int:
    """What tells a file from all others of its disk, 0 where that is not known: a folder's listing
    on Windows does not tell, so that a look at the file must not either."""
    return 0 if system == WINDOWS else found.st_ino


def same_disk(found: os.stat_result, device: int, system: str = SYSTEM) -> bool:
    """Whether a folder that was listed lies on the disk of the root. On Windows the listing does
    not tell, and another volume shows itself as a link."""
    return system == WINDOWS or found.st_dev == device


def reachable(path: AnyStr, system: str = SYSTEM) -> AnyStr:
    """The path as this system opens it, however long it is and whatever its names are."""
    if system != WINDOWS:
        return path
    text = os.fsdecode(path)
    if not text.startswith(("\\\\?\\", "\\\\.\\")) and (
        len(text) > _LONGEST_PATH or any(map(reserved, text.replace("/", "\\").split("\\")))
    ):
        text = text.replace("/", "\\")
        server = text.startswith("\\\\")
        text = _SERVER + text.removeprefix("\\\\") if server else _AS_WRITTEN + text
    return text if isinstance(path, str) else os.fsencode(text)


def prefix(folder: bytes, system: str = SYSTEM) -> bytes:
    """What the paths below a folder begin with; a drive ends with a separator of its own."""
    separator = b"\\" if system == WINDOWS else b"/"
    return folder.rstrip(separator) + separator


def within(path: str, folder: str, system: str = SYSTEM) -> bool:
    """Whether a resolved path is a resolved folder or lies below it."""
    if system == WINDOWS:  # a path may have been written by whoever asked
        path, folder = ntpath.normcase(path), ntpath.normcase(folder)
    separator = "\\" if system == WINDOWS else "/"
    return path == folder or path.startswith(folder.rstrip(separator) + separator)


def on_network(real: str, mounts: Iterable[tuple[str, str, str]], system: str = SYSTEM) -> bool:
    """Whether a resolved path lies on a file system that others change without telling this system;
    `mounts`: where, of what type, with what options."""
    if system == WINDOWS and real.startswith("\\\\") and not real.startswith(_AS_WRITTEN):
        return True  # a server's share that is no drive
    best, remote = "", False
    for point, kind, options in mounts:
        if within(real, point, system) and len(point) > len(best):
            drive = system == WINDOWS and "remote" in options.split(",")
            best, remote = point, drive or _REMOTE.fullmatch(kind.lower()) is not None
    return remote


def in_use(error: OSError, system: str = SYSTEM) -> bool:
    """Whether a file can't be opened only because another program has it for itself just now."""
    return system == WINDOWS and getattr(error, "winerror", 0) in _IN_USE
