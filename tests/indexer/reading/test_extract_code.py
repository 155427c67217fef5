"""Symbols of each language, with their lines; what counts as generated."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.reading.extract import pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.reading.extract.code import extract
from indexer.reading.extract.languages import LANGUAGES, language_of

#: File name, source, and what is expected: "path › of › symbol first-last".
SOURCES = {
    "a.py": (
        '"""Doc."""\nimport os\n\n\n# brews\n@cached\ndef brew(tea):\n    def pour():\n'
        '        pass\n'
        "    return tea\n\n\nclass Pot(Base):\n    size = 1\n\n    async def fill(self):\n"
        "        pass\n",
        ["- 1-2", "brew 5-10", "Pot 13-14", "Pot › fill 16-17"],
    ),
    "a.js": (
        "'use strict';\nfunction a() {\n}\nconst b = async () => {\n};\n"
        "exports.c = function () {\n};\n"
        "class D {\n  m() {\n  }\n}\nconst e = 5;\n",
        ["- 1-1", "a 2-3", "b 4-5", "exports.c 6-7", "D 8-8", "D › m 9-10", "- 12-12"],
    ),
    "a.ts": (
        "// doc\nexport interface A {\n  b: string;\n}\nexport type B = string;\nenum C { D }\n"
        "export default class E<T> {\n  private f = 1;\n  /** doc */\n  g(): void {\n  }\n}\n",
        ["A 1-4", "B 5-5", "C 6-6", "E 7-8", "E › g 9-11"],
    ),
    "a.tsx": (
        "export const Pot = ({ tea }: Props) => {\n  return <p>{tea}</p>;\n};\n",
        ["Pot 1-3"],
    ),
    "a.rs": (
        "use std::io;\n/// doc\n#[derive(Debug)]\nstruct P {\n  x: i32,\n}\n"
        "impl<T> Show for P<T> {\n"
        "    fn show(&self) {\n    }\n}\nmod tests {\n    #[test]\n    fn works() {\n    }\n}\n",
        ["- 1-1", "P 2-6", "P 7-7", "P › show 8-9", "tests 11-11", "tests › works 12-14"],
    ),
    "a.go": (
        "package main\n\n// Pot holds.\ntype Pot struct {\n\tn int\n}\n\n// Fill fills.\n"
        "func (p *Pot) Fill() error {\n\treturn nil\n}\n\nfunc main() {}\n",
        ["- 1-1", "Pot 3-6", "Pot › Fill 8-11", "main 13-13"],
    ),
    "A.java": (
        "package a;\n/** Doc. */\n@Tea\npublic class A {\n  int x;\n  A() {\n  }\n  @Override\n"
        "  int get() {\n    return x;\n  }\n}\nrecord R(int a) {}\n",
        ["- 1-1", "A 2-5", "A › A 6-7", "A › get 8-11", "R 13-13"],
    ),
    "a.c": (
        "#include <x.h>\n#define MAX(a, b) ((a) > (b))\nstruct point {\n  int x;\n};\n#ifdef Q\n"
        "/* helps */\nstatic int *help(int a)\n{\n  return 0;\n}\n#endif\n",
        ["- 1-1", "MAX 2-2", "point 3-5", "- 6-6", "help 7-11"],
    ),
    "a.cpp": (
        "namespace ns {\ntemplate <typename T>\nclass Pot : public Base {\n public:\n"
        "  ~Pot() {\n  }\n};\n"
        "int Pot::fill() {\n  return 2;\n}\n}\n",
        ["ns 1-1", "ns › Pot 2-4", "ns › Pot › ~Pot 5-6", "ns › Pot › fill 8-10"],
    ),
    "a.cs": (
        "using X;\nnamespace A.B {\n  /// <summary>doc</summary>\n  public class C : I {\n"
        "    int x;\n"
        "    public int P { get; set; }\n    public int M(int a) {\n      return a;\n"
        "    }\n  }\n}\n",
        ["- 1-1", "A.B 2-2", "A.B › C 3-5", "A.B › C › P 6-6", "A.B › C › M 7-9"],
    ),
    "a.rb": (
        "module M\n  # doc\n  class Pot < Base\n    attr_reader :a\n    def fill(a)\n"
        "      @a = a\n    end\n"
        "    def self.build\n    end\n  end\nend\n",
        ["M 1-1", "M › Pot 2-4", "M › Pot › fill 5-7", "M › Pot › build 8-9"],
    ),
    "a.php": (
        "<?php\nnamespace A;\n/** doc */\nclass Pot {\n  public $a = 1;\n"
        "  public function fill() {\n  }\n}\n"
        "function brew($a) {\n}\n",
        ["- 1-2", "Pot 3-5", "Pot › fill 6-7", "brew 9-10"],
    ),
    "a.sh": (
        "#!/bin/sh\nset -e\n# greets\ngreet() {\n  echo hi\n}\ngreet\n",
        ["- 1-2", "greet 3-6", "- 7-7"],
    ),
    "a.sql": (
        "-- teas\nCREATE TABLE tea (\n  id INT\n);\nCREATE VIEW v AS SELECT * FROM tea;\n"
        "SELECT 1;\n",
        ["tea 1-4", "v 5-5", "- 6-6"],
    ),
    "a.kt": (
        "package x\nclass Pot(val a: Int) {\n    fun fill(): Int {\n        return 1\n    }\n"
        "    companion object {\n        fun make() = Pot(1)\n    }\n}\nfun top() = 1\n",
        ["- 1-1", "Pot 2-2", "Pot › fill 3-5", "Pot 6-6", "Pot › make 7-7", "top 10-10"],
    ),
    "a.swift": (
        "class Pot {\n    var a = 1\n    func fill() -> Int {\n        return 1\n    }\n}\n",
        ["Pot 1-2", "Pot › fill 3-5"],
    ),
    "a.scala": (
        "object Main {\n  def run(a: Int): Int = {\n    a\n  }\n}\n",
        ["Main 1-1", "Main › run 2-4"],
    ),
    "a.lua": ("local M = {}\nfunction M.foo(a)\n  return a\nend\n", ["- 1-1", "M.foo 2-4"]),
}  # fmt: skip


def read(folder: Path, name: str, source: str) -> Extraction:
    path = folder / name
    path.write_text(source)
    return extract(path, ExtractOptions(scratch=str(folder)))


@pytest.mark.parametrize("name", SOURCES)
def test_symbols_with_their_lines(name: str, tmp_path: Path) -> None:
    source, expected = SOURCES[name]
    extraction = read(tmp_path, name, source)
    found = []
    for part in extraction.parts:
        assert part.lines is not None
        first, last = part.lines
        assert part.text == "\n".join(source.split("\n")[first - 1 : last])
        assert part.symbol == (part.heading[-1] if part.heading else None)
        found.append(f"{' › '.join(part.heading) or '-'} {first}-{last}")
    assert found == expected
    assert extraction.language == LANGUAGES_OF[name.rpartition(".")[2]]


LANGUAGES_OF = {ext: row.name for row in LANGUAGES for ext in row.extensions.split()}


def test_no_extension_stands_twice() -> None:
    known = [ext for row in LANGUAGES for ext in row.extensions.split()]
    assert sorted(known) == sorted(set(known))


def test_every_grammar_is_there() -> None:
    from tree_sitter_language_pack import get_parser

    for row in LANGUAGES:
        if row.grammar:
            assert get_parser(row.grammar) is not None


def test_language_by_name_and_first_line() -> None:
    def named(name: str, text: str = "") -> str | None:
        row = language_of(Path(name), text)
        return row.name if row else None

    assert named("Makefile") == "make"
    assert named("Dockerfile") == "dockerfile"
    assert named("CMakeLists.txt") == "cmake"
    assert named("run", "#!/usr/bin/env -S python3 -u\n") == "python"
    assert named("run", "#!/bin/bash\n") == "shell"
    assert named("a.h", "int a;") == "c"
    assert named("a.h", "namespace a {") == "cpp"
    assert named("letter") is None


def test_a_language_without_grammar_is_one_part(tmp_path: Path) -> None:
    extraction = read(tmp_path, "a.hs", "main = print 1\n\nx = 2\n")
    assert [(part.lines, part.language) for part in extraction.parts] == [((1, 3), "haskell")]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("yarn.lock", "# yarn"),
        ("package-lock.json", "{}"),
        ("jquery.min.js", "x"),
        ("api_pb2.py", "x = 1"),
        ("a.go", "// Code generated by protoc. DO NOT EDIT.\npackage a\n"),
        (
            "a.ts",
            "/* eslint-disable */\n/**\n * This file was automatically generated by x.\n */\n",
        ),
        ("a.js", "var a=1;" * 1000),
    ],
)
def test_generated_files_are_refused(name: str, source: str, tmp_path: Path) -> None:
    with pytest.raises(ExtractError) as caught:
        read(tmp_path, name, source)
    assert caught.value.reason == "generated"


def test_a_program_about_generating_code_is_read(tmp_path: Path) -> None:
    source = '"""Helps with autogenerated stubs.\n\nWrites `# @generated` on top.\n"""\nx = 1\n'
    assert read(tmp_path, "stubgen.py", source).parts


def test_data_is_read_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}\n' * 100_000 + '{"last": "line"}')
    whole = extract(tmp_path / "a.json", ExtractOptions(str(tmp_path)))
    assert whole.parts[-1].text.endswith('{"last": "line"}')
    assert whole.notes == []
    some = extract(tmp_path / "a.json", ExtractOptions(str(tmp_path), characters=1_000))
    assert sum(len(part.text) for part in some.parts) <= 1_000
    assert some.notes == ["Only the first 998 of 900,016 characters are indexed."]


def test_broken_source_still_gives_text(tmp_path: Path) -> None:
    extraction = read(tmp_path, "a.py", "def f(:\n  ))) class\n\x0c\ndef g():\n    return 1\n")
    assert "return 1" in "\n".join(part.text for part in extraction.parts)


def test_pick_takes_scripts_for_code() -> None:
    row = pick(Path("run"), b"#!/bin/sh\necho")
    assert row is not None
    assert row.name == "code"
