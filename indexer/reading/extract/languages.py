"""Programming languages: their files, their grammars, and which syntax nodes are symbols."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Language:
    """A row of the table; without a grammar its files are read in windows of lines."""

    name: str  # as in `lang:`
    extensions: str  # separated by spaces
    grammar: str = ""  # of tree-sitter-language-pack
    symbols: str = ""  # node types that are one symbol with all they hold
    holders: str = ""  # node types that are a symbol and hold further ones: classes, modules
    files: str = ""  # file names, lower case
    interpreters: str = ""  # programs named in a #! line
    data: bool = False  # data or configuration: no symbols to look for


_ECMA = (
    "function_declaration generator_function_declaration method_definition "
    "lexical_declaration variable_declaration field_definition public_field_definition "
    "assignment_expression"
)
_TYPESCRIPT = (
    f"{_ECMA} interface_declaration type_alias_declaration enum_declaration function_signature"
)
_TYPESCRIPT_HOLDERS = "class_declaration abstract_class_declaration internal_module module"
_C = "function_definition struct_specifier enum_specifier union_specifier type_definition"
_JVM_HOLDERS = "class_declaration interface_declaration enum_declaration record_declaration"

LANGUAGES: tuple[Language, ...] = (
    Language("python", "py pyi pyw pyx", "python", "function_definition", "class_definition",
             files="sconstruct wscript", interpreters="python python2 python3 uv"),
    Language("javascript", "js jsx mjs cjs", "javascript", _ECMA, "class_declaration",
             interpreters="node deno bun"),
    Language("typescript", "ts mts cts", "typescript", _TYPESCRIPT, _TYPESCRIPT_HOLDERS,
             interpreters="ts-node"),
    Language("typescript", "tsx", "tsx", _TYPESCRIPT, _TYPESCRIPT_HOLDERS),
    Language("rust", "rs", "rust",
             "function_item struct_item enum_item union_item macro_definition type_item",
             "impl_item trait_item mod_item"),
    Language("go", "go", "go", "function_declaration method_declaration type_spec type_alias"),
    Language("java", "java", "java",
             "method_declaration constructor_declaration compact_constructor_declaration "
             "annotation_type_declaration", _JVM_HOLDERS),
    Language("c", "c h", "c", f"{_C} preproc_function_def"),
    Language("cpp", "cpp cc cxx c++ hpp hh hxx ipp inl cu cuh ino", "cpp",
             "function_definition enum_specifier union_specifier type_definition "
             "alias_declaration concept_definition preproc_function_def",
             "class_specifier struct_specifier namespace_definition"),
    Language("csharp", "cs csx", "csharp",
             "method_declaration constructor_declaration property_declaration enum_declaration "
             "delegate_declaration operator_declaration destructor_declaration "
             "indexer_declaration",
             "class_declaration struct_declaration interface_declaration record_declaration "
             "namespace_declaration"),
    Language("ruby", "rb rake gemspec ru", "ruby", "method singleton_method",
             "class module singleton_class", files="rakefile gemfile vagrantfile",
             interpreters="ruby"),
    Language("php", "php phtml", "php", "function_definition method_declaration",
             "class_declaration interface_declaration trait_declaration enum_declaration",
             interpreters="php"),
    Language("shell", "sh bash zsh ksh bats", "bash", "function_definition",
             files=".bashrc .bash_profile .zshrc .profile pkgbuild",
             interpreters="sh bash zsh dash ksh"),
    Language("sql", "sql ddl", "sql",
             "create_table create_view create_materialized_view create_function create_procedure "
             "create_trigger create_index create_type create_schema create_sequence"),
    Language("kotlin", "kt kts", "kotlin", "function_declaration secondary_constructor",
             "class_declaration object_declaration companion_object"),
    Language("swift", "swift", "swift",
             "function_declaration init_declaration subscript_declaration",
             "class_declaration protocol_declaration"),
    Language("scala", "scala sc sbt", "scala", "function_definition given_definition",
             "class_definition object_definition trait_definition enum_definition"),
    Language("lua", "lua", "lua", "function_declaration", interpreters="lua luajit"),
    Language("dart", "dart", "dart",
             "class_definition mixin_declaration extension_declaration enum_declaration"),
    Language("julia", "jl", "julia", "function_definition macro_definition struct_definition",
             "module_definition", interpreters="julia"),
    Language("perl", "pl pm", "perl", "subroutine_declaration_statement", interpreters="perl"),
    Language("powershell", "ps1 psm1", "powershell", "function_statement class_method_definition",
             "class_statement",
             interpreters="pwsh"),
    Language("objc", "m mm", "objc", "function_definition method_definition",
             "class_implementation class_interface protocol_declaration"),
    Language("zig", "zig"),
    Language("r", "r", interpreters="rscript"),
    Language("haskell", "hs lhs"), Language("ocaml", "ml mli"), Language("fsharp", "fs fsx"),
    Language("elixir", "ex exs", interpreters="elixir"), Language("erlang", "erl hrl"),
    Language("clojure", "clj cljs cljc edn"), Language("lisp", "lisp lsp el scm rkt"),
    Language("nim", "nim"), Language("groovy", "groovy gradle", files="jenkinsfile"),
    Language("fortran", "f f90 f95 f03 for"), Language("pascal", "pas dpr"),
    Language("assembly", "asm s"), Language("verilog", "v sv vhd vhdl"),
    Language("visualbasic", "vb vbs bas"), Language("batch", "bat cmd"), Language("awk", "awk"),
    Language("vim", "vim", files=".vimrc"), Language("fish", "fish", interpreters="fish"),
    Language("css", "css scss sass less"), Language("vue", "vue"), Language("svelte", "svelte"),
    Language("astro", "astro"), Language("graphql", "graphql gql"), Language("protobuf", "proto"),
    Language("hcl", "tf hcl tfvars"), Language("nix", "nix"), Language("glsl", "glsl vert frag"),
    Language("dockerfile", "dockerfile containerfile", files="dockerfile containerfile"),
    Language("make", "mk mak make", files="makefile gnumakefile"),
    Language("cmake", "cmake", files="cmakelists.txt"), Language("solidity", "sol"),
    Language("bazel", "bzl bazel star", files="build workspace"), Language("just", "just",
             files="justfile"),
    Language("diff", "diff patch", data=True), Language("json", "json jsonc json5 geojson jsonl "
             "ndjson", data=True), Language("yaml", "yaml yml", data=True),
    Language("toml", "toml", data=True),
    Language("ini", "ini cfg conf config properties editorconfig desktop service env",
             data=True, files=".gitignore .gitattributes .editorconfig .npmrc"),
    Language("xml", "xml xsd xsl xslt plist webloc rss atom opml kml gpx xaml csproj vcxproj resx",
             data=True),
)  # fmt: skip

_BY_EXTENSION = {ext: row for row in LANGUAGES for ext in row.extensions.split()}
_BY_FILE = {name: row for row in LANGUAGES for name in row.files.split()}
_BY_INTERPRETER = {name: row for row in LANGUAGES for name in row.interpreters.split()}
_INTERPRETER = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?(?:\S*/)?([A-Za-z-]+)")
_CPP_HEADER = re.compile(r"^[ \t]*(?:class|namespace|template|public:|using)\b", re.MULTILINE)

EXTENSIONS = frozenset(_BY_EXTENSION)
FILES = frozenset(_BY_FILE)


def language_of(path: PurePath, text: str = "") -> Language | None:
    """The language of a file: by its name, its extension, or the program of its #! line."""
    row = _BY_FILE.get(path.name.lower()) or _BY_EXTENSION.get(path.suffix[1:].lower())
    if row is None and (found := _INTERPRETER.match(text[:200])):
        row = _BY_INTERPRETER.get(found[1].lower())
    if row and path.suffix == ".h" and _CPP_HEADER.search(text):
        row = _BY_EXTENSION["cpp"]
    return row
