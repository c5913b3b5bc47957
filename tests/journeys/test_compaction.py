"""Making room, from outside: on every wire, over a crash, an interrupt, a fork, a rewind; with one's own strategy."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.domain.usage import Usage
from protea.testing.loopback import LoopbackProvider, LoopbackReply, ScriptedCall, Status
from protea.testing.loopback.recording import Recorded
from tests.journeys.driven import Driven
from tests.journeys.world import World

WIRES = ["anthropic", "openai-chat", "openai-responses", "gemini", "ollama"]
TOO_LONG = Status(status=400, reason="context_length")
WITHIN = 40
ASKS = "This conversation is about to be shortened"


def world_of(tmp_path: Path, provider: LoopbackProvider, wire: str = "openai-chat", context: int = 200_000) -> World:
    world = World(tmp_path, LOOP_KEY="k")
    (world.home / ".protea").mkdir(mode=0o700)
    (world.home / ".protea/config.toml").write_text(
        f'model = "loop/one"\n[providers.loop]\napi = "{wire}"\nbase_url = "{provider.url(wire)}"\n'
        f'api_key_env = "LOOP_KEY"\n[providers.loop.models.one]\ncontext = {context}\n'
    )
    return world


def said(world: World, *words: str) -> str:
    done = world.run("-p", *words)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def log_of(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in world.logs()[-1].read_text().splitlines()]


@pytest.mark.parametrize("wire", WIRES)
def test_a_request_that_is_refused_as_too_long_is_made_smaller_and_so_is_the_one_that_asks_for_the_summary(
    tmp_path: Path, wire: str
) -> None:
    script = ["It is FACT-answer.", TOO_LONG, TOO_LONG, "In short: FACT-summary.", "Still here."]
    with LoopbackProvider.in_thread(script, strict=True, after="fail") as provider:
        world = world_of(tmp_path, provider, wire)
        assert said(world, "what is it, FACT-prompt?").strip() == "It is FACT-answer."
        assert said(world, "-c", "and now?").strip() == "Still here."
        last = provider.requests[-1].body.decode()
    assert "FACT-prompt" in last
    assert "FACT-summary" in last
    assert "FACT-answer" not in last
    (compacted,) = [event for event in log_of(world) if event["type"] == "compacted"]
    assert compacted["model"] == "loop/one"


def test_what_a_hook_says_behind_one_that_a_person_asked_for_begins_no_turn(tmp_path: Path) -> None:
    script = ["One.", "Two.", "In short.", "Still here."]
    with LoopbackProvider.in_thread(script, strict=True, after="fail") as provider:
        world = world_of(tmp_path, provider)
        with (world.home / ".protea/config.toml").open("a") as file:
            hook = """echo '{"additionalContext": "FACT-hook"}'"""
            file.write(f'[[hooks.after_compaction]]\ncommand = ["sh", "-c", {json.dumps(hook)}]\n')
        said(world, "one?")
        said(world, "-c", "two?")
        said(world, "-c", "/compact")
        assert len(provider.requests) == 3, "the summary, and nothing that nobody asked for"
        assert said(world, "-c", "three?").strip() == "Still here."
        last = provider.requests[-1].body.decode()
    assert last.count("[hook] FACT-hook") == 1
    assert [event["type"] for event in log_of(world)].count("turn_started") == 3


def test_where_every_summary_is_refused_too_a_digest_stands_in(tmp_path: Path) -> None:
    script = [ScriptedCall("Bash", {"command": "echo FACT-result"}), "So.", TOO_LONG, TOO_LONG, TOO_LONG, "Still here."]
    with LoopbackProvider.in_thread(script, strict=True, after="fail") as provider:
        world = world_of(tmp_path, provider)
        said(world, "--allow", "Bash(echo:*)", "what is it?")
        assert said(world, "-c", "and now?").strip() == "Still here."
        assert (
            "- Bash echo FACT-result → FACT-result" in json.loads(provider.requests[-1].body)["messages"][1]["content"]
        )


class Slow:
    """Sums up only once it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def __call__(self, request: Recorded) -> Any:
        if ASKS in request.body.decode():
            self.asked.set()
            return self._never()
        return "Understood."

    async def _never(self) -> str:
        await asyncio.Event().wait()
        return "never"


