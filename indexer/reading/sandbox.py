"""Takes from the own process what a parser of untrusted files does not need, before the first one.

Resource limits everywhere; on Linux also Landlock (no writing outside the scratch folder, reading
only where allowed, no starting of programs, no TCP) and a seccomp filter (no sockets at all, no
programs, no changing of modes and owners). There is no maintained Python library for Landlock and
the one for seccomp needs a system library, so both are called directly; each layer that a kernel
lacks is left out and the rest holds.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_MAX_FILE = 1_000_000_000  # bytes a worker may write into one file

# linux/landlock.h
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same on every architecture
_READ = 1 << 2 | 1 << 3  # READ_FILE, READ_DIR
_READ_FILE, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 1, 1 << 14
_FILE_RIGHTS = _READ_FILE | _WRITE_FILE | _TRUNCATE
#: Access rights the kernel can withhold, by version of its interface; the first has 13.
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
# READ_FILE … MAKE_REG, MAKE_DIR, TRUNCATE: what a scratch folder is for. No links, no devices.
_SCRATCH = _READ | _WRITE_FILE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | _TRUNCATE
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2

#: AUDIT_ARCH and the numbers of: socket execve execveat ptrace io_uring_setup process_vm_readv
#: process_vm_writev bpf mount unshare setns userfaultfd perf_event_open add_key request_key keyctl,
#: then chmod, chown, set…xattr and utime in all their forms, fork and vfork where they exist.
_DENIED: dict[str, tuple[int, list[int]]] = {
    "x86_64": (0xC000003E, [
        41, 59, 322, 101, 425, 310, 311, 321, 165, 272, 308, 323, 298, 248, 249, 250,
        90, 91, 268, 452, 92, 93, 94, 260, 188, 189, 190, 132, 235, 261, 280, 57, 58,
    ]),
    "aarch64": (0xC00000B7, [
        198, 221, 281, 117, 425, 270, 271, 280, 40, 97, 268, 282, 241, 217, 218, 219,
        52, 53, 452, 54, 55, 5, 6, 7, 88,
    ]),
}  # fmt: skip

_ROOT = Path(__file__).resolve().parents[2]
#: Our own packages; not the folder around them, which may hold anything.
_OWN = [str(_ROOT / name) for name in ("engine", "indexer", "resources")]
_SYSTEM = [
    "/usr", "/lib", "/lib64", "/bin", "/opt", "/nix/store",
    "/etc/fonts", "/etc/ssl", "/etc/ld.so.cache", "/etc/mime.types", "/etc/localtime",
    "/etc/nsswitch.conf", "/etc/passwd",
    "/etc/libreoffice", "/var/lib/libreoffice", "/var/spool/libreoffice",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/kernel",
    "/sys/devices/system", "/sys/fs/cgroup", "/dev/urandom", "/dev/zero",
]  # fmt: skip


def limit(address_space: int) -> None:
    """No core dumps, a cap on memory and on file size, the first victim when memory runs out."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_FILE, _MAX_FILE))
    with suppress(OSError, ValueError):  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")


def allow_cpu(seconds: float) -> None:
    """End this process (SIGXCPU) when it computes longer than this from now on, even orphaned."""
    if sys.platform == "win32":
        return
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def confine(
    scratch: Path, readable: Iterable[str], home: str = "", started_in: str = ""
) -> list[str]:
    """Apply what the kernel offers; the layers that hold from now on.

    `readable` are the folders to be read; `home` and `started_in`, the home and the current folder
    of who asks, are not opened by what Python needs to read.
    """
    if not sys.platform.startswith("linux"):
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return []
    layers = []
    if _landlock(libc, scratch, [*system_folders(home, started_in), *readable]):
        layers.append("landlock")
    if _seccomp(libc):
        layers.append("seccomp")
    return layers


def system_folders(home: str = "", started_in: str = "") -> list[str]:
    """What Python, its libraries and their fonts and models are read from.

    Never a folder that is, or holds, the person's home: an environment made right in the home
    folder gives its libraries and not its prefix. Nor a prefix that is or holds `started_in`.
    """
    homes = [home, home_folder()]
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix]
    named = [path for path in prefixes if not _opens(path, [started_in])]
    named += [*_libraries(), *_OWN, *_SYSTEM]
    return list(dict.fromkeys(path for path in named if not _opens(path, homes)))


def home_folder() -> str:
    """The person's home by the list of users: the variable HOME is another one in a worker."""
    try:
        import pwd
    except ImportError:  # Windows, where nothing of this applies
        return os.path.expanduser("~")
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")


def _libraries() -> list[str]:
    """The standard library, and where the packages of this environment and this person are.

    Of what .pth files add only folders of packages: those of somebody's project are not needed.
    """
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    named |= {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")}
    return sorted(filter(None, named))


def _opens(path: str, closed: Iterable[str]) -> bool:
    """Whether reading below `path` would reach one of these folders."""
    real = os.path.realpath(path)
    return any(
        os.path.commonpath((real, os.path.realpath(folder))) == real for folder in closed if folder
    )


def _landlock(libc: ctypes.CDLL, scratch: Path, readable: Iterable[str]) -> bool:
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    rights = _RIGHTS.get(version, _ALL_RIGHTS)
    # handled_access_fs, handled_access_net (TCP bind, connect), scoped (abstract sockets, signals)
    attributes = struct.pack("=Q", rights)
    attributes += struct.pack("=Q", 3) if version >= 4 else b""
    attributes += struct.pack("=Q", 3) if version >= 6 else b""
    ruleset = libc.syscall(
        _CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
    )
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ & rights)
        _allow(libc, ruleset, str(scratch), _SCRATCH & rights)
        _allow(libc, ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE) & rights)
        return bool(libc.syscall(_RESTRICT, ruleset, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there, so there is nothing to allow
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, handle)
        libc.syscall(_ADD_RULE, ruleset, 1, rule, ctypes.c_uint32(0))
    finally:
        os.close(handle)


def _seccomp(libc: ctypes.CDLL) -> bool:
    """A filter that answers EPERM to the denied calls and to all of a foreign architecture."""
    known = _DENIED.get(platform.machine())
    if known is None:
        return False
    architecture, denied = known
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06  # LD|W|ABS, JMP|JEQ|K, JMP|JGE|K, RET|K
    allow, refuse = 0x7FFF0000, 0x00050001  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM
    count = len(denied)
    program = [(load, 0, 0, 4), (equal, 0, count + 3, architecture), (load, 0, 0, 0)]
    program += [(at_least, count + 1, 0, 0x40000000)]  # x32 calls on x86_64
    program += [(equal, count - index, 0, number) for index, number in enumerate(denied)]
    program += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, header, 0, 0) == 0)
