"""What is left out: gitignore's grammar, from the defaults, the folders' own files and settings."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from indexer.sources.git_index import repository_of, tracked_files
from indexer.sources.systems import SYSTEM, hidden_at, left_out_here

OWN_FILE = ".inklingignore"
GIT_FILE = ".gitignore"
#: Files whose change changes what is left out below their folder.
RULE_FILES = frozenset({OWN_FILE, GIT_FILE})
#: Larger ones are no ignore files.
_MAX_BYTES = 1_000_000
_SPECIAL = re.compile(r"[*?\[\]\\!/]")
_ANYWHERE = "^(?:.+/)?"


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rule by which a file or folder is left out, and where it stands."""

    rule: str
    source: str  # "defaults", "settings", or a file and its line


class Patterns:
    """The patterns of one source, compiled so that most names cost a few dictionary look-ups."""

    def __init__(
        self, lines: Iterable[str], source: str, base: str = "", sep: str = os.sep
    ) -> None:
        """`base`: the folder that they are relative to; without one, the root of all files."""
        lines = list(lines)
        self.source, self._sep = source, sep
        self.digest = hashlib.blake2b(
            "\n".join(lines).encode("utf-8", "surrogateescape"), digest_size=8
        ).hexdigest()
        #: Characters before the part relative to base.
        self._skip = len(base.rstrip(sep)) + 1 if base else 0
        self._rules: list[tuple[str, int, bool]] = []  # pattern, line, whether it leaves out
        self._files, self._folders = _Index(), _Index()
        for number, line in enumerate(lines, start=1):
            self._add(line.rstrip(), number)
        self._files.compile()
        self._folders.compile()

    def __bool__(self) -> bool:
        return bool(self._rules)

    def _add(self, line: str, number: int) -> None:
        try:
            regex, include = GitIgnoreSpecPattern.pattern_to_regex(_as_git_reads(line))
        except GitIgnorePatternError:
            return  # git, too, ignores a line it can't read
        if regex is None or include is None:
            return
        position = len(self._rules)
        self._rules.append((line, number, bool(include)))
        pattern = line.removeprefix("!")
        self._folders.add(position, pattern.rstrip("/"), regex)
        if not pattern.endswith("/"):
            self._files.add(position, pattern, regex)

    def match(self, parent: str, name: str, folder: bool) -> int:
        """The position of the last pattern that matches an entry of `parent`, -1 if none does."""
        index = self._folders if folder else self._files
        best = index.by_name(name, folder)
        if index.paths:
            path = f"{parent.rstrip(self._sep)}/{name}".replace(self._sep, "/")
            # From the root on a path begins with a slash, a drive, or a server's two slashes.
            relative = path[self._skip :] if self._skip else path.lstrip("/")
            best = max(best, index.by_path(relative + "/" if folder else relative))
        return best

    def leaves_out(self, position: int) -> bool:
        return self._rules[position][2]

    def ignored(self, position: int) -> Ignored:
        rule, number, _ = self._rules[position]
        numbered = self.source not in ("defaults", "settings")
        return Ignored(rule, f"{self.source}:{number}" if numbered else self.source)


class _Index:
    """Patterns by how they are looked up: literal names, endings, and regular expressions."""

    def __init__(self) -> None:
        self.literals: dict[str, int] = {}
        self.endings: dict[str, int] = {}
        self.hidden = -1
        self.names: list[tuple[int, re.Pattern[str]]] = []
        self.paths: list[tuple[int, re.Pattern[str]]] = []
        self.any_name: Callable[[str], object] | None = None

    def add(self, position: int, pattern: str, regex: str) -> None:
        if pattern == ".*":
            self.hidden = position
        elif not _SPECIAL.search(pattern):
            self.literals[pattern] = position
        elif pattern.startswith("*.") and _is_plain(pattern[2:]):
            self.endings[pattern[1:]] = position
        elif regex.startswith(_ANYWHERE) and "/" not in pattern.removeprefix("**/"):
            self.names.append((position, re.compile(_whole("^" + regex.removeprefix(_ANYWHERE)))))
        else:
            self.paths.append((position, re.compile(_whole(regex))))

    def compile(self) -> None:
        self.names.reverse()
        self.paths.reverse()
        if self.names:
            self.any_name = re.compile("|".join(regex.pattern for _, regex in self.names)).match

    def by_name(self, name: str, folder: bool) -> int:
        # Every entry of every walk comes by here: comparisons, for calls would double the time.
        best = self.literals.get(name, -1)
        dot = name.rfind(".")
        if dot >= 0:
            ending = self.endings.get(name[dot:], -1)
            if ending > best:
                best = ending
            if dot == 0 or name[0] == ".":
                best = max(best, self.hidden)
        if self.any_name is not None:
            slashed = name + "/" if folder else name
            if self.any_name(slashed):
                hit = next(position for position, regex in self.names if regex.match(slashed))
                best = max(best, hit)
        return best

    def by_path(self, relative: str) -> int:
        for position, regex in self.paths:
            if regex.match(relative):
                return position
        return -1


