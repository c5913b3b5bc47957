"""Slash commands: what `/model x` means, the same in every face. Called by `sessions` for an `Invoke`.

A command is a row of `COMMANDS` with an async function that is given a `Call` and returns an `Answer`. It knows the
gateway and nothing behind it: what it changes it submits, what it tells it asks `describe` for. One that a feature
brings along is a row here and a function in a module of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from protea.domain import turn_changes
from protea.domain.columns import ago, short, table, usage_text
from protea.domain.commands import (
    Compact,
    Copy,
    EditSummary,
    Invoke,
    Redo,
    ResumeTask,
    Rewind,
    SetMode,
    SetModel,
    SetPins,
    SetTitle,
    Steer,
    StopTask,
    SubmitPrompt,
    Swap,
    Undo,
    UndoCompaction,
)
from protea.domain.errors import UsageError
from protea.domain.events import CommandAnswered, Compacted, MessageCompleted, NoticeGiven
from protea.domain.going_back import places
from protea.domain.messages import text_of
from protea.domain.settings import EFFORTS
from protea.domain.spelling import nearest
from protea.domain.summary import title_of
from protea.domain.usage import Usage
from protea.ports.gateway import Gateway

if TYPE_CHECKING:
    from protea.domain.template import Template
    from protea.ports.templates import Templates

SHOWN = 10
"""Sessions that are listed, the latest of them last, where the eye is."""

MOST_MODELS = 20
"""Models of the provider in use that are listed; there are hundreds."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A slash command that was typed, and what it may use."""

    gateway: Gateway
    session: str
    rest: str
    """What stands behind its name, without blanks around it."""
    by: str
    now: str
    """RFC 3339."""
    rested: Callable[[], Awaitable[object]]
    """Waits until the session has nothing to run."""
    templates: Templates | None
    """Those of one's own."""

    async def about(self) -> dict[str, Any]:
        """What `describe("session")` says."""
        about: dict[str, Any] = await self.gateway.describe("session", self.session)
        return about


class Answer(msgspec.Struct, frozen=True):
    text: str = ""
    """Empty where the events that the command brought about say it all."""
    data: Any = None


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
        from protea.domain.template import expanded  # when one is used

        prompt = SubmitPrompt(
            text=expanded(own[name], rest), by=command.by, command=f"/{name}", only=own[name].allowed_tools
        )
        await gateway.submit(session, prompt)
        return CommandAnswered(id=command.id, command=name, by=command.by)
    found = find(name)
    if found.run is None:
        raise UsageError(f"/{found.name} is carried out by the face you type it in, and this one does not know it")
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
        {
            "name": template.name,
            "arguments": template.arguments,
            "about": template.about,
            "completes": [],
            "aliases": [],
            "face": False,
            "path": template.path,
        }
        for template in templates
        if template.name not in names
    ]
    return [*_ours(), *own]


def _ours() -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "arguments": each.arguments,
            "about": each.about,
            "completes": each.completes if isinstance(each.completes, str) else list(each.completes),
            "aliases": list(each.aliases),
            "face": each.run is None,
        }
        for each in COMMANDS
    ]


# ── what each does ─────────────────────────────────────────────────────────────────────────────────────────────────


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


async def _model(call: Call) -> Answer:
    model, _, effort = call.rest.partition(" ")
    if model:
        await call.gateway.submit(
            call.session, SetModel(model=model, effort=_effort_of(effort.strip()) or None, by=call.by)
        )
        return Answer()
    current = (await call.about())["model"]
    models = await call.gateway.describe("models", call.session)
    provider = current.partition("/")[0]
    own = [each["id"] for each in models if each["id"].partition("/")[0] == provider][:MOST_MODELS]
    more = len(models) - len(own)
    rest = f"{more} more: Tab completes them, `protea models` lists them\n" if more else ""
    return Answer(_marked(([each] for each in own), current) + rest, models)


async def _effort(call: Call) -> Answer:
    about = await call.about()
    if call.rest:
        command = SetModel(model=about["model"], effort=_effort_of(call.rest), by=call.by)
        await call.gateway.submit(call.session, command)
        return Answer()
    return Answer(_marked(((each,) for each in EFFORTS), about["effort"]), list(EFFORTS))


