"""What happens in the course of the day, in order. Each piece is a thing a person does, or that befalls the machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from protea.testing.loopback import LoopbackProvider
from protea.testing.loopback.recording import Recorded
from tests.journeys.driven import WITHIN, Driven, until
from tests.journeys.long_day import release
from tests.journeys.long_day.mind import STAMP, SUMS_UP, Mind, Sight, nickname
from tests.journeys.long_day.workshop import RULES, Workshop, base, measured, wrong_at_first

MODEL = tuple(word for rule in RULES for word in ("--allow", rule))
ROUNDS = {"job-1": 20_000, "job-2": 30_000, "job-6": 1_000}


class Asked(msgspec.Struct, frozen=True):
    """A question."""

    about: str
    truth: str
    turn: int
    """Which turn asked it: an index into `Lived.turns`."""


class Turn(msgspec.Struct, frozen=True):
    """A turn that only asks."""

    first: bytes
    """What the model saw of the day when it was asked."""
    prompt: str


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """What the day left."""

    world: Workshop
    session: str
    asked: tuple[Asked, ...]
    turns: tuple[Turn, ...]
    summaries: tuple[tuple[str, str], ...]
    """Why the model was asked to sum up, and what it wrote."""
    tree: str
    """The session of the agent in a worktree."""
    hung: str
    """That of the one the crash cut off in the midst of a turn, and that was resumed."""
    revived: str
    """That of the one in the background that the next process took up by itself."""
    released: release.Released
    built: int
    kills: int


class Course:
    def __init__(self, world: Workshop, mind: Mind, provider: LoopbackProvider) -> None:
        self.world, self.mind, self.provider = world, mind, provider
        self.truths: dict[str, str] = {}
        """What the day planted: what is asked → what is true."""
        self.asked: list[Asked] = []
        self.turns: list[Turn] = []
        self.built = 0
        self.kills = 0
        self.children: dict[str, str] = {}
        self.run = Driven(world, more=MODEL)

    # ── small steps ─────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, text: str) -> None:
        """One turn, to its end; nothing in it may need an answer."""
        self.run.say(type="submit_prompt", text=text)
        self.run.until(type="prompt_submitted", text=text)
        while (event := self.run.until())["type"] != "turn_finished":
            assert event["type"] != "approval_requested", event
        assert event["outcome"] == "finished", event

    def type(self, line: str) -> str:
        self.run.say(type="invoke", text=line, id=line)
        return str(self.run.until(type="command_answered", id=line).get("text", ""))

    def plant(self, about: str) -> str:
        """A value nobody else knows; the sentence that says it."""
        sentence = self.world.hand(about)
        self.truths[about] = self.world.handed[about]
        return sentence

    def crash(self) -> None:
        """kill -9, and the next process."""
        self.run.kill()
        self.kills += 1
        self.run = Driven(self.world, self.run.session, MODEL)

    # ── the pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def morning(self) -> None:
        """A skill, a pin."""
        self.tell("[do: skill pricing]")
        self.truths |= {each: self.world.handed[each] for each in ("rounding of prices", "colour of house")}
        self.type(f"/pin {self.plant('owner of release')}")

    def work(self, turns: int) -> None:
        """Parts are built, one in three fails first and is mended; now and then a customer turns out another."""
        for turn in range(turns):
            if turn % 5 == 4:
                late = self.built - 2
                self.tell(f"No, I was wrong. {self.plant(f'customer of part-{late:03}')} [do: note]")
                continue
            self.built += 1
            number = self.built
            said = self.plant(f"customer of part-{number:03}")
            if not wrong_at_first(number):
                said += f" base of part-{number:03} is {base(number)}."
            self.tell(f"{said} [do: build {number}]")
            self.truths[f"digest of part-{number:03}"] = self.world.digest(number)
            self.noon()

    def jobs(self) -> None:
        """Two end by themselves, one of them with more output than anybody is shown; one fails; one is ended; one is
        watched."""
        run = self.run
        for job, how in (("job-1", ""), ("job-2", " short"), ("job-6", " wordy")):
            self.tell(f"[do: behind python3 tools/measure.py {job} {ROUNDS[job]}{how}]")
        self.tell("[do: behind python3 tools/serve.py]")
        serves = run.ever(1, type="task_changed", title="python3 tools/serve.py", state="running")[0]["id"]
        self.type(f"/tasks stop {serves}")
        run.ever(1, type="task_changed", id=serves, state="stopped")
        self.tell("[do: monitor python3 tools/watch.py]")
        (self.world.project / "measure.go").touch()
        run.ever(3, type="task_changed", state="done")
        run.ever(1, type="task_changed", state="failed")
        self.truths["yield of job-1"] = str(measured(ROUNDS["job-1"]))
        self.truths["shortage of job-2"] = str(measured(ROUNDS["job-2"]))
        self.truths["middle of job-6"] = str(measured(ROUNDS["job-6"] // 2 + 1))
        self.truths |= {f"alarm-{n} of watch": f"A{(n * 100 + 50) * 7919 % 9973}" for n in range(3)}
        self.tell("What came of them? [do: nod]")

    def agents(self) -> None:
        """Three at once and one alone in a worktree, whose branch is merged; one is steered, one stopped."""
        self.tell("[do: send 0 1 2]")
        self.tell("[do: send 3tree]")
        self.tell("[do: merge]")
        self.truths |= {f"finding of errand-{n}": self.world.handed[f"finding of errand-{n}"] for n in range(4)}
        self._steered()
        self._stopped()
        self.children["tree"] = self._child("errand 3")

    def _child(self, title: str) -> str:
        """Which session that agent has, as soon as it is told."""
        told: list[str] = []
        while not told:
            events = self.run.ever(1, type="task_changed", kind="agent", title=title)
            told = [str(event["child"]) for event in events if event.get("child")]
            if not told:
                self.run.until(type="task_changed")
        return told[0]

    def _steered(self) -> None:
        self.run.say(type="submit_prompt", text="[do: send 4steered]")
        gate = self.mind.gates["steered"]
        assert gate.reached.wait(WITHIN)
        self.type(f"/tasks steer {self._child('errand 4')} Say this too: {self.plant('word of steering')}")
        gate.let_on()
        self.run.until(type="turn_finished")
        self.truths["finding of errand-4"] = self.world.handed["finding of errand-4"]

    def _stopped(self) -> None:
        self.run.say(type="submit_prompt", text="[do: send 5stopped]")
        assert self.mind.gates["stopped"].reached.wait(WITHIN)
        self.type(f"/tasks stop {self._child('errand 5')}")
        self.run.until(type="turn_finished")
        self.truths["start of errand-5"] = "made-5"  # it never came to its finding, and that is all there is of it

    def killed_in_mid_write(self) -> None:
        """The process dies as it writes a large file: it is there whole or not at all."""
        self.run.say(type="submit_prompt", text="[do: large]")
        while self.run.until(type="tool_call_changed")["state"] != "executing":
            pass
        self.crash()
        large = self.world.project / "parts/large.txt"
        assert not large.exists() or large.read_text().endswith("line 399 of a large file\n")
        self.tell("[do: large]")

    def overflow(self) -> None:
        """The provider takes less than it was said to."""
        self.mind.cause, self.mind.refuses = "overflow", 1
        self.tell(f"{self.plant('weight of crate')} [do: note]")
        assert self.mind.summaries[-1][0] == "overflow"
        self.mind.cause = "pressure"

    def plan(self) -> None:
        """Proposed, agreed to, begun; the process dies in the midst of its second step, which writes a file."""
        self.run.say(type="set_mode", mode="plan")
        self.run.say(type="submit_prompt", text="[do: plan]")
        question = self.run.until(type="approval_requested")
        assert question["kind"] == "plan"
        self.run.say(type="resolve_approval", id=question["id"], decision="once")
        half = self.world.project / "sheet/embossed.txt"
        while self.run.until(type="tool_call_changed", state="executing")["call"]["arguments"].get("command") is None:
            pass
        until(lambda: half.exists() and half.read_text() == "first half\n")
        self.crash()
        assert half.read_text() == "first half\n"
        (self.world.project / "emboss.go").touch()
        self.tell("Go on with it. [do: plan]")
        self.truths["ink of sheet"] = "vermilion"

    def crash_among_others(self) -> None:
        """An agent of a turn, one in the background and a job that may be repeated run when the process dies."""
        self.tell("[do: behind python3 tools/nightly.py]")
        begun = self.world.project / "nightly.begun"
        until(begun.exists)
        self.tell("[do: send 6behindhangs]")
        until(lambda: "6behindhangs" in self.mind.hung)
        self.run.say(type="submit_prompt", text=f"{self.plant('hour of crash')} [do: send 7hangs]")
        until(lambda: "7hangs" in self.mind.hung)
        self.children |= {"hung": self._child("errand 7"), "revived": self._child("errand 6")}
        before = begun.read_text()
        self.crash()
        lost = self.run.until(type="task_changed", state="lost")
        assert lost["child"] == self.children["hung"]
        assert self.children["hung"] in lost["detail"]
        self.mind.hangs = False
        until(lambda: len(begun.read_text().split()) > len(before.split()))
        (self.world.project / "nightly.go").touch()
        self.run.ever(1, type="task_changed", title="python3 tools/nightly.py", state="done")
        self.run.ever(1, type="task_changed", child=self.children["revived"], state="done")
        self.tell(f"[do: resume {self.children['hung']}]")
        self.truths["runs of nightly"] = "2"
        self.truths |= {f"finding of errand-{n}": self.world.handed[f"finding of errand-{n}"] for n in (6, 7)}
        self.tell("[do: send 8 9]")
        self.truths |= {f"finding of errand-{n}": self.world.handed[f"finding of errand-{n}"] for n in (8, 9)}

    def compactions_by_hand(self) -> None:
        """One dies with its process, one is undone and made again, and its words are put right."""
        self.mind.cause, self.mind.holds_summary = "command", True
        log = self.world.home / ".protea/sessions" / self.run.session / "events.jsonl"
        before = log.read_text().count('"type":"compacted"')
        self.run.say(type="invoke", text="/compact")
        assert self.mind.summing.wait(WITHIN)
        self.crash()
        assert log.read_text().count('"type":"compacted"') == before
        self.mind.holds_summary = False
        whole = self.shown()
        self.type("/compact")
        assert self.shown() < whole
        self.type("/compact undo")
        assert self.shown() == whole
        self.type("/compact")
        assert self.shown() < whole
        self.type(f"/summary All is well. {self.plant('word of summary')}")
        self.mind.cause = "pressure"

    def shown(self) -> set[str]:
        """What the model sees now of what builds, jobs and agents brought."""
        self.tell("[do: nod]")
        return set(re.findall(r"\b\w+ of [\w-]+ is \w+", "\n".join(sight_of(self.provider.requests[-1]).texts)))

    def spoilt_and_undone(self) -> None:
        part, stray = self.world.project / "parts/part_002.py", self.world.project / "parts/stray.py"
        was = part.read_text()
        self.tell("[do: spoil 2]")
        assert (part.read_text(), stray.read_text()) == ("spoilt\n", "spoilt\n")
        self.type("/undo")
        self.run.ever(1, type="files_restored")
        assert part.read_text() == was
        assert not stray.exists()

    def afternoon(self) -> None:
        """The list is written anew; the work that follows takes the call out of sight."""
        self.tell("[do: todo Ask for the stamp]")
        self.truths["code of todo"] = STAMP

    def noon(self) -> None:
        """Once: as soon as what a build said was cleared and the call is still seen, it is asked for."""
        sight = sight_of(self.provider.requests[-1])
        cleared = [about for about in self.truths if sight.cleared(about) is not None]
        if cleared and not self.asked:
            self.ask(cleared[:1])

    def evening(self) -> None:
        """Whatever was planted is asked for, a few things at a time, what was said last first, after one more summary:
        what is in sight then is there because it was kept."""
        self.mind.cause = "command"
        self.type("/compact")
        self.mind.cause = "pressure"
        done = {question.about for question in self.asked}
        things = [about for about in reversed(self.truths) if about not in done]
        nicknames = {f"nickname of part-{n:03}": nickname(n) for n in range(1, self.built + 1)}
        self.truths |= nicknames
        things += nicknames
        for at in range(0, len(things), 8):
            self.ask(things[at : at + 8])

    def ask(self, things: Sequence[str]) -> None:
        self.asked += [Asked(about, self.truths[about], len(self.turns)) for about in things]
        prompt = f"[do: answer {'; '.join(things)}]"
        count = len(self.provider.requests)
        self.tell(prompt)
        first = next(each for each in self.provider.requests[count:] if not _sums_up(each))
        self.turns.append(Turn(first.body, prompt))


def sight_of(request: Recorded) -> Sight:
    return Sight(request.json["messages"])


def _sums_up(request: Recorded) -> bool:
    return SUMS_UP in request.body.decode()


def day(folder: Path, *, turns: int, window: int) -> Lived:
    """A day of so many turns, among them some forty for jobs, agents, plan and questions."""
    mind = Mind()
    world = Workshop(folder, parts=turns)
    part = max(5, (turns - 40) // 4)
    with LoopbackProvider.in_thread([mind], strict=True, after="cycle") as provider:
        world.serve(provider.url("openai-chat"), window)
        course = Course(world, mind, provider)
        course.morning()
        course.work(part)
        course.jobs()
        course.killed_in_mid_write()
        course.work(part)
        course.agents()
        course.overflow()
        course.plan()
        course.work(part)
        course.crash_among_others()
        released = release.released(world)
        course.compactions_by_hand()
        course.spoilt_and_undone()
        course.afternoon()
        course.work(part)
        course.evening()
        course.run.close()
        assert course.run.process.returncode == 0
    return Lived(
        world=world,
        session=course.run.session,
        asked=tuple(course.asked),
        turns=tuple(course.turns),
        summaries=tuple(mind.summaries),
        tree=course.children["tree"],
        hung=course.children["hung"],
        revived=course.children["revived"],
        released=released,
        built=course.built,
        kills=course.kills,
    )
