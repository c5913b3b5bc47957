"""Packages: what a project depends on, by its manager. Each command is decided, shown and run as a Bash call."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from glob import glob
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext

# -I: what a project calls `pip` is not what is meant.
COMMANDS: dict[tuple[str, str], str] = {
    ("pip", "list"): "python3 -I -m pip list",
    ("pip", "outdated"): "python3 -I -m pip list --outdated",
    ("pip", "show"): "python3 -I -m pip show",
    ("pip", "add"): "python3 -I -m pip install",
    ("pip", "remove"): "python3 -I -m pip uninstall --yes",
    ("uv", "list"): "uv pip list",
    ("uv", "outdated"): "uv pip list --outdated",
    ("uv", "show"): "uv pip show",
    ("uv", "add"): "uv add",
    ("uv", "remove"): "uv remove",
    ("npm", "list"): "npm ls --depth=0",
    ("npm", "outdated"): "npm outdated",
    ("npm", "show"): "npm view",
    ("npm", "add"): "npm install",
    ("npm", "remove"): "npm uninstall",
    ("cargo", "list"): "cargo tree --depth 1",
    ("cargo", "outdated"): "cargo update --dry-run --verbose",
    ("cargo", "show"): "cargo info",
    ("cargo", "add"): "cargo add",
    ("cargo", "remove"): "cargo remove",
    ("apt", "list"): "dpkg-query --list",
    ("apt", "outdated"): "apt list --upgradable",
    ("apt", "show"): "apt-cache show",
}
"""(manager, action) → the command before the names. The system's packages are only looked at."""
_DEV = {"uv": "--dev", "npm": "--save-dev", "cargo": "--dev"}
_CHOOSING = {("npm", "list"), ("npm", "outdated"), ("apt", "list")}
"""What can be asked about some packages alone."""
_NAMED = ("show", "add", "remove")


_MENDS = {
    "python3": "apt install python3-pip",
    "uv": "pip install uv, or docs.astral.sh/uv",
    "npm": "apt install npm, or nodejs.org",
    "cargo": "apt install cargo, or rustup.rs",
}
_ENVIRONMENTS = (".venv", "venv")


class Packages:
    """Writes the command."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit = self._kit
        command = command_of(arguments)
        if isinstance(command, str):
            command = self._here(command, arguments)
        if isinstance(command, ToolResult):
            return command
        program = shlex.split(command)[0]
        if "/" not in program and kit.which(program) is None:
            mend = f": {_MENDS[program]}" if program in _MENDS else ": this system has other packages"
            return ToolResult(f"{program} is not installed here, or not on PATH{mend}.", is_error=True)
        said = f"{arguments['manager']} {arguments['action']}"
        result = await context.call("Bash", {"command": command, "description": said, "timeout": 600})
        # `npm outdated` and `npm ls` answer with 1 where there is something to say.
        looked = arguments["action"] in ("list", "outdated") and "[exit code 1]" in result.text
        if not looked or result.denied is not None:
            return result
        return ToolResult(result.text.replace("[exit code 1]", "").rstrip(), file=result.file)

    def _here(self, command: str, arguments: Mapping[str, Any]) -> str | ToolResult:
        """The command for this project: for pip its own environment, and no other is changed."""
        kit, action = self._kit, arguments["action"]
        if arguments["manager"] == "uv" and action in ("add", "remove") and not self._above("pyproject.toml"):
            plain = {"uv add": "uv pip install", "uv remove": "uv pip uninstall"}
            _, name, *rest = shlex.split(command)
            return shlex.join([*plain[f"uv {name}"].split(), *(word for word in rest if word != "--dev")])
        if arguments["manager"] != "pip":
            return command
        found = next(filter(None, (self._above(f"{name}/bin/python") for name in _ENVIRONMENTS)), None)
        if found is not None:
            if not glob(os.path.join(os.path.dirname(found), "../lib/python*/site-packages/pip")):
                text = (
                    f"{kit.shown(os.path.dirname(os.path.dirname(found)))} has no pip (uv makes such): use manager uv."
                )
                return ToolResult(text, is_error=True)
            return command.replace("python3", shlex.quote(kit.shown(found)), 1)
        if action in ("add", "remove") and "VIRTUAL_ENV" not in kit.environment:
            return ToolResult(
                "The project has no environment of its own (.venv): make one with `python3 -m venv .venv` by Bash, "
                "then call this again. What all of the machine is to have is for a person: ask, then use pip by Bash.",
                is_error=True,
            )
        return command

    def _above(self, name: str) -> str | None:
        """The nearest file of a name, from the working directory up to the project's root."""
        folder = self._kit.cwd
        while True:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                return path
            if folder == self._kit.surroundings.root or not self._kit.inside(folder) or folder == "/":
                return None
            folder = os.path.dirname(folder)


def command_of(arguments: Mapping[str, Any]) -> str | ToolResult:
    """The command line of a call, or what is wrong with it."""
    manager, action = str(arguments["manager"]), str(arguments["action"])
    before = COMMANDS.get((manager, action))
    if before is None:
        return ToolResult(f"The system's packages are only looked at; {action} is for a person to do.", is_error=True)
    names = [str(name).strip() for name in arguments.get("names", ())]
    if action in _NAMED and not names:
        return ToolResult(f"{action} needs names.", is_error=True)
    if any(name.startswith("-") or not name for name in names):
        return ToolResult("A name of a package does not begin with a dash.", is_error=True)
    if action in ("list", "outdated") and (manager, action) not in _CHOOSING:
        names = []
    dev = [_DEV[manager]] if arguments.get("dev") and action == "add" and manager in _DEV else []
    return " ".join([before, shlex.join([*dev, *names])]).strip()