def _effort_of(word: str) -> str:
    word = word.lower()
    if word and word not in EFFORTS:
        near = nearest(word, EFFORTS)
        hint = f"; did you mean {near}?" if near else f"; there are {', '.join(EFFORTS)}"
        raise UsageError(f"there is no effort {word!r}{hint}")
    return word


async def _mode(call: Call) -> Answer:
    if call.rest:
        await call.gateway.submit(call.session, SetMode(mode=call.rest.lower(), by=call.by))
        return Answer()
    modes = await call.gateway.describe("modes", call.session)
    current = (await call.about())["mode"]
    return Answer(_marked(((each["name"], each["about"]) for each in modes), current), modes)


async def _tools(call: Call) -> Answer:
    tools = await call.gateway.describe("tools", call.session)
    rows = [[each["name"], _first_line(str(each["description"]), 90)] for each in tools]
    return Answer(table(None, rows) or "There are no tools.\n", tools)


async def _cost(call: Call) -> Answer:
    about = await call.about()
    usage = msgspec.convert(about["usage"], Usage)
    unknown = " · price unknown" if not about["priced"] and not about["cost_usd"] and usage != Usage() else ""
    sums: dict[str, Any] = await call.gateway.describe("cost", call.session)
    data = {"usage": about["usage"], "cost_usd": about["cost_usd"], **sums}
    return Answer(usage_text(usage, about["cost_usd"]) + unknown + "\n" + _sums(sums), data)


def _sums(sums: dict[str, Any]) -> str:
    """A line per sum of dollars that is not nothing, or that has a budget."""
    names = {"session": "this session", "day": "today", "profile": f"today as {sums['profile']['name']}"}
    lines = []
    for key, name in names.items():
        spent, budget = sums[key]["spent"], sums[key]["budget"]
        if budget is not None or (spent and key != "session"):
            lines.append([name, f"${spent:.4f}", f"of ${budget:.2f}" if budget is not None else ""])
    return table(None, lines)


async def _sessions(call: Call) -> Answer:
    found = await call.gateway.sessions((await call.about())["cwd"])
    rows = [[each.id, ago(each.updated, call.now), _first_line(each.title, 70) or "(empty)"] for each in found]
    return Answer(table(["ID", "WHEN", "TITLE"], rows[:SHOWN][::-1]), msgspec.to_builtins(list(found)))


async def _title(call: Call) -> Answer:
    if call.rest:
        await call.gateway.submit(call.session, SetTitle(title=call.rest, by=call.by))
        return Answer()
    title = (await call.about())["title"]
    return Answer(f"{title or '(none yet)'}\n", title)


async def _context(call: Call) -> Answer:
    context: dict[str, Any] = await call.gateway.describe("context", call.session)
    used, window, counted = context.get("used", 0), context.get("window"), context.get("counted", 0)
    share = f" of {short(window)} ({round(100 * used / window)} %)" if window else ", of a window nobody knows"
    cached = context.get("cache_read")
    lines = [f"{short(used)} tokens{share}" + (f" · {round(100 * cached)} % cached" if cached else "") + "\n"]
    lines.append(table(None, ([f"  {part['name']}", short(part["tokens"])] for part in context.get("parts", ()))))
    told = f"the provider counted {short(counted)} with the last reply" if counted else "nothing was counted yet"
    lines.append(f"The parts are estimates; {told}.\n")
    return Answer("".join(lines), context)


async def _rewind(call: Call) -> Answer:
    past = await call.gateway.history(call.session)
    found = places(past)
    prompts = [prompt for prompt, _ in found]
    if not call.rest:
        rows = ([str(event.seq), title_of(event.text)] for event in prompts[-2 * SHOWN :])
        data = [{"event": event.seq, "text": event.text} for event in prompts]
        return Answer((table(None, rows) or "There is no prompt yet.\n"), data)
    numbers = {str(prompt.seq): (prompt, before) for prompt, before in found}
    if call.rest not in numbers:
        raise UsageError(f"no prompt has the number {call.rest}; /rewind alone lists them")
    prompt, before = numbers[call.rest]
    await call.gateway.submit(call.session, Rewind(to=before, by=call.by))
    return Answer(data={"text": prompt.text})


