"""The offline model with the built-in tools on real files; and with tools that answer anything at all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protea.adapters.models import offline
from protea.domain.messages import (
    AssistantMessage,
    Image,
    Message,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    calls_of,
    text_of,
)
from protea.domain.reply import ModelRequest, Reply, TextPiece
from protea.domain.tools import ToolSpec
from protea.domain.usage import Price
from protea.ports.model import Model
from protea.testing.contracts.model import ModelContract
from tests.adapters.models.offline_run import SPECS, Talk
from tests.adapters.models.test_offline_grammar import READ, WORDS


class TestContract(ModelContract):
    async def model(self) -> Model:
        return offline.create(offline.Options())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "README.md": "# Demo\nA project.\n",
        "src/a.py": "# TODO one\nx = 1\n# TODO two\n",
        "src/sub/b.py": "# TODO three\n",
        "src/c.py": "print('todo')\n",
        "lib/d.py": "# TODO four\n# TODO five\n# TODO six\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
async def talk(project: Path) -> AsyncIterator[Talk]:
    talk = Talk(project, answer="the blue one")
    yield talk
    await talk.aclose()


MOST = "find every TODO in src, then tell me which file has the most"


async def test_the_sentence_of_the_first_day(talk: Talk) -> None:
    answer = await talk.ask(MOST)
    assert "src/a.py has the most: 2 of the 3 lines with `TODO` in src." in answer
    assert "src/sub/b.py:1:# TODO three" in answer
    assert "2  src/a.py\n1  src/sub/b.py" in answer
    assert [call.name for call in talk.calls] == ["Grep", "Grep"]


async def test_ties_are_named(talk: Talk) -> None:
    (talk.folder / "src/z.py").write_text("TODO\nTODO\n")
    answer = await talk.ask(MOST)
    assert "2 files share the most, with 2 each of the 5 lines with `TODO` in src: src/a.py and src/z.py." in answer


async def test_no_hit_is_said(talk: Talk) -> None:
    answer = await talk.ask(MOST.replace("TODO", "FIXME"))
    assert "There is no line with `FIXME` in src." in answer
    assert "No file has any" in answer


async def test_where_there_is_no_such_folder_the_whole_project_is_searched(talk: Talk) -> None:
    answer = await talk.ask(MOST.replace("src", "source"))
    assert "There is no source in this project (the folders here are lib/ and src/), so I searched all of it." in answer
    assert "lib/d.py has the most: 3 of the 6 lines" in answer


async def test_one_file_with_hits_is_the_only_one(talk: Talk) -> None:
    answer = await talk.ask(MOST.replace("src", "lib"))
    assert "lib/d.py is the only file with any: 3 lines with `TODO` in lib." in answer


async def test_counts_are_right_where_the_lines_are_too_many_to_show(talk: Talk) -> None:
    (talk.folder / "src/big.py").write_text("TODO\n" * 3000)
    answer = await talk.ask(MOST)
    assert "3,003 lines with `TODO`" in answer
    assert "src/big.py has the most: 3,000 of the 3,003 lines" in answer


async def test_a_question_may_follow_in_the_next_prompt(talk: Talk) -> None:
    await talk.ask("find every TODO in src")
    assert "src/a.py has the most: 2 of the 3" in await talk.ask("which file has the most?")
    assert "3 lines with `TODO` in 2 files in src." in await talk.ask("and how many are there?")


async def test_reading_shows_the_lines(talk: Talk) -> None:
    assert await talk.ask("show line 2 of src/a.py") == "```\n2\tx = 1\n[lines 2-2 of 3; go on with offset 3]\n```"
    assert "3\t# TODO two" in await talk.ask("show the last 1 lines of src/a.py")


async def test_files_are_listed_and_counted(talk: Talk) -> None:
    assert "src/sub/b.py" in await talk.ask("list python files in src")
    assert await talk.ask("how many python files are there") == "There are 4 python files in this project."


async def test_a_file_is_made_changed_and_read(talk: Talk) -> None:
    prompt = 'create n.txt with "hello"; append "more" to n.txt; replace hello with bye in n.txt; read n.txt'
    answer = await talk.ask(prompt)
    assert (talk.folder / "n.txt").read_text() == "bye\nmore\n"
    assert answer.endswith("1\tbye\n2\tmore\n```")


async def test_appending_mends_a_last_line_without_its_end(talk: Talk) -> None:
    (talk.folder / "n.txt").write_text("one")
    await talk.ask('append "it\'s two" to n.txt')
    assert (talk.folder / "n.txt").read_text() == "one\nit's two\n"
    (talk.folder / "empty.txt").write_text("")
    await talk.ask('append "first" to empty.txt; append "new" to fresh.txt')
    assert (talk.folder / "empty.txt").read_text() == "first\n"
    assert (talk.folder / "fresh.txt").read_text() == "new\n"


async def test_a_file_that_is_there_is_not_replaced_by_creating_it(talk: Talk) -> None:
    answer = await talk.ask('create README.md with "x"; run pwd')
    assert "README.md is there already, so nothing was written" in answer
    assert "Not done: “run pwd”" in answer
    await talk.ask('overwrite README.md with "x"')
    assert (talk.folder / "README.md").read_text() == "x\n"


async def test_replacing_names_the_places_where_it_is_not_clear_which(talk: Talk) -> None:
    answer = await talk.ask("replace TODO with DONE in src")
    assert "stands in 3 lines of src, so nothing was changed" in answer
    assert "src/sub/b.py:1:" in answer
    await talk.ask("replace every TODO with DONE in src")
    assert (talk.folder / "src/a.py").read_text() == "# DONE one\nx = 1\n# DONE two\n"
    assert (talk.folder / "lib/d.py").read_text().count("TODO") == 3


async def test_a_command_runs_and_its_failure_is_said(talk: Talk) -> None:
    assert await talk.ask("run `echo hi`") == "`echo hi` gave:\n```\nhi\n```"
    assert "`false` failed" in await talk.ask("run false")


async def test_the_tests_of_a_project_are_found(talk: Talk) -> None:
    assert "found no tests" in await talk.ask("run the tests")
    script = talk.folder / "scripts/test"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho all is well\n")
    script.chmod(0o755)
    assert await talk.ask("run the tests") == "`scripts/test` gave:\n```\nall is well\n```"


async def test_git_is_a_command(talk: Talk) -> None:
    assert "`git init -q` gave" in await talk.ask("git init -q")
    assert "?? README.md" in await talk.ask("git status --short")


async def test_a_plan_becomes_the_todo_list(talk: Talk) -> None:
    answer = await talk.ask("plan: look around, act")
    assert talk.calls[0].arguments == {
        "items": [{"text": "look around", "status": "pending"}, {"text": "act", "status": "pending"}]
    }
    assert "1. look around\n2. act" in answer


async def test_a_question_is_asked(talk: Talk) -> None:
    assert await talk.ask('ask me "Which?" "red" "blue"') == "They answered: the blue one"
    assert talk.calls[0].arguments == {"question": "Which?", "options": ["red", "blue"]}


async def test_what_cannot_be_done_is_said(talk: Talk) -> None:
    assert "I cannot undo" in await talk.ask("undo that")
    answer = await talk.ask("write me a poem about spring")
    assert "“write me a poem about spring”" in answer
    assert "no language model" in answer
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "Ollama"):
        assert name in answer
    assert (await talk.ask("help")).startswith("I am Protea's offline model: a small command grammar")
    assert talk.calls == []


async def test_a_denied_tool_is_reported_and_not_tried_again(project: Path) -> None:
    talk = Talk(project, denied=("Bash", "Grep"))
    answer = await talk.ask("run pwd; read README.md")
    assert "Not allowed: a rule is against it" in answer
    assert "Not done: “read README.md”" in answer
    assert "The search failed: Not allowed" in await talk.ask(MOST)
    assert [call.name for call in talk.calls] == ["Bash", "Grep", "Grep"]
    await talk.aclose()


async def test_a_tool_that_is_not_offered_is_not_called(project: Path) -> None:
    talk = Talk(project, offered=[spec for spec in SPECS if spec.name == "Read"])
    assert "offers no tool `Grep`" in await talk.ask(MOST)
    assert talk.calls == []
    await talk.aclose()


async def test_an_answer_can_have_a_shape(project: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"file": {"type": "string"}, "count": {"type": "integer"}, "why": {"type": "string"}},
        "required": ["file", "count"],
    }
    talk = Talk(project, schema=schema)
    answer = json.loads(await talk.ask(MOST))
    assert (answer["file"], answer["count"]) == ("src/a.py", 2)
    await talk.aclose()


async def test_a_switched_model_passes_over_the_calls_of_the_other() -> None:
    call = ToolCall("x", "Bash", {"command": "ls"})
    messages = (
        UserMessage((Text("read a.txt"),)),
        AssistantMessage((call,), "anthropic/claude"),
        ToolMessage("x", "Bash", "a.txt"),
    )
    reply = await _last(ModelRequest(messages, tools=SPECS))
    assert [(c.name, c.arguments) for c in calls_of(reply.content)] == [("Read", {"path": "a.txt"})]


async def test_a_picture_is_not_pretended_to_be_seen() -> None:
    reply = await _last(ModelRequest((UserMessage((Image("image/png", "aGk="),)),)))
    assert "could not make sense of “(a picture)”" in text_of(reply.content)


@pytest.mark.parametrize("prompt", ["create calc.py with:", "create a.txt with", "append to a.txt with"])
async def test_a_file_without_its_content_is_said_to_lack_it(prompt: str) -> None:
    said = text_of((await _last(ModelRequest((UserMessage((Text(prompt),)),), tools=SPECS))).content)
    assert "does not say what is to stand there, so nothing was done" in said


async def test_the_answer_streams_in_words_but_never_in_thousands_of_pieces() -> None:
    model = offline.create(offline.Options())
    pieces = [p async for p in model.stream(ModelRequest((UserMessage((Text("help"),)),))) if isinstance(p, TextPiece)]
    assert 20 < len(pieces) <= 201
    assert (model.info.id, model.info.price) == ("offline/grammar", Price(0.0, 0.0))


async def test_a_megabyte_prompt_is_answered_quickly() -> None:
    begun = time.process_time()
    reply = await _last(ModelRequest((UserMessage((Text("why? " * 200_000),)),), tools=SPECS))
    assert time.process_time() - begun < 2
    assert len(text_of(reply.content)) < 2000
    assert reply.usage.input > 250_000


async def test_what_a_refusal_tells_a_model_to_do_is_not_told_to_the_person() -> None:
    asked = UserMessage((Text('overwrite a.txt with "x"'),))
    wrote = await _last(ModelRequest((asked,), tools=SPECS))
    (write,) = calls_of(wrote.content)
    words = "The person refused this. Do not try it again in another way."
    refused = ToolMessage(write.id, write.name, words, is_error=True)
    said = await _last(ModelRequest((asked, AssistantMessage(wrote.content, "offline/grammar"), refused), tools=SPECS))
    assert text_of(said.content) == "a.txt was not written: The person refused this."


async def test_tools_are_counted_with_their_arguments() -> None:
    usage = (await _last(ModelRequest((UserMessage((Text("help"),)),), tools=SPECS))).usage
    assert usage.input > sum(len(str(spec.parameters)) for spec in SPECS) / 5


async def _last(request: ModelRequest) -> Reply:
    *_, last = [piece async for piece in offline.create(offline.Options()).stream(request)]
    assert isinstance(last, Reply)
    return last


RESULTS = st.one_of(
    st.sampled_from(
        [
            "", "Nothing fits in src.", "src does not exist.", "a.py:1:x", "a.py:3\n[3 in 1 files]", "a.py",
            "[the first 2 of 9,999 lines, in 3 files; narrow]", "Not allowed: no", "0 1", "[the first 1 of , files]",
            "scripts/test", "tests/", "pyproject.toml", "No module named pytest", "a:99999999999999999999", "```",
        ]
    ),
    st.text(max_size=60),
)  # fmt: skip
PROMPTS = st.one_of(
    st.sampled_from(sorted(READ)),
    st.lists(st.sampled_from(sorted(READ)), min_size=1, max_size=4).map("\n".join),
    st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=30).map(" ".join),
    st.text(max_size=200),
)
ODD = ToolSpec("Grep", "Searches oddly.", {"type": "object", "properties": {"query": {"type": "string"}}})
BARE = ToolSpec("Read", "Reads.", {"type": "object"})
OTHER_TODO = ToolSpec("TodoWrite", "Plans.", {"type": "object", "properties": {"items": {"type": "array"}}})


@settings(deadline=None, max_examples=400)
@given(
    PROMPTS,
    st.lists(st.sampled_from([*SPECS, ODD, BARE, OTHER_TODO]), max_size=12, unique_by=lambda spec: spec.name),
    st.data(),
)
def test_every_turn_ends_whatever_the_tools_give(prompt: str, offered: list[ToolSpec], data: st.DataObject) -> None:
    async def turn() -> None:
        messages: list[Message] = [UserMessage((Text(prompt),))]
        for _ in range(200):
            reply = await _last(ModelRequest(tuple(messages), tools=tuple(offered)))
            calls = calls_of(reply.content)
            if not calls:
                assert text_of(reply.content)
                assert reply.stop == "end_turn"
                return
            assert reply.stop == "tool_calls"
            messages.append(AssistantMessage(reply.content, reply.model))
            for call in calls:
                spec = next(spec for spec in offered if spec.name == call.name)
                assert isinstance(call.arguments, dict)
                jsonschema.validate(call.arguments, spec.parameters | {"additionalProperties": False})
                result = ToolMessage(call.id, call.name, data.draw(RESULTS), data.draw(st.booleans()))
                messages.append(result)
        raise AssertionError("the turn does not end")

    asyncio.run(turn())
