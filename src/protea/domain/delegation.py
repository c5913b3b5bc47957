"""Agents that work for another: what they are told, how they are written down, what stricter means. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from protea.domain.permission import Decision, Mode

STRICTNESS: dict[Mode, int] = {"plan": 0, "normal": 1, "yolo": 2}
VERDICTS = {"deny": 0, "ask": 1, "allow": 2}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
LONGEST_ABOUT = 1_000
"""Characters of what an agent says it is for."""
_NUMBER = re.compile(r"\d+")

FOREIGN_TOOLS = {"MultiEdit": "Edit", "Task": "Agent", "LS": "Glob", "NotebookRead": "Read", "WebSearch": "WebSearch"}
"""Tools as files of other agents name them → ours."""


NO_TOOLS = ("",)
"""Of an agent that is to have none: no tool is called so."""


class AgentDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that has a name."""

    name: str
    about: str
    """When it is to be used, for the model that chooses."""
    words: str
    """What it is told besides what every agent is told."""
    path: str
    tools: tuple[str, ...] = ()
    """The only ones it has; empty: all."""
    without: tuple[str, ...] = ()
    """Those it has not."""
    model: str = ""
    """Empty: that of whoever sends it. Without a provider, one of the provider of that."""
    profile: str = ""
    plans: bool = False
    """Whether it is in plan mode, whatever the mode of whoever sends it."""


UNNAMED = "agent"
"""What an agent is called that has no name of its own."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is sent to do."""

    prompt: str
    name: str = UNNAMED
    title: str = ""
    words: str = ""
    """Told to it besides what every agent is told."""
    tools: tuple[str, ...] = ()
    """The only ones it has; empty: all."""
    without: tuple[str, ...] = ()
    """Those it has not."""
    plans: bool = False
    """Whether it is in plan mode, whatever the mode of whoever sends it."""
    model: str = ""
    profile: str = ""
    cwd: str = ""
    """Another folder to work in, absolute: a worktree."""
    resume: str = ""
    """The session of an agent that is to go on."""
    background: bool = False
    rivals: int = 1
    """How many are sent on it at once, to compare: they share what one would be lent."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent's errand ended, in figures."""

    session: str
    outcome: str
    """As in `turn_finished`."""
    model: str = ""
    replies: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    """None where the price is not known."""
    seconds: float = 0.0


def read_definition(text: str, name: str, path: str) -> AgentDefinition | str:
    """The agent of a Markdown file, or why it is none. Tools are listed, or stand with commas between them."""
    from protea.domain.front_matter import listed, split  # most people have written none

    head, body = split(text)
    given = head.get("name")
    name = given if isinstance(given, str) and given else name
    if not _NAME.match(name):
        return f"{path}: {brief(name, 100)!r} is no name of an agent: at most 100 letters, digits, '.', - and _"
    if not body.strip():
        return f"{path}: there is no text in it"
    about, model, profile = head.get("description"), head.get("model"), head.get("profile")
    tools = listed(head.get("tools"))
    return AgentDefinition(
        name=name,
        about=" ".join(about[:LONGEST_ABOUT].split()) if isinstance(about, str) else "",
        words=body.strip(),
        path=path,
        tools=() if tools == ("*",) else _ours(tools) or (NO_TOOLS if head.get("tools") == () else ()),
        without=_ours(listed(head.get("disallowedTools"))),
        plans=head.get("permissionMode") == "plan",
        model=model if isinstance(model, str) and model != "inherit" else "",
        profile=profile if isinstance(profile, str) else "",
    )


def _ours(tools: Sequence[str]) -> tuple[str, ...]:
    return tuple(FOREIGN_TOOLS.get(tool, tool) for tool in tools)


def model_like(name: str, models: Sequence[str]) -> str:
    """The model that is meant by a name without a provider: the one called so, else the latest whose name has it in it
    (`sonnet`); empty where there is none."""
    word = name.lower()
    called = {each: each.partition("/")[2].lower() for each in models}
    exact = [each for each, own in called.items() if own == word]
    near = [each for each, own in called.items() if word in re.split(r"[-:_/]", own)]
    return exact[0] if exact else max(near, key=_version, default="")


def _version(model: str) -> tuple[tuple[int, ...], int]:
    """For comparing models of one family: their version numbers, then the name without a date."""
    numbers = [int(number) for number in _NUMBER.findall(model)]
    return tuple(number for number in numbers if number < 1000), -len(model)


def strictest_mode(*modes: Mode) -> Mode:
    """The one that allows least."""
    return min(modes, key=STRICTNESS.__getitem__)


def stricter(own: Decision, above: Decision) -> Decision:
    """What holds where both have to agree; the first, where they say the same."""
    return above if VERDICTS[above.verdict] < VERDICTS[own.verdict] else own


def share(left: float | None, sharing: int) -> float | None:
    """Dollars for one of several that are sent out with what is left; None is no limit."""
    return None if left is None else max(0.0, left) / max(1, sharing)


def span(seconds: float) -> str:
    """`12 s`, `3 min 5 s`."""
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def spoken_of(name: str) -> str:
    """An agent as a sentence begins with it; one without a name of its own is called `agent`."""
    return "The agent" if name in ("", UNNAMED) else f"The agent {name}"


def brief(text: str, longest: int = 80) -> str:
    """The first words, on one line."""
    flat = " ".join(text[: longest * 8].split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"


def title_of(errand: Errand) -> str:
    """What an agent on its errand is called in lists: by its name, where it has one, and by what it is to do."""
    what = errand.title or brief(errand.prompt)
    lead = "" if errand.name in ("", UNNAMED) else f"{errand.name}: "
    return what if what.startswith(lead) else f"{lead}{what}"


def told(definitions: Sequence[AgentDefinition]) -> str:
    """For the description of the tool that sends them."""
    return "".join(f"\n- {each.name}: {brief(each.about or each.words, 160)}" for each in definitions)