async def _copy(call: Call) -> Answer:
    past = await call.gateway.history(call.session)
    answers = (text_of(event.content).strip() for event in reversed(past) if isinstance(event, MessageCompleted))
    text = next(filter(None, answers), "")
    if not text:
        raise UsageError("there is no answer yet that could be copied")
    await call.gateway.submit(call.session, Copy(text=text, by=call.by))
    return Answer(f"The last answer was copied ({len(text)} characters).\n", {"characters": len(text)})


async def _undo(call: Call) -> Answer:
    turns, dry_run = _turns_of(call.rest)
    if dry_run:
        return await _preview(call, "undo", turns or 1)
    await call.gateway.submit(call.session, Undo(turns=turns or 1, by=call.by))
    return Answer()


async def _redo(call: Call) -> Answer:
    turns, dry_run = _turns_of(call.rest)
    if dry_run:
        return await _preview(call, "redo", turns or 1)
    await call.gateway.submit(call.session, Redo(turns=turns or 1, by=call.by))
    return Answer()


async def _preview(call: Call, direction: str, turns: int) -> Answer:
    previews = (await call.gateway.describe("undo", call.session))[direction]
    turn_changes.require(direction, len(previews), turns)
    preview = previews[turns - 1]
    return Answer(preview["missing"] or preview["text"], preview)


async def _diff(call: Call) -> Answer:
    changes: dict[str, Any] = await call.gateway.describe("changes", call.session)
    turns, _ = _turns_of(call.rest)
    if turns is None:
        return Answer(changes["diff"] or changes["missing"] or "No turn has changed a file.\n", changes)
    standing = [each for each in changes["turns"] if not each["undone"]][-turns:]
    return Answer("".join(each["diff"] for each in standing) or "No turn has changed a file.\n", changes)


def _turns_of(rest: str) -> tuple[int | None, bool]:
    """How many turns, where that is said, and whether it is only to be told what would happen."""
    words = rest.split()
    dry_run = bool(words) and words[-1] in ("--dry-run", "-n")
    words = words[:-1] if dry_run else words
    if not words:
        return None, dry_run
    if len(words) > 1 or not words[0].isdecimal() or not 1 <= int(words[0]) <= 10_000:
        raise UsageError(f"the number of turns is expected, from 1, not {rest!r}")
    return int(words[0]), dry_run


async def _profile(call: Call) -> Answer:
    if call.rest:
        return await _swapped(call, Swap(profile=call.rest, by=call.by))
    profiles = await call.gateway.describe("profiles", call.session)
    current = (await call.about())["profile"]
    return Answer(_marked(((each["name"], each.get("about", "")) for each in profiles), current), profiles)


async def _swap(call: Call) -> Answer:
    if call.rest:
        return await _swapped(call, Swap(ports=_ports_of(call.rest), by=call.by))
    ports = await call.gateway.describe("ports", call.session)
    rows = ([each["port"], each["swap"], each["adapter"], ", ".join(each["adapters"])] for each in ports)
    return Answer(table(["PORT", "SWAP", "IS", "CAN BE"], rows), ports)


async def _swapped(call: Call, swap: Swap) -> Answer:
    await call.gateway.submit(call.session, swap)
    waiting = (await call.about())["swapping"]
    text = f"{waiting} takes over as soon as it is safe; /preview tells what it waits for\n" if waiting else ""
    return Answer(text, {"waiting": waiting})


