"""What was said, what of it the model sees, and what it cost: `/context`, `/compact`, `/summary`, `/pin`, `/cost`,
`/title`, `/sessions`, `/rewind`, `/copy`."""

from __future__ import annotations

from typing import Any

import msgspec

from protea.application.slash.call import Answer, Call, first_line
from protea.domain.columns import ago, short, table, usage_text
from protea.domain.commands import Compact, Copy, EditSummary, Rewind, SetPins, SetTitle, UndoCompaction
from protea.domain.errors import UsageError
from protea.domain.events import Compacted, MessageCompleted, NoticeGiven
from protea.domain.going_back import places
from protea.domain.messages import text_of
from protea.domain.summary import title_of
from protea.domain.usage import Usage

SHOWN = 10
"""Sessions that are listed, the latest of them last, where the eye is."""

RECENT = 500
"""Events among which the last answer is looked for before all are."""


async def context(call: Call) -> Answer:
    context: dict[str, Any] = await call.gateway.describe("context", call.session)
    used, window, counted = context.get("used", 0), context.get("window"), context.get("counted", 0)
    share = f" of {short(window)} ({round(100 * used / window)} %)" if window else ", of a window nobody knows"
    cached = context.get("cache_read")
    lines = [f"{short(used)} tokens{share}" + (f" · {round(100 * cached)} % cached" if cached else "") + "\n"]
    lines.append(table(None, ([f"  {part['name']}", short(part["tokens"])] for part in context.get("parts", ()))))
    told = f"the provider counted {short(counted)} with the last reply" if counted else "nothing was counted yet"
    lines.append(f"The parts are estimates; {told}.\n")
    return Answer("".join(lines), context)


async def compact(call: Call) -> Answer:
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
        became = f"bout {short(before['used'])} tokens have become {short(after['used'])}"
        told = (
            f"A{became}.\n"
            if smaller
            else f"It was summed up, and is no smaller: a{became}. /compact undo takes it back.\n"
        )
    return Answer(told, {"before": before["used"], "after": after["used"]})


async def summary(call: Call) -> Answer:
    if call.rest:
        await call.gateway.submit(call.session, EditSummary(text=call.rest, by=call.by))
        return Answer()
    text = (await call.about())["summary"]
    return Answer(f"{text or 'Nothing of this conversation was summed up.'}\n", {"summary": text})


async def pin(call: Call) -> Answer:
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
    rows = ([str(at), first_line(pin, 100)] for at, pin in enumerate(pins, 1))
    return Answer(table(None, rows) or "Nothing is pinned.\n", list(pins))


async def cost(call: Call) -> Answer:
    about = await call.about()
    usage = msgspec.convert(about["usage"], Usage)
    unknown = " · price unknown" if not about["priced"] and not about["cost_usd"] and usage != Usage() else ""
    spent: dict[str, Any] = await call.gateway.describe("cost", call.session)
    data = {"usage": about["usage"], "cost_usd": about["cost_usd"], **spent}
    return Answer(usage_text(usage, about["cost_usd"]) + unknown + "\n" + sums(spent), data)


def sums(sums: dict[str, Any]) -> str:
    """A line per sum of dollars that is not nothing, or that has a budget."""
    names = {"session": "this session", "day": "today", "profile": f"today as {sums['profile']['name']}"}
    lines = []
    for key, name in names.items():
        spent, budget = sums[key]["spent"], sums[key]["budget"]
        if budget is not None or (spent and key != "session"):
            lines.append([name, f"${spent:.4f}", f"of ${budget:.2f}" if budget is not None else ""])
    return table(None, lines)


async def title(call: Call) -> Answer:
    if call.rest:
        await call.gateway.submit(call.session, SetTitle(title=call.rest, by=call.by))
        return Answer()
    title = (await call.about())["title"]
    return Answer(f"{title or '(none yet)'}\n", title)


async def sessions(call: Call) -> Answer:
    found = await call.gateway.sessions((await call.about())["cwd"])
    rows = [[each.id, ago(each.updated, call.now), first_line(each.title, 70) or "(empty)"] for each in found]
    return Answer(table(["ID", "WHEN", "TITLE"], rows[:SHOWN][::-1]), msgspec.to_builtins(list(found)))


async def rewind(call: Call) -> Answer:
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


async def copy(call: Call) -> Answer:
    text = await _last_answer(call)
    if not text:
        raise UsageError("there is no answer yet that could be copied")
    await call.gateway.submit(call.session, Copy(text=text, by=call.by))
    return Answer(f"The last answer was copied ({len(text)} characters).\n", {"characters": len(text)})


async def _last_answer(call: Call) -> str:
    """Empty where there is none. Mostly it is near the end of a log that may be long."""
    for limit in (-RECENT, None):
        past = await call.gateway.history(call.session, limit=limit)
        for event in reversed(past):
            if isinstance(event, MessageCompleted) and (text := text_of(event.content).strip()):
                return text
    return ""
