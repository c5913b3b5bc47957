"""Who may know whom."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from tests.architecture.source import Module, Tree, rule

INNER = {
    "domain": {"domain"},
    "ports": {"domain", "ports"},
    "application": {"domain", "ports", "application"},
    "adapters": {"domain", "ports", "adapters"},
    "interfaces": {"domain", "ports", "interfaces"},
    "testing": {"domain", "ports", "testing"},
    "composition": {"domain", "ports", "application", "adapters", "interfaces", "composition"},
}
"""Layer → the layers it may import from. What is not listed (cli, __main__, the package itself) may know all of them."""

SHARED_FAMILIES = {
    "adapters.guests": "fills no port: how functions that others wrote are run, for hooks and tools",
    "adapters.walking": "fills no port: how a directory is walked, for the tools that search and the list of files",
    "adapters.http": "fills no port: it is the HTTP client that the families which speak HTTP are written over",
}

RUNS_SUITES = {
    "protea.composition.checkup": "`doctor --port` runs the suite of a port on the adapter that is really set up",
}
"""Who may open, when it is asked to, what ships for tests."""

COMPOSING = {
    "protea": "gives out by name what a program that holds Protea may use; opens it when it is asked for",
    "protea.sdk": "the composition of a program that is not ours",
}
"""Modules besides `composition` that may know both sides, and why."""

THIRD_PARTY = {
    "protea": set[str](),
    "protea.cli": {"msgspec"},
    "protea.sdk": {"msgspec"},
    "protea.domain": {"msgspec"},
    "protea.ports": {"msgspec"},
    "protea.application": {"msgspec"},
    "protea.adapters": {"msgspec"},
    "protea.adapters.http": {"msgspec", "certifi"},
    "protea.adapters.search": {"msgspec", "ddgs"},
    "protea.adapters.secrets.keyring": {"msgspec", "keyring"},
    "protea.adapters.task_runner._postgres": {"msgspec", "psycopg"},
    "protea.adapters.task_runner.durable": {"msgspec", "dbos"},
    "protea.adapters.tools": {"msgspec", "PIL", "pypdf"},
    "protea.adapters.web": {"msgspec", "html_to_markdown", "pypdf"},
    "protea.adapters.permission": {"msgspec", "tree_sitter", "tree_sitter_bash"},
    "protea.interfaces": {"msgspec"},
    "protea.interfaces.web": {"msgspec", "websockets"},
    "protea.interfaces.tui": {"msgspec", "PIL", "textual", "rich", "markdown_it", "pygments", "watchfiles"},
    "protea.composition": {"msgspec"},
    "protea.testing": {"msgspec"},
}
"""Package → what of others' it may import at the top of a file. The longest name that fits counts."""


