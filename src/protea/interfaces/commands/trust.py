"""`protea trust`: a person looks at a project's own files and says that they may be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from protea.domain.errors import UsageError
from protea.domain.trust import difference
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table
from protea.interfaces.terminal import one_line, visible

Item = tuple[str, str, str | None, str | None]
"""(name, what happened to it, what it said then, what it says now)."""


def may_trust(
    arguments: Arguments, place: Place, root: str, wide: str, items: Sequence[Item], ask: Callable[[str], str] | None
) -> bool:
    """Show what is new or changed and ask, where somebody is there (`ask`). Raises `UsageError` where nobody is and a
    second yes is needed."""
    sure = arguments.has("yes")
    if ask is not None and not sure:
        for name, what, before, now in items:
            place.write(visible(difference(name, what, before, now)))
        if ask(f"Trust {one_line(root)} as it is? [y/N] ").strip().lower() not in ("y", "yes"):
            return False
    if not wide or sure:
        return True
    if ask is None:
        raise UsageError(f"{root} is not trusted just like that, because {wide}; say protea trust --yes if you mean it")
    return ask(f"Really? {wide[0].upper()}{wide[1:]}. [yes/N] ").strip().lower() == "yes"


def tell_trusted(place: Place, root: str, files: tuple[str, ...]) -> int:
    place.write(f"{one_line(root)} is trusted: its instructions and its own configuration are used from now on.\n")
    if files:
        place.write(f"A change in {', '.join(map(one_line, files))} asks again.\n")
    return 0


def tell_forgotten(place: Place, root: str, was_trusted: bool) -> int:
    place.write(f"{one_line(root)} is {'no longer' if was_trusted else 'not'} trusted.\n")
    return 0


def tell_projects(arguments: Arguments, place: Place, found: Mapping[str, tuple[bool, tuple[str, ...]]]) -> int:
    if arguments.has("json"):
        rows = [{"project": root, "unchanged": same, "files": names} for root, (same, names) in found.items()]
        place.write(as_json(rows))
        return 0
    state = {True: "as it was", False: "changed since"}
    rows_shown = [[one_line(root), state[same], str(len(names))] for root, (same, names) in found.items()]
    place.write(table(["PROJECT", "STATE", "FILES"], rows_shown) or "no project is trusted\n")
    return 0


def tell_doubt(place: Place, root: str, trusted: bool, items: Sequence[Item]) -> int:
    """As JSON, without changing anything."""
    shown = [{"name": item[0], "what": item[1], "diff": difference(*item)} for item in items]
    place.write(as_json({"project": root, "trusted": trusted, "items": shown}))
    return 0
