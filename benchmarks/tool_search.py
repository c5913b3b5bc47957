"""How long finding a tool among a thousand takes, as a multiple of looking through their words once.

    python benchmarks/tool_search.py [TOOLS]

What is measured is the search as the tool does it, behind the first, which makes the index; the reference is one
`in` for each word of the question over the same descriptions. CPU time, the best of many.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from protea.domain.tool_search import search
from protea.domain.tools import ToolSpec

VERBS = tuple(
    """
    list get create update delete search send read write move copy merge close open assign
    label run stop
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
THINGS = tuple(
    """
    issue pull request branch commit file folder page comment message channel user team board
    card event calendar invoice order customer product ticket build deploy log metric alert
    query table row schema bucket object queue
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
PLACES = tuple(
    """
    github gitlab slack jira linear notion drive calendar stripe shop zendesk grafana postgres
    s3 kafka mail
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
QUESTIONS = (
    "merge a pull request",
    "send a message to a channel",
    "which invoices are open",
    "run a query",
    "deploy logs",
)


def tools(count: int) -> list[ToolSpec]:
    dice = random.Random(7)
    made: dict[str, ToolSpec] = {}
    while len(made) < count:
        verb, thing, place = dice.choice(VERBS), dice.choice(THINGS), dice.choice(PLACES)
        name = f"mcp__{place}__{verb}_{thing}_{len(made)}"
        about = f"{verb.capitalize()} a {thing} in {place}. " + " ".join(dice.choices(THINGS, k=12)) + "."
        parameters = {"type": "object", "properties": {word: {"type": "string"} for word in dice.sample(THINGS, 4)}}
        made[name] = ToolSpec(name, about, parameters, deferred=True)
    return list(made.values())


def best(work: Callable[[], object], times: int = 60) -> float:
    """Milliseconds of CPU."""
    times_taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        times_taken.append(time.process_time() - begun)
    return 1000 * min(times_taken)


def found(specs: Sequence[ToolSpec], question: str) -> object:
    return search(list(specs), question, 5)


def passed(texts: Sequence[str], asked: Sequence[str]) -> object:
    return [word in text for text in texts for word in asked]


def main() -> None:
    count = next((int(each) for each in sys.argv[1:] if each.isdigit()), 1000)
    specs = tools(count)
    begun = time.process_time()
    search(specs, QUESTIONS[0], 5)
    first = 1000 * (time.process_time() - begun)
    words = [spec.description.lower() for spec in specs]
    print(f"{count} tools; the first search, which makes the index: {first:.1f} ms")
    for question in QUESTIONS:
        asked = question.split()
        took = best(partial(found, specs, question))
        reference = best(partial(passed, words, asked))
        print(f"{question!r:32} {took:.2f} ms, {took / reference:.1f} times the reference ({reference:.2f} ms)")


if __name__ == "__main__":
    main()
