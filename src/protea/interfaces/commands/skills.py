"""`protea skills …`: what skills the model would be told of, and whether they are as they should be."""

from __future__ import annotations

from protea.domain.columns import table
from protea.domain.errors import UsageError
from protea.domain.spelling import nearest
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import one_line, visible
from protea.ports.capability import Capability


async def run_skills(capability: Capability, arguments: Arguments, place: Place) -> int:
    """Exit code 1 where `validate` finds a problem."""
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
            problems = list(capability.problems)
            if arguments.has("json"):
                place.write(as_json({"skills": [card.name for card in cards], "problems": problems}))
            else:
                place.write(
                    "".join(f"{visible(problem)}\n" for problem in problems) or f"{len(cards)} skills, no problem\n"
                )
            return int(bool(problems))
        case _:
            if arguments.has("json"):
                place.write(as_json(cards))
            else:
                rows = [[card.name, one_line(card.description, 70), one_line(card.source, 60)] for card in cards]
                place.write(table(["NAME", "DOES", "WHERE"], rows) if rows else "no skills were found\n")
    await capability.aclose()
    return 0
