"""The commands that a slash command of one's own brings, run before its first request. Called by `hooked_turn`.

They are calls like any others, recorded, permitted and undone as such; the model reads them and what they gave behind
the prompt, in which they stand as they were written.
"""

from __future__ import annotations

from protea.application.turn import Turn
from protea.domain.events import MessageCompleted, NoticeGiven, PromptSubmitted
from protea.domain.messages import OWN, PERSON, ToolCall
from protea.domain.usage import Usage

SHELL = "Bash"


async def run_ahead(given: Turn, prompt: PromptSubmitted) -> bool:
    """Run them, one after another; whether one was denied. Raises only `StoreError`."""
    if not any(spec.name == SHELL for spec in given.runner.all_specs()):
        text = f"The commands of {prompt.command} were not run: there is no {SHELL} here."
        given.hub.record(NoticeGiven(level="warning", text=text))
        return False
    calls = tuple(ToolCall(id=given.ids.short("c"), name=SHELL, arguments={"command": each}) for each in prompt.runs)
    said = MessageCompleted(model=PERSON, content=calls, stop="tool_calls", usage=Usage(), seen=given.hub.last)
    await given.hub.commit(said)
    ran = await given.runner.run(calls)
    text = f"{OWN}These are the commands of {prompt.command or 'the prompt'}, and what they gave. Do what it says."
    given.hub.record(PromptSubmitted(id=given.ids.short("p"), text=text, delivery="steer", origin="mention"))
    return any(result.denied is not None for _, result in ran)
