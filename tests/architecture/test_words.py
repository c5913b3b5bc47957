"""Events, commands, tools and states: one namespace of names, plain values, logs that always load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import pytest

from protea.domain import commands, events, view
from protea.domain.event_codec import decode, encode
from protea.domain.tools import ENDED, NEXT_STATES, CallState, may_follow
from protea.domain.transcript import Transcript
from tests.architecture.samples import filled

LASTING: tuple[type[events.Lasting], ...] = get_args(events.LastingEvent)
PASSING: tuple[type[events.Passing], ...] = get_args(events.PassingEvent)
COMMANDS: tuple[type[commands.Command], ...] = get_args(commands.AnyCommand)


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


# ── one namespace ──────────────────────────────────────────────────────────────────────────────────────────────────


def clashes(kinds: Iterable[type[msgspec.Struct]]) -> list[str]:
    """Tags that are not snake_case of their class, or that two of them share."""
    seen: dict[str, str] = {}
    found = []
    for kind in kinds:
        name = tag(kind)
        if name != re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower() or not re.fullmatch(
            r"[a-z]+(_[a-z]+)*", name
        ):
            found.append(f"{kind.__name__} is called {name}")
        if name in seen:
            found.append(f"{name} is both {seen[name]} and {kind.__name__}")
        seen[name] = kind.__name__
    return found


def test_events_and_commands_share_one_namespace() -> None:
    assert clashes([*LASTING, *PASSING, *COMMANDS]) == []


def test_a_clash_of_names_is_noticed() -> None:
    class TextDelta(events.Passing, frozen=True, kw_only=True):
        text: str

    class Odd(events.Passing, frozen=True, kw_only=True, tag="oddName"):
        text: str

    assert len(clashes([*PASSING, TextDelta])) == 1
    assert len(clashes([Odd])) == 1


def missing_from(union: tuple[type, ...], base: type, module: Any) -> set[str]:
    """Heirs of `base` in `module` that the union does not hold."""
    heirs = {
        each.__name__
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, base) and each is not base and each.__module__ == module.__name__
    }
    return heirs - {each.__name__ for each in union}


def test_the_unions_hold_every_event_and_command() -> None:
    assert missing_from(LASTING, events.Lasting, events) == set()
    assert missing_from(PASSING, events.Passing, events) == set()
    assert missing_from(COMMANDS, commands.Command, commands) == set()


def test_an_event_left_out_of_its_union_is_noticed() -> None:
    assert missing_from(LASTING[1:], events.Lasting, events) == {LASTING[0].__name__}


PROMISED = {
    "session_started", "prompt_submitted", "turn_started", "message_completed", "tool_call_changed",
    "approval_requested", "approval_resolved", "profile_swapped", "model_switched", "compacted", "task_changed",
    "todo_changed", "turn_finished", "session_ended", "text_delta", "thinking_delta", "tool_output_delta",
    "usage_updated", "submit_prompt", "interrupt", "steer", "resolve_approval", "swap", "set_model",
}  # fmt: skip
"""Names that scripts outside rely on."""


def test_promised_names_exist() -> None:
    assert {tag(each) for each in [*LASTING, *PASSING, *COMMANDS]} >= PROMISED


def test_passing_events_carry_no_number() -> None:
    bare = [msgspec.structs.replace(filled(each), seq=None) for each in PASSING]
    assert [event for event in bare if b'"seq"' in msgspec.json.encode(event)] == []


# ── plain values ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [k for k in LASTING if k is not events.UnknownEvent], ids=lambda kind: kind.__name__)
def test_a_lasting_event_comes_back_from_its_line(kind: type[events.Lasting]) -> None:
    event = filled(kind)
    line = encode(event)
    assert b"\n" not in line
    assert decode(line) == event


@pytest.mark.parametrize("kind", [*PASSING, *COMMANDS], ids=lambda kind: kind.__name__)
def test_a_passing_event_or_command_comes_back_from_json(kind: type[msgspec.Struct]) -> None:
    value = filled(kind)
    assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value


def changeable(kind: type[msgspec.Struct]) -> bool:
    return not kind.__struct_config__.frozen


def test_events_and_commands_cannot_be_changed() -> None:
    assert [kind.__name__ for kind in [*LASTING, *PASSING, *COMMANDS] if changeable(kind)] == []


def test_an_event_that_can_be_changed_is_noticed() -> None:
    class Loose(msgspec.Struct):
        text: str

    assert changeable(Loose)


def test_every_new_field_of_a_lasting_event_has_a_default() -> None:
    """What 0.1.0 required may stay required; whatever comes later must be readable from older lines."""
    golden = {json.loads(line)["type"]: json.loads(line) for line in golden_lines(GOLDEN[0])}
    for kind in LASTING:
        required = {f.name for f in msgspec.structs.fields(kind) if f.required}
        assert required <= golden.get(tag(kind), dict.fromkeys(required)).keys(), kind.__name__


# ── logs that always load ──────────────────────────────────────────────────────────────────────────────────────────

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.jsonl"))
"""A log per released version, with every event that version could write. Never edited, only added to."""


def golden_lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_log_of_every_version_loads(path: Path) -> None:
    loaded = [decode(line) for line in golden_lines(path)]
    assert [event for event in loaded if isinstance(event, events.UnknownEvent)] == []
    assert [event.seq for event in loaded] == list(range(1, len(loaded) + 1))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_nothing_in_a_log_of_any_version_is_lost(path: Path) -> None:
    for line in golden_lines(path):
        assert json.loads(encode(decode(line))) == json.loads(line)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_log_of_every_version_becomes_a_conversation(path: Path) -> None:
    transcript = Transcript()
    for line in golden_lines(path):
        transcript.add(decode(line))
    assert transcript.messages()


def test_there_is_a_log_of_this_version_with_all_its_events() -> None:
    from protea import __version__

    path = Path(__file__).parent / "golden" / f"{__version__}.jsonl"
    written = {json.loads(line)["type"] for line in golden_lines(path)}
    assert {tag(kind) for kind in LASTING if kind is not events.UnknownEvent} - written == set()


def test_what_a_newer_version_wrote_is_kept_as_it_was() -> None:
    line = b'{"type":"from_the_future","session":"s","seq":3,"at":"2031-01-01T00:00:00Z","what":{"a":[1]}}'
    event = decode(line)
    assert isinstance(event, events.UnknownEvent)
    assert json.loads(encode(event)) == json.loads(line)


def test_a_field_a_newer_version_added_does_no_harm() -> None:
    line = b'{"type":"title_changed","session":"s","seq":3,"at":"","title":"t","colour":"red"}'
    assert decode(line) == events.TitleChanged(session="s", seq=3, title="t")


# ── the state machine of a call ────────────────────────────────────────────────────────────────────────────────────


def faults(table: dict[Any, frozenset[Any]], states: tuple[str, ...], ended: frozenset[Any]) -> list[str]:
    """What keeps the table from being a machine in which every call comes to exactly one end."""
    found = [f"{state} has no row" for state in states if state not in table]
    reached: set[Any] = set()
    front = [None]
    while front:
        for following in table.get(front.pop(), ()):
            if following not in reached:
                reached.add(following)
                front.append(following)
    found += [f"{state} is never reached" for state in states if state not in reached]
    for state in states:
        following = table.get(state, frozenset())
        if state in ended and following:
            found.append(f"{state} is an end and goes on")
        if state not in ended and not {"error", "cancelled"} <= following:
            found.append(f"{state} cannot fail or be cancelled")
    return found


def test_every_call_can_end_from_every_state() -> None:
    assert faults(NEXT_STATES, get_args(CallState), ENDED) == []
    assert len(get_args(CallState)) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"success": frozenset({"executing"})},
        {"executing": frozenset({"success", "error"})},
        {"scheduled": frozenset({"executing", "error", "cancelled"})},
        {"executing": frozenset({"error", "cancelled"})},
    ],
)
def test_a_hole_in_the_state_machine_is_noticed(change: dict[Any, frozenset[Any]]) -> None:
    assert faults({**NEXT_STATES, **change}, get_args(CallState), ENDED)


def test_nothing_succeeds_without_having_run() -> None:
    before_success = {state for state in NEXT_STATES if state is not None and may_follow(state, "success")}
    assert before_success == {"executing"}


# ── the promises of the outside ────────────────────────────────────────────────────────────────────────────────────


def test_exit_codes_are_those_that_were_promised() -> None:
    assert view.EXIT_CODES == {"finished": 0, "error": 2, "limit": 3, "interrupted": 4, "denied": 5}
    assert set(view.EXIT_CODES) == set(get_args(events.Outcome))


def test_the_states_of_a_call_are_those_that_were_promised() -> None:
    promised = Literal["validating", "scheduled", "awaiting_approval", "executing", "success", "error", "cancelled"]
    assert get_args(CallState) == get_args(promised)
