"""`protea skills …`: what skills the model would be told of, and whether they are as they should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from protea.domain.columns import table
from protea.domain.errors import UsageError
from protea.domain.spelling import nearest
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import one_line, visible
from protea.ports.capability import Capability


class Fault(Protocol):
    @property
    def line(self) -> int: ...
    @property
    def what(self) -> str: ...
    @property
    def mend(self) -> str: ...


class Checked(Protocol):
    """A SKILL.md that was looked through."""

    @property
    def path(self) -> str: ...
    @property
    def faults(self) -> Sequence[Fault]: ...


async def run_skills(
    capability: Capability, arguments: Arguments, place: Place, check: Callable[[str], Checked]
) -> int:
    """Exit code 1 where `validate` finds a problem. `check` looks through a SKILL.md."""
    cards = [card for card in await capability.discover() if card.kind == "skill"]
    match arguments.name:
        case "skills show":
            name = arguments.words[0]
            card = next((card for card in cards if card.name == name), None)
            if card is None:
                near = nearest(name, [card.name for card in cards])
                hint = f"did you mean {near}?" if near else "`protea skills list` shows them"
                raise UsageError(f"there is no skill {name}; {hint}")
            (spec, *_) = await capability.specs()
            text = (await capability.invoke(spec.name, {"name": name})).text
            place.write(as_json({"card": card, "text": text}) if arguments.has("json") else f"{visible(text)}\n")
        case "skills validate":
            await capability.aclose()
            checked = [check(card.source) for card in cards]
            seen = tuple(f"{each.path}:" for each in checked if each.faults)
            # What is said of a file as a whole is not said again of its lines.
            others = [
                problem for problem in capability.problems if not problem.startswith(seen) or "is used" in problem
            ]
            return tell_faults(checked, others, arguments, place)
        case _:
            if arguments.has("json"):
                place.write(as_json(cards))
            else:
                rows = [[card.name, one_line(card.description, 70), one_line(card.source, 60)] for card in cards]
                place.write(table(["NAME", "DOES", "WHERE"], rows) if rows else "no skills were found\n")
    await capability.aclose()
    return 0


def tell_faults(checked: Sequence[Checked], others: Sequence[str], arguments: Arguments, place: Place) -> int:
    """A line for each fault, with its place and what mends it; exit code 1 where there is any."""
    faults = [(each.path, fault) for each in checked for fault in each.faults]
    lines = [f"{path}:{fault.line}: {fault.what}; {fault.mend}" for path, fault in faults] + [*others]
    if arguments.has("json"):
        listed = [{"path": path, "line": f.line, "what": f.what, "mend": f.mend} for path, f in faults]
        place.write(as_json({"skills": [each.path for each in checked], "problems": lines, "faults": listed}))
    else:
        count = f"{len(checked)} skill{'' if len(checked) == 1 else 's'}, no problem\n"
        place.write("".join(f"{visible(line)}\n" for line in lines) or count)
    return int(bool(lines))
