"""Slash commands: what `/model x` means, the same in every face. Called by `sessions` for an `Invoke`.

A command is a row of `COMMANDS` with an async function that is given a `Call` and returns an `Answer`: they are in
`slash`, by what they are about. One that a feature brings along is a row here and a function there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from protea.application.slash import agents, conversation, files, identity
from protea.application.slash.call import Answer, Call
from protea.domain.columns import table
from protea.domain.commands import Invoke, SubmitPrompt
from protea.domain.errors import UsageError
from protea.domain.events import CommandAnswered
from protea.domain.settings import EFFORTS
from protea.domain.spelling import nearest
from protea.ports.gateway import Gateway

if TYPE_CHECKING:
    from protea.domain.template import Template
    from protea.ports.templates import Templates


class SlashCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    name: str
    about: str
    arguments: str = ""
    """As they are shown: `[PROVIDER/MODEL [EFFORT]]`."""
    completes: str | tuple[str, ...] = ()
    """What its first argument can be: words, or the topic of `describe` that lists them (by `id`, else by `name`)."""
    aliases: tuple[str, ...] = ()
    run: Callable[[Call], Awaitable[Answer]] | None = None
    """None where a face carries it out itself."""


async def invoke(
    gateway: Gateway,
    session: str,
    command: Invoke,
    now: str,
    rested: Callable[[], Awaitable[object]],
    templates: Templates | None = None,
) -> CommandAnswered:
    """Do what was typed and give its answer. Raises `UsageError`, naming the nearest, where it is no command.

    Those of one's own (`templates`) become prompts; none hides one of ours.
    """
    name, *more = command.text.strip().removeprefix("/").split(maxsplit=1) or [""]
    rest = more[0] if more else ""
    if not any(name == each.name or name in each.aliases for each in COMMANDS):
        own = {} if templates is None else {template.name: template for template in templates.load()}
        if name not in own:
            raise _unknown(name, own, () if templates is None else templates.problems)
        from protea.domain.template import commands, expanded  # when one is used

        prompt = SubmitPrompt(
            text=expanded(own[name], rest),
            by=command.by,
            command=f"/{name}",
            only=own[name].allowed_tools,
            runs=commands(own[name], rest),
        )
        await gateway.submit(session, prompt)
        return CommandAnswered(id=command.id, command=name, by=command.by)
    found = find(name)
    if found.run is None:
        raise UsageError(f"/{found.name} is for the full screen and the plain chat{_INSTEAD.get(found.name, '')}")
    if rest and not found.arguments:
        raise UsageError(f"/{found.name} takes nothing behind it, and not {rest!r}")
    call = Call(gateway=gateway, session=session, rest=rest, by=command.by, now=now, rested=rested, templates=templates)
    answer = await found.run(call)
    return CommandAnswered(id=command.id, command=found.name, text=answer.text, data=answer.data, by=command.by)


def find(name: str) -> SlashCommand:
    """Raises `UsageError`, naming the nearest, where there is none."""
    for each in COMMANDS:
        if name == each.name or name in each.aliases:
            return each
    raise _unknown(name, ())


def _unknown(name: str, own: Iterable[str], problems: Iterable[str] = ()) -> UsageError:
    file = f"/{name.replace(':', '/')}.md: "
    if why := next((problem for problem in problems if file in problem), ""):
        return UsageError(f"/{name} cannot be used: {why}")
    near = nearest(name, [*(each.name for each in COMMANDS), *own])
    return UsageError(f"there is no /{name}; " + (f"did you mean /{near}?" if near else "/help shows what is"))


def listed(templates: Iterable[Template] = ()) -> list[dict[str, Any]]:
    """All of them as plain data, those of one's own last: `describe("commands")`."""
    names = {name for each in COMMANDS for name in (each.name, *each.aliases)}
    own = [
        {**_row(template.name, template.arguments, template.about), "path": template.path}
        for template in templates
        if template.name not in names
    ]
    return [*map(_our_row, COMMANDS), *own]


def _row(name: str, arguments: str, about: str) -> dict[str, Any]:
    return {"name": name, "arguments": arguments, "about": about, "completes": [], "aliases": [], "face": False}


def _our_row(one: SlashCommand) -> dict[str, Any]:
    completes = one.completes if isinstance(one.completes, str) else list(one.completes)
    more = {"completes": completes, "aliases": list(one.aliases), "face": one.run is None}
    return {**_row(one.name, one.arguments, one.about), **more}


async def _help(call: Call) -> Answer:
    rows: list[dict[str, Any]] = await call.gateway.describe("commands", call.session)
    if call.rest:
        name = call.rest.removeprefix("/")
        rows = [row for row in rows if name == row["name"] or name in row["aliases"]]
        if not rows:
            find(name)
    text = table(None, ([f"/{row['name']} {row['arguments']}".rstrip(), row["about"]] for row in rows))
    return Answer(text + "".join(f"{line}\n" for line in _own_problems(call)), rows)