async def _foresee(call: Call) -> Answer:
    if not call.rest:
        raise UsageError("/preview takes a profile or PORT=ADAPTER, like /preview reviewer")
    named = "=" not in call.rest
    swap = Swap(profile=call.rest) if named else Swap(ports=_ports_of(call.rest))
    seen = await call.gateway.preview(call.session, swap)
    changed = (
        (f"  {each.port}", f"{each.before} → {each.after}" if each.before != each.after else "other options",
         each.swap_class)
        for each in seen.changes
    )  # fmt: skip
    lost = short(seen.cached_tokens_lost)
    money = f", some ${seen.cost_usd:.4f} more" if seen.cost_usd else ""
    facts = [
        ["is", seen.identity],
        ["model", seen.model],
        ["mode", seen.mode],
        ["takes hold", _WHEN[seen.swap_class]],
        *([["waits for", ", ".join(seen.waits_for)]] if seen.waits_for else []),
        *([["tools come", ", ".join(seen.tools_added)]] if seen.tools_added else []),
        *([["tools go", ", ".join(seen.tools_removed)]] if seen.tools_removed else []),
        ["cache", f"{lost} tokens are read anew{money}" if seen.cached_tokens_lost else "nothing is lost"],
        *(["mind", warning] for warning in seen.warnings),
    ]
    return Answer(table(None, facts) + table(None, changed), msgspec.to_builtins(seen))


_WHEN = {
    "hot": "between two requests",
    "warm": "between two requests, after a short pause",
    "cold": "between two turns",
}


def _ports_of(text: str) -> dict[str, str]:
    ports = {}
    for word in text.split():
        port, equals, adapter = word.partition("=")
        if not port or not equals or not adapter:
            raise UsageError(f"/swap takes PORT=ADAPTER, like /swap persona=minimal, not {word!r}")
        ports[port] = adapter
    return ports


def _marked(rows: Iterable[Sequence[str]], current: str | None) -> str:
    """Rows whose first cell may be the current one; that is marked, and stands first where it is in none."""
    listed = [[">" if row[0] == current else "", *row] for row in rows]
    if current and not any(row[0] for row in listed):
        listed.insert(0, [">", current, *[""] * (len(listed[0]) - 2 if listed else 0)])
    return table(None, listed)


