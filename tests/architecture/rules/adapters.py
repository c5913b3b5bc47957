"""What an adapter is made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.rules.imports import SHARED_FAMILIES
from tests.architecture.source import Module, Tree, classes, rule

_OPTIONS = "import msgspec\nclass Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):\n    x: int = 0\n"


def creators(tree: Tree) -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in tree.under("adapters"):
        for node in module.ast.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "create":
                yield module, node


@rule(
    {"adapters/x/a.py": "def create(options): ..."},
    {"adapters/x/a.py": "class Options: ...\ndef create(options): ..."},
    {"adapters/x/a.py": "class Options(HttpOptions): ...\ndef create(options): ..."},
    {"adapters/x/a.py": "import msgspec\nclass Options(msgspec.Struct, frozen=True): ...\ndef create(options): ..."},
    fine={
        "adapters/x/a.py": _OPTIONS + "def create(options: Options): ...",
        "adapters/x/b.py": "from protea.adapters.x.a import Options\ndef create(options: Options): ...",
    },
)
def an_adapter_says_which_options_it_takes(tree: Tree) -> Iterator[str]:
    """And refuses others by name, since its struct forbids unknown fields."""
    for module, create in creators(tree):
        imported = any(
            isinstance(node, ast.ImportFrom) and any(alias.name == "Options" for alias in node.names)
            for node in module.ast.body
        )
        options = next((node for node in classes(module.ast) if node.name == "Options"), None)
        if options is None and not imported:
            yield module.at(create, "create without Options")
        elif options is not None:
            keywords = {k.arg: ast.unparse(k.value) for k in options.keywords}
            if not any(ast.unparse(base).endswith("Struct") for base in options.bases):
                keywords["forbid_unknown_fields"] = "True"  # the family's own base says it: see test_catalogue.py
            if keywords.get("forbid_unknown_fields") != "True" or keywords.get("frozen") != "True":
                yield module.at(options, "Options must be frozen and forbid unknown fields")


@rule(
    {"adapters/x/a.py": _OPTIONS + "def create(options: Options, clock): ..."},
    {"adapters/x/a.py": _OPTIONS + "def create(*, clock): ..."},
    {"adapters/x/a.py": _OPTIONS + "def create(options: Options, **others): ..."},
    {"adapters/x/a.py": _OPTIONS + "async def create(options: Options): ..."},
    fine={"adapters/x/a.py": _OPTIONS + "def create(options: Options, *, clock: Clock, surroundings: S) -> Model: ..."},
)
def an_adapter_asks_for_other_ports_by_name(tree: Tree) -> Iterator[str]:
    for module, create in creators(tree):
        given = create.args
        plain = [argument.arg for argument in given.args]
        if isinstance(create, ast.AsyncFunctionDef):
            yield module.at(create, "create must not wait")
        if plain != ["options"] or given.vararg or given.kwarg or given.posonlyargs:
            yield module.at(create, "create takes `options`, and after `*` other ports by parameter name")


@rule(
    {"adapters/models/a.py": "class A: ..."},
    fine={
        "adapters/models/a.py": _OPTIONS + "def create(options: Options): ...",
        "adapters/models/_wire.py": "class Helper: ...",
        "adapters/http/client.py": "class Client: ...",
        "adapters/models/rows.py": "",
        "adapters/models/b.py": _OPTIONS
        + "from protea.adapters.models.rows import x\ndef create(options: Options): ...",
    },
)
def a_public_module_of_a_family_is_an_adapter_or_serves_one(tree: Tree) -> Iterator[str]:
    """What is neither found by the catalogue nor used by a sibling is dead; a helper's name starts with `_`."""
    made = {module.name for module, _ in creators(tree)}
    used = {i.target for m in tree.modules for i in m.imports}
    for module in tree.under("adapters"):
        if "import_module(" in module.text:  # it opens siblings by name when they are wanted
            package = module.name.rpartition(".")[0]
            tables = [tree.module(i.target) for i in module.imports if i.target.startswith(f"{package}._")]
            used |= {
                f"{package}.{node.value.partition(':')[0].rpartition('.')[2]}"
                for each in [module, *(table for table in tables if table is not None)]
                for node in ast.walk(each.ast)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isascii()
            }
    for module in tree.under("adapters"):
        if module.is_package or module.family in SHARED_FAMILIES or module.parts[-1].startswith("_"):
            continue
        if module.name not in made | used:
            yield module.at(1, "neither an adapter (`Options` and `create`) nor used by one")


@rule(
    {
        "adapters/x/a.py": "REGISTRY = {}\ndef register(name):\n    def keep(cls):\n        REGISTRY[name] = cls\n        return cls\n    return keep"
    },
    {"adapters/x/a.py": "class A:\n    def __init_subclass__(cls): ..."},
    fine={"adapters/x/a.py": "TABLE = {'a': 1}"},
)
def the_catalogue_is_the_only_registry(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.FunctionDef) and node.name in ("register", "__init_subclass__"):
                yield module.at(node, f"{node.name} keeps a second registry")