def _own_problems(call: Call) -> Iterator[str]:
    """What is wrong with commands of one's own, for whoever asks for all commands."""
    if call.templates is None or call.rest:
        return
    ours = {name for each in COMMANDS for name in (each.name, *each.aliases)}
    for template in call.templates.load():
        if template.name in ours:
            yield f"left out: {template.path}: /{template.name} is a command of Protea's own; call the file otherwise"
    for problem in call.templates.problems:
        yield f"{'note' if ' is not used: ' in problem else 'left out'}: {problem}"


_INSTEAD = {
    "resume": "; in a script: protea -p -r ID",
    "clear": "; in a script each run without -c and -r begins a new session",
}
"""What does the same in a script as a command that a face carries out itself."""

COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand(name="help", arguments="[COMMAND]", about="what can be typed here", run=_help),
    SlashCommand(
        name="model",
        arguments="[PROVIDER/MODEL [EFFORT]]",
        about="show or change the model",
        completes="models",
        run=identity.model,
    ),
    SlashCommand(
        name="effort",
        arguments="[LEVEL]",
        about="show or change how hard it thinks",
        completes=EFFORTS,
        run=identity.effort,
    ),
    SlashCommand(
        name="mode",
        arguments="[MODE]",
        about="show or change the permission mode",
        completes="modes",
        run=identity.mode,
    ),
    SlashCommand(
        name="profile",
        arguments="[NAME]",
        about="show or change who it is",
        completes="profiles",
        run=identity.profile,
    ),
    SlashCommand(
        name="swap", arguments="[PORT=ADAPTER…]", about="show or change what fills single ports", run=identity.swap
    ),
    SlashCommand(
        name="preview",
        arguments="NAME|PORT=ADAPTER…",
        about="what a /profile or /swap would bring about",
        completes="profiles",
        run=identity.preview,
    ),
    SlashCommand(
        name="tools", arguments="[NAME]", about="the tools the model has, or what one of them takes", run=identity.tools
    ),
    SlashCommand(name="lsp", about="the language servers, and how each stands", run=identity.lsp),
    SlashCommand(name="context", about="what the model sees, in tokens", run=conversation.context),
    SlashCommand(
        name="compact",
        arguments="[FOCUS | undo]",
        about="make the conversation smaller for the model, keeping FOCUS above all; or take that back",
        run=conversation.compact,
    ),
    SlashCommand(
        name="summary",
        arguments="[TEXT]",
        about="show what stands for what was summed up, or replace it",
        run=conversation.summary,
    ),
    SlashCommand(
        name="pin",
        arguments="[TEXT | remove N]",
        about="what is never summed up: show, add, remove",
        completes=("remove",),
        run=conversation.pin,
    ),
    SlashCommand(
        name="agents", about="the agents that have a name, and what keeps others from being used", run=agents.agents
    ),
    SlashCommand(
        name="race",
        arguments="RUNNER,RUNNER… PROMPT | show | diff N | pick N | drop",
        about="give a prompt to several profiles or models, compare, take the changes of one",
        completes=("show", "diff", "pick", "drop"),
        run=agents.race,
    ),
    SlashCommand(
        name="tasks",
        arguments="[show|stop|steer|resume ID [TEXT]]",
        about="what runs beside the turns, and agents: look at one, end it, tell it something, let it go on",
        run=agents.tasks,
    ),
    SlashCommand(name="cost", about="tokens and dollars so far", aliases=("usage",), run=conversation.cost),
    SlashCommand(
        name="title", arguments="[TITLE]", about="show or change what the session is called", run=conversation.title
    ),
    SlashCommand(
        name="rewind",
        arguments="[NUMBER]",
        about="go back to before a prompt; alone, list them",
        run=conversation.rewind,
    ),
    SlashCommand(name="copy", about="put the last answer into the clipboard", run=conversation.copy),
    SlashCommand(
        name="undo", arguments="[TURNS] [--dry-run]", about="take back what the last turn did to files", run=files.undo
    ),
    SlashCommand(name="redo", arguments="[TURNS] [--dry-run]", about="do again what was undone", run=files.redo),
    SlashCommand(name="diff", arguments="[TURNS]", about="what this session's turns did to files", run=files.diff),
    SlashCommand(name="sessions", about="the sessions of this directory", run=conversation.sessions),
    SlashCommand(name="resume", arguments="[ID]", about="go on with a session"),
    SlashCommand(name="clear", about="begin a new session", aliases=("new",)),
    SlashCommand(name="theme", arguments="[NAME]", about="show or change the colours of the screen"),
    SlashCommand(name="exit", about="leave", aliases=("quit", "q")),
)
"""In the order of `/help`. Those without `run` are a face's own."""
