"""What must be so at the end of the day: each function says one thing, by what the day left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from protea.domain.event_codec import decode
from protea.domain.events import (
    AnyEvent,
    Compacted,
    CompactionUndone,
    MessageCompleted,
    NoticeGiven,
    PinsChanged,
    PromptSubmitted,
    SessionStarted,
    TaskChanged,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
    UnknownEvent,
)
from protea.domain.messages import text_of
from tests.journeys.driven import WITHIN, until
from tests.journeys.long_day.course import Lived
from tests.journeys.long_day.mind import LARGE, PLAN, STEPS, Sight
from tests.journeys.long_day.release import KIND
from tests.journeys.long_day.workshop import base, each, source, wrong_at_first

IN_SIGHT = (
    "rounding of prices",  # a skill that was read
    "colour of house",  # an instruction file
    "owner of release",  # pinned
    "ink of sheet",  # of the plan that was agreed to
    "code of todo",
)
"""What Protea keeps before the model's eyes through every compaction."""


def log_of(lived: Lived, session: str = "") -> list[AnyEvent]:
    path = lived.world.home / ".protea/sessions" / (session or lived.session) / "events.jsonl"
    return [decode(line) for line in path.read_bytes().splitlines()]


# ── what was asked in the evening ───────────────────────────────────────────────────────────────────────────────────


def answers(lived: Lived) -> dict[str, str]:
    """What is asked → what the model answered."""
    told: dict[str, str] = {}
    for turn in lived.turns:
        for line in _last_words(log_of(lived), turn.prompt).splitlines():
            about, _, value = line.partition(": ")
            told[about] = value
    return told


def _last_words(log: Sequence[AnyEvent], prompt: str) -> str:
    """The answer of the turn that this prompt began."""
    begun, words = False, ""
    for event in log:
        if isinstance(event, PromptSubmitted) and event.text == prompt:
            begun = True
        elif begun and isinstance(event, MessageCompleted):
            words = text_of(event.content)
        elif begun and isinstance(event, TurnFinished):
            break
    return words


def ways(lived: Lived) -> dict[str, str]:
    """What is asked → how the model came by it: `sight`, or the tool whose result said so first."""
    results: dict[int, list[ToolCallChanged]] = {}
    turn = -1
    prompts = [each.prompt for each in lived.turns]
    for event in log_of(lived):
        if isinstance(event, PromptSubmitted) and event.text in prompts:
            turn = prompts.index(event.text)
        elif isinstance(event, ToolCallChanged) and event.result is not None and turn >= 0:
            results.setdefault(turn, []).append(event)
    found: dict[str, str] = {}
    for question in lived.asked:
        seen = Sight(json.loads(lived.turns[question.turn].first)["messages"])
        if seen.find(question.about) == question.truth:
            found[question.about] = "sight"
            continue
        said = f"{question.about} is {question.truth}."
        brought = (call.call.name for call in results.get(question.turn, ()) if said in str(call.result))
        found[question.about] = next(brought, "nothing")
    return found


def every_fact_is_answered_rightly(lived: Lived) -> None:
    told = answers(lived)
    wrong = {q.about: (told.get(q.about), q.truth) for q in lived.asked if told.get(q.about) != q.truth}
    assert wrong == {}, "asked → (answered, true)"


def what_must_survive_is_in_sight_and_the_rest_is_looked_up(lived: Lived) -> None:
    how = ways(lived)
    assert {about: how[about] for about in IN_SIGHT} == dict.fromkeys(IN_SIGHT, "sight")
    assert how[f"customer of part-{lived.built:03}"] == "sight", "what the person said last"
    assert how["middle of job-6"] == "Grep", "nobody was ever shown it: it is read from the file with the output"
    by = Counter(how.values())
    assert by["nothing"] == 0
    digests = Counter(way for about, way in how.items() if about.startswith("digest of"))
    assert digests["Recall"] >= digests.total() / 2, "the summaries lost most of what builds said, and Recall has it"
    assert by["sight"] > len(IN_SIGHT)


