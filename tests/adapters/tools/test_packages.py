"""Packages with real managers, against a registry on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from protea.adapters.tools import builtin
from protea.domain.schema import problems
from protea.domain.tools import ToolResult
from protea.testing.toolset import RecordedCall
from tests import toolchains
from tests.adapters.tools.conftest import Project
from tests.registry import Registry, registry


class Bench:
    """A project whose managers ask the registry, and nothing else."""

    def __init__(self, project: Project, known: Registry) -> None:
        self.project = project
        self.known = known
        self.root = project.root

    def open(self, **environment: str) -> None:
        everything = {**self.project.surroundings.environment, **environment}
        self.project.surroundings = replace(self.project.surroundings, environment=everything)
        self.project.tools = self.project.open(builtin.Options())

    def environment(self, folder: str = ".venv", *, pip: bool = True) -> None:
        """A virtual environment, with the pip of whoever runs the tests: making one anew takes seconds."""
        subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", self.root / folder], check=True)
        # What this machine is told of other indexes does not hold there.
        nothing = "".join(f"{name} =\n" for name in ("extra-index-url", "find-links", "constraint"))
        (self.root / folder / "pip.conf").write_text(f"[global]\nindex-url = {self.known.url}/simple\n{nothing}")
        if pip:
            import pip as installed

            (libraries,) = (self.root / folder).glob("lib/python*/site-packages")
            shutil.copytree(Path(installed.__file__).parent, libraries / "pip")

    def npm(self) -> None:
        toolchains.program("npm")
        cache = self.root.parent / "npm"
        settings = f"registry={self.known.url}/\naudit=false\nfund=false\nupdate-notifier=false\ncache={cache}\n"
        self.project.write({"package.json": '{"name": "made", "version": "1.0.0"}\n', ".npmrc": settings})

    def cargo(self) -> None:
        folder = toolchains.rust()
        self.open(PATH=f"{folder}{os.pathsep}{os.environ['PATH']}", CARGO_HOME=str(self.root.parent / "cargo"))
        source = (
            f'[source.crates-io]\nreplace-with = "here"\n[source.here]\nregistry = "sparse+{self.known.url}/crates/"\n'
        )
        self.project.write(
            {
                ".cargo/config.toml": source,
                "Cargo.toml": '[package]\nname = "made"\nversion = "0.1.0"\nedition = "2021"\n',
                "src/main.rs": "fn main() {}\n",
            }
        )

    async def call(self, manager: str, action: str, *names: str, **more: Any) -> ToolResult:
        tool = self.project.tools.tool("Packages")
        assert tool is not None
        arguments = {"manager": manager, "action": action, **({"names": list(names)} if names else {}), **more}
        assert problems(arguments, tool.spec.parameters) == []
        self.project.last = RecordedCall(str(self.project.outputs), toolset=self.project.tools)
        return await tool.run(arguments, self.project.last)

    @property
    def ran(self) -> list[str]:
        return [str(arguments["command"]) for _, arguments in self.project.last.parts]


@pytest.fixture
async def bench(project: Project) -> AsyncIterator[Bench]:
    with registry() as known:
        for version in ("1.0.0", "1.1.0", "2.0.0"):
            known.wheel("looped", version)
            known.npm("looped", version)
            known.crate("looped", version)
        yield Bench(project, known)


# ── pip ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_pip_works_in_the_environment_of_the_project(bench: Bench) -> None:
    bench.environment()
    done = await bench.call("pip", "add", "looped==1.0.0")
    assert not done.is_error, done.text
    assert bench.ran == [".venv/bin/python -I -m pip install looped==1.0.0"]
    assert "looped" in (await bench.call("pip", "list")).text
    outdated = await bench.call("pip", "outdated")
    assert not outdated.is_error
    assert outdated.text.splitlines()[2].split() == ["looped", "1.0.0", "2.0.0", "wheel"]
    assert "Summary: made here" in (await bench.call("pip", "show", "looped")).text
    assert not (await bench.call("pip", "remove", "looped")).is_error
    assert (await bench.call("pip", "show", "looped")).is_error


async def test_an_environment_of_the_project_is_found_from_a_folder_in_it(bench: Bench) -> None:
    bench.environment("venv")
    bench.project.write({"sub dir/x": ""})
    bash = bench.project.tools.tool("Bash")
    assert bash is not None
    await bash.run({"command": "cd 'sub dir'"}, RecordedCall(str(bench.project.outputs)))
    done = await bench.call("pip", "add", "looped")
    assert not done.is_error, done.text
    assert bench.ran == [f"{bench.root}/venv/bin/python -I -m pip install looped"]


async def test_without_an_environment_nothing_of_the_machine_is_changed(bench: Bench) -> None:
    for action in ("add", "remove"):
        refused = await bench.call("pip", action, "looped")
        assert refused.is_error
        assert "make one with `python3 -m venv .venv` by Bash" in refused.text
        assert bench.ran == []
    assert "pip" in (await bench.call("pip", "show", "pip")).text
    assert bench.ran == ["python3 -I -m pip show pip"]


async def test_an_environment_without_pip_is_told_who_made_it(bench: Bench) -> None:
    bench.environment(pip=False)
    refused = await bench.call("pip", "add", "looped")
    assert refused.text == ".venv has no pip (uv makes such): use manager uv."
    assert refused.is_error


async def test_of_packages_of_which_one_is_missing_none_is_installed(bench: Bench) -> None:
    bench.environment()
    failed = await bench.call("pip", "add", "looped", "no-such-package-of-ours")
    assert failed.is_error
    assert "No matching distribution found for no-such-package-of-ours" in failed.text
    assert (await bench.call("pip", "show", "looped")).is_error


# ── npm ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_npm_lists_adds_and_removes(bench: Bench) -> None:
    bench.npm()
    done = await bench.call("npm", "add", "looped@1.0.0")
    assert not done.is_error, done.text
    assert json.loads((bench.root / "package.json").read_text())["dependencies"] == {"looped": "^1.0.0"}
    assert "looped@1.0.0" in (await bench.call("npm", "list")).text
    outdated = await bench.call("npm", "outdated")
    assert not outdated.is_error
    assert outdated.text.splitlines()[1].split()[:4] == ["looped", "1.0.0", "1.1.0", "2.0.0"]
    assert not (await bench.call("npm", "remove", "looped")).is_error
    assert "looped" not in (bench.root / "package.json").read_text()
    assert not (await bench.call("npm", "add", "looped", dev=True)).is_error
    assert '"devDependencies"' in (bench.root / "package.json").read_text()


async def test_an_npm_package_that_does_not_install_leaves_the_project_as_it_was(bench: Bench) -> None:
    bench.npm()
    bench.known.npm("broken", "1.0.0", scripts={"postinstall": "echo it broke >&2; exit 7"})
    before = (bench.root / "package.json").read_bytes()
    failed = await bench.call("npm", "add", "looped", "broken")
    if not failed.is_error:
        pytest.skip("this npm runs no scripts of what it installs")
    assert "it broke" in failed.text
    assert (bench.root / "package.json").read_bytes() == before
    assert "(empty)" in (await bench.call("npm", "list")).text


# ── cargo ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_cargo_lists_adds_and_removes(bench: Bench) -> None:
    bench.cargo()
    done = await bench.call("cargo", "add", "looped@1.0")
    assert not done.is_error, done.text
    assert 'looped = "1.0"' in (bench.root / "Cargo.toml").read_text()
    assert "looped v1.1.0" in (await bench.call("cargo", "list")).text
    outdated = await bench.call("cargo", "outdated")
    assert not outdated.is_error
    assert "looped v1.1.0 (available: v2.0.0)" in outdated.text
    failed = await bench.call("cargo", "add", "looped", "no-such-crate-of-ours")
    assert failed.is_error
    assert 'looped = "1.0"' in (bench.root / "Cargo.toml").read_text()
    assert not (await bench.call("cargo", "remove", "looped")).is_error
    assert "looped" not in (bench.root / "Cargo.toml").read_text()


async def test_cargo_without_a_project_says_what_is_missing(bench: Bench) -> None:
    bench.cargo()
    (bench.root / "Cargo.toml").unlink()
    assert "could not find `Cargo.toml`" in (await bench.call("cargo", "list")).text


# ── uv, and what is missing ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def recorder(bench: Bench) -> Bench:
    """A `uv` that says what it was told: the words are what is held to here, not uv."""
    folder = bench.root.parent / "bin"
    folder.mkdir()
    (folder / "uv").write_text('#!/bin/sh\necho "uv $*"\n')
    (folder / "uv").chmod(0o755)
    bench.open(PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
    return bench


async def test_uv_changes_the_project_where_there_is_one_and_else_its_environment(recorder: Bench) -> None:
    assert (await recorder.call("uv", "add", "looped>=1", dev=True)).text == "uv pip install looped>=1"
    assert (await recorder.call("uv", "remove", "looped")).text == "uv pip uninstall looped"
    recorder.project.write({"pyproject.toml": "[project]\nname = 'made'\nversion = '1'\n"})
    assert (await recorder.call("uv", "add", "looped>=1", dev=True)).text == "uv add --dev looped>=1"
    assert (await recorder.call("uv", "remove", "looped")).text == "uv remove looped"
    assert (await recorder.call("uv", "outdated")).text == "uv pip list --outdated"


@pytest.mark.parametrize(
    ("manager", "said"),
    [
        ("pip", "python3 is not installed here, or not on PATH: apt install python3-pip."),
        ("uv", "uv is not installed here, or not on PATH: pip install uv, or docs.astral.sh/uv."),
        ("npm", "npm is not installed here, or not on PATH: apt install npm, or nodejs.org."),
        ("cargo", "cargo is not installed here, or not on PATH: apt install cargo, or rustup.rs."),
        ("apt", "dpkg-query is not installed here, or not on PATH: this system has other packages."),
    ],
)
async def test_a_manager_that_is_missing_is_said_with_its_mend(bench: Bench, manager: str, said: str) -> None:
    (bench.root.parent / "none").mkdir()
    bench.open(PATH=str(bench.root.parent / "none"))
    done = await bench.call(manager, "list")
    assert (done.text, done.is_error) == (said, True)


@pytest.mark.parametrize(
    ("manager", "action", "names", "said"),
    [
        ("pip", "add", (), "add needs names."),
        ("pip", "add", ("--user",), "does not begin with a dash"),
        ("pip", "add", ("  ",), "does not begin with a dash"),
        ("pip", "add", (" -r x",), "does not begin with a dash"),
        ("npm", "add", ("a" * 300,), "npm error"),
        ("npm", "add", ("nö such",), "npm error"),
        ("npm", "add", ("$(touch pwned)",), "npm error"),
        ("npm", "add", ("../outside",), "npm error"),
        ("npm", "remove", ("never-there",), ""),
        ("npm", "show", ("no-such-package-of-ours",), "npm error"),
        ("apt", "add", ("x",), "The system's packages are only looked at"),
        ("apt", "remove", ("x",), "The system's packages are only looked at"),
    ],
)
async def test_odd_calls_get_an_answer_that_says_what_is_wrong(
    bench: Bench, manager: str, action: str, names: tuple[str, ...], said: str
) -> None:
    if manager == "npm":
        bench.npm()
    done = await bench.call(manager, action, *names)
    assert said in done.text
    assert done.is_error == bool(said)
    assert not (bench.root / "pwned").exists()
