"""The engine on a real project: the table of cases, and the battery where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.permission.cases import CASES, POLICIES, Call
from tests.adapters.permission.scenery import Scenery

BATTERY = Path(__file__).parents[4] / "shared/batteries/permission_sample.json"
BEYOND = {
    "P075": "a race, which the file tools win by opening beneath the root",
    "W043": "a redirect, which the web guard checks hop by hop",
    "W044": "a redirect, which the web guard checks hop by hop",
}
"""Cases that no decision made before the call can tell apart from harmless ones."""
NEEDS_DISK = {"K008", "K044", "P028", "P072"}
"""Cases about links: they mean nothing where the links do not exist."""


def put(value: Any, scenery: Scenery) -> Any:
    """`value` with the places of `scenery` in it."""
    text = json.dumps(value)
    return json.loads(text.replace("{root}", scenery.root).replace("{home}", scenery.home))


ROWS = [
    pytest.param(policy, expected, call, id=f"{policy}-{expected}-{str(call)[:60]!r}")
    for (policy, expected), calls in CASES.items()
    for call in calls
]


def test_the_table_is_as_large_as_promised() -> None:
    assert len(ROWS) >= 300


@pytest.mark.parametrize(("policy", "expected", "call"), ROWS)
def test_each_call_gets_a_right_decision(scenery: Scenery, policy: str, expected: str, call: Call) -> None:
    tool, arguments = ("Bash", {"command": call}) if isinstance(call, str) else call
    rules = POLICIES[policy]
    decision = scenery.decide(
        tool,
        put(arguments, scenery),
        allow=rules.allow,
        ask=rules.ask,
        deny=rules.deny,
        mode=rules.mode,
        interactive=policy != "headless",
    )
    assert decision.verdict in expected.split("|"), decision.why
    assert decision.why
    assert decision.trace


def battery() -> dict[str, Any]:
    if not BATTERY.exists():
        pytest.skip(f"the battery is not at {BATTERY}")
    found: dict[str, Any] = json.loads(BATTERY.read_text())
    return found


@pytest.mark.parametrize("existing", [True, False], ids=["on disk", "nowhere"])
def test_the_battery_holds(scenery: Scenery, nowhere: Scenery, existing: bool) -> None:
    place = scenery if existing else nowhere
    whole = battery()
    wrong = []
    for case in whole["cases"]:
        if case["id"] in BEYOND or (case["id"] in NEEDS_DISK and not existing):
            continue
        policy = whole["policies"][case["policy"]]
        text = json.dumps(case["args"]).replace("/srv/repo", place.root).replace("/home/u", place.home)
        decision = place.decide(
            case["tool"],
            json.loads(text),
            allow=policy["allow"],
            ask=policy["ask"],
            deny=policy["deny"],
            mode=policy["mode"],
            interactive=policy.get("interactive", True),
        )
        if decision.verdict not in case["expect"]:
            wrong.append((case["id"], case["grade"], case["expect"], decision.verdict, decision.why))
    assert wrong == []
