"""Values: frozen, plain, in one mechanism, without state beside them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Tree, classes, functions, rule


def _keywords(node: ast.ClassDef) -> dict[str, str]:
    return {k.arg: ast.unparse(k.value) for k in node.keywords if k.arg}


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    return (each for each in node.body if isinstance(each, ast.AnnAssign))


def _is_struct(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) in ("msgspec.Struct", "Struct") for base in node.bases)


@rule(
    {"domain/a.py": "import msgspec\nclass A(msgspec.Struct):\n    x: int"},
    {"adapters/x/a.py": "import msgspec\nclass Options(msgspec.Struct, frozen=False):\n    x: int"},
    {"domain/a.py": "import msgspec\nclass A(msgspec.Struct, frozen=True): ...\nclass B(A):\n    x: int"},
    {"domain/a.py": "import msgspec\nclass _A(msgspec.Struct):\n    x: int"},
    fine={
        "adapters/models/a.py": "import msgspec\nclass _Chunk(msgspec.Struct):\n    x: int",
        "domain/a.py": "import msgspec\nclass A(msgspec.Struct, frozen=True): ...\nclass B(A, frozen=True):\n    x: int",
    },
)
def values_are_frozen(tree: Tree) -> Iterator[str]:
    """But for the record of a wire that an adapter or face keeps to itself (`_Chunk`): it is read once and dropped.
    What `testing` records is written while a test runs."""
    for module in tree.modules:
        structs = {node.name for node in classes(module.ast) if _is_struct(node)}
        for node in classes(module.ast):
            heir = any(ast.unparse(base) in structs for base in node.bases)
            if heir:
                structs.add(node.name)
            private = node.name.startswith("_") or module.parts[-1].startswith("_")
            if module.layer == "testing" or (module.layer in ("adapters", "interfaces") and private):
                continue
            if (heir or node.name in structs) and _keywords(node).get("frozen") != "True":
                yield module.at(node, f"{node.name} is not frozen")


@rule(
    {"domain/a.py": "import dataclasses"},
    {"application/a.py": "from dataclasses import dataclass"},
    {"adapters/x/a.py": "from typing import TypedDict"},
    {"ports/a.py": "from typing import NamedTuple\nclass A(NamedTuple): ..."},
    fine={"domain/a.py": "import msgspec\nfrom typing import Any, Literal"},
)
def values_have_one_mechanism(tree: Tree) -> Iterator[str]:
    """msgspec structs: one mechanism for wire, TOML and JSON Schema."""
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.Import | ast.ImportFrom):
                origin = getattr(node, "module", "") or ""
                names = [alias.name for alias in node.names]
                if origin in ("dataclasses", "attr", "attrs", "pydantic") or {
                    "dataclasses",
                    "attr",
                    "attrs",
                    "pydantic",
                } & set(names):
                    yield module.at(node, f"{ast.unparse(node)}: values are msgspec structs")
                if origin == "typing" and {"TypedDict", "NamedTuple"} & set(names):
                    yield module.at(node, f"{ast.unparse(node)}: values are msgspec structs")


@rule(
    {"domain/events.py": "class A:\n    done: Callable[[], None]"},
    {"domain/commands.py": "class A:\n    reply: asyncio.Future[str] | None = None"},
    {"domain/session.py": "class A:\n    kind: type[int]"},
    {"ports/gateway.py": "class A:\n    what: Iterator[int]"},
    fine={"domain/events.py": "class A:\n    type_name: str\n    callable_names: tuple[str, ...] = ()"},
)
def values_hold_nothing_that_acts(tree: Tree) -> Iterator[str]:
    """No callable, future, task, iterator or class in a value: then it can be written down, sent and compared."""
    acting = re.compile(
        r"\b(Callable|Future|Task|Coroutine|Awaitable|Iterator|Generator|AsyncIterator|Lock|Event|type\[)"
    )
    for module in tree.under("domain", "ports"):
        for node in classes(module.ast):
            for field in _fields(node):
                if "ClassVar" in ast.unparse(field.annotation) or not (
                    _is_struct(node) or module.layer == "domain" or node.keywords or not node.bases
                ):
                    continue
                if acting.search(ast.unparse(field.annotation)):
                    yield module.at(field, f"{node.name}.{ast.unparse(field.target)} holds something that acts")


@rule(
    {"domain/events.py": "class A:\n    x: list[int]"},
    {"domain/events.py": "class A:\n    x: set[int]"},
    {"domain/a.py": "import msgspec\nclass A(msgspec.Struct, frozen=True):\n    x: bytearray"},
    fine={"domain/events.py": "class A:\n    x: tuple[int, ...]\n    y: dict[str, int]\n    z: frozenset[int]"},
)
def values_hold_tuples_not_lists(tree: Tree) -> Iterator[str]:
    """A frozen struct with a list in it is frozen in name only. Dicts stay, since JSON objects have no other word."""
    for module in tree.under("domain"):
        for node in classes(module.ast):
            if not _is_struct(node) and module.name not in ("protea.domain.events", "protea.domain.commands"):
                continue
            for field in _fields(node):
                if re.search(r"\b(list|set|bytearray|deque|List|Set)\b", ast.unparse(field.annotation)):
                    yield module.at(field, f"{node.name}.{ast.unparse(field.target)} can be changed")


@rule(
    {"application/a.py": "def f(x=[]): ..."},
    {"adapters/x/a.py": "def f(*, x={}): ..."},
    {"adapters/x/a.py": "f = lambda x=set(): x"},
    fine={"application/a.py": "def f(x=(), y=None, z=frozenset()): ..."},
)
def no_default_can_be_changed(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
                    made = isinstance(default, ast.Call) and ast.unparse(default.func) in (
                        "list",
                        "dict",
                        "set",
                        "bytearray",
                    )
                    if made or isinstance(default, ast.List | ast.Dict | ast.Set):
                        yield module.at(default, f"the default {ast.unparse(default)} is shared by all calls")


@rule(
    {"application/a.py": "n = 0\ndef f():\n    global n\n    n += 1"},
    {"adapters/x/a.py": "CACHE = {}\ndef f(k):\n    CACHE[k] = 1"},
    {"adapters/x/a.py": "_seen: list[str] = []\ndef f(k):\n    _seen.append(k)"},
    {"adapters/x/a.py": "import functools\n@functools.cache\ndef f(k):\n    return open(k)"},
    fine={
        "application/a.py": "TABLE = {'a': 1}\ndef f(k):\n    return TABLE[k]",
        "adapters/x/a.py": "import functools, re\n@functools.cache\ndef compiled(k):\n    return re.compile(k)",
    },
)
def no_module_remembers(tree: Tree) -> Iterator[str]:
    """Two sessions in one process share nothing they were not given. A cache of pure results is no memory."""
    changing = (
        "append",
        "add",
        "update",
        "setdefault",
        "pop",
        "clear",
        "extend",
        "remove",
        "insert",
        "discard",
        "popitem",
    )
    for module in tree.modules:
        held = {
            target.id
            for node in module.ast.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for function in functions(module.ast):
            local = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            local |= {a.arg for a in [*function.args.args, *function.args.kwonlyargs]}
            for node in ast.walk(function):
                if isinstance(node, ast.Global):
                    yield module.at(node, f"global {', '.join(node.names)}")
                name = None
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in changing:
                    name = node.func.value
                elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                    name = node.value
                if isinstance(name, ast.Name) and name.id in held - local:
                    yield module.at(node, f"{name.id} is changed by {function.name}")
            cached = any(
                "cache" in ast.unparse(each) and "property" not in ast.unparse(each) for each in function.decorator_list
            )
            if cached and re.search(r"\b(open|os\.\w+|stat|environ|connect)\(", ast.unparse(function)):
                yield module.at(function, f"{function.name} caches what may change outside")


@rule(
    {
        "domain/events.py": "class Lasting: ...\nclass Progress(Lasting):\n    is_error: bool = False\n    is_done: bool = False"
    },
    fine={"domain/events.py": "class Lasting: ...\nclass Done(Lasting):\n    partial: bool = False"},
)
def no_flag_turns_an_event_into_another(tree: Tree) -> Iterator[str]:
    """One `bool` tells more about an event; with two it is three events in one name."""
    for module in tree.under("domain.events"):
        for node in classes(module.ast):
            flags = [ast.unparse(f.target) for f in _fields(node) if ast.unparse(f.annotation) == "bool"]
            if len(flags) > 1:
                yield module.at(node, f"{node.name} has the flags {', '.join(flags)}")
