"""Find every place in the code that makes an error for a user."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mrdtrack import errors

NAMES = {
    name
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.MrdtrackError)
} | {"UnusableIndex"}


class Site(NamedTuple):
    """One construction of an error: its lines, function and arguments."""

    module: str
    first: int
    last: int
    function: str
    error: str
    arguments: tuple[ast.expr, ...]

    @property
    def name(self) -> str:
        """Where it is, for a person."""
        return f"{self.module}:{self.first} {self.function}"


def find_sites(package: Path) -> list[Site]:
    """List all sites of a package, in order."""
    sites: list[Site] = []
    for path in sorted(package.rglob("*.py")):
        if path.name != "errors.py":
            module = path.relative_to(package).as_posix()
            sites += _sites_of(module, ast.parse(path.read_text(encoding="utf-8")))
    return sites


def _sites_of(module: str, tree: ast.Module) -> Iterator[Site]:
    for function, node in _calls(tree, "the module"):
        name = node.func
        error = name.id if isinstance(name, ast.Name) else ""
        if error in NAMES:
            named = {word.arg: word.value for word in node.keywords}
            arguments = (*node.args, *named.values())
            last = node.end_lineno or node.lineno
            yield Site(module, node.lineno, last, function, error, arguments)


def _calls(tree: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield function, node
        inner = node.name if isinstance(node, ast.FunctionDef) else function
        yield from _calls(node, inner)


def texts_of(expression: ast.expr) -> list[str]:
    """List the literal texts of an argument: of a string, an f-string, a choice."""
    if isinstance(expression, ast.IfExp):
        return [*texts_of(expression.body), *texts_of(expression.orelse)]
    if isinstance(expression, ast.JoinedStr):
        parts = [
            part.value if isinstance(part, ast.Constant) else "{}"
            for part in expression.values
        ]
        return ["".join(str(part) for part in parts)]
    if isinstance(expression, ast.Constant):
        return [str(expression.value)]
    return []