def what_was_cleared_is_had_again_by_the_id_of_its_call(lived: Lived) -> None:
    """The question of noon."""
    question = lived.asked[0]
    log = [event for event in log_of(lived) if isinstance(event, ToolCallChanged) and event.state == "success"]
    said = f"{question.about} is {question.truth}."
    build = next(event.call for event in log if event.call.name == "Bash" and said in str(event.result))
    (found,) = (event for event in log if (event.call.arguments or {}).get("query") == build.id)
    assert said in str(found.result)
    assert ways(lived)[question.about] == "Recall"


def the_summaries_lost_what_an_ordinary_summary_loses(lived: Lived) -> None:
    """Else nothing of the above would show anything."""
    values = {q.truth for q in lived.asked if len(q.truth) > 4}
    assert {cause for cause, _ in lived.summaries} >= {"pressure", "overflow", "command"}
    kept = {value for _, text in lived.summaries for value in values if value in text}
    assert kept == set()


def compactions_came_in_every_way_and_one_was_undone_and_one_edited(lived: Lived) -> None:
    log = log_of(lived)
    made = [event for event in log if isinstance(event, Compacted)]
    summed = [event for event in made if event.how == "summarise" and event.model]
    assert len(summed) == len(lived.summaries) >= 4
    assert [event.strategy for event in made].count("edited by a person") == 1
    assert sum(event.how == "clear" for event in made) >= 1, "results went before anything was summed up"
    assert sum(isinstance(event, CompactionUndone) for event in log) == 1


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def whatever_cost_the_cache_is_named(lived: Lived) -> None:
    notices = [event.text for event in log_of(lived) if isinstance(event, NoticeGiven)]
    assert [text for text in notices if "nothing in the log says why" in text] == []


def every_file_is_as_it_should_be(lived: Lived) -> None:
    project = lived.world.project
    parts = {path.name: path.read_text() for path in (project / "parts").iterdir() if path.is_file()}
    laws = {n: f"count * {each(n)} + {base(n)}" for n in range(1, lived.built + 1)}
    expected = {f"part_{n:03}.py": source(n, law) for n, law in laws.items()}
    expected |= {".keep": "", "large.txt": LARGE}
    expected |= {"from_the_tree.txt": f"{lived.world.handed['finding of errand-3']}\n"}
    assert parts == expected, "and nothing that was undone"
    sheet = {path.name: path.read_text() for path in (project / "sheet").iterdir()}
    whole = "first half\nsecond half\n"
    assert sheet == {".keep": "", "cut.txt": "cut\n", "embossed.txt": whole, "frame.txt": "framed\n"}


