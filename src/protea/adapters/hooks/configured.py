"""Hooks from the configuration: a command, an address or a Python function for each moment.

[[hooks.before_tool]]
match = "Bash|mcp__*"
command = ["scripts/check-command"]
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from protea.domain.environment import for_commands
from protea.domain.errors import ConfigError
from protea.domain.hooks import WIRE_NAMES, HookMoment, HookSaid, Moment, concerns, from_wire, rewritten, to_wire
from protea.domain.redaction import redact
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Sandbox


class Hook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of `command`, `url` and `python`, and when."""

    ELSEWHERE: ClassVar[dict[str, str]] = {
        "matcher": "here it is match",
        "type": "leave it out: command, url or python says it",
        "hooks": "here each is a [[hooks.MOMENT]] of its own, with its match and its command",
        "run": "here it is command, a list of words",
        "async": "there is none that is not waited for",
    }
    match: str = ""
    """Tools it is about: names with `|` between them and `*` in them. Empty: all of them."""
    command: tuple[str, ...] = ()
    """A program and its words. It gets the moment as JSON on standard input and answers by exit code (0: as its output
    says, 2: deny, with what it wrote to standard error as the reason) and JSON on standard output."""
    url: str = ""
    """The same by HTTP: a POST with the JSON, answered with JSON."""
    python: str = ""
    """`path/to/file.py:function`: a function, async or not, that is given the JSON object and returns one, or None."""
    timeout: float = 30.0
    """Seconds."""
    strict: bool = False
    """Whether what it is about is denied when the hook itself fails."""
    name: str = ""

    @property
    def shown(self) -> str:
        return self.name or " ".join(self.command) or redact(self.url) or self.python


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    ELSEWHERE: ClassVar[dict[str, str]] = {
        **{theirs: f"here it is {ours}" for ours, theirs in WIRE_NAMES.items()},
        "SubagentStop": "here it is turn_end: an agent's turn is one, too",
        "PostToolUseFailure": "here it is after_tool, which is told whether the tool failed",
        "Notification": "here what calls you is a notifier: docs/ports/notifier.md",
        "PermissionRequest": "here it is before_tool, which is asked before anybody else",
    }
    before_tool: tuple[Hook, ...] = ()
    after_tool: tuple[Hook, ...] = ()
    prompt: tuple[Hook, ...] = ()
    turn_end: tuple[Hook, ...] = ()
    session_start: tuple[Hook, ...] = ()
    session_end: tuple[Hook, ...] = ()
    before_compaction: tuple[Hook, ...] = ()
    after_compaction: tuple[Hook, ...] = ()


_NO_SIGNS = (".*", "^", "$", "(", "[", "+", "?", "\\")
"""Of regular expressions, which others take here and which would fit no tool."""


class ConfiguredHooks:
    def __init__(self, options: Options, sandbox: Sandbox, surroundings: Surroundings) -> None:
        self._hooks: dict[Moment, tuple[Hook, ...]] = {moment: getattr(options, moment) for moment in WIRE_NAMES}
        self._sandbox = sandbox
        self._around = surroundings
        self._environment = for_commands(surroundings.environment)

    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        return any(concerns(hook.match, tool) for hook in self._hooks[moment])

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        said: list[HookSaid] = []
        for hook in self._hooks[moment.moment]:
            if concerns(hook.match, moment.tool):
                said.append(await self._one(hook, moment))
                moment = rewritten(moment, said[-1])
        return said

    async def _one(self, hook: Hook, moment: HookMoment) -> HookSaid:
        try:
            async with asyncio.timeout(hook.timeout):
                answer = await self._ask(hook, {**to_wire(moment), "trusted": self._around.trusted})
            return from_wire(hook.shown, answer if answer is not None else {}, moment.moment)
        except TimeoutError:
            problem = f"it took longer than {hook.timeout:g} s (`timeout` gives it more)"
        except Exception as fault:  # a hook is somebody's program: whatever it does must not end the turn
            problem = str(fault) or type(fault).__name__
        problem = f"the hook {hook.shown} failed: {problem}"
        return HookSaid(hook=hook.shown, failed=problem, verdict="deny" if hook.strict else None, why=problem)

    async def _ask(self, hook: Hook, told: dict[str, Any]) -> Any:
        # Each of them is imported when one of its kind is there and is about something that happens.
        if hook.command:
            from protea.adapters.hooks import _command

            return await _command.ask(self._sandbox, self._around, self._environment, hook.command, told)
        if hook.url:
            from protea.adapters.hooks import _address

            return await _address.ask(hook.url, told, self._around.environment)
        from protea.adapters.hooks import _function

        return await _function.ask(hook.python, self._around, told)

    async def aclose(self) -> None:
        """What a hook starts ends with it."""


def create(options: Options, *, sandbox: Sandbox, surroundings: Surroundings) -> ConfiguredHooks:
    """Raises `ConfigError` for a hook that says nothing to do, or several things."""
    for moment in WIRE_NAMES:
        for number, hook in enumerate(getattr(options, moment), 1):
            place = f"[[hooks.{moment}]] {number} ({hook.shown or 'it does nothing'})"
            if sum(map(bool, (hook.command, hook.url, hook.python))) != 1:
                raise ConfigError(f"{place}: give exactly one of command, url and python")
            if hook.python and not hook.python.partition(":")[2]:
                raise ConfigError(f"{place}: python is written path/to/file.py:function")
            if hook.url and not hook.url.startswith(("http://", "https://")):
                raise ConfigError(f"{place}: url must begin with http:// or https://")
            if hook.match and not moment.endswith("_tool"):
                raise ConfigError(f"{place}: match is for tools, and {moment} is about none; leave it out")
            if wrong := next((sign for sign in _NO_SIGNS if sign in hook.match), ""):
                mend = hook.match.replace(".*", "*").strip("^$()")
                raise ConfigError(f"{place}: match knows no {wrong!r}: names with | between them, * in them; {mend!r}?")
            if not hook.timeout > 0:
                raise ConfigError(f"{place}: timeout must be more than 0 seconds")
    return ConfiguredHooks(options, sandbox, surroundings)
