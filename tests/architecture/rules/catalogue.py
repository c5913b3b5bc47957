"""The catalogue: complete, true, and in step with the ports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from tests.architecture.rules.adapters import creators
from tests.architecture.rules.ports import port_modules
from tests.architecture.source import Module, Tree, rule

NOT_FILLED = {
    "gateway": "the driving port is implemented by the application",
    "model_source": "composition itself answers for it: it turns a name into a model by the catalogue",
}

ONE_IS_ENOUGH = {
    "clock": "the outside world; its other side is the fake",
    "ids": "the outside world; its other side is the fake",
}

GIVEN = {"surroundings"}
"""What `create` may ask for that is no port."""

_PORT = "from typing import Protocol\nclass Model(Protocol): ..."
_ADAPTER = "def create(options): ..."


def _table(tree: Tree, name: str) -> tuple[Module | None, dict[str, Any]]:
    """A literal of `composition/catalogue.py`; empty where there is none."""
    module = tree.module("protea.composition.catalogue")
    for node in module.ast.body if module else ():
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == name and isinstance(node, ast.Assign | ast.AnnAssign):
            assert node.value is not None
            return module, ast.literal_eval(node.value)
    return module, {}


@rule(
    {"composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.a'}}"},
    {
        "composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.a'}}",
        "adapters/models/a.py": "",
    },
    fine={
        "composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.a'}}",
        "adapters/models/a.py": _ADAPTER,
    },
)
def every_name_leads_to_an_adapter(tree: Tree) -> Iterator[str]:
    module, table = _table(tree, "CATALOGUE")
    made = {m.name for m, _ in creators(tree)}
    for port, names in table.items():
        for name, target in names.items():
            if module and target not in made:
                yield module.at(1, f"{port}/{name}: {target} has no create")


@rule(
    {"composition/catalogue.py": "CATALOGUE = {}", "adapters/models/a.py": _ADAPTER},
    fine={
        "composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.a'}}",
        "adapters/models/a.py": _ADAPTER,
    },
)
def every_adapter_has_a_name(tree: Tree) -> Iterator[str]:
    _, table = _table(tree, "CATALOGUE")
    named = {target for names in table.values() for target in names.values()}
    for module, create in creators(tree):
        if module.name not in named:
            yield module.at(create, "stands in no catalogue: nobody can choose it")


@rule(
    {"composition/catalogue.py": "CATALOGUE = {'nothing': {}}"},
    {"composition/catalogue.py": "CATALOGUE = {}", "ports/model.py": _PORT},
    fine={"composition/catalogue.py": "CATALOGUE = {'model': {}}", "ports/model.py": _PORT, "ports/gateway.py": ""},
)
def the_catalogue_has_exactly_the_ports(tree: Tree) -> Iterator[str]:
    module, table = _table(tree, "CATALOGUE")
    ports = {m.parts[1] for m in port_modules(tree)} - set(NOT_FILLED)
    for name in sorted(ports ^ set(table)):
        if module:
            yield module.at(1, f"{name} is {'a port without a row' if name in ports else 'a row without a port'}")


@rule(
    {"composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.b'}}"},
    {"composition/catalogue.py": "CATALOGUE = {'model': {'Open_AI': 'protea.adapters.models.open_ai'}}"},
    fine={"composition/catalogue.py": "CATALOGUE = {'model': {'openai-chat': 'protea.adapters.models.openai_chat'}}"},
)
def an_adapter_is_called_like_its_file(tree: Tree) -> Iterator[str]:
    module, table = _table(tree, "CATALOGUE")
    for port, names in table.items():
        for name, target in names.items():
            if module and (
                not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or target.split(".")[-1] != name.replace("-", "_")
            ):
                yield module.at(1, f"{port}/{name} is {target}")


@rule(
    {"composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.a'}}", "ports/model.py": _PORT},
    fine={
        "composition/catalogue.py": "CATALOGUE = {'model': {'a': 'x.a', 'b': 'x.b'}, 'clock': {'system': 'x.system'}}",
        "ports/model.py": _PORT,
    },
)
def every_port_can_be_filled_in_two_ways(tree: Tree) -> Iterator[str]:
    """With one adapter nobody knows whether the port is one."""
    module, table = _table(tree, "CATALOGUE")
    for port, names in table.items():
        if module and len(names) < 2 and port not in ONE_IS_ENOUGH:
            yield module.at(1, f"{port} has only {', '.join(names) or 'nothing'}")


@rule(
    {"composition/catalogue.py": "CATALOGUE = {'model': {'a': 'x.a'}}\nDEFAULTS = {'model': 'b'}"},
    {"composition/catalogue.py": "CATALOGUE = {'model': {'a': 'x.a'}}\nDEFAULTS = {'modle': 'a'}"},
    fine={"composition/catalogue.py": "CATALOGUE = {'model': {'a': 'x.a'}}\nDEFAULTS = {'model': 'a'}"},
)
def defaults_are_in_the_catalogue(tree: Tree) -> Iterator[str]:
    module, table = _table(tree, "CATALOGUE")
    _, defaults = _table(tree, "DEFAULTS")
    for port, name in defaults.items():
        if module and name not in table.get(port, {}):
            yield module.at(1, f"the default {name} of {port} is not in the catalogue")


@rule(
    {
        "composition/catalogue.py": "SWAP_CLASSES = {'model': 'cold'}",
        "ports/model.py": '"""The port to a model. Swap class: hot."""',
    },
    {
        "composition/catalogue.py": "SWAP_CLASSES = {'clock': 'cold'}",
        "ports/model.py": '"""The port to a model. Swap class: hot."""',
    },
    fine={
        "composition/catalogue.py": "SWAP_CLASSES = {'model': 'hot'}",
        "ports/model.py": '"""The port to a model. Swap class: hot."""',
    },
)
def swap_classes_are_those_the_ports_promise(tree: Tree) -> Iterator[str]:
    module, table = _table(tree, "SWAP_CLASSES")
    if not table:
        return
    for port in port_modules(tree):
        said = re.search(r"Swap class: (\w+)", ast.get_docstring(port.ast) or "")
        if said and module and port.parts[1] not in NOT_FILLED and table.get(port.parts[1]) != said[1]:
            yield port.at(1, f"promises {said[1]}, the catalogue says {table.get(port.parts[1])}")


@rule(
    {
        "composition/catalogue.py": "CATALOGUE = {'model': {'a': 'protea.adapters.models.a'}}",
        "adapters/models/a.py": "def create(options, *, database): ...",
    },
    fine={
        "composition/catalogue.py": "CATALOGUE = {'model': {'a': 'x.a'}, 'clock': {}}",
        "adapters/models/a.py": "def create(options, *, clock, surroundings): ...",
    },
)
def an_adapter_asks_only_for_what_there_is(tree: Tree) -> Iterator[str]:
    _, table = _table(tree, "CATALOGUE")
    for module, create in creators(tree):
        for argument in create.args.kwonlyargs:
            if table and argument.arg not in {*table, *GIVEN}:
                yield module.at(create, f"asks for {argument.arg}, which nobody gives")


@rule(
    {"ports/oracle.py": _PORT, "testing/__init__.py": ""},
    {"ports/oracle.py": _PORT, "testing/contracts/oracles.py": ""},
    fine={"ports/oracle.py": _PORT, "testing/contracts/oracle.py": ""},
)
def every_port_ships_a_contract_suite(tree: Tree) -> Iterator[str]:
    """`testing/contracts/<port>.py`: what any adapter of it must do, for ours and for everyone's."""
    for port in port_modules(tree):
        if tree.module(f"protea.testing.contracts.{port.parts[1]}") is None:
            yield port.at(1, f"no protea.testing.contracts.{port.parts[1]}")


@rule(
    {"ports/oracle.py": _PORT, "testing/contracts/oracle.py": "from protea.ports.oracle import Model"},
    fine={"ports/oracle.py": _PORT, "testing/oracles.py": "from protea.ports.oracle import Model"},
)
def every_port_ships_a_fake(tree: Tree) -> Iterator[str]:
    """So that nobody needs a mock. A module of `testing` that knows the port holds it."""
    known = {
        i.target for m in tree.under("testing") for i in m.imports if not m.name.startswith("protea.testing.contracts")
    }
    named = {m.parts[1] for m in tree.under("testing") if len(m.parts) == 2}
    for port in port_modules(tree):
        if port.name not in known and port.parts[1] not in named:
            yield port.at(1, f"no fake of {port.parts[1]} in protea.testing")
