"""The symbols of a source file, by tree-sitter: where each begins and ends, what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from indexer.reading.extract.languages import Language

_COMMENTS = frozenset({
    "comment", "line_comment", "block_comment", "multiline_comment", "attribute_item",
    "attribute_list", "marginalia",
})  # fmt: skip
_NAMES = frozenset({
    "identifier", "type_identifier", "field_identifier", "property_identifier", "constant", "word",
    "name", "simple_identifier", "object_reference", "qualified_identifier", "variable",
    "private_property_identifier", "operator_name", "destructor_name", "scope_resolution",
    "namespace_identifier", "nested_namespace_specifier", "qualified_name", "bareword",
    "function_name", "dot_index_expression", "method_index_expression", "simple_name",
})  # fmt: skip
#: Declarations that are symbols only when what they declare is a function or class.
_BINDINGS = frozenset({
    "lexical_declaration", "variable_declaration", "field_definition", "public_field_definition",
    "assignment_expression",
})  # fmt: skip
_FUNCTIONS = frozenset({
    "arrow_function", "function_expression", "function", "generator_function", "class",
})  # fmt: skip
_WRAPPERS = frozenset({
    "decorated_definition", "export_statement", "template_declaration", "declaration", "statement",
    "ambient_declaration", "field_declaration", "expression_statement", "type_declaration",
})  # fmt: skip
#: How far symbols are looked for inside what is none itself, and how far on a single line.
_DEPTH, _DEPTH_ON_LINE = 40, 4


_BODY = re.compile(r"body|block|members|declaration_list")


@dataclass(slots=True)
class Symbol:
    """A named stretch of lines; the lines of its inner symbols are theirs."""

    path: tuple[str, ...]
    first: int  # 0-based lines, inclusive; comments and decorators above it belong to it
    last: int


def symbols_of(source: bytes, language: Language) -> list[Symbol]:
    """All symbols in reading order, holders before what they hold; [] without a grammar."""
    if not language.grammar:
        return []
    from tree_sitter_language_pack import get_parser

    tree = get_parser(language.grammar).parse(source)
    finder = _Finder(language)
    return list(finder.walk(tree.root_node, (), 0))


class _Finder:
    """Walks one tree."""

    def __init__(self, language: Language) -> None:
        self._symbols = frozenset(language.symbols.split())
        self._holders = frozenset(language.holders.split())

    def walk(
        self, node: Any, path: tuple[str, ...], depth: int, comment: int | None = None
    ) -> Iterator[Symbol]:
        """`comment` is the first line of the comments directly above, if there are any."""
        above = node.start_point[0] - 1 if comment is not None else -2  # where the last one ended
        for child in node.named_children:
            first, last = child.start_point[0], _last_line(child)
            if comment is not None and first > above + 1:
                comment = None
            if child.type in _COMMENTS:
                # A comment behind code on its line says nothing about what follows.
                if first != above:
                    comment = first if comment is None else comment
                above = last
                continue
            yield from self._visit(child, path, depth, comment)
            comment, above = None, last

    def _visit(
        self, node: Any, path: tuple[str, ...], depth: int, comment: int | None
    ) -> Iterator[Symbol]:
        first = node.start_point[0] if comment is None else comment
        last = _last_line(node)
        if node.type in self._holders:
            inner = path + _path(node)
            if inner != path:
                yield Symbol(inner, first, last)
            if inner == path or node.start_point[0] < last:  # all on one line is one symbol
                yield from self.walk(node, inner, depth + 1)
        elif self._is_symbol(node) and (name := _path(node)):
            yield Symbol(path + name, first, last)
        elif node.type in _WRAPPERS and (wrapped := self._wrapped(node)) is not None:
            yield from self._visit(wrapped, path, depth + 1, first)
        elif depth < (_DEPTH if last > node.start_point[0] else _DEPTH_ON_LINE):
            yield from self.walk(node, path, depth + 1, comment)

    def _is_symbol(self, node: Any) -> bool:
        if node.type not in self._symbols:
            return False
        if node.type in _BINDINGS:
            return _binds_function(node)
        if node.type.endswith("_specifier"):  # `struct point p;` names a struct, defines none
            return node.child_by_field_name("body") is not None
        return True

    def _wrapped(self, node: Any) -> Any | None:
        """The one definition inside a decorator, export, template or declaration around it."""
        known = self._symbols | self._holders
        inner = [child for child in node.named_children if child.type in known]
        return inner[0] if len(inner) == 1 else None


def _last_line(node: Any) -> int:
    """The last line with something on it: some grammars count the line break in."""
    row, column = node.end_point
    return int(row - 1 if column == 0 and row > node.start_point[0] else row)


def _binds_function(node: Any) -> bool:
    for child in [node, *node.named_children]:
        value = child.child_by_field_name("value") or child.child_by_field_name("right")
        if value is not None and value.type in _FUNCTIONS:
            return True
    return False


def _path(node: Any) -> tuple[str, ...]:
    """What a definition is called: a Go receiver and a C++ scope come first."""
    name = _name(node)
    if not name:
        return ()
    receiver = node.child_by_field_name("receiver")
    if receiver is not None:
        kind = _first(receiver, ("type_identifier",))
        return (_text(kind), name) if kind is not None else (name,)
    parts = [part.strip() for part in name.split("::")]
    return tuple(part for part in parts if part)


def _name(node: Any) -> str:
    for field in ("name", "declarator", "left", "type"):
        found = node.child_by_field_name(field)
        if found is not None:
            if found.type.endswith(("declarator", "pointer_type", "reference_type", "spec")):
                return _name(found)
            if found.type == "generic_type":
                return _name(found) or _text(found)
            return _text(found)
    found = _first(node, _NAMES)
    return _text(found) if found is not None else ""


def _first(node: Any, types: frozenset[str] | tuple[str, ...], depth: int = 3) -> Any | None:
    """The first node of these types in reading order, not looking into bodies."""
    for child in node.named_children:
        if child.type in types:
            return child
        if depth and not _BODY.search(child.type):
            found = _first(child, types, depth - 1)
            if found is not None:
                return found
    return None


def _text(node: Any) -> str:
    return " ".join(node.text.decode("utf-8", "replace").split())[:120]
