"""Tools made from Python functions: the shortest way to give an agent something of one's own.

async def weather(city: str, days: int = 1) -> str:
    "The forecast for a city."

toolset = FunctionToolset([weather])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, isawaitable, iscoroutinefunction, signature
from typing import Any, get_type_hints

import msgspec
from msgspec.structs import replace

from protea.adapters.guests.thread import in_own_thread, staying
from protea.domain.tools import Effect, ToolResult, ToolSpec
from protea.ports.toolset import ToolContext


class FunctionTool:
    """One function. Its docstring is what the model is told, its annotations are the schema.

    A parameter named `context` gets the `ToolContext` and is not shown to the model. What the function returns is the
    result: a `ToolResult` as it is, a `str` as text, anything else as JSON. An exception is told to the model.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        effects: tuple[Effect, ...] = (),
        parallel: bool = False,
        thread: bool = False,
        example: Mapping[str, Any] | None = None,
    ) -> None:
        """With `thread` a function that is not `async` runs in a thread, unless it wants the `context`. `example` is
        what help on the tool shows as the arguments of a call."""
        self._function = function
        hints = get_type_hints(function, include_extras=True)  # they may say more about a parameter
        parameters = [each for each in signature(function).parameters.values() if each.name != "context"]
        self._wants_context = "context" in signature(function).parameters
        self._thread = thread and not self._wants_context and not iscoroutinefunction(function)
        self._arguments = msgspec.defstruct(
            f"{function.__name__}_arguments",
            [_field(each, hints.get(each.name, Any)) for each in parameters],
            kw_only=True,
            forbid_unknown_fields=True,
        )
        schema = msgspec.json.schema(self._arguments)
        definitions = schema["$defs"]
        own = definitions.pop(self._arguments.__name__)
        self._spec = ToolSpec(
            name=function.__name__,
            description=(function.__doc__ or function.__name__).strip(),
            parameters={key: value for key, value in own.items() if key != "title"}
            | ({"$defs": definitions} if definitions else {}),
            effects=effects,
            parallel=parallel,
            example=None if example is None else dict(example),
        )

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    def defer(self) -> None:
        """From now on the model is told of it once it has looked for it."""
        self._spec = replace(self._spec, deferred=True)

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        try:
            values = msgspec.convert(dict(arguments), self._arguments)
        except msgspec.ValidationError as error:
            return ToolResult(text=f"The arguments are wrong: {error}", is_error=True)
        given = {name: getattr(values, name) for name in values.__struct_fields__}
        if self._wants_context:
            given["context"] = context
        with staying():
            value = await in_own_thread(self._function, **given) if self._thread else self._function(**given)
            if isawaitable(value):
                value = await value
        if isinstance(value, ToolResult):
            return value
        return ToolResult(text=value if isinstance(value, str) else msgspec.json.encode(value).decode())


class FunctionToolset:
    """Several functions as one toolset."""

    def __init__(self, tools: Sequence[Callable[..., Any] | FunctionTool]) -> None:
        made = [each if isinstance(each, FunctionTool) else FunctionTool(each) for each in tools]
        self._tools = {each.spec.name: each for each in made}

    @property
    def cwd(self) -> str | None:
        return None

    def specs(self) -> Sequence[ToolSpec]:
        return tuple(each.spec for each in self._tools.values())

    def tool(self, name: str) -> FunctionTool | None:
        return self._tools.get(name)

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return None  # nobody knows what a function does

    async def aclose(self) -> None:
        """Nothing is open."""


def _field(parameter: Parameter, kind: Any) -> tuple[str, Any] | tuple[str, Any, Any]:
    if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD, Parameter.POSITIONAL_ONLY):
        raise TypeError(f"the parameter {parameter.name} of a tool function must be one that can be named")
    if parameter.default is Parameter.empty:
        return (parameter.name, kind)
    return (parameter.name, kind, parameter.default)