def _as_git_reads(line: str) -> str:
    """pathspec 1.1 takes "a/**/" for the folder itself, git for the folders inside it. That a line
    begins with a server's two slashes says no more than one does."""
    line = "/" + line.lstrip("/") if line.startswith("//") else line
    return f"{line}*/" if line.endswith("/**/") else line


def _is_plain(ending: str) -> bool:
    return "." not in ending and not _SPECIAL.search(ending)


def _whole(regex: str) -> str:
    """pathspec's expression made to match a path itself and not what lies below it as well.

    The walk asks about every folder on the way; a folder's path ends with a slash here.
    """
    regex = regex.replace("(?:(?P<ps_d>/)|$)", "/?$").replace("(?P<ps_d>/)", "/$")
    if not regex.startswith("^"):  # "*/": any folder
        regex = f"^.*{regex}"
    return f"(?s:{regex}.)" if regex.endswith("/") else f"(?s:{regex})"


def _rule_files_in(folder: str) -> list[str]:
    candidates = (OWN_FILE, GIT_FILE, ".git")
    return [name for name in candidates if os.path.lexists(os.path.join(folder, name))]


@cache
def default_patterns(hidden: bool = False, system: str = SYSTEM) -> Patterns:
    """The shipped defaults; `hidden`: without the rule that leaves hidden files out."""
    text = resources.files("resources").joinpath("ignore/defaults.txt").read_text("utf-8")
    lines = [*text.splitlines(), *left_out_here(system)]
    return Patterns([line for line in lines if not (hidden and line == ".*")], "defaults")


class Scope:
    """The patterns that hold inside one folder and, unless it says otherwise, below it."""

    __slots__ = ("defaults", "git", "own", "shut", "tracked")

    def __init__(
        self,
        own: tuple[Patterns, ...],
        git: tuple[Patterns, ...],
        defaults: Patterns,
        tracked: Tracked | None = None,
        shut: Ignored | None = None,
    ) -> None:
        self.own = own  # settings, then .inklingignore files, innermost first
        self.git = git  # .gitignore files, innermost first, then .git/info/exclude
        self.defaults = defaults
        self.tracked = tracked  # by git, of the repository around
        self.shut = shut  # the rule by which git leaves the folder out but for what it tracks

    @property
    def digest(self) -> str:
        held = "-".join(patterns.digest for patterns in (*self.own, *self.git))
        return f"{held}-{self.tracked.digest}" if self.git and self.tracked else held

    def decision(
        self, parent: str, name: str, folder: bool, hidden: bool = False
    ) -> Ignored | None:
        """Why an entry of the folder is left out, if it is; `hidden`: by the system, not its name.

        What a person writes for Inkling goes before all else. "!pattern" in a .gitignore says what
        git should track and brings nothing back that the defaults leave out.
        """
        for patterns in self.own:
            position = patterns.match(parent, name, folder)
            if position >= 0:
                return patterns.ignored(position) if patterns.leaves_out(position) else None
        ignored = self.by_git(parent, name, folder)
        if ignored is not None and not (self.tracked and self.tracked.holds(parent, name)):
            return ignored
        position = self.defaults.match(parent, name, folder)
        if position < 0 and hidden:  # as if it began with a dot
            position = self.defaults.match(parent, ".", folder)
        if position >= 0 and self.defaults.leaves_out(position):
            return self.defaults.ignored(position)
        return None

    def by_git(self, parent: str, name: str, folder: bool) -> Ignored | None:
        """The rule by which git leaves an entry out that it was not told to track."""
        if self.shut is not None:
            return self.shut
        for patterns in self.git:
            position = patterns.match(parent, name, folder)
            if position >= 0:
                return patterns.ignored(position) if patterns.leaves_out(position) else None
        return None


class Tracked:
    """What git tracks of one repository; read when it is first asked for."""

    def __init__(self, top: str, index: str) -> None:
        self._skip = len(top.rstrip(os.sep)) + 1
        self._index = index
        self._paths: frozenset[str] | None = None
        try:
            found = os.stat(index)
            self.digest = f"{found.st_mtime_ns:x}.{found.st_size:x}"
        except OSError:
            self.digest = ""

    def holds(self, parent: str, name: str) -> bool:
        """Whether an entry of a folder is tracked, or a folder around something that is."""
        if self._paths is None:
            self._paths = tracked_files(self._index)
        path = f"{parent}/{name}"[self._skip :]
        return path.replace(os.sep, "/") in self._paths


