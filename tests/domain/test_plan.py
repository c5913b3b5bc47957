"""The steps of a plan."""

from __future__ import annotations

import pytest

from protea.domain.plan import MOST_STEPS, agreement, says_no_more, steps_of


@pytest.mark.parametrize(
    ("plan", "steps"),
    [
        ("1. Look\n2. Change `a.py`\n   - with care\n3) Test", ["Look", "Change a.py", "Test"]),
        ("- [ ] Look\n- [x] Change\n", ["Look", "Change"]),
        ("# Why\n- it is slow\n- it is old\n\n## Steps\n- Look\n- Change\n\n## Risks\n- none", ["Look", "Change"]),
        ("# Why\n- it is slow\n\n1. Look\n2. **Change**", ["Look", "Change"]),
        ("```\n1. not a step\n```\n1. Look", ["Look"]),
        ("# Rename the module\n\nEverywhere.", ["Rename the module"]),
        ("", []),
        (" \n\t\n# \n", []),
        ("```\nmake it\n```", ["make it"]),
        ("1. ``\n2. Look", ["Look"]),
    ],
)
def test_the_steps_are_the_items_of_its_list(plan: str, steps: list[str]) -> None:
    assert [each.text for each in steps_of(plan)] == steps


def test_a_plan_that_is_only_its_list_says_no_more_than_the_list_does() -> None:
    items = steps_of("1. Look\n2. Change")
    assert says_no_more("1. Look\n\n2. Change\n", items)
    assert not says_no_more("1. Look\n2. Change\n   with care", items)
    assert not says_no_more("1. Look\n2. Change\n3. Test", items)
    assert not says_no_more("# Why\n1. Look\n2. Change", items)


def test_a_list_without_end_has_an_end() -> None:
    plan = "\n".join(f"{n}. x" for n in range(1, 300))
    assert len(steps_of(plan)) == MOST_STEPS
    told = agreement(plan, "normal", edited=False)
    assert "The first 50 of its 299 steps are the todo list, the others are yours to add" in told
    assert "Its one step is the todo list" in agreement("1. x", "normal", edited=False)
