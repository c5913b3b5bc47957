"""What a wheel holds, what `protea` gives out, and where its version stands."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import protea

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-I",
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "-w",
            folder,
            ROOT,
        ],
        check=True,
        capture_output=True,
        timeout=100,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src/protea").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == source
    assert "protea/py.typed" in held


def test_the_wheel_carries_its_licence_and_command(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    entry = next(name for name in names if name.endswith("entry_points.txt"))
    assert "protea = protea.cli:main" in zipfile.ZipFile(wheel).read(entry).decode()


def test_the_version_stands_in_one_place(wheel: Path) -> None:
    assert wheel.name == f"protea-{protea.__version__}-py3-none-any.whl"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    pattern = re.compile(rf"__version__ *=|['\"]{re.escape(protea.__version__)}['\"]")
    held = [path.name for path in (ROOT / "src").rglob("*.py") if pattern.search(path.read_text())]
    assert held == ["_version.py"]


def test_the_command_tells_the_version() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "protea", "--version"], capture_output=True, text=True, timeout=30
    )
    assert done.stdout == f"protea {protea.__version__}\n"


def test_protea_gives_out_exactly_what_it_lists() -> None:
    for name in protea.__all__:
        value = getattr(protea, name)
        home = getattr(value, "__module__", None)
        assert home is None or home.startswith("protea") or name.startswith("__")
    assert sorted(protea.__all__) == sorted(set(protea.__all__))


def test_every_name_given_out_says_what_it_is() -> None:
    undocumented = [
        name
        for name in protea.__all__
        if (isinstance(value := getattr(protea, name), type) or callable(value)) and not (value.__doc__ or "").strip()
    ]
    assert undocumented == []


def test_a_name_that_is_not_given_out_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        protea.no_such_name  # noqa: B018  # reading it is the test


def test_dir_shows_what_is_given_out() -> None:
    assert set(protea.__all__) <= set(dir(protea))


def test_protea_can_be_reloaded() -> None:
    names = list(protea.__all__)
    assert importlib.reload(protea).__all__ == names