def _first_line(text: str, width: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


async def _agents(call: Call) -> Answer:
    named: list[dict[str, Any]] = await call.gateway.describe("agents", call.session)
    problems: list[str] = (await call.about())["agent_problems"]
    rows = ([each["name"], _first_line(each["about"], 70), each["model"] or each["profile"]] for each in named)
    left_out = "".join(f"left out: {problem}\n" for problem in problems)
    return Answer((table(None, rows) or "No agent has a name.\n") + left_out, {"agents": named, "problems": problems})


async def _race(call: Call) -> Answer:
    from protea.domain.racing import arguments_of, runner_of  # raced now and then

    asked = arguments_of(call.rest)
    known = [each["name"] for each in await call.gateway.describe("profiles", call.session)]
    for runner in map(runner_of, asked.get("runners", ())):
        if runner.profile and runner.profile not in known:
            near = nearest(runner.profile, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"there is no profile {runner.profile!r} to race; {hint}; a model is PROVIDER/MODEL")
    text = f"/race {call.rest}"
    await call.gateway.submit(call.session, SubmitPrompt(text=text, origin="race", by=call.by))
    return Answer()


async def _lsp(call: Call) -> Answer:
    servers: list[dict[str, Any]] = await call.gateway.describe("lsp", call.session)
    there = [each for each in servers if each["state"] != "missing"]
    gone = [each for each in servers if each["state"] == "missing"]
    missing = [each["name"] for each in gone if not each["stand_in"]]
    odd = [f"{each['name']}: {each['told']}\n" for each in gone if each["stand_in"]]
    rows = [[each["name"], each["state"], " ".join(each["files"]), each["told"] or each["program"]] for each in there]
    more = "".join([*odd, f"Not on PATH: {', '.join(missing)}\n" if missing else ""])
    return Answer((table(None, rows) or "No language server is asked.\n") + more, servers)


async def _compact(call: Call) -> Answer:
    if call.rest == "undo":
        await call.gateway.submit(call.session, UndoCompaction(by=call.by))
        return Answer()
    turn = (await call.about())["running"]
    past = await call.gateway.history(call.session, limit=-1)
    before: dict[str, Any] = await call.gateway.describe("context", call.session)
    await call.gateway.submit(call.session, Compact(focus=call.rest, by=call.by))
    if turn:
        return Answer("Before the next request of this turn.\n")
    await call.rested()  # whoever asked for it, a script perhaps, goes on with what is left
    after: dict[str, Any] = await call.gateway.describe("context", call.session)
    news = await call.gateway.history(call.session, past[-1].seq or 0 if past else 0)
    told = "" if any(isinstance(event, NoticeGiven) for event in news) else "Nothing could be made smaller.\n"
    if any(isinstance(event, Compacted) for event in news):
        smaller = after["used"] < before["used"]
        told = f"About {short(before['used'])} tokens have become {short(after['used'])}.\n" if smaller else ""
    return Answer(told, {"before": before["used"], "after": after["used"]})


async def _summary(call: Call) -> Answer:
    if call.rest:
        await call.gateway.submit(call.session, EditSummary(text=call.rest, by=call.by))
        return Answer()
    text = (await call.about())["summary"]
    return Answer(f"{text or 'Nothing of this conversation was summed up.'}\n", {"summary": text})


async def _tasks(call: Call) -> Answer:
    word, _, rest = call.rest.partition(" ")
    id, _, text = rest.strip().partition(" ")
    if word in ("show", "stop", "steer", "resume") and not id:
        raise UsageError(f"/tasks {word} takes the id of a task; /tasks alone lists them")
    match word:
        case "":
            pass
        case "show":
            return _shown(await _task(call, id))
        case "stop":
            await call.gateway.submit(call.session, StopTask(id=id, by=call.by))
            return Answer()
        case "steer":
            await _steer(call, await _task(call, id), text)
            return Answer()
        case "resume":
            await call.gateway.submit(call.session, ResumeTask(id=id, text=text, by=call.by))
            return Answer()
        case _:
            raise UsageError(f"/tasks takes nothing, or show, stop, steer or resume and an id, not {call.rest!r}")
    tasks = await call.gateway.describe("tasks", call.session)
    rows = ([each["id"], each["state"], each["title"], each.get("detail") or ""] for each in tasks)
    cut = ([id, state, _first_line(title, 50), _first_line(detail, 70)] for id, state, title, detail in rows)
    return Answer(table(["ID", "STATE", "TITLE", ""], cut) if tasks else "Nothing runs beside the turns.\n", tasks)


async def _task(call: Call, id: str) -> dict[str, Any]:
    """One of the session, by its id or the agent's session."""
    found = [
        each for each in await call.gateway.describe("tasks", call.session) if id in (each["id"], each.get("child"))
    ]
    if not found:
        raise UsageError(f"there is no task {id}; /tasks lists them")
    task: dict[str, Any] = found[-1]
    return task


def _shown(task: dict[str, Any]) -> Answer:
    names = ("id", "title", "state", "kind", "agent", "model", "tool", "tokens", "seconds", "detail", "log")
    rows = [[name, str(task[name])] for name in names if task.get(name)]
    if child := task.get("child"):
        rows.append(["session", f"{child}; protea -r {child} opens it when this one is closed, here it is a tab"])
    return Answer(table(None, rows), task)


async def _steer(call: Call, task: dict[str, Any], text: str) -> None:
    id, child = task["id"], task.get("child")
    if not text.strip():
        raise UsageError(f"/tasks steer {id} TEXT: say what it is to be told")
    if not child or task["state"] != "running":
        more = f"; /tasks resume {id} TEXT lets it go on" if child else ""
        raise UsageError(f"{id} is no agent at work{more}")
    await call.gateway.submit(child, Steer(text=text, by=call.by))


async def _pin(call: Call) -> Answer:
    pins = tuple((await call.about())["pins"])
    word, _, number = call.rest.partition(" ")
    if word == "remove":
        if not number.isdigit() or not 1 <= int(number) <= len(pins):
            raise UsageError(f"there is no pin {number or '(say its number)'}; /pin alone lists them")
        pins = (*pins[: int(number) - 1], *pins[int(number) :])
    elif call.rest:
        pins = (*pins, call.rest)
    if call.rest:
        await call.gateway.submit(call.session, SetPins(pins=pins, by=call.by))
    rows = ([str(at), _first_line(pin, 100)] for at, pin in enumerate(pins, 1))
    return Answer(table(None, rows) or "Nothing is pinned.\n", list(pins))


COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand(name="help", arguments="[COMMAND]", about="what can be typed here", run=_help),
    SlashCommand(
        name="model",
        arguments="[PROVIDER/MODEL [EFFORT]]",
        about="show or change the model",
        completes="models",
        run=_model,
    ),
    SlashCommand(
        name="effort",
        arguments="[LEVEL]",
        about="show or change how hard it thinks",
        completes=EFFORTS,
        run=_effort,
    ),
    SlashCommand(
        name="mode", arguments="[MODE]", about="show or change the permission mode", completes="modes", run=_mode
    ),
    SlashCommand(
        name="profile",
        arguments="[NAME]",
        about="show or change who it is",
        completes="profiles",
        run=_profile,
    ),
    SlashCommand(name="swap", arguments="[PORT=ADAPTER…]", about="show or change what fills single ports", run=_swap),
    SlashCommand(
        name="preview",
        arguments="NAME|PORT=ADAPTER…",
        about="what a /profile or /swap would bring about",
        completes="profiles",
        run=_foresee,
    ),
    SlashCommand(name="tools", about="the tools the model has", run=_tools),
    SlashCommand(name="lsp", about="the language servers, and how each stands", run=_lsp),
    SlashCommand(name="context", about="what the model sees, in tokens", run=_context),
    SlashCommand(
        name="compact",
        arguments="[FOCUS | undo]",
        about="make the conversation smaller for the model, keeping FOCUS above all; or take that back",
        run=_compact,
    ),
    SlashCommand(
        name="summary", arguments="[TEXT]", about="show what stands for what was summed up, or replace it", run=_summary
    ),
    SlashCommand(
        name="pin",
        arguments="[TEXT | remove N]",
        about="what is never summed up: show, add, remove",
        completes=("remove",),
        run=_pin,
    ),
    SlashCommand(
        name="agents", about="the agents that have a name, and what keeps others from being used", run=_agents
    ),
    SlashCommand(
        name="race",
        arguments="RUNNER,RUNNER… PROMPT | show | diff N | pick N | drop",
        about="give a prompt to several profiles or models, compare, take the changes of one",
        completes=("show", "diff", "pick", "drop"),
        run=_race,
    ),
    SlashCommand(
        name="tasks",
        arguments="[show|stop|steer|resume ID [TEXT]]",
        about="what runs beside the turns, and agents: look at one, end it, tell it something, let it go on",
        run=_tasks,
    ),
    SlashCommand(name="cost", about="tokens and dollars so far", aliases=("usage",), run=_cost),
    SlashCommand(name="title", arguments="[TITLE]", about="show or change what the session is called", run=_title),
    SlashCommand(
        name="rewind", arguments="[NUMBER]", about="go back to before a prompt; alone, list them", run=_rewind
    ),
    SlashCommand(name="copy", about="put the last answer into the clipboard", run=_copy),
    SlashCommand(
        name="undo", arguments="[TURNS] [--dry-run]", about="take back what the last turn did to files", run=_undo
    ),
    SlashCommand(name="redo", arguments="[TURNS] [--dry-run]", about="do again what was undone", run=_redo),
    SlashCommand(name="diff", arguments="[TURNS]", about="what this session's turns did to files", run=_diff),
    SlashCommand(name="sessions", about="the sessions of this directory", run=_sessions),
    SlashCommand(name="resume", arguments="[ID]", about="go on with a session"),
    SlashCommand(name="clear", about="begin a new session", aliases=("new",)),
    SlashCommand(name="theme", arguments="[NAME]", about="show or change the colours of the screen"),
    SlashCommand(name="exit", about="leave", aliases=("quit", "q")),
)
"""In the order of `/help`. Those without `run` are a face's own."""