class IgnoreRules:
    """One matcher for the walk and for single paths; remembers the files it has parsed."""

    def __init__(
        self, patterns: Iterable[str] = (), *, gitignore: bool = True, hidden: bool = False
    ) -> None:
        settings = Patterns(patterns, "settings")
        self._settings = (settings,) if settings else ()
        self._gitignore = gitignore
        self._defaults = default_patterns(hidden)
        self._parsed: dict[str, tuple[tuple[int, int], Patterns]] = {}
        self._tracked: dict[str, Tracked] = {}

    def root_scope(self, root: str, names: Collection[str] | None = None) -> Scope:
        """What holds directly inside a root; `names` spares a look at what it holds."""
        outer = Scope(self._settings, (), self._defaults)
        for folder in self._repository_above(root) if self._gitignore else ():
            outer = self._inside_git(outer, folder, _rule_files_in(folder))
        return self.inner(outer, root, names)

    def _repository_above(self, root: str) -> list[str]:
        """The folders from the top of the repository that a root lies in down to it, without
        itself. One over a home keeps settings, and its rules leave out all else."""
        folders: list[str] = []
        folder, home = root, os.path.realpath(os.path.expanduser("~"))
        while not os.path.lexists(os.path.join(folder, ".git")):
            above = os.path.dirname(folder)
            if above in (folder, home):
                return []
            folders.append(above)
            folder = above
        return folders[::-1]

    def _inside_git(self, outer: Scope, folder: str, names: Collection[str]) -> Scope:
        """The outer scope with what git's files in a folder say, no others."""
        git, tracked, shut = outer.git, outer.tracked, outer.shut
        if ".git" in names and (own := repository_of(folder)):
            # A repository of its own: the outer one's files end here.
            git = self._file(folder, os.path.join(own, "info", "exclude"))
            tracked, shut = self._tracked_in(folder, os.path.join(own, "index")), None
        if GIT_FILE in names:
            git = (*self._file(folder, GIT_FILE), *git)
        if git is outer.git and tracked is outer.tracked:
            return outer
        return Scope(outer.own, git, outer.defaults, tracked, shut)

    def _tracked_in(self, top: str, index: str) -> Tracked:
        fresh = Tracked(top, index)
        known = self._tracked.get(index)
        if known is None or known.digest != fresh.digest:
            self._tracked[index] = known = fresh
        return known

    def inner(self, outer: Scope, folder: str, names: Collection[str] | None = None) -> Scope:
        """What holds inside a folder, given what holds inside the one around it.

        `names`: at least those entries of the folder that begin with a dot.
        """
        shut = None
        if outer.tracked is not None:  # let in although a rule of git names it
            shut = outer.by_git(*os.path.split(folder), True)
        if shut is not outer.shut:
            outer = Scope(outer.own, outer.git, outer.defaults, outer.tracked, shut)
        if names is None:
            names = _rule_files_in(folder)
        if not names:
            return outer
        scope = outer
        if OWN_FILE in names:
            split = len(self._settings)
            own = (*outer.own[:split], *self._file(folder, OWN_FILE), *outer.own[split:])
            scope = Scope(own, outer.git, outer.defaults, outer.tracked, outer.shut)
        return self._inside_git(scope, folder, names) if self._gitignore else scope

    def scope_inside(self, root: str, folder: str, known: dict[str, Scope | None]) -> Scope | None:
        """What holds inside a folder of a root, None if the walk does not enter it.

        `known` keeps the answers, also those about the folders above.
        """
        if folder not in known:
            parent, name = os.path.split(folder)
            if folder == root:
                known[folder] = self.root_scope(root)
            else:
                outer = self.scope_inside(root, parent, known)
                left_out = outer is None or (
                    outer.decision(parent, name, True, hidden_at(folder)) is not None
                )
                known[folder] = None if outer is None or left_out else self.inner(outer, folder)
        return known[folder]

    @property
    def digest(self) -> str:
        """Another value means that other files may be left out, wherever they lie."""
        sources = (*self._settings, self._defaults)
        return "-".join([str(self._gitignore), *(patterns.digest for patterns in sources)])

    def decision(self, root: str, path: str, folder: bool) -> Ignored | None:
        """Why a path below a root is left out, if it is: by its own name or a folder's above it."""
        scope = self.root_scope(root)
        parts = os.path.relpath(path, root).split(os.sep)
        current = root
        for number, name in enumerate(parts, start=1):
            last = number == len(parts)
            hidden = hidden_at(os.path.join(current, name))
            ignored = scope.decision(current, name, folder or not last, hidden)
            if ignored is not None or last:
                return ignored
            current = os.path.join(current, name)
            scope = self.inner(scope, current)
        return None

    def _file(self, folder: str, name: str) -> tuple[Patterns, ...]:
        path = os.path.join(folder, name)
        try:
            stat = os.stat(path)
            facts = (stat.st_mtime_ns, stat.st_size)
            known = self._parsed.get(path)
            if known is not None and known[0] == facts:
                return (known[1],) if known[1] else ()
            if stat.st_size > _MAX_BYTES:
                return ()
            with open(path, encoding="utf-8", errors="surrogateescape") as stream:
                patterns = Patterns(stream, path, folder)
        except OSError:
            return ()
        self._parsed[path] = (facts, patterns)
        return (patterns,) if patterns else ()