@rule(
    {"domain/a.py": "from protea.ports.model import Model", "ports/model.py": ""},
    {"domain/a.py": "def f():\n    import protea.application.turn", "application/turn.py": ""},
    {"ports/a.py": "from protea.adapters import models", "adapters/models/__init__.py": ""},
    {"application/a.py": "from protea.composition.root import make", "composition/root.py": ""},
    {"adapters/x/a.py": "from protea.application.turn import turn", "application/turn.py": ""},
    {"testing/a.py": "from protea.adapters.x.b import c", "adapters/x/b.py": ""},
    {"interfaces/a.py": "from protea.cli import main", "cli.py": ""},
    fine={
        "domain/a.py": "from protea.domain.b import c",
        "domain/b.py": "",
        "application/t.py": "from protea.ports.p import P\nfrom protea.domain import b",
        "ports/p.py": "import protea.domain.b",
        "composition/root.py": "from protea.application.t import t",
        "cli.py": "from protea.composition.root import make",
    },
)
def layers_know_only_what_is_inside_them(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        allowed = INNER.get(module.layer)
        for each in module.imports:
            if each.target == "protea._version":
                continue  # one string, for everyone
            if each.lazy and module.name in RUNS_SUITES and each.target.startswith("protea.testing"):
                continue
            if allowed and each.target.startswith("protea.") and each.target.split(".")[1] not in allowed:
                yield module.at(each.line, f"{module.layer} must not know {each.target}")


@rule(
    {"domain/a.py": "import protea.domain.b", "domain/b.py": "import protea.domain.a"},
    {
        "domain/a.py": "import protea.domain.b",
        "domain/b.py": "import protea.domain.c",
        "domain/c.py": "def f():\n    import protea.domain.a",
    },
    {
        "domain/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from protea.domain.b import B",
        "domain/b.py": "from protea.domain.a import A",
    },
    fine={"domain/a.py": "import protea.domain.b\nimport protea.domain.c", "domain/b.py": "import protea.domain.c"},
)
def no_two_modules_need_each_other(tree: Tree) -> Iterator[str]:
    """Lazy and typing-only imports count: they are how a cycle is usually hidden."""
    graph = {
        m.name: [i.target for i in m.imports if i.target in tree.names and i.target != m.name] for m in tree.modules
    }
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack = [(start, iter(graph[start]))] if start not in done else []
        path = [start] if stack else []
        while stack:
            _, targets = stack[-1]
            following = next((t for t in targets if t not in done), None)
            if following is None:
                done.add(stack.pop()[0])
                path.pop()
            elif following in path:
                yield "a cycle: " + " → ".join([*path[path.index(following) :], following])
                done.add(following)
            else:
                stack.append((following, iter(graph[following])))
                path.append(following)


@rule(
    {"adapters/models/a.py": "from protea.adapters.tools.b import c", "adapters/tools/b.py": ""},
    {"adapters/clock/system.py": "def f():\n    import protea.adapters.ids", "adapters/ids/__init__.py": ""},
    fine={
        "adapters/models/a.py": "from protea.adapters.models.b import c\nfrom protea.adapters.http.client import Client",
        "adapters/models/b.py": "",
        "adapters/http/client.py": "",
    },
)
def families_of_adapters_do_not_know_one_another(tree: Tree) -> Iterator[str]:
    for module in tree.under("adapters"):
        for each in module.imports:
            family = ".".join(each.target.split(".")[1:3])
            if family.startswith("adapters.") and family not in (module.family, *SHARED_FAMILIES):
                yield module.at(each.line, f"{module.family} must not know {family}: ask for its port by name")


@rule(
    {"adapters/http/client.py": "from protea.adapters.models.a import b", "adapters/models/a.py": ""},
    {"adapters/http/client.py": "import protea.ports.model", "ports/model.py": ""},
    fine={"adapters/http/client.py": "import protea.adapters.http.address", "adapters/http/address.py": ""},
)
def what_families_share_knows_none_of_them(tree: Tree) -> Iterator[str]:
    """Nor any port: then it would be an adapter itself, and others must not know it."""
    for module in tree.under(*SHARED_FAMILIES):
        for each in module.imports:
            if each.target.startswith(("protea.adapters.", "protea.ports")):
                family = ".".join(each.target.split(".")[1:3])
                if family != module.family:
                    yield module.at(each.line, f"{module.family} is shared and must not know {each.target}")


FACES = {"a2a", "acp", "commands", "daemon", "headless", "repl", "tui", "web"}
"""What else lies in `interfaces` is what they share."""


@rule(
    {"interfaces/repl/a.py": "import protea.interfaces.headless.b", "interfaces/headless/b.py": ""},
    fine={
        "interfaces/repl/a.py": "import protea.interfaces.repl.b\nimport protea.interfaces.manual",
        "interfaces/repl/b.py": "",
        "interfaces/manual.py": "",
    },
)
def faces_do_not_know_one_another(tree: Tree) -> Iterator[str]:
    faces = {f"interfaces.{face}" for face in FACES}
    for module in tree.under("interfaces"):
        for each in module.imports:
            face = ".".join(each.target.split(".")[1:3])
            if face in faces and face != module.family:
                yield module.at(each.line, f"{module.family} must not know the face {face}")


WITHOUT_A_SESSION = {
    "protea.interfaces.commands.perm": {"protea.ports.permission"},  # tells of decisions; there is nothing to run
    "protea.interfaces.commands.perm_past": {"protea.ports.permission"},  # the same, of past ones
    "protea.interfaces.commands.memory": {"protea.ports.memory"},
    "protea.interfaces.commands.schedule": {"protea.ports.scheduler"},
    "protea.interfaces.commands.skills": {"protea.ports.capability"},
    "protea.interfaces.commands.tasks": {"protea.ports.task_runner"},
    "protea.interfaces.commands.sandbox": {"protea.ports.sandbox"},  # one command behind its walls, and no agent
}
"""Commands about one piece alone, and the port of that piece. Composition hands it to them."""


@rule(
    {"interfaces/repl.py": "from protea.ports.model import Model", "ports/model.py": ""},
    fine={"interfaces/repl.py": "from protea.ports.gateway import Gateway", "ports/gateway.py": ""},
)
def faces_hold_only_the_driving_port(tree: Tree) -> Iterator[str]:
    for module in tree.under("interfaces"):
        for each in module.imports:
            allowed = {"protea.ports.gateway", *WITHOUT_A_SESSION.get(module.name, ())}
            if each.target.startswith("protea.ports") and each.target not in allowed:
                yield module.at(each.line, f"a face holds the gateway and nothing else, not {each.target}")


@rule(
    {"cli.py": "from protea.adapters.models.a import create", "adapters/models/a.py": ""},
    {"cli.py": "NAME = 'protea.adapters.models.a'"},
    {"interfaces/a.py": "def f():\n    return 'protea.adapters.models.a:create'"},
    fine={
        "composition/catalogue.py": "NAME = 'protea.adapters.models.a'",
        "cli.py": '"""Says nothing of protea.adapters.models."""',
        "adapters/models/a.py": "from protea.adapters.models.b import c",
        "adapters/models/b.py": "",
    },
)
def only_composition_names_adapters(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        if module.layer in ("composition", "adapters") or module.name in COMPOSING:
            continue
        for each in module.imports:
            if each.target.startswith("protea.adapters"):
                yield module.at(each.line, f"only composition may know {each.target}")
        for node in ast.walk(module.ast):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith("protea.adapters")
            ):
                yield module.at(node, f"only composition may name {node.value}")


ALWAYS_WANTED = {
    "protea.adapters.settings": "read at every start, before anything can be chosen",
}

OPENED_LATE = {
    "protea.composition.crash": "is itself loaded only when there is a fault to report",
}


@rule(
    {"composition/root.py": "from protea.adapters.models.a import create", "adapters/models/a.py": ""},
    {"composition/root.py": "import protea.adapters.models", "adapters/models/__init__.py": ""},
    fine={
        "composition/root.py": "def f():\n    from protea.adapters.models.a import create",
        "adapters/models/a.py": "",
    },
)
def composition_opens_adapters_when_they_are_wanted(tree: Tree) -> Iterator[str]:
    """A run pays for the adapters it uses, not for those it might have used."""
    for module in tree.under("composition"):
        if module.name in OPENED_LATE:
            continue
        for each in module.imports:
            wanted = each.target.startswith(tuple(ALWAYS_WANTED))
            if each.target.startswith("protea.adapters.") and not (each.lazy or each.typing_only or wanted):
                yield module.at(each.line, f"{each.target} is loaded before anyone asked for it")


@rule(
    {"application/a.py": "from protea.testing.fakes import X", "testing/fakes.py": ""},
    {"composition/a.py": "def f():\n    import protea.testing", "testing/__init__.py": ""},
    fine={"testing/a.py": "from protea.testing.b import c", "testing/b.py": ""},
)
def nothing_that_runs_leans_on_what_ships_for_tests(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for each in module.imports:
            if each.lazy and module.name in RUNS_SUITES:
                continue
            if each.target.startswith("protea.testing") and module.layer != "testing":
                yield module.at(each.line, f"{module.name} must not need {each.target}")


@rule(
    {"testing/suite.py": "import pytest"},
    {"testing/suite.py": "from hypothesis import given"},
    fine={"testing/suite.py": "def case():\n    import pytest"},
)
def what_ships_for_tests_imports_without_a_test_runner(tree: Tree) -> Iterator[str]:
    for module in tree.under("testing"):
        for each in module.imports:
            if each.target.partition(".")[0] in ("pytest", "hypothesis", "_pytest") and not each.lazy:
                yield module.at(each.line, f"{each.target} is needed to import {module.name}")


def _may_import(module: Module) -> set[str]:
    fitting = [name for name in THIRD_PARTY if module.name == name or module.name.startswith(name + ".")]
    return THIRD_PARTY[max(fitting, key=len)]


@rule(
    {"domain/a.py": "import httpx2"},
    {"application/a.py": "def f():\n    import numpy"},
    {"cli.py": "import textual"},
    {"adapters/models/a.py": "import tree_sitter"},
    fine={
        "domain/a.py": "import msgspec.json\nimport collections.abc",
        "adapters/permission/rules.py": "import tree_sitter_bash",
        "adapters/permission/b.py": "import tree_sitter",
        "cli.py": "def f():\n    import protea.domain.a",
    },
)
def libraries_stay_where_they_are_used(tree: Tree) -> Iterator[str]:
    """One row in `THIRD_PARTY` per place: a new library is a decision, not an accident."""
    for module in tree.modules:
        for each in module.imports:
            top = each.target.partition(".")[0]
            if top in sys.stdlib_module_names or top in ("protea", ""):
                continue
            if module.layer == "testing" and each.lazy and top in ("pytest", "hypothesis"):
                continue
            if top not in _may_import(module):
                yield module.at(each.line, f"{module.name} must not import {top}")


TRIED = {
    "html_to_markdown": "the extra `web`: reads large pages faster; where it is missing, our own reader reads them too",
    "PIL": "the extra `media`: where it is missing, images that are too large are not made smaller",
    "dbos": "the extra `durable`: importing it starts a program; `create` says at once where it is missing",
    "pypdf": "the extra `media`: where it is missing, pdftotext reads PDF files",
    "certifi": "no dependency: where a Python comes without a certificate store and someone installed it, it is used",
}


@rule(
    {"adapters/x/a.py": "def f():\n    import tree_sitter"},
    fine={"adapters/x/a.py": "import tree_sitter\ndef f():\n    import subprocess"},
)
def a_library_is_imported_at_the_top_of_its_adapter(tree: Tree) -> Iterator[str]:
    """So that a missing extra is known when the adapter is loaded, not in the middle of a turn."""
    for module in tree.under("adapters"):
        for each in module.imports:
            top = each.target.partition(".")[0]
            if each.lazy and top not in sys.stdlib_module_names and top not in ("protea", "msgspec", *TRIED):
                yield module.at(each.line, f"{top} is imported inside a function")


@rule(
    {"domain/a.py": "from . import b", "domain/b.py": ""},
    {"domain/a.py": "from ..ports import x", "ports/x.py": ""},
    fine={"domain/a.py": "from protea.domain import b", "domain/b.py": ""},
)
def imports_are_absolute(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for each in module.imports:
            if each.target.startswith("."):
                yield module.at(each.line, f"relative import {each.target}")


@rule(
    {"domain/a.py": "from protea.domain.b import *", "domain/b.py": ""},
    fine={"domain/a.py": "from protea.domain.b import c", "domain/b.py": ""},
)
def no_import_brings_names_nobody_wrote(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                yield module.at(node, "import * hides where names come from")


@rule(
    {"application/a.py": "from protea.application.b import _secret", "application/b.py": ""},
    {"adapters/models/a.py": "from protea.adapters.http._tls import make", "adapters/http/_tls.py": ""},
    fine={
        "adapters/http/a.py": "from protea.adapters.http._tls import make",
        "adapters/http/_tls.py": "",
        "cli.py": "from __future__ import annotations",
    },
)
def private_names_stay_at_home(tree: Tree) -> Iterator[str]:
    """A name with `_` belongs to its file, a file with `_` to its folder."""
    for module in tree.modules:
        home = module.name if module.is_package else module.name.rpartition(".")[0]
        for node in ast.walk(module.ast):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("protea"):
                continue
            folder, _, file = (node.module or "").rpartition(".")
            if node.module == "protea._version":
                continue
            if file.startswith("_") and not file.startswith("__") and folder != home:
                yield module.at(node, f"{node.module} is private to {folder}")
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                private = alias.name.startswith("_") and not alias.name.startswith("__")
                if private and not (whole in tree.names and node.module == home):
                    yield module.at(node, f"{alias.name} is private to {node.module}")
