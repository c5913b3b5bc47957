"""Packages: what a project depends on, by its manager. Each command is decided, shown and run as a Bash call."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
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
    ("cargo", "outdated"): "cargo update --dry-run",
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


class Packages:
    """Writes the command."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        command = command_of(arguments)
        if isinstance(command, ToolResult):
            return command
        program = command.partition(" ")[0]
        if self._kit.which(program) is None:
            return ToolResult(f"{program} is not installed here, or not on PATH.", is_error=True)
        said = f"{arguments['manager']} {arguments['action']}"
        result = await context.call("Bash", {"command": command, "description": said, "timeout": 600})
        # `npm outdated` and `npm ls` answer with 1 where there is something to say.
        looked = arguments["action"] in ("list", "outdated") and "[exit code 1]" in result.text
        if not looked or result.denied is not None:
            return result
        return ToolResult(result.text.replace("[exit code 1]", "").rstrip(), file=result.file)


def command_of(arguments: Mapping[str, Any]) -> str | ToolResult:
    """The command line of a call, or what is wrong with it."""
    manager, action = str(arguments["manager"]), str(arguments["action"])
    before = COMMANDS.get((manager, action))
    if before is None:
        return ToolResult(f"The system's packages are only looked at; {action} is for a person to do.", is_error=True)
    names = [str(name) for name in arguments.get("names", ())]
    if action in _NAMED and not names:
        return ToolResult(f"{action} needs names.", is_error=True)
    if any(name.startswith("-") or not name.strip() for name in names):
        return ToolResult("A name of a package does not begin with a dash.", is_error=True)
    if action in ("list", "outdated") and (manager, action) not in _CHOOSING:
        names = []
    dev = [_DEV[manager]] if arguments.get("dev") and action == "add" and manager in _DEV else []
    return " ".join([before, shlex.join([*dev, *names])]).strip()
