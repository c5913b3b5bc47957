"""Races: one prompt for several runners, what each brought, and which is taken. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from protea.domain.columns import table
from protea.domain.delegation import Outcome, span
from protea.domain.errors import UsageError
from protea.domain.textfile import shown_name

MOST = 8
LONGEST = 1500
"""Characters of what a runner said in the comparison; its session has the whole."""
NOBODY = "No runner came to an end."
"""What a comparison begins with where all of them failed."""
HOW = "/race RUNNER,RUNNER… PROMPT: each runner is a profile, PROVIDER/MODEL, or PROFILE@PROVIDER/MODEL"


class Runner(msgspec.Struct, frozen=True):
    name: str
    """As it was written."""
    profile: str = ""
    model: str = ""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner brought."""

    runner: str
    folder: str
    """Its worktree."""
    text: str = ""
    outcome: Outcome | None = None
    stat: tuple[str, ...] = ()
    """What it changed, a line for each file."""
    files: int = 0
    added: int = 0
    removed: int = 0
    problem: str = ""
    """Why it could not run, or what it changed cannot be told."""
    git: str = ""
    """Its worktree's part of the repository."""
    tree: str = ""
    """All its files, as git's tree; empty where they are not known."""
    nested: tuple[str, ...] = ()
    """Repositories it made in its worktree: nothing of them can be taken."""

    @property
    def brought(self) -> bool:
        """Whether it changed something."""
        return bool(self.files or self.nested)

    @property
    def finished(self) -> bool:
        return self.outcome is not None and self.outcome.outcome == "finished"


class Race(msgspec.Struct, frozen=True, kw_only=True):
    """A race that was run and of which nothing has been taken."""

    prompt: str
    base: str
    """The commit all of them began with."""
    top: str
    """The repository's worktree."""
    ran: tuple[Ran, ...]
    common: str = ""
    """The repository itself."""
    ended: bool = True
    """False while it runs, and where its process died with it."""

    @property
    def to_choose(self) -> bool:
        """Whether somebody changed something, or it is not known."""
        return any(ran.brought or (ran.outcome is not None and not ran.tree) for ran in self.ran)


def arguments_of(text: str) -> dict[str, Any]:
    """What `/race …` asks of the tool, as its arguments. Raises `UsageError`."""
    words = text.strip().removeprefix("/race").strip()
    first, _, rest = words.partition(" ")
    if first in ("pick", "diff"):
        number = rest.strip()
        if not number.isdigit() or int(number) < 1:
            raise UsageError(f"/race {first} takes the number of a runner, like /race {first} 2")
        return {"action": first, "number": int(number)}
    if first in ("drop", "show"):
        if rest.strip():
            raise UsageError(f"/race {first} takes nothing behind it")
        return {"action": first}
    runners = [each.strip() for each in first.split(",") if each.strip()]
    if not first:
        raise UsageError(f"{HOW}; then /race pick N, /race diff N, /race show or /race drop")
    if len(runners) < 2:
        raise UsageError(f"a race needs two runners or more, with commas between them: {HOW}")
    if not rest.strip():
        raise UsageError(f"a race needs a prompt: {HOW}")
    for runner in runners:
        runner_of(runner)
    return {"action": "run", "runners": runners, "prompt": rest.strip()}


def runner_of(word: str) -> Runner:
    """Raises `UsageError`."""
    profile, at, model = word.partition("@")
    if at:
        if not profile or "/" not in model or "/" in profile:
            raise UsageError(f"{word!r} is no runner: {HOW}")
        return Runner(word, profile, model)
    return Runner(word, model=word) if "/" in word else Runner(word, profile=word)


def compared(race: Race) -> str:
    """The runners side by side, then what each said and changed."""
    rows = []
    for number, ran in enumerate(race.ran, 1):
        outcome = ran.outcome
        files = (
            f"{ran.files} file{'' if ran.files == 1 else 's'}, +{ran.added} -{ran.removed}" if ran.files else "nothing"
        )
        if outcome is None:
            cut_off = ["cut off", "", "", "", files] if ran.tree else ["did not run", "", "", "", ""]
            rows.append([str(number), ran.runner, *cut_off])
            continue
        files = files if ran.tree else "not known"
        cost = "-" if outcome.cost_usd is None else f"${outcome.cost_usd:.4f}"
        tokens = f"{outcome.tokens:,}"
        rows.append([str(number), ran.runner, outcome.outcome, span(outcome.seconds), tokens, cost, files])
    head = table(["", "RUNNER", "ENDED", "TIME", "TOKENS", "COST", "CHANGED"], rows)
    parts = [_one(number, ran) for number, ran in enumerate(race.ran, 1)]
    lines = [head.rstrip(), "", *parts]
    if not any(ran.finished for ran in race.ran):
        lines = [NOBODY, "", *lines]
    foot = "/race pick N takes what a runner changed, /race diff N shows it, /race drop takes none."
    return "\n".join([*lines, foot if race.to_choose else "Nobody changed anything: there is nothing to pick."])


def _one(number: int, ran: Ran) -> str:
    said = "\n".join(each for each in (ran.text.strip(), ran.problem) if each) or "(it said nothing)"
    if len(said) > LONGEST:
        where = f" in session {ran.outcome.session}" if ran.outcome is not None else ""
        said = f"{said[:LONGEST].rstrip()}\n[… the whole is{where}]"
    return "\n".join([f"── {number} · {ran.runner}", said, *(f"   {line}" for line in ran.stat), ""])


def stat_of(numbers: str) -> tuple[tuple[str, ...], int, int, int]:
    """`git diff --numstat -z` as (a line for each file, files, lines added, lines removed)."""
    lines, added, removed = [], 0, 0
    entries: Sequence[str] = [each for each in numbers.split("\0") if each]
    for entry in entries:
        plus, _, rest = entry.partition("\t")
        minus, _, path = rest.partition("\t")
        binary = plus == "-"
        added += 0 if binary else int(plus)
        removed += 0 if binary else int(minus)
        lines.append(f"{shown_name(path)} {'(binary)' if binary else f'+{plus} -{minus}'}")
    shown = lines if len(lines) <= 20 else [*lines[:20], f"… and {len(lines) - 20} more files"]
    return tuple(shown), len(lines), added, removed
