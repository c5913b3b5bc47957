"""What the catalogue names, loaded: options that refuse the unknown, and lines the type checker reads."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protea.composition.catalogue import CATALOGUE
from tests.architecture.source import ROOT

ROWS = [
    pytest.param(port, target, id=f"{port}-{name}")
    for port, names in CATALOGUE.items()
    for name, target in names.items()
]


@pytest.mark.parametrize(("port", "target"), ROWS)
def test_an_adapter_refuses_options_it_does_not_know(port: str, target: str) -> None:
    options: Any = import_module(target).Options
    with pytest.raises(msgspec.ValidationError, match=r"unknown field|missing required"):
        msgspec.convert({"no_such_option": 1}, options)
    assert options.__struct_config__.forbid_unknown_fields
    assert options.__struct_config__.frozen


def lines() -> list[str]:
    """One assignment per adapter: `mypy --strict` compares what `create` gives with the port's Protocol."""
    imports, assignments = {"from collections.abc import Callable"}, []
    for port, names in CATALOGUE.items():
        kind = "".join(word.capitalize() for word in port.split("_"))
        imports.add(f"from protea.ports.{port} import {kind}")
        for name, target in names.items():
            family, _, file = target.rpartition(".")
            called = f"{port}_{name.replace('-', '_')}"
            imports.add(f"from {family} import {file} as {called}")
            assignments.append(f"{called}_fills: Callable[..., {kind}] = {called}.create")
    return [*sorted(imports), *assignments]


def test_the_type_checker_sees_every_adapter() -> None:
    """Make the file anew with `python -m tests.architecture.test_catalogue > typing_tests/adapters.py`."""
    written = (ROOT / "typing_tests/adapters.py").read_text().splitlines()
    assert [line for line in lines() if line not in written] == []


def test_the_type_checker_notices_an_adapter_that_does_not_fill_its_port(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from collections.abc import Callable\n"
        "from protea.ports.clock import Clock\n"
        "class Broken:\n    def now(self) -> int:\n        return 1\n"
        "broken_fills: Callable[..., Clock] = Broken\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        tmp_path / "c",
        broken,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 1
    assert "Incompatible types in assignment" in done.stdout


if __name__ == "__main__":
    sys.stdout.write('"""Written from the catalogue; checked by mypy: every adapter fills its port."""\n\n')
    sys.stdout.write("\n".join(lines()) + "\n")
