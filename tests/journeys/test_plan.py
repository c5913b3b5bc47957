"""A plan from outside: proposed, edited, agreed to, carried out step by step, and gone on with after a kill -9."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from protea.testing.loopback import LoopbackProvider, ScriptedCall
from protea.testing.loopback.recording import Recorded
from tests.journeys.driven import CONFIG, Driven
from tests.journeys.world import World

PLAN = "# Five lines\n\n## Steps\n1. write one\n2. write two\n3. write three"
EDITED = "# Four lines\n\n## Steps\n1. write one\n2. write two\n3. write three\n4. write four"
STEPS = ["write one", "write two", "write three", "write four"]


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


class Mind:
    """Proposes the plan, then does the first step that is not done, as far as it is shown what is done; it hangs before
    the third until it is told to go on."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def __call__(self, asked: Recorded) -> Any:
        messages = asked.json["messages"]
        self.seen.append(asked.json)
        text = json.dumps(messages)
        if "The plan was agreed on" not in text:
            return ScriptedCall("ProposePlan", {"plan": PLAN})
        # The steps are what the person made of the plan; how far it is, the list says that it last wrote.
        result = next(str(each["content"]) for each in messages if "The plan was agreed on" in str(each["content"]))
        steps = [line.split(". ", 1)[1] for line in result.splitlines() if line[:1].isdigit()]
        lists = [
            json.loads(call["function"]["arguments"])["items"]
            for each in messages
            for call in each.get("tool_calls") or ()
            if call["function"]["name"] == "TodoWrite"
        ]
        done = [item["text"] for item in lists[-1] if item["status"] == "done"] if lists else []
        calls = [call for each in messages for call in each.get("tool_calls") or ()]
        ran = [
            json.loads(call["function"]["arguments"])["command"].split()[1]
            for call in calls
            if call["function"]["name"] == "Bash"
        ]
        step = next((each for each in steps if each not in done), None)
        if step is None:
            return "All is done."
        word = step.split()[1]
        if word in ran:
            items = [{"text": each, "status": "done" if each in (*done, step) else "pending"} for each in steps]
            return ScriptedCall("TodoWrite", {"items": items})
        if word == "three" and "go on" not in str([each["content"] for each in messages if each["role"] == "user"][-1]):
            return never()
        return ScriptedCall("Bash", {"command": f"echo {word} >> out.txt"})


def test_a_plan_that_is_killed_before_its_third_step_goes_on_with_the_third(tmp_path: Path) -> None:
    mind = Mind()
    with LoopbackProvider.in_thread([mind], after="cycle") as provider:
        world = World(tmp_path, DAY_KEY="k")
        (world.home / ".protea").mkdir(mode=0o700)
        (world.home / ".protea/config.toml").write_text(CONFIG.format(url=provider.url("openai-chat")))
        rules = ("--allow", "Bash(echo:*)", "--allow", "Write(out.txt)")
        run = Driven(world, more=("--permission-mode", "plan", *rules))
        run.say(type="submit_prompt", text="write them")
        question = run.until(type="approval_requested")
        assert (question["kind"], question["detail"]["plan"]) == ("plan", PLAN)
        assert not (world.project / "out.txt").exists(), "nothing before it was agreed to"
        run.say(type="resolve_approval", id=question["id"], decision="once", comment=EDITED)
        todo = run.until(type="todo_changed")["items"]
        assert [item["text"] for item in todo] == STEPS
        while [item.get("status", "pending") for item in todo][:2] != ["done", "done"]:
            todo = run.until(type="todo_changed")["items"]
        run.kill()
        assert (world.project / "out.txt").read_text() == "one\ntwo\n"

        run = Driven(world, run.session, more=rules)
        run.say(type="submit_prompt", text="go on")
        first = run.until(type="tool_call_changed", state="executing")
        assert first["call"]["arguments"]["command"] == "echo three >> out.txt"
        assert run.until(type="turn_finished")["outcome"] == "finished"
        run.close()
        assert (world.project / "out.txt").read_text() == "one\ntwo\nthree\nfour\n"
    path = world.home / ".protea/sessions" / run.session / "events.jsonl"
    log = [json.loads(line) for line in path.read_text().splitlines()]
    (pins,) = [each["pins"] for each in log if each["type"] == "pins_changed"]
    assert pins == [f"The plan that was agreed on:\n{EDITED}"]
    assert [each.get("mode", "normal") for each in log if each["type"] == "mode_changed"] == ["normal"]
    assert [each.get("mode", "normal") for each in log if each["type"] == "turn_started"] == ["plan", "normal"]
    todo = [each for each in log if each["type"] == "todo_changed"][-1]["items"]
    assert [item["status"] for item in todo] == ["done"] * 4


def test_one_that_is_killed_while_it_is_proposed_is_still_in_plan_mode(tmp_path: Path) -> None:
    mind = Mind()
    with LoopbackProvider.in_thread([mind], after="cycle") as provider:
        world = World(tmp_path, DAY_KEY="k")
        (world.home / ".protea").mkdir(mode=0o700)
        (world.home / ".protea/config.toml").write_text(CONFIG.format(url=provider.url("openai-chat")))
        run = Driven(world, more=("--permission-mode", "plan"))
        run.say(type="submit_prompt", text="write them")
        run.until(type="approval_requested")
        run.kill()
        run = Driven(world, run.session)
        run.say(type="submit_prompt", text="again")
        assert run.until(type="turn_started")["mode"] == "plan"
        question = run.until(type="approval_requested")
        run.say(type="resolve_approval", id=question["id"], decision="deny", comment="no")
        run.until(type="approval_resolved")
        run.kill()
    assert not (world.project / "out.txt").exists()


@pytest.mark.parametrize(
    ("edited", "files", "said"),
    [
        ('1. create a.txt with "two"\n2. run `cat a.txt`', {"a.txt": "two\n"}, "The plan is carried out."),
        (
            '1. create a.txt with "one"\n2. run `cat a.txt`\n3. create b.txt with "b"',
            {"a.txt": "one\n", "b.txt": "b\n"},
            "",
        ),
        ('# Other\n\n## Steps\n1. create z.txt with "q"', {"z.txt": "q\n"}, "The plan is carried out."),
        ('1. create a.txt with "one"\n2. dance', {}, "could not make sense of “dance”"),
        ("Do something else.", {}, "could not make sense of “Do something else.”"),
    ],
    ids=["a step is another", "a step more", "all is another", "a step makes no sense", "no list"],
)
def test_the_offline_model_carries_out_a_plan_as_it_was_edited_and_names_what_it_cannot_read(
    tmp_path: Path, edited: str, files: dict[str, str], said: str
) -> None:
    world = World(tmp_path)
    allowed = ("--allow", "Write(*.txt)", "--allow", "Bash(cat:*)")
    run = Driven(world, more=("-m", "offline/grammar", "--permission-mode", "plan", *allowed))
    run.say(type="submit_prompt", text='propose: create a.txt with "one"; run `cat a.txt`')
    question = run.until(type="approval_requested")
    run.say(type="resolve_approval", id=question["id"], decision="once", comment=edited)
    text = ""
    while (event := run.until())["type"] != "turn_finished":
        if event["type"] == "message_completed" and event.get("role") == "assistant":
            text = "".join(part.get("text", "") for part in event["content"])
    run.close()
    assert {path.name: path.read_text() for path in world.project.glob("*.txt")} == files
    assert said in text
    assert ("The plan is carried out." in text) == bool(files)
