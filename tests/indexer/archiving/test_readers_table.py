"""Readers from a table: which line decides, and what is wrong with a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from indexer.archiving.readers_table import ReadersTable


def table(tmp_path: Path, text: str, name: str = "readers.tsv") -> ReadersTable:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return ReadersTable(path, ["/data/one", "/data/two"])


def test_the_last_pattern_that_names_a_file_decides(tmp_path: Path) -> None:
    said = table(
        tmp_path,
        "# who reads what\n*\teveryone\n/plans/\tgroup:board, user:anna\n*.key\t\n"
        "plans/open.txt\teveryone\n",
    )
    assert said.of("/data/one/a.txt") == {"everyone"}
    assert said.of("/data/two/plans/deep/b.txt") == {"group:board", "user:anna"}
    assert said.of("/data/one/plans/open.txt") == {"everyone"}
    assert said.of("/data/one/x/plans/c.txt") == {"everyone"}
    assert said.of("/data/one/my.key") == frozenset()
    assert said.of("/elsewhere/a.txt") == frozenset()


def test_what_no_pattern_names_is_read_by_nobody(tmp_path: Path) -> None:
    assert table(tmp_path, "/a/\teveryone\n").of("/data/one/b.txt") == frozenset()


def test_as_toml(tmp_path: Path) -> None:
    said = table(tmp_path, '[readers]\n"*" = ["group:all", "uid:7"]\n', "readers.toml")
    assert said.of("/data/one/a.txt") == {"group:all", "uid:7"}


@pytest.mark.parametrize(
    ("text", "name", "what"),
    [
        ("*\teveryone\n*.txt\tanna\n", "a.tsv", "line 2: “anna” is no reader"),
        ("*.txt\tuser:anna b\n", "a.tsv", "line 1: “user:anna b” is no reader"),
        ("\tuser:anna\n", "a.tsv", "line 1: “” is no pattern"),
        ("!*.txt\teveryone\n", "a.tsv", "“!*.txt” is no pattern"),
        ("# nothing\n", "a.tsv", "names no readers"),
        ("[readers]\n'*' = 'everyone'\n", "a.toml", "“*”: the readers are no list"),
        ("[readers\n", "a.toml", "makes no sense in it"),
        ("readers = 3\n", "a.toml", "“readers”: it is no table"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, text: str, name: str, what: str) -> None:
    with pytest.raises(InklingError) as caught:
        table(tmp_path, text, name)
    assert what in caught.value.message
    assert "{" not in caught.value.hint.replace("{path}", "{")


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InklingError, match="can't be read: No such file"):
        ReadersTable(tmp_path / "none", ["/data"])
    (tmp_path / "latin").write_bytes(b"\xff\xfe\t")
    with pytest.raises(InklingError, match="can't be read"):
        ReadersTable(tmp_path / "latin", ["/data"])
