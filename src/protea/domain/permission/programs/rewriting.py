"""Which commits a git command takes out of a branch, or makes anew under other names. Pure: what they are called, not
whether anybody else has them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.pattern import regex
from protea.domain.permission.programs.git import without_globals


class Rewriting(msgspec.Struct, frozen=True):
    said: str
    """The command, in a few words."""
    commits: int | None = None
    """So many, from the branch's tip back; None: all that `target` has not."""
    target: str = ""
    """Where the branch goes, or what it is put upon."""
    branch: str = ""
    """Whose commits; empty: those of the branch that is checked out."""


_GOING_ON = ("--continue", "--abort", "--skip", "--quit", "--edit-todo", "--show-current-patch")
_VALUED = {
    "rebase": ("-s", "-X", "-C", "-x", "--strategy", "--strategy-option", "--exec", "--onto", "--whitespace"),
    "reset": ("-U", "--unified", "--inter-hunk-context", "--pathspec-from-file"),
}
_FORCED = {
    "branch": regex(r"-[A-Za-z]*[fMC]|--force"),
    "checkout": regex(r"-[a-z]*B"),
    "switch": regex(r"-[a-z]*C|--force-create"),
}
_BACK = regex(r"(?:HEAD|@)((?:\^|~\d*)+)\Z")
_STEP = regex(r"\^|~\d*")


def rewriting(texts: Sequence[str]) -> Rewriting | None:
    """`texts` are the words of a git command."""
    _, *words = without_globals(texts) or ("",)
    name, rest = (words[0], words[1:]) if words else ("", [])
    options = rest[: rest.index("--")] if "--" in rest else rest
    match name:
        case "commit" if any(_short_of(each, "--amend", 4) for each in options):
            return Rewriting("git commit --amend", 1)
        case "reset":
            return _reset(rest)
        case "rebase" if not any(each in _GOING_ON for each in options):
            return _rebase(options)
        case "branch" | "checkout" | "switch":
            forced = [each for each in options if _FORCED[name].fullmatch(each)]
            operands = [each for each in options if not each.startswith("-")]
            if forced and operands:
                moved = operands[-1] if forced[0] in ("-M", "-C") and name == "branch" else operands[0]
                return Rewriting(f"git {name} {forced[0]}", None, "".join(operands[1:2]), moved)
        case _:
            pass
    return None


def _reset(rest: Sequence[str]) -> Rewriting | None:
    operands = _operands("reset", rest[: rest.index("--")] if "--" in rest else rest)
    how = next((each for each in rest if each in ("--soft", "--mixed", "--hard", "--keep", "--merge")), "")
    # With paths it is the index that changes, and no branch. Without an option the words may be either.
    if not operands or (len(operands) > 1 and not how) or ("--" in rest and rest[-1] != "--"):
        return None
    back = _BACK.fullmatch(operands[0])
    if back is None:
        return Rewriting(f"git reset {how}".strip(), None, operands[0])
    steps = [int(each[1:9] or 1) for each in _STEP.findall(back[1])]
    return Rewriting(f"git reset {how}".strip(), sum(steps))


def _rebase(options: Sequence[str]) -> Rewriting | None:
    operands = _operands("rebase", options)
    onto = next((each.partition("=")[2] or "?" for each in options if each.split("=")[0] == "--onto"), "")
    if not operands and not onto and "--root" not in options:
        return None  # upon what it follows: that has what others have
    branch = operands[1] if len(operands) > 1 else ""
    return Rewriting("git rebase", None, onto or "".join(operands[:1]), branch)


def _operands(name: str, options: Sequence[str]) -> list[str]:
    found, valued = [], False
    for each in options:
        if not valued and not each.startswith("-"):
            found.append(each)
        valued = not valued and each in _VALUED[name]
    return found


def _short_of(word: str, option: str, least: int) -> bool:
    return len(word) >= least and option.startswith(word)
