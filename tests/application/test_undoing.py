"""Undo in a session: what announces itself, what is recorded, what commands do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.checkpoint import snapshots
from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import Invoke, Redo, SubmitPrompt, Undo
from protea.domain.errors import UsageError
from protea.domain.events import FilesChanged, FilesRestored, NoticeGiven, TurnFinished
from protea.domain.surroundings import Surroundings
from protea.ports.gateway import OpenSession
from protea.testing.checkpoint import RecordingCheckpoint
from protea.testing.sandbox import RecordingSandbox
from tests.application.world import World, calls, of, says


async def look() -> str:
    """Looks."""
    return "seen"


async def execute(command: str) -> str:
    """Runs a command."""
    return "done"


TOOLS = (FunctionTool(look, effects=("fs.read",)), FunctionTool(execute, effects=("proc.exec",)))


def world(*steps: Any, checkpoint: Any, tools: Any = TOOLS) -> World:
    made = World(*steps, tools=tools)
    made.checkpoint = checkpoint
    return made


async def test_a_turn_that_only_reads_announces_nothing() -> None:
    checkpoint = RecordingCheckpoint()
    events = await world(calls(("look", {})), says("done"), checkpoint=checkpoint).run("look")
    assert [each.partition(" ")[0] for each in checkpoint.announced] == ["begin"]
    assert of(events, FilesChanged) == []


async def test_a_program_is_announced_before_it_runs_and_told_before_the_turn_ends() -> None:
    checkpoint = RecordingCheckpoint()
    steps = (calls(("execute", {"command": "make all"})), says("done"))
    events = await world(*steps, checkpoint=checkpoint).run("build")
    assert checkpoint.announced[1:] == ["command make all", "ended", "finish"]
    kinds = [type(event) for event in events if isinstance(event, FilesChanged | TurnFinished)]
    assert kinds == [FilesChanged, TurnFinished]


async def test_a_store_that_is_full_is_told_and_stops_nobody() -> None:
    steps = (calls(("execute", {"command": "make"})), says("done"))
    events = await world(*steps, checkpoint=RecordingCheckpoint(full=True)).run("build")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert "cannot be undone" in of(events, NoticeGiven)[0].text


class Shell:
    """A tool that runs real commands in a real project."""

    def __init__(self, folder: Path) -> None:
        root = os.path.realpath(folder / "project")
        os.makedirs(root)
        self.root = root
        self.around = Surroundings(
            cwd=root, root=root, user_home=str(folder), protea_home=f"{folder}/.protea", environment={}
        )

    def checkpoint(self) -> Any:
        return snapshots.create(snapshots.Options(), surroundings=self.around)

    def tools(self) -> tuple[FunctionTool, ...]:
        async def execute(command: str) -> str:
            """Runs a command."""
            subprocess.run(["bash", "-c", command], cwd=self.root, check=True)  # noqa: ASYNC221  # quick, and alone
            return "done"

        return (FunctionTool(execute, effects=("proc.exec",)),)

    def write(self, name: str, text: str) -> None:
        Path(self.root, name).write_text(text)

    def kept(self) -> list[Path]:
        return list(Path(self.around.protea_home).glob("checkpoints/turns/*/*"))

    def read(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in Path(self.root).iterdir()}


async def test_turns_are_undone_and_redone_by_commands(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.write("a", "0\n")
    made = world(
        *(
            each
            for number in (1, 2)
            for each in (calls(("execute", {"command": f"echo {number} > a; touch n{number}"})), says("ok"))
        ),
        checkpoint=shell.checkpoint(),
        tools=shell.tools(),
    )
    session = await made.gateway.open(OpenSession(cwd="/w"))
    for prompt in ("one", "two"):
        _ = [event async for event in made.turn(session, SubmitPrompt(text=prompt))]
    changes = await made.gateway.describe("changes", session)
    assert [each["undone"] for each in changes["turns"]] == [False, False]
    assert "-0\n+2\n" in changes["diff"]
    previews = await made.gateway.describe("undo", session)
    assert [len(each["turns"]) for each in previews["undo"]] == [1, 2]
    assert shell.read() == {"a": "2\n", "n1": "", "n2": ""}
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "1\n", "n1": ""}
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "0\n"}
    with pytest.raises(UsageError, match="nothing to undo"):
        await made.gateway.submit(session, Undo())
    with pytest.raises(UsageError, match="nothing to undo"):
        await made.gateway.submit(session, Invoke(text="/undo --dry-run"))
    with pytest.raises(UsageError, match="only 2 turns can be done again, not 3"):
        await made.gateway.submit(session, Invoke(text="/redo 3 --dry-run"))
    await made.gateway.submit(session, Redo(turns=2))
    assert shell.read() == {"a": "2\n", "n1": "", "n2": ""}
    restored = [each for each in await made.gateway.history(session) if isinstance(each, FilesRestored)]
    assert [(each.direction, len(each.turns)) for each in restored] == [("undo", 1), ("undo", 1), ("redo", 2)]
    await made.gateway.close()


async def test_what_an_undo_left_is_undone_once_what_was_in_its_way_is_settled(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.write("a", "0\n")
    shell.write("b", "0\n")
    first = (calls(("execute", {"command": "echo old > old"})), says("ok"))
    second = (calls(("execute", {"command": "echo 1 > a; echo 1 > b"})), says("ok"))
    made = world(*first, *second, checkpoint=shell.checkpoint(), tools=shell.tools())
    session = await made.gateway.open(OpenSession(cwd="/w"))
    for prompt in ("one", "two"):
        _ = [event async for event in made.turn(session, SubmitPrompt(text=prompt))]
    shell.write("a", "mine\n")
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "mine\n", "b": "0\n", "old": "old\n"}
    shell.write("a", "1\n")
    (preview, *_) = (await made.gateway.describe("undo", session))["undo"]
    assert [os.path.basename(each["path"]) for each in preview["files"]] == ["a"]
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "0\n", "b": "0\n", "old": "old\n"}, "the rest of the same turn"
    await made.gateway.submit(session, Redo())
    assert shell.read() == {"a": "1\n", "b": "1\n", "old": "old\n"}
    shell.write("a", "mine\n")
    await made.gateway.submit(session, Undo())
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "mine\n", "b": "0\n"}, "what is not settled keeps nobody from going further back"
    shell.write("a", "1\n")
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "0\n", "b": "0\n"}
    await made.gateway.close()


async def test_slash_commands_do_the_same(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    steps = (calls(("execute", {"command": "echo x > new"})), says("ok"))
    made = world(*steps, checkpoint=shell.checkpoint(), tools=shell.tools())
    session = await made.gateway.open(OpenSession(cwd="/w"))
    _ = [event async for event in made.turn(session, SubmitPrompt(text="go"))]
    following = made.gateway.events(session)
    for text in ("/undo --dry-run", "/diff", "/undo", "/redo"):
        await made.gateway.submit(session, Invoke(text=text, id=text))
    answers: dict[str, str] = {}
    async for event in following:
        if isinstance(event, FilesRestored):
            answers[event.direction] = event.files[0].what
        if len(answers) == 2:
            break
    assert answers == {"undo": "deleted", "redo": "created"}
    for bad in ("/undo x", "/undo 0", "/redo 9", "/undo 1 2"):
        with pytest.raises(UsageError):
            await made.gateway.submit(session, Invoke(text=bad))
    await made.gateway.close()


async def test_a_session_that_is_not_open_can_be_looked_at_and_forgotten(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    steps = (calls(("execute", {"command": "echo x > new"})), says("ok"))
    made = world(*steps, checkpoint=shell.checkpoint(), tools=shell.tools())
    session = await made.gateway.open(OpenSession(cwd="/w"))
    _ = [event async for event in made.turn(session, SubmitPrompt(text="go"))]
    await made.gateway.close()
    made.checkpoint = shell.checkpoint()
    assert "+x" in (await made.gateway.describe("changes", session))["diff"]
    assert (await made.gateway.describe("undo", session))["undo"][0]["files"][0]["what"] == "deleted"
    await made.gateway.delete(session)
    assert shell.kept() == []
    await made.gateway.close()


async def test_a_program_whose_files_are_thrown_away_is_not_announced() -> None:
    async def Bash(command: str) -> str:  # the tool's name
        """Runs."""
        return "done"

    checkpoint = RecordingCheckpoint()
    made = world(
        calls(("Bash", {"command": "make"})),
        says("done"),
        checkpoint=checkpoint,
        tools=(FunctionTool(Bash, effects=("proc.exec",)),),
    )
    made.sandbox = RecordingSandbox()
    made.sandbox.throws_away = True
    events = await made.run("build", mode="plan")
    assert of(events, TurnFinished)[0].outcome == "finished"
    assert [each.partition(" ")[0] for each in checkpoint.announced] == ["begin"]


async def test_two_turns_are_taken_back_as_two_also_where_something_of_one_was_left(tmp_path: Path) -> None:
    """`/undo` goes on with what was left of the turn that was taken back last; `/undo 2` names two turns before it."""
    shell = Shell(tmp_path)
    shell.write("a", "0\n")
    turns = [
        (calls(("execute", {"command": f"echo {number} > a; touch n{number}"})), says("ok")) for number in (1, 2, 3)
    ]
    made = world(*(step for turn in turns for step in turn), checkpoint=shell.checkpoint(), tools=shell.tools())
    session = await made.gateway.open(OpenSession(cwd="/w"))
    for prompt in ("one", "two", "three"):
        _ = [event async for event in made.turn(session, SubmitPrompt(text=prompt))]
    shell.write("a", "mine\n")
    await made.gateway.submit(session, Undo())
    assert shell.read() == {"a": "mine\n", "n1": "", "n2": ""}
    shell.write("a", "3\n")
    await made.gateway.submit(session, Undo(turns=2))
    restored = [each for each in await made.gateway.history(session) if isinstance(each, FilesRestored)]
    assert [len(each.turns) for each in restored] == [1, 2]
    assert set(restored[0].turns).isdisjoint(restored[1].turns)
    assert "n1" not in shell.read()
    await made.gateway.close()
