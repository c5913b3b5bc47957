"""The source as the rules see it: modules, their syntax trees and what they import.

A rule is a function from a `Tree` to the breaches it finds. `rule` registers it together with a small tree that breaks
it and one that keeps it, so that `test_rules.py` can show for every rule that it bites, and only where it should.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Import(NamedTuple):
    target: str
    """Dotted. A module of the tree where there is one of that name, else what was written."""
    line: int
    lazy: bool
    """Inside a function."""
    typing_only: bool
    """Under `if TYPE_CHECKING`."""


class Module:
    def __init__(self, name: str, path: Path, tree: Tree) -> None:
        self.name = name
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.is_package = path.name == "__init__.py"
        self._tree = tree

    @cached_property
    def ast(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def parts(self) -> list[str]:
        """`protea.adapters.models.gemini` → `["adapters", "models", "gemini"]`."""
        return self.name.split(".")[1:]

    @property
    def layer(self) -> str:
        return self.parts[0] if self.parts else ""

    @property
    def family(self) -> str:
        """`adapters.models`; for a module that lies in its layer directly, its own name."""
        return ".".join(self.parts[:2])

    @cached_property
    def imports(self) -> list[Import]:
        return list(self._imports(self.ast, lazy=False, typing_only=False))

    def _imports(self, node: ast.AST, *, lazy: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, lazy, typing_only)
            elif isinstance(child, ast.ImportFrom):
                origin = "." * child.level + (child.module or "")
                for alias in child.names:
                    inner = f"{origin}.{alias.name}"
                    yield Import(inner if inner in self._tree.names else origin, child.lineno, lazy, typing_only)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from self._imports(child, lazy=lazy, typing_only=True)
            else:
                inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from self._imports(child, lazy=inside, typing_only=typing_only)

    def at(self, where: ast.AST | int, breach: str) -> str:
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        return f"{self.path.relative_to(self._tree.root)}:{line}: {breach}"


class Tree:
    """A folder that holds the package `protea`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = sorted((root / "protea").rglob("*.py"))
        named = [(self._name(path), path) for path in paths]
        self.names = {name for name, _ in named}
        self.modules = [Module(name, path, self) for name, path in named]

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def under(self, *prefixes: str) -> list[Module]:
        """The modules of these packages (`domain`, `adapters.models`), the packages' own included."""
        wanted = [f"protea.{prefix}" for prefix in prefixes]
        return [m for m in self.modules if any(m.name == w or m.name.startswith(w + ".") for w in wanted)]

    def module(self, name: str) -> Module | None:
        return next((module for module in self.modules if module.name == name), None)


Check = Callable[[Tree], Iterable[str]]
Files = dict[str, str]
"""Path under `protea/` → text."""


class Rule(NamedTuple):
    name: str
    check: Check
    broken: tuple[Files, ...]
    """Trees, each of which breaks the rule."""
    fine: Files
    """A tree that comes close and keeps it."""


RULES: list[Rule] = []


def rule(*broken: Files, fine: Files) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        RULES.append(Rule(check.__name__, check, broken, fine))
        return check

    return register


def plant(root: Path, files: Files) -> Tree:
    """Write a small tree; the packages in between get an `__init__.py` of their own."""
    for name, text in files.items():
        path = root / "protea" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in [root / "protea", *(p for p in (root / "protea").rglob("*") if p.is_dir())]:
        init = folder / "__init__.py"
        if not init.exists():
            init.write_text('"""Made for a test."""\n', encoding="utf-8")
    return Tree(root)


def calls(node: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call below `node` with what is called as it is written: `open`, `asyncio.create_task`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            yield each, ast.unparse(each.func)


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each


def classes(node: ast.AST) -> Iterator[ast.ClassDef]:
    for each in ast.walk(node):
        if isinstance(each, ast.ClassDef):
            yield each


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """What runs when this body runs: not the bodies of functions defined inside it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from own_nodes(child)
