"""The adapter that plays a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protea.adapters.models import scripted
from protea.domain.errors import ConfigError, ModelError
from protea.domain.messages import AssistantMessage, Message, Text, ToolMessage, UserMessage, calls_of, text_of
from protea.domain.reply import ModelRequest, Reply
from protea.ports.model import Model
from protea.testing.clock import FakeClock
from protea.testing.contracts.model import ModelContract, question
from tests.adapters.models.recordings import surroundings

TWO = """
after = "fail"
[[replies]]
text = "Let me look."
tool_calls = [{ name = "Read", arguments = { path = "README.md" } }]
[[replies]]
text = "It is about forms."
"""


def made(folder: Path, text: str, name: str = "replies.toml") -> scripted.ScriptedModel:
    (folder / name).write_text(text)
    return scripted.create(scripted.Options(script=name), clock=FakeClock(), surroundings=surroundings(str(folder)))


async def last(model: Model, *messages: Message) -> Reply:
    piece = [piece async for piece in model.stream(ModelRequest((UserMessage((Text("Go."),)), *messages)))][-1]
    assert isinstance(piece, Reply)
    return piece


class TestContract(ModelContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self._folder = tmp_path

    async def model(self) -> Model:
        return made(self._folder, '[[replies]]\ntext = "It is blue."')

    async def broken_model(self) -> Model | None:
        text = '[[replies]]\ntext = "It"\nerror = { kind = "connection", message = "gone" }'
        return made(self._folder, text, "broken.toml")


async def test_the_conversation_tells_which_reply_comes_next(tmp_path: Path) -> None:
    model = made(tmp_path, TWO)
    first = await last(model)
    call = calls_of(first.content)[0]
    assert (call.name, call.arguments, first.stop) == ("Read", {"path": "README.md"}, "tool_calls")
    said = (AssistantMessage(first.content, first.model), ToolMessage(call.id, "Read", "# Forms"))
    second = await last(model, *said)
    assert text_of(second.content) == "It is about forms."
    assert await last(model) == first
    with pytest.raises(ModelError, match="has 2 replies, and this is request 3"):
        await last(model, *said, AssistantMessage(second.content, second.model))


async def test_a_script_may_be_json_and_begin_again(tmp_path: Path) -> None:
    model = made(tmp_path, '{"after": "cycle", "replies": [{"text": "a"}, {"words": 2}]}', "replies.json")
    said: list[Message] = []
    texts = []
    for _ in range(3):
        reply = await last(model, *said)
        texts.append(text_of(reply.content))
        said.append(AssistantMessage(reply.content, reply.model))
    assert texts == ["a", "word word ", "a"]


async def test_a_delay_is_slept_by_the_clock(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[[replies]]\ntext = "late"\ndelay = 3.0')
    slept = []

    class Noting(FakeClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    model = scripted.create(scripted.Options(script="s.toml"), clock=Noting(), surroundings=surroundings(str(tmp_path)))
    assert [piece async for piece in model.stream(question())]
    assert slept == [3.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("replies = [", "not TOML"),
        ("replies = []", "at least one reply"),
        ("[[replies]]\ntekst = 'a'", "tekst"),
        ("after = 'dance'\n[[replies]]\ntext = 'a'", "repeat, cycle or fail"),
    ],
)
def test_a_wrong_script_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        made(tmp_path, text)
    assert caught.value.file == str(tmp_path / "replies.toml")


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    options: Any = scripted.Options(script="none.toml")
    with pytest.raises(ConfigError, match=r"none\.toml: the script cannot be read: No such file"):
        scripted.create(options, clock=FakeClock(), surroundings=surroundings(str(tmp_path)))
