"""A day of work from outside: builds that fail and are mended, compactions, jobs, agents, a plan, kill -9 four times.

What happens is in `long_day/course.py`, the model in `long_day/mind.py`, the project in `long_day/workshop.py`, and
what must be so in the end in `long_day/verify.py`. The model's summaries lose nearly everything; in the evening each
thing that was planted is asked for, and has to be answered rightly. `-m long` is 500 turns of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path

import msgspec
import pytest

from tests.journeys.long_day import verify
from tests.journeys.long_day.course import Lived, day

Check = Callable[[Lived], None]


def lived(folder: Path, *, turns: int, window: int) -> Lived:
    pytest.importorskip("dbos", reason="THE LONG DAY IS NOT LIVED: the extra durable is not installed")
    return day(folder, turns=turns, window=window)


@pytest.fixture(scope="module")
def short_day(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return lived(tmp_path_factory.mktemp("day"), turns=60, window=12_000)


@pytest.mark.parametrize("check", verify.ALL, ids=lambda check: check.__name__)
def test_at_the_end_of_a_short_day(short_day: Lived, check: Check) -> None:
    check(short_day)


@pytest.fixture
def spoilt(short_day: Lived, tmp_path: Path) -> Lived:
    """A copy of what the day left, to take something from."""
    world = copy(short_day.world)
    world.home, world.project = tmp_path / "home", tmp_path / "project"
    shutil.copytree(short_day.world.home, world.home)
    shutil.copytree(short_day.world.project, world.project)
    world.environment = {**short_day.world.environment, "HOME": str(world.home)}
    return msgspec.structs.replace(short_day, world=world)


def log_path(lived: Lived) -> Path:
    return lived.world.home / ".protea/sessions" / lived.session / "events.jsonl"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def notices(check: Check, lived: Lived) -> None:
    with pytest.raises(AssertionError):
        check(lived)


def test_it_is_noticed_where_an_answer_is_wrong(spoilt: Lived) -> None:
    truth = next(q.truth for q in spoilt.asked if q.about == "digest of part-001")
    change(log_path(spoilt), f"digest of part-001: {truth}", "digest of part-001: 000000000000")
    notices(verify.every_fact_is_answered_rightly, spoilt)


def test_it_is_noticed_where_what_must_survive_did_not(spoilt: Lived) -> None:
    turn = next(q.turn for q in spoilt.asked if q.about == "owner of release")
    seen = spoilt.turns[turn]
    less = msgspec.structs.replace(seen, first=seen.first.replace(b"owner of release is", b"owner"))
    turns = (*spoilt.turns[:turn], less, *spoilt.turns[turn + 1 :])
    lost = msgspec.structs.replace(spoilt, turns=turns)
    notices(verify.what_must_survive_is_in_sight_and_the_rest_is_looked_up, lost)


def test_it_is_noticed_where_a_file_is_another_or_one_too_many(spoilt: Lived) -> None:
    part = spoilt.world.project / "parts/part_002.py"
    change(part, "count", "2 * count")
    notices(verify.every_file_is_as_it_should_be, spoilt)
    notices(verify.every_part_does_what_its_checks_say, spoilt)
    change(part, "2 * count", "count")
    verify.every_file_is_as_it_should_be(spoilt)
    (spoilt.world.project / "parts/stray.py").touch()
    notices(verify.every_file_is_as_it_should_be, spoilt)


def test_it_is_noticed_where_a_task_is_told_otherwise_or_an_event_is_missing(spoilt: Lived) -> None:
    log = log_path(spoilt)
    change(log, '"state":"lost"', '"state":"running"')
    notices(verify.every_task_ended_as_it_should, spoilt)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:20] + lines[21:]))
    notices(verify.every_log_is_whole_and_its_session_opens, spoilt)


def test_it_is_noticed_where_a_step_was_done_twice(spoilt: Lived) -> None:
    noted = ("compiled by the first", *spoilt.released.noted)
    released = msgspec.structs.replace(spoilt.released, noted=noted)
    notices(
        verify.the_release_went_on_with_the_step_it_was_killed_in, msgspec.structs.replace(spoilt, released=released)
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_day_of_five_hundred_turns_does_as_well(tmp_path: Path) -> None:
    found = lived(tmp_path, turns=500, window=40_000)
    for check in verify.ALL:
        check(found)
    assert log_path(found).read_text().count('"type":"turn_finished"') >= 500
