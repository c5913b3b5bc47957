"""The model of the day. It knows what stands in the request it is handed, and nothing else.

It does what the last `[do: …]` of a prompt says, step by step, by what it sees of its own calls. It mends what its
checks complain about. Asked about something, it looks for it in sight, then calls Recall, then looks into the file that
is named there; what it does not find it says it does not know. Asked to sum up, it writes what an ordinary summary
holds: which parts were built last, and that all went well. Values, digests, findings it leaves out.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from protea.domain.usage import Usage
from protea.testing.loopback import LoopbackReply, ScriptedCall, Status
from protea.testing.loopback.recording import Recorded
from tests.journeys.long_day.workshop import base, each, source, wrong_at_first

SUMS_UP = "[Protea] This conversation is about to be shortened"
TOLD = re.compile(r"\[do: ([^\]]*)\]")
STEPS = ("cut the sheet", "emboss the sheet", "frame the sheet")
PLAN = "# The sheet\n\nink of sheet is vermilion.\n\n## Steps\n" + "\n".join(
    f"{number}. {step}" for number, step in enumerate(STEPS, start=1)
)
STAMP = "stamp-2207"
LARGE = "".join(f"line {number} of a large file\n" for number in range(400))
"""Of which a kill may fall into the writing."""
UNKNOWN = "I do not know"

Given = str | ScriptedCall | Sequence[ScriptedCall] | LoopbackReply | Status


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


class Gate:
    """Where the model waits until it is let on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def let_on(self) -> None:
        self._open.set()

    async def passed(self, within: float) -> None:
        self.reached.set()
        await asyncio.get_running_loop().run_in_executor(None, self._open.wait, within)


