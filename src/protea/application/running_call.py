"""What a running call may use of its surroundings, and what becomes of what it gives. Made by `tool_runner`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec.structs import replace

from protea.application.hub import Hub
from protea.domain.events import ToolOutputDelta
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Beside

if TYPE_CHECKING:
    from protea.domain.looking_back import Recalled

Writes = Literal["kept", "discarded", "refused"]
"""What becomes of what a call writes in the workspace: see `ToolContext.writes`."""
LONGEST = 400_000
"""Characters of a result; those that write more keep it in a file."""


class Runner(Protocol):
    """The tool runner, as far as it is needed here."""

    def beside(self, call_id: str) -> Beside | None: ...
    def all_specs(self) -> tuple[ToolSpec, ...]: ...
    async def run_part(self, parent: str, name: str, arguments: Mapping[str, Any]) -> ToolResult: ...


class RunningCall:
    """`ToolContext` for one call."""

    def __init__(
        self,
        runner: Runner,
        hub: Hub,
        call_id: str,
        answer: str | None,
        output_folder: Callable[[], str],
        may_read: Callable[[str], bool],
        writes: Writes,
    ) -> None:
        self.writes = writes
        self._runner = runner
        self._hub = hub
        self.may_read = may_read
        self._output_folder = output_folder
        self.call_id = call_id
        self.answer = answer
        self.left = False
        """Whether it goes on behind its turn."""

    @property
    def session(self) -> str:
        return self._hub.session

    def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        if not self.left:
            self._hub.tell(ToolOutputDelta(call_id=self.call_id, text=text, stream=stream))

    @property
    def beside(self) -> Beside | None:
        return self._runner.beside(self.call_id)

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        return await self._hub.recall(wanted, limit)

    def tools(self) -> Sequence[ToolSpec]:
        return self._runner.all_specs()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if self.left:
            return ToolResult("A call that goes on in the background can make no further ones.", is_error=True)
        return await self._runner.run_part(self.call_id, name, arguments)

    def output_path(self, suffix: str = ".txt") -> str:
        safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in self.call_id)[:80]
        # A provider may use an id again in a later reply; the number of the event it follows keeps them apart.
        return f"{self._output_folder()}/{self._hub.last}-{safe}{suffix}"


class Again(RunningCall):
    """A call that is run once more, outside of any turn."""

    set_going: Beside | None = None

    @property
    def beside(self) -> Beside | None:
        return self.set_going

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("A call that is run once more has no parts.", is_error=True)


async def contained(work: Awaitable[ToolResult]) -> ToolResult:
    """What a tool gives. Tools come from anywhere: one that would end Protea ends itself, what it gives is a result,
    and no longer than a model could read."""
    try:
        result = await work
    except (SystemExit, KeyboardInterrupt, GeneratorExit) as end:
        raise RuntimeError(f"it raised {type(end).__name__}") from end
    if not isinstance(result, ToolResult):
        raise TypeError(f"it gave {type(result).__name__} instead of a ToolResult")
    if len(result.text) <= LONGEST:
        return result
    from protea.domain.cut import cut  # few are

    return replace(result, text=cut(result.text, LONGEST))
