"""Configuration that changes while a session is open: noticed before the next turn, told, and in force from there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from protea.adapters.logs import rotating
from protea.adapters.storage.memory import MemoryStore
from protea.composition.launch import Launch
from protea.composition.root import Given, build, create_gateway
from protea.domain.commands import ResolveApproval, SubmitPrompt
from protea.domain.events import AnyEvent, ApprovalRequested, NoticeGiven, ProfileSwapped, ToolCallChanged, TurnFinished
from protea.domain.messages import ToolCall
from protea.domain.reply import Reply
from protea.domain.usage import ModelInfo, Price, Usage
from protea.ports.gateway import Gateway, OpenSession
from protea.testing.model import ScriptedModel


class Home:
    """A person with files, and one open session."""

    def __init__(self, folder: Path, *replies: str | Reply, config: str = "", info: ModelInfo | None = None) -> None:
        self.own = folder / "home/.protea"
        self.project = folder / "project"
        self.own.mkdir(parents=True)
        (self.project / ".git").mkdir(parents=True)
        self.config = self.own / "config.toml"
        self.config.write_text(config)
        self.model = ScriptedModel(*replies, info=info)
        self.launch = Launch(
            cwd=str(self.project),
            environment={"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin", "OLLAMA_HOST": "http://127.0.0.1:9"},
            warn=lambda line: None,
        )
        self.gateway: Gateway = build(self.launch, Given(model=self.model, store=MemoryStore()))
        self.session = ""

    async def turn(self, text: str = "hello") -> list[AnyEvent]:
        """Every event from the prompt to the end of its turn."""
        if not self.session:
            self.session = await self.gateway.open(OpenSession(cwd=str(self.project)))
        last = (await self.gateway.history(self.session))[-1].seq or 0
        await self.gateway.submit(self.session, SubmitPrompt(text=text))
        events = []
        async for event in self.gateway.events(self.session, last):
            events.append(event)
            if isinstance(event, ApprovalRequested):
                answer = ResolveApproval(id=event.id, decision="always")
                await self.gateway.submit(self.session, answer)
            if isinstance(event, TurnFinished):
                return events
        raise AssertionError("it ended without the end of a turn")


Make = Callable[..., Home]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Home] = []

    def make(*replies: str | Reply, config: str = "", info: ModelInfo | None = None) -> Home:
        made.append(Home(tmp_path, *(replies or ["Hello."] * 6), config=config, info=info))
        return made[0]

    yield make
    for each in made:
        await each.gateway.close()


def notices(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.level, event.text) for event in events if isinstance(event, NoticeGiven)]


async def test_nothing_is_told_where_nothing_has_changed(home: Make) -> None:
    person = home()
    for _ in range(3):
        assert notices(await person.turn()) == []


async def test_what_has_changed_is_told_and_holds_from_the_next_turn_on(home: Make) -> None:
    person = home(config='[ports.persona]\nadapter = "minimal"\ntext = "Be brief."\n')
    await person.turn()
    person.config.write_text(
        '[limits]\nmax_turns = 7\n[ports.persona]\nadapter = "minimal"\ntext = "Be thorough."\n'
        '[permissions]\ndeny = ["Bash(git push:*)"]\n'
    )
    events = await person.turn()
    ((level, text),) = notices(events)
    assert level == "info"
    assert text == (
        "the configuration has changed: limits.max_turns: not set → 7; "
        "ports.persona.text: Be brief. → Be thorough.; + deny Bash(git push:*)"
    )
    assert [event.by for event in events if isinstance(event, ProfileSwapped)] == ["configuration"]
    first, second = (request.system[0] for request in person.model.requests)
    assert (first, second) == ("Be brief.", "Be thorough.")
    assert notices(await person.turn()) == []


async def test_how_the_screen_looks_is_no_news_for_a_session(home: Make) -> None:
    person = home()
    await person.turn()
    person.config.write_text('[tui]\ntheme = "dusk"\n')
    events = await person.turn()
    assert notices(events) == []
    assert not any(isinstance(event, ProfileSwapped) for event in events)
    person.config.write_text('[tui]\ntheme = "snow"\n[limits]\nmax_turns = 7\n')
    assert notices(await person.turn()) == [("info", "the configuration has changed: limits.max_turns: not set → 7")]


async def test_a_session_that_is_opened_later_begins_with_what_is_configured_then(home: Make) -> None:
    person = home()
    person.config.write_text('[ports.persona]\nadapter = "minimal"\ntext = "Be brief."\n')
    assert notices(await person.turn()) == []
    assert person.model.requests[0].system[0] == "Be brief."


async def test_a_rule_that_is_added_is_kept_from_then_on(home: Make) -> None:
    call = ToolCall(id="c1", name="Bash", arguments={"command": "ls"})
    asked = Reply(content=(call,), stop="tool_calls", usage=Usage(), model="scripted/model")
    person = home(asked, "done", asked, "done")
    first = await person.turn()
    (person.own / "permissions.toml").write_text('deny = ["Bash(ls:*)"]\n')
    second = await person.turn()
    ended = [
        [event.state for event in events if isinstance(event, ToolCallChanged) and event.result is not None]
        for events in (first, second)
    ]
    assert ended == [["success"], ["error"]]
    assert "+ deny Bash(ls:*)" in notices(second)[0][1]


async def test_a_rule_that_was_just_saved_by_an_answer_is_no_news(home: Make) -> None:
    call = ToolCall(id="c1", name="Bash", arguments={"command": "touch made"})
    asked = Reply(content=(call,), stop="tool_calls", usage=Usage(), model="scripted/model")
    person = home(asked, "done", "hello")
    await person.turn()
    assert "touch" in (person.own / "permissions.toml").read_text()
    second = await person.turn()
    assert notices(second) == []
    assert not any(isinstance(event, ProfileSwapped) for event in second)


async def test_a_broken_file_keeps_what_was_and_says_so_until_it_is_mended(home: Make) -> None:
    person = home(config="[limits]\nmax_turns = 3\n")
    await person.turn()
    person.config.write_text("[limits\nmax_turns = 9\n")
    ((level, text),) = notices(await person.turn())
    assert level == "warning"
    assert f"{person.config}:1" in text
    assert text.endswith("what was configured before stays in force")
    assert notices(await person.turn()) == []
    person.config.write_text("[limits]\nmax_turns = 9\n")
    ((level, text),) = notices(await person.turn())
    assert (level, text) == ("info", "the configuration has changed: limits.max_turns: 3 → 9")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[ports.persona]\nadapter = "minimol"\n', "did you mean minimal?"),
        ('[ports.context]\nadapter = "windowed"\nshare = "much"\n', "share"),
        ('[permissions]\nallow = ["Bash("]\n', "Bash("),
        ("[limits]\nmax_turns = 0\n", "max_turns"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(home: Make, text: str, words: str) -> None:
    person = home()
    await person.turn()
    person.config.write_text(text)
    events = await person.turn()
    ((level, told),) = notices(events)
    assert level == "warning"
    assert words in told
    assert not any(isinstance(event, ProfileSwapped) for event in events)
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "finished"


async def test_an_unknown_key_is_told_with_the_nearest(home: Make) -> None:
    person = home()
    await person.turn()
    person.config.write_text("[limits]\nmax_turn = 3\n")
    ((level, text),) = notices(await person.turn())
    assert level == "warning"
    assert "did you mean limits.max_turns?" in text


async def test_what_may_be_a_key_is_not_shown(home: Make) -> None:
    person = home()
    await person.turn()
    person.config.write_text(
        '[providers.acme]\napi = "openai-chat"\nbase_url = "http://x/v1"\nheaders = { Key = "s3cr3t!" }\n'
    )
    ((_, text),) = notices(await person.turn())
    assert "providers.acme.headers.Key: not set → another value" in text
    assert "s3cr3t!" not in text


async def test_the_log_changes_its_level_while_it_runs(tmp_path: Path) -> None:
    person = Home(tmp_path)
    gateway = await create_gateway(
        Launch(
            cwd=person.launch.cwd,
            environment=person.launch.environment,
            warn=lambda line: None,
            model="offline/grammar",
        )
    )
    try:
        person.gateway = gateway
        await person.turn()
        person.config.write_text('[log]\nlevel = "providers=debug"\n')
        await person.turn()
        assert logging.getLogger("protea.providers").level == logging.DEBUG
    finally:
        await gateway.close()
        rotating.remove()


async def test_a_budget_that_is_set_while_a_session_is_open_holds_from_the_next_turn_on(home: Make) -> None:
    person = home(info=ModelInfo("scripted/one", price=Price(input=0.0, output=1_000_000.0)))
    assert [event.outcome for event in await person.turn() if isinstance(event, TurnFinished)] == ["finished"]
    person.config.write_text("[budgets]\nsession = 0.5\n")
    (ended,) = [event for event in await person.turn() if isinstance(event, TurnFinished)]
    assert (ended.outcome, ended.limit) == ("limit", "budget")


async def test_a_limit_that_is_set_while_a_session_is_open_holds_from_the_next_turn_on(home: Make) -> None:
    look = ToolCall(id="c1", name="Glob", arguments={"pattern": "*"})
    looking = Reply(content=(look,), stop="tool_calls", usage=Usage(), model="scripted/one")
    person = home(looking, "One.", looking, "Two.")
    outcomes = [event.outcome for event in await person.turn() if isinstance(event, TurnFinished)]
    person.config.write_text("[limits]\nmax_turns = 1\n")
    outcomes += [event.outcome for event in await person.turn() if isinstance(event, TurnFinished)]
    assert outcomes == ["finished", "limit"]