class Mind:
    def __init__(self) -> None:
        self.hangs = True
        """Whether agents that are told to hang never answer."""
        self.hung: set[str] = set()
        """Errands that hang now."""
        self.gates = {"steered": Gate(), "stopped": Gate()}
        self.refuses = 0
        """How many requests are refused as too long for the window."""
        self.holds_summary = False
        self.summing = threading.Event()
        """Set once a summary is held back."""
        self.cause = "pressure"
        """Why a summary is asked for, as far as is known outside."""
        self.summaries: list[tuple[str, str]] = []
        """(cause, what it wrote)."""

    def __call__(self, asked: Recorded) -> Any:
        messages: list[dict[str, Any]] = asked.json["messages"]
        sight = Sight(messages)
        if SUMS_UP in sight.users[-1]:
            if self.holds_summary:
                self.summing.set()
                return never()
            text = forgetful(sight)
            self.summaries.append((self.cause, text))
            return self._counted(asked, text)
        if self.refuses:
            self.refuses -= 1
            return Status(status=400, reason="context_length")
        errand = re.match(r"errand-(\w+)", sight.users[0])
        if errand is not None:
            return self._errand(asked, errand[1], sight)
        return self._counted(asked, self._step(sight))

    def _counted(self, asked: Recorded, given: Given) -> Any:
        """With what a provider would count: this is how Protea knows how full its window is."""
        usage = Usage(input=len(asked.body) // 4, output=100)
        match given:
            case str():
                return LoopbackReply(text=given, usage=usage)
            case Status():
                return given
            case LoopbackReply():
                reply = given
            case ScriptedCall():
                reply = LoopbackReply(tool_calls=(given,))
            case _:
                reply = LoopbackReply(tool_calls=tuple(given))
        calls = [replace(call, id=f"c{asked.number}x{at}") for at, call in enumerate(reply.tool_calls)]
        return replace(reply, tool_calls=tuple(calls), usage=usage)

    # ── what it is told to do ───────────────────────────────────────────────────────────────────────────────────────

    def _step(self, sight: Sight) -> Given:
        verb, _, rest = sight.told.partition(" ")
        match verb:
            case "build":
                return build(sight, int(rest))
            case "plan":
                return plan(sight)
            case "answer":
                return answer(sight, rest)
        if sight.done_since_told:
            return said_of(sight, verb, rest)
        return first_call(sight, verb, rest)

    # ── agents ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _errand(self, asked: Recorded, name: str, sight: Sight) -> Any:
        """Each reads its own file and says what it found; some hang before that, some are told something meanwhile."""
        number = name[0]
        found = sight.find(f"finding of errand-{number}")
        if name == "3tree":
            return self._counted(asked, in_a_worktree(sight))
        if found is None:
            text = f"start of errand-{number} is made-{number}." if name.endswith("stopped") else ""
            call = ScriptedCall("Read", {"path": f"errands/{number}.txt"})
            return self._counted(asked, LoopbackReply(text=text, tool_calls=(call,)))
        if name.endswith("stopped"):
            self.gates["stopped"].reached.set()
            return never()
        if name.endswith("steered") and sight.calls("Glob") == []:
            return self._once_let_on(asked)
        if name.endswith("hangs") and self.hangs:
            self.hung.add(name)
            return never()
        word = sight.find("word of steering")
        more = f" word of steering is {word}." if word is not None else ""
        return self._counted(asked, f"finding of errand-{number} is {found}.{more}")

    async def _once_let_on(self, asked: Recorded) -> Any:
        await self.gates["steered"].passed(40)
        return self._counted(asked, ScriptedCall("Glob", {"pattern": "errands/*"}))


class Sight:
    """What stands before the model's eyes."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        self.messages = messages
        self.users = [text_of(each) for each in messages if each["role"] == "user"]
        found = [(at, told) for at, each in enumerate(messages) if each["role"] == "user" for told in told_in(each)]
        self._at, self.told = found[-1] if found else (0, "")
        self.since = messages[self._at + 1 :]
        self.done_since_told = any(each["role"] == "tool" for each in self.since)

    @property
    def texts(self) -> list[str]:
        return [text_of(each) for each in self.messages]

    def find(self, asked: str) -> str | None:
        """The value that was said last. What Recall found stands there the latest first."""
        said = re.compile(rf"\b{re.escape(asked)} is (\S+?)\.(?=\W|$)")
        recalls = {
            call["id"]
            for each in self.messages
            for call in each.get("tool_calls") or ()
            if call["function"]["name"] == "Recall"
        }
        before = [text_of(each) for each in self.messages if each.get("tool_call_id") not in recalls]
        if found := said.findall("\n".join(before)):
            return str(found[-1])
        found = said.findall("\n".join(text_of(each) for each in self.messages if each.get("tool_call_id") in recalls))
        return str(found[0]) if found else None

    def calls(self, tool: str) -> list[tuple[dict[str, Any], str]]:
        """(arguments, result) of its calls, as far as it sees them."""
        results = {each["tool_call_id"]: text_of(each) for each in self.messages if each["role"] == "tool"}
        return [
            (json.loads(call["function"]["arguments"]), results.get(call["id"], ""))
            for each in self.messages
            for call in each.get("tool_calls") or ()
            if call["function"]["name"] == tool
        ]

    def cleared(self, asked: str) -> str | None:
        """The id by which Recall gives the result of the call that must have said it."""
        number = re.fullmatch(r"digest of part-0*(\d+)", asked)
        for args, result in reversed(self.calls("Bash")):
            if number is not None and args["command"] == f"python3 build.py {number[1]}":
                found = re.search(r"Recall gives it again by the id (\S+)\.", result)
                return found[1] if found is not None else None
        return None

    def recalled(self) -> list[str]:
        return [text_of(each) for each in self.since if each["role"] == "tool"]


def text_of(message: Mapping[str, Any]) -> str:
    """What it says, and what its calls were given."""
    content = message.get("content") or ""
    texts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
    for call in message.get("tool_calls") or ():
        texts += [str(given) for given in json.loads(call["function"]["arguments"]).values()]
    return "\n".join(texts)


def told_in(message: Mapping[str, Any]) -> list[str]:
    return TOLD.findall(text_of(message))


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def build(sight: Sight, number: int) -> Given:
    """Write, build; where the checks complain, mend what they name and build again."""
    path, command = f"parts/part_{number:03}.py", f"python3 build.py {number}"
    written = [args for args, _ in sight.calls("Write") if args["path"] == path]
    edits = [(args, result) for args, result in sight.calls("Edit") if args["path"] == path]
    builds = [result for args, result in sight.calls("Bash") if args["command"] == command]
    law = f"count * {each(number)}"
    if not written:
        known = "" if wrong_at_first(number) else f" + {sight.find(f'base of part-{number:03}')}"
        return ScriptedCall("Write", {"path": path, "content": source(number, law + known)})
    if len(builds) <= len(edits):
        return ScriptedCall("Bash", {"command": command})
    if f"digest of part-{number:03} is" not in builds[-1]:
        complaint = re.search(rf"base of part-{number:03} is (\d+)\.", builds[-1])
        if complaint is None:
            return f"I cannot build it: {builds[-1][-300:]}"
        return ScriptedCall(
            "Edit", {"path": path, "old_string": f"return {law}", "new_string": f"return {law} + {complaint[1]}"}
        )
    return f"part-{number:03} is built. nickname of part-{number:03} is {nickname(number)}."


def nickname(number: int) -> str:
    """A decision of its own."""
    return f"{('heron', 'otter', 'lynx', 'newt')[number % 4]}-{number * base(number)}"


# ── the plan ────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(sight: Sight) -> Given:
    """Proposes it, then does the first step that is not done and ticks it off. What was cut off it looks at first."""
    text = "\n".join(sight.texts)
    if "The plan was agreed on" not in text:
        return ScriptedCall("ProposePlan", {"plan": PLAN})
    lists = [args["items"] for args, _ in sight.calls("TodoWrite")]
    done = [item["text"] for item in lists[-1] if item["status"] == "done"] if lists else []
    step = next((each for each in STEPS if each not in done), None)
    if step is None:
        return "The sheet is done."
    did = {
        "cut the sheet": [args for args, _ in sight.calls("Write") if args["path"] == "sheet/cut.txt"],
        "emboss the sheet": [args for args, result in sight.calls("Bash") if result.startswith("embossed")],
        "frame the sheet": [args for args, _ in sight.calls("Write") if args["path"] == "sheet/frame.txt"],
    }
    if did[step]:
        items = [{"text": each, "status": "done" if each in (*done, step) else "pending"} for each in STEPS]
        return ScriptedCall("TodoWrite", {"items": items})
    match step:
        case "cut the sheet":
            return ScriptedCall("Write", {"path": "sheet/cut.txt", "content": "cut\n"})
        case "emboss the sheet":
            tried = any("emboss" in args["command"] for args, _ in sight.calls("Bash"))
            if tried and not sight.calls("Read"):
                return ScriptedCall("Read", {"path": "sheet/embossed.txt"})
            return ScriptedCall("Bash", {"command": "python3 tools/emboss.py"})
        case _:
            return ScriptedCall("Write", {"path": "sheet/frame.txt", "content": "framed\n"})


# ── other work ──────────────────────────────────────────────────────────────────────────────────────────────────────


def first_call(sight: Sight, verb: str, rest: str) -> Given:
    match verb:
        case "skill":
            return ScriptedCall("Skill", {"name": rest})
        case "todo":
            text = f"{rest}. code of todo is {STAMP}."  # nobody told it: it stands in the list and nowhere else
            return ScriptedCall("TodoWrite", {"items": [{"text": text, "status": "in_progress"}]})
        case "behind":
            return ScriptedCall("Bash", {"command": rest, "background": True})
        case "monitor":
            return ScriptedCall("Monitor", {"command": rest, "pattern": "^alarm"})
        case "send":
            return [sent(name) for name in rest.split()]
        case "resume":
            return ScriptedCall("Agent", {"prompt": "go on", "resume": rest})
        case "merge":
            branch = re.findall(r"git merge (\S+?)[`\s.]", "\n".join(sight.texts))
            return ScriptedCall("Bash", {"command": f"git merge --no-edit {branch[-1]}"}) if branch else "No branch."
        case "spoil":
            paths = (f"parts/part_{int(rest):03}.py", "parts/stray.py")
            return [ScriptedCall("Write", {"path": path, "content": "spoilt\n"}) for path in paths]
        case "large":
            return ScriptedCall("Write", {"path": "parts/large.txt", "content": LARGE})
        case _:
            return "Understood."


def sent(name: str) -> ScriptedCall:
    more = {"worktree": True} if name.endswith("tree") else {}
    more |= {"background": True} if "behind" in name else {}
    return ScriptedCall("Agent", {"prompt": f"errand-{name}", "title": f"errand {name[0]}", **more})


def said_of(sight: Sight, verb: str, rest: str) -> str:
    return {"spoil": "It is spoilt.", "large": "The large file is written."}.get(verb, "It is done.")


def in_a_worktree(sight: Sight) -> Given:
    """Adds a file where it is, and commits it."""
    found = sight.find("finding of errand-3")
    if found is None:
        return ScriptedCall("Read", {"path": "errands/3.txt"})
    if not sight.calls("Write"):
        return ScriptedCall("Write", {"path": "parts/from_the_tree.txt", "content": f"{found}\n"})
    if not sight.calls("Bash"):
        return ScriptedCall("Bash", {"command": "git add parts/from_the_tree.txt"})
    if len(sight.calls("Bash")) == 1:
        return ScriptedCall("Bash", {"command": "git commit -qm 'From the tree'"})
    return f"finding of errand-3 is {found}."


# ── asked, and asked to sum up ──────────────────────────────────────────────────────────────────────────────────────


def answer(sight: Sight, questions: str) -> Given:
    """From sight; else by Recall; else out of the file that Recall names."""
    asked = [each.strip() for each in questions.split(";")]
    told = {each: sight.find(each) for each in asked}
    missing = [each for each, value in told.items() if value is None]
    recalled = "\n".join(sight.recalled())
    tried = {args["query"] for args, _ in sight.calls("Recall")}
    cleared = {each: id for each in missing if (id := sight.cleared(each)) is not None and id not in tried}
    if cleared:
        return [ScriptedCall("Recall", {"query": id}) for id in cleared.values()]
    calls = [ScriptedCall("Recall", {"query": each}) for each in missing if each not in tried]
    if calls:
        return calls
    subjects = [each for each in missing if each.split(" of ")[1] not in tried]
    if subjects:
        return [ScriptedCall("Recall", {"query": each.split(" of ")[1]}) for each in subjects]
    looked = {args["pattern"] for args, _ in sight.calls("Grep")}
    paths = re.findall(r"(/\S+/\S+\.(?:log|txt|out))", recalled)
    greps = [
        ScriptedCall("Grep", {"pattern": f"{each} is", "path": path})
        for each in missing
        if f"{each} is" not in looked
        for path in dict.fromkeys(paths)
    ]
    if greps:
        return greps
    return "\n".join(f"{each}: {value or UNKNOWN}" for each, value in told.items())


def forgetful(sight: Sight) -> str:
    """A page about what was done, with hardly a value in it."""
    built = list(dict.fromkeys(re.findall(r"(part-\d+) is built", "\n".join(sight.texts))))
    last = f" The last were {', '.join(built[-4:])}." if built else ""
    return (
        f"The person has parts built one after another, each with its own checks.{last} Most checks passed at once; "
        "where a base had been forgotten it was put in and the part built again. Jobs and agents were sent and came "
        "back. Next: whatever the person asks for."
    )