@pytest.fixture
def slow() -> Iterator[tuple[Slow, LoopbackProvider]]:
    mind = Slow()
    with LoopbackProvider.in_thread([mind], strict=True, after="cycle") as provider:
        yield mind, provider


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_compaction_that_is_interrupted_or_killed_leaves_the_conversation_as_it_was(
    tmp_path: Path, slow: tuple[Slow, LoopbackProvider], how: int
) -> None:
    mind, provider = slow
    world = world_of(tmp_path, provider)
    for words in (["FACT-1"], ["-c", "FACT-2"]):
        said(world, *words)
    process = world.start("-p", "-c", "/compact")
    assert mind.asked.wait(WITHIN)
    process.send_signal(how)
    process.communicate(timeout=WITHIN)
    assert process.returncode == (4 if how == signal.SIGINT else -signal.SIGKILL)
    assert said(world, "-c", "FACT-3").strip() == "Understood."
    assert not [event for event in log_of(world) if event["type"] == "compacted"]
    last = provider.requests[-1].body.decode()
    assert all(f"FACT-{number}" in last for number in (1, 2, 3))


def test_what_ends_in_the_background_while_it_is_summed_up_is_told_with_the_next_request(tmp_path: Path) -> None:
    ended = threading.Event()

    def mind(request: Recorded) -> Any:
        last = json.loads(request.body)["messages"][-1]
        if ASKS in str(last["content"]):
            return once_it_ended()
        if last["content"] != "begin":
            return "Understood."
        return ScriptedCall("Bash", {"command": "sleep 1", "background": True})

    async def once_it_ended() -> str:
        await asyncio.get_running_loop().run_in_executor(None, ended.wait, WITHIN)
        return "In short: it sleeps."

    with LoopbackProvider.in_thread([mind], strict=True, after="cycle") as provider:
        world = world_of(tmp_path, provider)
        run = Driven(world, more=("-m", "loop/one", "--allow", "Bash(sleep:*)"))
        run.do("begin")
        run.say(type="invoke", text="/compact")
        run.ever(type="task_changed", state="done")
        ended.set()
        run.until(type="compacted")
        run.do("go on")
        run.close()
        last = json.loads(provider.requests[-1].body)["messages"]
    assert [each["role"] for each in last if each["role"] != "system"].count("assistant") <= 1
    told = [str(each["content"]) for each in last]
    assert any("In short: it sleeps." in text for text in told)
    assert any("[Protea]" in text and "sleep 1" in text and "summed up" not in text for text in told)


def test_a_fork_a_rewind_and_an_undo_go_across_compactions_and_recall_finds_what_all_of_them_took(
    tmp_path: Path,
) -> None:
    def mind(request: Recorded) -> Any:
        messages = json.loads(request.body)["messages"]
        text = str(messages[-1]["content"])
        if ASKS in text:
            return f"Summary {sum(ASKS in each.body.decode() for each in provider.requests)}."
        if text.startswith("look back"):
            return ScriptedCall("Recall", {"query": text.removeprefix("look back ")})
        return f"Answer to {text}." if messages[-1]["role"] == "user" else "Done."

    with LoopbackProvider.in_thread([mind], strict=True, after="cycle") as provider:
        world = world_of(tmp_path, provider)
        said(world, "FACT-zero 数据库")
        for number in range(1, 4):
            said(world, "-c", f"FACT-{number}")
            assert "/compact undo takes it back" in said(world, "-c", "/compact")
            assert f"Summary {number}." in said(world, "-c", "/summary")
        said(world, "-c", "/summary It is all about FACT-edited.")
        said(world, "-c", "go on")
        assert "FACT-edited" in provider.requests[-1].body.decode()
        assert "Summary 3." not in provider.requests[-1].body.decode()
        original = log_of(world)

        said(world, "-c", "--fork", "in the fork")
        assert "FACT-edited" in provider.requests[-1].body.decode()
        said(world, "-c", "/compact undo")  # the edit
        said(world, "-c", "/compact undo")  # the third
        said(world, "-c", "once more")
        shown = provider.requests[-1].body.decode()
        assert "Summary 2." in shown
        assert "Answer to FACT-3" in shown
        assert "FACT-edited" not in shown
        assert [json.loads(line) for line in world.logs()[0].read_text().splitlines()] == original, "not touched"

        for wanted, found in (("FACT-zero", "数据库"), ("数据库", "FACT-zero"), ("answer fact-1", "Answer to FACT-1.")):
            said(world, "-c", f"look back {wanted}")
            results = [each for each in json.loads(provider.requests[-1].body)["messages"] if each["role"] == "tool"]
            assert found in results[-1]["content"]

        rows = json.loads(world.run("-p", "-c", "--output-format", "stream-json", "/rewind").stdout.splitlines()[-2])
        first = next(row["event"] for row in rows["data"] if row["text"] == "FACT-2")
        said(world, "-c", f"/rewind {first}")
        said(world, "-c", "back there")
        shown = provider.requests[-1].body.decode()
        assert "Summary 1." in shown
        assert "FACT-2" not in shown


