"""The decision: allow, ask or deny, and why.

Strictest of: built-in protections → deny rules → ask rules → mode → allow rules → what only reads → ask. Every step
leaves a line in the trace. Pure: the two readers' other half, and everything about the disk, are handed in.
"""

from __future__ import annotations

from protea.domain.permission import Decision, PermissionRequest
from protea.domain.permission.rules import READERS, WRITERS
from protea.domain.permission.shell.lexer import visible
from protea.domain.permission.steps.case import Case
from protea.domain.permission.steps.files import decide_file_tool, glob_base, patch_targets
from protea.domain.permission.steps.named import decide_named
from protea.domain.permission.steps.scene import Scene
from protea.domain.permission.steps.scripts import decide_script, hold_code_against_rules
from protea.domain.permission.steps.web import decide_address

SHELL_TOOLS = frozenset({"Bash", "Monitor"})
"""Tools that run a command as a shell: one set of rules, `Bash(…)`, is held against what they run."""


def decide(request: PermissionRequest, scene: Scene) -> Decision:
    """The decision about one request, `ask` not yet turned into `deny` where nobody can be asked."""
    case = Case(request, scene)
    tool, arguments = request.tool, request.arguments
    if not isinstance(tool, str) or not isinstance(arguments, dict):
        return case.answer("ask", "the request is not understood")
    if visible(tool) is not None or len(tool) > 200:
        return case.answer("ask", "the tool's name contains characters that do not show")
    if tool in SHELL_TOOLS:
        case.rules_on_the_tool(tool)
        return decide_script(case, arguments.get("command"))
    if tool == "RunCode":
        hold_code_against_rules(case, arguments)
        return decide_named(case, tool)
    if tool == "Patch":
        return decide_file_tool(case, tool, patch_targets(arguments.get("patch")))
    if tool in WRITERS or tool == "Read":
        return decide_file_tool(case, tool, [arguments.get("path", arguments.get("file_path"))])
    if tool in READERS:
        return decide_file_tool(case, tool, [arguments.get("path") or request.cwd, *glob_base(tool, arguments)])
    if tool in ("WebFetch", "A2ASend", "A2APush"):
        url = arguments.get("url", next((value for key, value in arguments.items() if str(key).endswith("url")), None))
        return decide_address(case, tool, url)
    return decide_named(case, tool)