def every_part_does_what_its_checks_say(lived: Lived) -> None:
    names = [f"checks.check_{number:03}" for number in range(1, lived.built + 1)]
    words = [sys.executable, "-m", "unittest", "-q", *names]
    done = subprocess.run(words, cwd=lived.world.project, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stderr


def builds_failed_where_they_should_and_were_mended(lived: Lived) -> None:
    ends = [event for event in log_of(lived) if isinstance(event, ToolCallChanged) and event.result is not None]
    builds = [event for event in ends if "python3 build.py" in str(event.call.arguments)]
    failing = [number for number in range(1, lived.built + 1) if wrong_at_first(number)]
    assert Counter(event.state for event in builds) == {"success": lived.built, "error": len(failing)}
    assert len([event for event in ends if event.call.name == "Edit"]) == len(failing)


def what_the_agent_made_in_its_worktree_came_by_a_merge(lived: Lived) -> None:
    assert "From the tree" in lived.world.git("log", "--format=%s")
    (begun,) = (event for event in log_of(lived, lived.tree) if isinstance(event, SessionStarted))
    assert begun.cwd != str(lived.world.project)


# ── tasks, agents, plan ─────────────────────────────────────────────────────────────────────────────────────────────


def every_task_ended_as_it_should(lived: Lived) -> None:
    ends = {event.id: event for event in log_of(lived) if isinstance(event, TaskChanged)}
    kinds = Counter((event.kind, event.state) for event in ends.values())
    assert kinds == {
        ("agent", "done"): 9,  # and the one that was resumed, once more
        ("agent", "stopped"): 1,
        ("agent", "lost"): 1,
        ("shell", "done"): 3,
        ("shell", "failed"): 1,
        ("shell", "stopped"): 1,
        ("monitor", "done"): 1,
    }
    listed = json.loads(lived.world.run("tasks", "list", "--json").stdout)
    behind = Counter((task["kind"], task["state"]) for task in listed)
    assert behind == {
        ("agent", "done"): 1,
        ("shell", "done"): 3,
        ("shell", "failed"): 1,
        ("shell", "stopped"): 1,
        ("monitor", "done"): 1,
        (KIND, "done"): 1,
    }
    again = {task["title"]: task["runs"] for task in listed if task["runs"] > 1}
    assert again == {"python3 tools/nightly.py": 2, "errand 6": 2, "the release of the day": 2}


def the_release_went_on_with_the_step_it_was_killed_in(lived: Lived) -> None:
    before = [f"{step} by the first" for step in ("compiled", "checked", "packed")]
    assert [*lived.released.noted] == [*before, "packed by the second", "sealed by the second"]
    assert (lived.released.task.state, lived.released.task.runs) == ("done", 2)
    assert (lived.world.home / ".protea/tasks/durable.sqlite").exists(), "the engine, not the register alone"


def agents_that_a_crash_cut_off_went_on_where_they_were(lived: Lived) -> None:
    for session in (lived.hung, lived.revived):
        outcomes = [event.outcome for event in log_of(lived, session) if isinstance(event, TurnFinished)]
        assert outcomes == ["interrupted", "finished"], session


def the_plan_was_carried_out_and_the_list_is_what_was_written_last(lived: Lived) -> None:
    log = log_of(lived)
    lists = [event.items for event in log if isinstance(event, TodoChanged)]
    assert [(item.text, item.status) for item in lists[-2]] == [(step, "done") for step in STEPS]
    assert [item.status for item in lists[-1]] == ["in_progress"]
    (pins,) = (event.pins for event in log if isinstance(event, PinsChanged) and len(event.pins) == 2)
    assert pins[1] == f"The plan that was agreed on:\n{PLAN}"


# ── what is left ────────────────────────────────────────────────────────────────────────────────────────────────────


def every_log_is_whole_and_its_session_opens(lived: Lived) -> None:
    paths = lived.world.logs()
    assert len(paths) == 11, "the person's, and ten of agents"
    for path in paths:
        events = [decode(line) for line in path.read_bytes().splitlines()]
        assert [event.seq for event in events] == list(range(1, len(events) + 1)), path
        assert not [event for event in events if isinstance(event, UnknownEvent)], path
        states = {event.call.id: event.state for event in events if isinstance(event, ToolCallChanged)}
        assert set(states.values()) <= {"success", "error", "cancelled"}, path
    listed = json.loads(lived.world.run("sessions", "list", "--json").stdout)
    assert lived.session in {session["id"] for session in listed}
    for session in (lived.session, lived.hung):
        opened = lived.world.run("-p", "-r", session, "--output-format", "json", "/title")
        assert (opened.returncode, opened.stderr) == (0, ""), opened.stderr


def no_process_is_left(lived: Lived) -> None:
    """Of anything that the day started, wherever it hangs in the tree: each has the day's home in its environment."""
    mark = f"HOME={lived.world.home}".encode()
    until(lambda: not _processes(mark))  # what a killed process had started follows it within seconds


def _processes(mark: bytes) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes().split(b"\0") and place.name != str(os.getpid()):
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it ended meanwhile, or is another's
            continue
    return found


ALL = (
    every_fact_is_answered_rightly,
    what_must_survive_is_in_sight_and_the_rest_is_looked_up,
    what_was_cleared_is_had_again_by_the_id_of_its_call,
    the_summaries_lost_what_an_ordinary_summary_loses,
    compactions_came_in_every_way_and_one_was_undone_and_one_edited,
    whatever_cost_the_cache_is_named,
    every_file_is_as_it_should_be,
    every_part_does_what_its_checks_say,
    builds_failed_where_they_should_and_were_mended,
    what_the_agent_made_in_its_worktree_came_by_a_merge,
    every_task_ended_as_it_should,
    the_release_went_on_with_the_step_it_was_killed_in,
    agents_that_a_crash_cut_off_went_on_where_they_were,
    the_plan_was_carried_out_and_the_list_is_what_was_written_last,
    every_log_is_whole_and_its_session_opens,
    no_process_is_left,
)
