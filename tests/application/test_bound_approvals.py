"""An approval in a session holds for the script that was shown, over restarts, and for nothing that came in between."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from protea.adapters.permission.rules import Options, create
from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import ResolveApproval, SubmitPrompt
from protea.domain.events import Answer, AnyEvent, ApprovalRequested, ToolCallChanged
from protea.domain.surroundings import Surroundings
from protea.ports.gateway import OpenSession
from tests.application.world import World, calls, of, says


class Scene:
    def __init__(self, folder: Path, turns: int) -> None:
        self.root = os.path.realpath(folder)
        self.script = Path(self.root, "x.sh")
        self.script.write_text("one")
        self.ran = 0

        async def Bash(command: str) -> str:
            """Runs."""
            self.ran += 1
            return "ran"

        steps = [each for _ in range(turns) for each in (calls(("Bash", {"command": "./x.sh"})), says("ok"))]
        self.world = World(*steps, tools=(FunctionTool(Bash, effects=("proc.exec",)),), cwd=self.root)
        around = Surroundings(cwd=self.root, root=self.root, user_home="/h", protea_home="/h/.protea", environment={})
        self.world.permission = create(Options(), surroundings=around)

    async def turn(self, session: str, answer: Answer, between: Callable[[], object] = bool) -> list[AnyEvent]:
        seen: list[AnyEvent] = []
        async for event in self.world.turn(session, SubmitPrompt(text="go")):
            seen.append(event)
            if isinstance(event, ApprovalRequested):
                between()
                await self.world.gateway.submit(session, ResolveApproval(id=event.id, decision=answer))
        return seen


async def test_a_script_that_changes_while_the_question_is_open_is_not_run(tmp_path: Path) -> None:
    scene = Scene(tmp_path, 2)
    session = await scene.world.gateway.open(OpenSession(cwd=scene.root))
    for answer in ("once", "session"):
        events = await scene.turn(session, answer, lambda: scene.script.write_text(scene.script.read_text() + "more"))
        texts = [each.result.text for each in of(events, ToolCallChanged) if each.result is not None]
        assert "changed while the question was open" in texts[0]
    assert scene.ran == 0
    await scene.world.gateway.close()


async def test_session_holds_until_the_script_changes_also_after_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path, 4)
    session = await scene.world.gateway.open(OpenSession(cwd=scene.root))
    assert len(of(await scene.turn(session, "session"), ApprovalRequested)) == 1
    assert of(await scene.turn(session, "deny"), ApprovalRequested) == []
    await scene.world.gateway.close()
    await scene.world.gateway.open(OpenSession(cwd=scene.root, resume=session))
    assert of(await scene.turn(session, "deny"), ApprovalRequested) == []
    scene.script.write_text("another")
    (question,) = of(await scene.turn(session, "deny"), ApprovalRequested)
    assert "has changed since" in question.why
    assert scene.ran == 3
    await scene.world.gateway.close()
