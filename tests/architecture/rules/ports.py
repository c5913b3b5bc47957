"""Ports and what fills them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Module, Tree, classes, rule

NOT_SWAPPED = {
    "gateway": "the driving port: it is what a face holds, nobody fills it by profile",
    "clock": "the outside world itself",
    "ids": "the outside world itself",
    "process": "the outside world itself",
}


def port_modules(tree: Tree) -> list[Module]:
    return [m for m in tree.under("ports") if len(m.parts) == 2 and not m.parts[1].startswith("_")]


def protocols(module: Module) -> list[ast.ClassDef]:
    return [
        node
        for node in classes(module.ast)
        if any(ast.unparse(base).split("[")[0] in ("Protocol", "typing.Protocol") for base in node.bases)
    ]


def main_protocol(module: Module) -> ast.ClassDef | None:
    """The Protocol that has the file's name: `session_store` → `SessionStore`."""
    wanted = module.parts[1].replace("_", "")
    return next((node for node in protocols(module) if node.name.lower() == wanted), None)


@rule(
    {"ports/model.py": "from typing import Protocol\nclass Other(Protocol): ..."},
    {"ports/model.py": "class Model: ..."},
    fine={
        "ports/session_store.py": "from typing import Protocol\nclass Log(Protocol): ...\nclass SessionStore(Protocol): ..."
    },
)
def a_port_file_holds_the_protocol_of_its_name(tree: Tree) -> Iterator[str]:
    for module in port_modules(tree):
        if main_protocol(module) is None:
            yield module.at(1, f"no Protocol named like the file {module.parts[1]}")


@rule(
    {"ports/model.py": "from typing import Protocol\nclass Model(Protocol):\n    def f(self) -> int: ..."},
    {
        "ports/model.py": "from typing import Protocol\nclass Model(Protocol):\n    '''P.'''\nclass B(Protocol):\n    def g(self): ..."
    },
    fine={
        "ports/model.py": "from typing import Protocol\nclass Model(Protocol):\n    def f(self) -> int:\n        '''Promise.'''\n        ...",
        "ports/clock.py": "from typing import Protocol\nclass Clock(Protocol):\n    '''Promises it all.'''\n    def f(self) -> int: ...",
    },
)
def every_promise_is_written_down(tree: Tree) -> Iterator[str]:
    """On the method, or for all of them on the Protocol."""
    for module in port_modules(tree):
        for node in protocols(module):
            if ast.get_docstring(node):
                continue
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and not ast.get_docstring(method):
                    yield module.at(method, f"{node.name}.{method.name} promises nothing")


@rule(
    {"ports/model.py": '"""The port to a model."""'},
    {"ports/model.py": '"""The port to a model. Swap class: lukewarm."""'},
    fine={
        "ports/model.py": '"""The port to a model. Swap class: hot."""',
        "ports/gateway.py": '"""The driving port."""',
    },
)
def a_port_says_its_swap_class(tree: Tree) -> Iterator[str]:
    for module in port_modules(tree):
        said = re.search(r"Swap class: (hot|warm|cold)\b", ast.get_docstring(module.ast) or "")
        if not said and module.parts[1] not in NOT_SWAPPED:
            yield module.at(1, f"{module.parts[1]} does not say `Swap class: hot|warm|cold`")


@rule(
    {
        "ports/model.py": "from typing import Protocol\nclass Model(Protocol):\n    def f(self) -> int:\n        return 1"
    },
    {"ports/model.py": "def create():\n    return 1"},
    {"ports/model.py": "class Helper:\n    def f(self):\n        self.x = 1"},
    fine={
        "ports/model.py": "from typing import Protocol\nclass Model(Protocol):\n    def f(self) -> int:\n        '''P.'''\n        ...",
        "ports/gateway.py": "import msgspec\nclass Open(msgspec.Struct, frozen=True):\n    cwd: str",
    },
)
def ports_do_nothing(tree: Tree) -> Iterator[str]:
    """Promises, and the values and errors they speak of. A value may name what follows from its own fields."""
    for module in port_modules(tree):
        promises = {id(method) for node in protocols(module) for method in node.body}
        for node in ast.walk(module.ast):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            told = [
                each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
            derived = [ast.unparse(each) for each in node.decorator_list] == ["property"] and len(told) == 1
            builds_error = node.name == "__init__" and "super().__init__" in ast.unparse(node)
            if told and (id(node) in promises or not (derived or builds_error)):
                yield module.at(node, f"{node.name} does something")


OPENED_BY_NAME = {
    "channel": "the daemon will listen by it; until then `doctor --port channel` opens it and runs its suite",
    "peer_server": "the daemon will let others in by it; until then as above",
    "proactive": "the daemon will ask it at every heartbeat; until then as above",
    "search": "a tool will search by it; until then as above",
}
"""Ports nothing of ours needs yet, and who opens them: adapters of them are made and checked all the same."""


@rule(
    {"application/a.py": "", "ports/lonely.py": "from typing import Protocol\nclass Lonely(Protocol): ..."},
    {
        "adapters/lonely/a.py": "from protea.ports.lonely import Lonely",
        "ports/lonely.py": "from typing import Protocol\nclass Lonely(Protocol): ...",
    },
    fine={
        "application/a.py": "from protea.ports.model import Model",
        "ports/model.py": "from typing import Protocol\nclass Model(Protocol): ...",
        "adapters/sandbox/a.py": "from protea.ports.sandbox import Sandbox",
        "adapters/tools/a.py": "from protea.ports.sandbox import Sandbox",
        "ports/sandbox.py": "from typing import Protocol\nclass Sandbox(Protocol): ...",
    },
)
def every_port_is_used(tree: Tree) -> Iterator[str]:
    """By the application, composition or a face, or by adapters besides those that fill it."""
    inside = {i.target for m in tree.under("application", "composition", "interfaces", "cli") for i in m.imports}
    for module in port_modules(tree):
        families = {m.family for m in tree.under("adapters") if module.name in {i.target for i in m.imports}}
        if module.name not in inside and len(families) < 2 and module.parts[1] not in OPENED_BY_NAME:
            yield module.at(1, f"nobody uses the port {module.parts[1]}")


@rule(
    {"ports/model.py": "", "application/a.py": "def f(x):\n    return isinstance(x, AnthropicModel)"},
    {"application/a.py": "def f(model):\n    return hasattr(model, 'cache')"},
    {"application/a.py": "def f(model):\n    return getattr(model, 'cache', None)"},
    fine={
        "application/a.py": "from protea.domain.commands import SetModel\ndef f(c):\n    return isinstance(c, SetModel)",
        "domain/commands.py": "class SetModel: ...",
        "ports/model.py": "",
    },
)
def no_port_is_pierced(tree: Tree) -> Iterator[str]:
    """Whoever asks what stands behind a port has lost it."""
    suffixes = tuple(main.name for module in port_modules(tree) if (main := main_protocol(module)) is not None) or (
        "Model",
    )
    for module in tree.under("application", "interfaces"):
        # Values may be called like a port (`ResolveApproval`): what comes from the domain is no adapter.
        values = {
            alias.name
            for node in ast.walk(module.ast)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("protea.domain")
            for alias in node.names
        }
        for node in ast.walk(module.ast):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name == "isinstance" and len(node.args) == 2:
                for kind in re.findall(r"\w+", ast.unparse(node.args[1])):
                    if kind.endswith(suffixes) and kind not in values:
                        yield module.at(node, f"isinstance(…, {kind}) looks behind a port")
            if name in ("hasattr", "getattr") and module.layer == "application":
                yield module.at(node, f"{name}() looks behind a port")
