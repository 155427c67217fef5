"""Ignore rules: git itself is the judge of the grammar; the rest is what Inkling adds."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from indexer.sources.ignore import IgnoreRules, Patterns, default_patterns

GIT = shutil.which("git")


def make(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def ignored_by_git(root: Path, paths: list[str]) -> set[str]:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=environment)
    done = subprocess.run(
        ["git", "-C", str(root), "check-ignore", "-z", "--no-index", "--stdin"],
        input="\0".join(paths),
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode in (0, 1), done.stderr
    return set(filter(None, done.stdout.split("\0")))


NAMES = ["a", "b", "foo", "bar", "build", "x.py", "x.pyc", "y.txt", "z.tar.gz", "#h", "!k", "q q"]
PATTERNS = [
    "foo", "foo/", "/foo", "*.py", "*.py[co]", "!x.py", "build/", "!build/", "a/b", "/a/*", "a/**",
    "**/bar", "a/**/bar", "**/a/b", "*.tar.gz", "*", "!*/", "!*.txt", "?", "[ab]", "[!ab]", "\\#h",
    "\\!k", "q q", "q\\ q", "# comment", "", "   ", "foo/*", "!foo/b", "/*", "!/a", "*/b", "*a*",
    "**", "a/", "**/", "b/**/", "x.*", ".", "[", "a/*/b", "**/foo/**", "y.txt ", "/build/x.py",
]  # fmt: skip


@pytest.mark.skipif(GIT is None, reason="needs git")
@pytest.mark.parametrize("seed", range(25))
def test_the_grammar_is_gits(tmp_path: Path, seed: int) -> None:
    """Random patterns in nested files, random paths: the same answers as `git check-ignore`."""
    chance = random.Random(seed)
    root = tmp_path / "r"
    root.mkdir()
    folders, files = {root}, set()
    for _ in range(40):
        parent = chance.choice(sorted(folders))
        path = parent / chance.choice(NAMES)
        if path in folders or path in files:
            continue
        if chance.random() < 0.5:
            path.mkdir()
            folders.add(path)
        else:
            path.write_text("")
            files.add(path)
    for folder in [root, *chance.sample(sorted(folders), min(3, len(folders)))]:
        lines = chance.sample(PATTERNS, chance.randint(1, 6))
        (folder / ".gitignore").write_text("\n".join(lines) + "\n")
    paths = sorted(str(p.relative_to(root)) for p in (folders | files) - {root})
    expected = ignored_by_git(root, paths)
    rules = IgnoreRules(hidden=True)
    plain = Patterns([], "defaults")  # git has no defaults
    rules._defaults = plain
    found = {p for p in paths if rules.decision(str(root), str(root / p), (root / p).is_dir())}
    assert found == expected


def decide(root: Path, path: str, rules: IgnoreRules | None = None) -> str | None:
    full = root / path
    ignored = (rules or IgnoreRules()).decision(str(root), str(full), full.is_dir())
    return ignored.rule if ignored else None


def test_the_defaults_leave_out_what_programs_make(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    assert decide(tmp_path, "node_modules") == "node_modules/"
    assert decide(tmp_path, "node_modules/x/readme.md") == "node_modules/"
    assert decide(tmp_path, ".cache") == ".*"
    assert decide(tmp_path, "a.pyc") == "*.pyc"
    assert decide(tmp_path, "lib.so.6") == "*.so.[0-9]*"
    assert decide(tmp_path, "~$report.docx") == "~$*"
    for name in ("report.pdf", "notes.md", "Makefile", "a.b.c.txt", "build", "dist", "target"):
        assert decide(tmp_path, name) is None


def test_every_default_is_a_pattern_that_works() -> None:
    patterns = default_patterns()
    assert len(patterns._rules) > 40


def test_hidden_files_are_a_setting(tmp_path: Path) -> None:
    assert decide(tmp_path, ".notes", IgnoreRules(hidden=True)) is None
    assert decide(tmp_path, ".notes") == ".*"


def test_what_is_written_for_inkling_goes_before_git_and_defaults(tmp_path: Path) -> None:
    make(tmp_path, {
        ".gitignore": "*.pdf\nlogs/\n",
        ".inklingignore": "!paper.pdf\n!.config/\nprivate/\n",
        "sub/.inklingignore": "*.pdf\n",
    })  # fmt: skip
    assert decide(tmp_path, "paper.pdf") is None
    assert decide(tmp_path, "other.pdf") == "*.pdf"
    (tmp_path / ".config").mkdir()
    assert decide(tmp_path, ".config") is None
    (tmp_path / "private").mkdir()
    assert decide(tmp_path, "private") == "private/"
    assert decide(tmp_path, "sub/paper.pdf") == "*.pdf"  # the inner file is the stronger


def test_git_brings_nothing_back_that_the_defaults_leave_out(tmp_path: Path) -> None:
    make(tmp_path, {".gitignore": "!.vscode/\n!*.pyc\n"})
    (tmp_path / ".vscode").mkdir()
    assert decide(tmp_path, ".vscode") == ".*"
    assert decide(tmp_path, "a.pyc") == "*.pyc"


def test_settings_go_before_all_else_and_gitignore_can_be_left_alone(tmp_path: Path) -> None:
    make(tmp_path, {".inklingignore": "!a.txt\n", ".gitignore": "b.txt\n"})
    rules = IgnoreRules(["a.txt"])
    assert decide(tmp_path, "a.txt", rules) == "a.txt"
    assert decide(tmp_path, "b.txt", rules) == "b.txt"
    assert decide(tmp_path, "b.txt", IgnoreRules(gitignore=False)) is None


def test_a_repository_inside_another_has_its_own_rules(tmp_path: Path) -> None:
    make(tmp_path, {
        ".gitignore": "*.txt\n",
        "inner/.git/info/exclude": "local.md\n",
        "inner/a.txt": "",
    })  # fmt: skip
    assert decide(tmp_path, "a.txt") == "*.txt"
    assert decide(tmp_path, "inner/a.txt") is None
    assert decide(tmp_path, "inner/local.md") == "local.md"


@pytest.mark.skipif(GIT is None, reason="needs git")
@pytest.mark.parametrize("version", ["2", "3", "4", "sha256", "split"])
def test_what_git_tracks_in_spite_of_a_rule_is_read(tmp_path: Path, version: str) -> None:
    make(tmp_path, {
        ".gitignore": "plan.md\nbuild/\n*.tmp\n", "plan.md": "", "other/plan.md": "",
        "build/kept.md": "", "build/made.md": "", "build/in/made.md": "", "later.md": "",
        "kept.tmp": "",
    })  # fmt: skip

    def git(*words: str) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, env=environment)

    git("init", "-q", *(["--object-format=sha256"] if version == "sha256" else []))
    git("add", "-f", "plan.md", "kept.tmp")
    if version == "split":
        git("update-index", "--split-index")
    git("add", "-f", "build/kept.md")
    if version == "3":
        git("add", "--intent-to-add", "later.md")
    if version.isdecimal():
        git("update-index", "--index-version", version)
    assert decide(tmp_path, "plan.md") is None
    assert decide(tmp_path, "build/kept.md") is None
    assert decide(tmp_path, "other/plan.md") == "plan.md"
    assert decide(tmp_path, "build/made.md") == "build/"
    assert decide(tmp_path, "build/in/made.md") == "build/"
    assert decide(tmp_path, "kept.tmp") == "*.tmp"  # the defaults leave it out, whoever keeps it
    assert decide(tmp_path / "build", "made.md") == "build/"


def test_the_rules_above_a_root_inside_a_repository(tmp_path: Path) -> None:
    make(tmp_path, {".git/HEAD": "", ".gitignore": "*.log\n", "a/.gitignore": "draft.md\n",
                    "a/b/x": ""})  # fmt: skip
    assert decide(tmp_path / "a" / "b", "x.log") == "*.log"
    assert decide(tmp_path / "a" / "b", "draft.md") == "draft.md"
    shutil.rmtree(tmp_path / ".git")
    assert decide(tmp_path / "a" / "b", "x.log") is None


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("travel-journal/x.md", None), ("Design/Icons/y.md", None), ("IconA/z.md", None),
        ("lecture.so.md", None), ("libm.so.6", "*.so.[0-9]*"), ("a.db-journal", "*.db-journal"),
        ("Icon\r", "Icon[^ -힣]"),
    ],
)  # fmt: skip
def test_the_defaults_drop_no_file_of_a_person(path: str, rule: str | None, tmp_path: Path) -> None:
    assert decide(tmp_path, path) == rule


def test_the_source_names_file_and_line(tmp_path: Path) -> None:
    make(tmp_path, {"sub/.gitignore": "# drafts\n*.draft\n"})
    ignored = IgnoreRules().decision(str(tmp_path), str(tmp_path / "sub/x.draft"), False)
    assert ignored is not None
    assert ignored.source == f"{tmp_path}/sub/.gitignore:2"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    rules = IgnoreRules()
    make(tmp_path, {".gitignore": "a\n"})
    assert decide(tmp_path, "a", rules) == "a"
    make(tmp_path, {".gitignore": "bb\n"})
    assert decide(tmp_path, "a", rules) is None
    assert decide(tmp_path, "bb", rules) == "bb"


def test_a_file_that_is_no_text_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe\x00\x01\n*.log\n[\n")
    assert decide(tmp_path, "a.log") == "*.log"


def test_a_folder_left_out_is_not_entered(tmp_path: Path) -> None:
    make(tmp_path, {"node_modules/a/b.txt": "", "src/b.txt": ""})
    rules, root = IgnoreRules(), str(tmp_path)
    assert rules.scope_inside(root, f"{root}/node_modules/a", {}) is None
    assert rules.scope_inside(root, f"{root}/src", {}) is not None