def test_all_faces_say_the_same_of_the_window(tmp_path: Path) -> None:
    usage = Usage(input=5000, output=100, cache_read=4000)
    reply = LoopbackReply(text="So.", usage=usage)
    with LoopbackProvider.in_thread([reply], after="cycle") as provider:
        world = world_of(tmp_path, provider)
        said(world, "hello")
        plain = said(world, "-c", "/context")
        whole = json.loads(said(world, "-c", "--output-format", "json", "/context"))["text"]
        events = world.events("-c", "/context")
        chat = subprocess.run(
            [sys.executable, "-I", "-c", "import sys; from protea.cli import main; sys.exit(main())", "repl", "-c"],
            cwd=world.project,
            env=world.environment,
            input="/context\n/exit\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
    (answered,) = [event for event in events if event["type"] == "command_answered"]
    data = answered["data"]
    assert plain == whole == answered["text"]
    assert all(line in chat.stdout for line in plain.splitlines())
    assert data["used"] == data["counted"] == 5100 == sum(part["tokens"] for part in data["parts"])
    assert plain.startswith("5.1k tokens of 200.0k (3 %) · 80 % cached\n")


STRATEGY = """
from protea.domain.compaction import Shrunk

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: str = ""


class Mine:
    def __init__(self, words):
        self.words = words

    async def shrink(self, conversation, ask):
        before = len(conversation.messages) - 1
        return Shrunk(how="summarise", before=before, text=self.words) if conversation.forced and before > 1 else None


def create(options):
    return Mine(options.words)
"""


def test_a_strategy_of_ones_own_is_found_by_its_entry_point_and_a_profile_swaps_it_in(tmp_path: Path) -> None:
    package = tmp_path / "site"
    (package / "mine-1.0.dist-info").mkdir(parents=True)
    (package / "mine.py").write_text(textwrap.dedent(STRATEGY))
    (package / "mine-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (package / "mine-1.0.dist-info/entry_points.txt").write_text("[protea.compaction]\nmine = mine\n")
    with LoopbackProvider.in_thread(["Understood."], after="repeat") as provider:
        world = world_of(tmp_path, provider)
        (world.home / ".protea/profiles").mkdir()
        (world.home / ".protea/profiles/own.toml").write_text(
            'extends = "coding"\n[compaction]\nadapter = "mine"\nwords = "FACT-mine"\n'
        )
        code = f"import sys; sys.path.insert(0, {str(package)!r}); from protea.cli import main; sys.exit(main())"

        def run(*words: str) -> str:
            done = subprocess.run(
                [sys.executable, "-I", "-c", code, *words],
                cwd=world.project,
                env=world.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            return done.stdout

        run("-p", "one")
        run("-p", "-c", "two")
        run("-p", "-c", "/swap compaction=none")
        assert "Nothing could be made smaller" in run("-p", "-c", "/compact")
        run("-p", "-c", "/profile own")
        run("-p", "-c", "/compact")
        assert "FACT-mine" in run("-p", "-c", "/summary")
