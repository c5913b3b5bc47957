"""Pipeline: several calls as one. All of it is checked before any of it runs; each step is decided by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.domain.cut import cut
from protea.domain.pattern import regex
from protea.domain.schema import fitted, problems
from protea.domain.spelling import nearest
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext

MOST_STEPS = 50
MOST_IMAGES = 8
_SLOT = regex(r"\$\{(\w+)\}")
_OWN = ("Pipeline", "AskUser")
"""Not to be used within: the one has no end, the other is the model's business."""


class Pipeline:
    """Runs its steps in order; later ones may use the results of earlier ones."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        steps: Sequence[dict[str, Any]] = arguments["steps"]
        wrong = _wrong(steps, {spec.name: spec for spec in context.tools()})
        if wrong:
            return ToolResult("Nothing was run:" + "".join(f"\n- {each}" for each in wrong), is_error=True)
        results: dict[str, str] = {}
        told: list[str] = []
        denied: str | None = None
        failed = False
        parts: list[ToolResult] = []
        for number, step in enumerate(steps, 1):
            result = await context.call(step["tool"], _filled(step["arguments"], results))
            results[str(number)] = results[step.get("name", str(number))] = result.text
            said = "failed" if result.is_error else "done"
            told.append(f"── {number}/{len(steps)} {step['tool']}: {said}\n{result.text.rstrip()}")
            denied = denied or result.denied
            parts.append(result)
            if result.is_error and not step.get("optional"):
                failed = True
                if number < len(steps):
                    left = len(steps) - number
                    told.append(f"[{left} step{'s' * (left > 1)} after it {'were' if left > 1 else 'was'} not run]")
                break
        text, limit, file = "\n".join(told), self._kit.options.bash_output, None
        if len(text) > limit:
            file = context.output_path()
            await asyncio.to_thread(_keep, file, text)
            text = cut(text, limit, file)
        return ToolResult(
            text,
            is_error=failed,
            file=file,
            diff="".join(part.diff or "" for part in parts) or None,
            images=tuple(image for part in parts for image in part.images)[:MOST_IMAGES],
            denied=denied,
            taint=tuple(dict.fromkeys(each for part in parts for each in part.taint)),
            diagnostics=tuple(each for part in parts for each in part.diagnostics),
        )


def _keep(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _wrong(steps: Sequence[dict[str, Any]], specs: Mapping[str, ToolSpec]) -> list[str]:
    """Every mistake that can be seen before anything runs."""
    if not steps:
        return ["there are no steps"]
    if len(steps) > MOST_STEPS:
        return [f"there are {len(steps)} steps; {MOST_STEPS} are the most"]
    wrong: list[str] = []
    known: set[str] = set()
    for number, step in enumerate(steps, 1):
        spec = specs.get(step["tool"])
        if spec is None or spec.name in _OWN:
            near = nearest(step["tool"], [name for name in specs if name not in _OWN])
            hint = f"; did you mean {near}?" if near else ""
            wrong.append(f"step {number}: {step['tool']} cannot be a step{hint}")
        else:
            given = {spec.aliases.get(name, name): value for name, value in step["arguments"].items()}
            wrong += [f"step {number}: {each}" for each in problems(fitted(given, spec.parameters), spec.parameters)]
        wrong += [
            f"step {number}: no step before it is called {slot}"
            for slot in sorted(_slots(step["arguments"]))
            if slot not in known
        ]
        known |= {str(number), step.get("name", str(number))}
    return wrong


def _slots(value: Any) -> set[str]:
    match value:
        case str():
            return set(_SLOT.findall(value))
        case dict():
            return {slot for each in value.values() for slot in _slots(each)}
        case list():
            return {slot for each in value for slot in _slots(each)}
        case _:
            return set()


def _filled(value: Any, results: Mapping[str, str]) -> Any:
    """The arguments with results where their names stand. What a result says is not looked through again."""
    match value:
        case str():
            return _SLOT.sub(lambda slot: results[slot[1]].strip("\n"), value)
        case dict():
            return {name: _filled(each, results) for name, each in value.items()}
        case list():
            return [_filled(each, results) for each in value]
        case _:
            return value
