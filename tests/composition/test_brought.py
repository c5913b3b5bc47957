"""What is brought along joins a session before its first request, and comes and goes with the port."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from protea.application.capabilities import Capabilities, Preparing
from protea.domain.commands import Swap
from protea.ports.capability import Capability
from protea.testing.capability import TableCapability
from tests.application.world import calls, says
from tests.composition.test_swapping import Live

SKILL = "---\nname: baking\ndescription: Bake bread.\n---\nKnead.\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / ".protea/skills/baking"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(SKILL)
    return folder


async def test_a_swap_of_the_port_takes_its_words_and_its_tool_away_and_brings_them_back(
    home: Path, tmp_path: Path
) -> None:
    live = Live(tmp_path, (says("One."), says("Two."), says("Three.")))
    await live.open()
    try:
        await live.turn("first")
        preview = await live.gateway.preview(live.session, Swap(ports={"capability": "none"}))
        assert (preview.tools_removed, preview.swap_class) == (("Skill",), "hot")
        await live.swap(capability="none")
        await live.turn("second")
        await live.swap(capability="skills")
        await live.turn("third")
    finally:
        await live.gateway.close()
    with_them, without, again = live.model.requests
    assert [text for text in with_them.system if "- baking: Bake bread." in text]
    assert not [text for text in without.system if "baking" in text]
    assert "Skill" in [spec.name for spec in with_them.tools]
    assert "Skill" not in [spec.name for spec in without.tools]
    assert (again.system, again.tools) == (with_them.system, with_them.tools)


async def test_what_the_model_was_told_stays_while_what_it_reads_is_as_it_is_now(home: Path, tmp_path: Path) -> None:
    live = Live(tmp_path, (says("One."), calls(("Skill", {"name": "baking"})), says("Two.")), allow=("Skill(baking)",))
    await live.open()
    try:
        await live.turn("first")
        (home / "SKILL.md").write_text(SKILL.replace("Bake bread", "Bake cakes").replace("Knead", "Whisk"))
        await live.swap(persona="minimal")
        await live.turn("second")
    finally:
        await live.gateway.close()
    first, second, third = live.model.requests
    assert [text for text in first.system if "baking" in text] == [text for text in second.system if "baking" in text]
    assert "Whisk." in str(third.messages[-1])


async def test_the_meter_names_them(home: Path, tmp_path: Path) -> None:
    live = Live(tmp_path, (says("One."),))
    await live.open()
    try:
        context = await live.gateway.describe("context", live.session)
        await live.turn("first")
        assert {"system", "skills", "tools"} <= {part["name"] for part in context["parts"]}
        assert [text for text in live.model.requests[0].system if "baking" in text], "looking must not keep them out"
    finally:
        await live.gateway.close()


async def test_an_agent_without_tools_is_told_of_none(home: Path, tmp_path: Path) -> None:
    live = Live(tmp_path, (says("One."),), set=("ports.toolset.adapter=none",))
    await live.open()
    try:
        await live.turn("first")
    finally:
        await live.gateway.close()
    assert live.model.requests[0].tools == ()
    assert "baking" not in "".join(live.model.requests[0].system)


async def test_bare_reads_none(home: Path, tmp_path: Path) -> None:
    live = Live(tmp_path, (says("One."),), bare=True)
    await live.open()
    try:
        await live.turn("first")
    finally:
        await live.gateway.close()
    assert "baking" not in "".join(live.model.requests[0].system)


# ── preparing ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_asks_meanwhile_waits_for_the_same_and_hears_nothing_twice() -> None:
    go, begun = asyncio.Event(), 0

    async def step() -> list[str]:
        nonlocal begun
        begun += 1
        await go.wait()
        return ["something is wrong"]

    prepare = Preparing(step)
    first = asyncio.ensure_future(prepare())
    second = asyncio.ensure_future(prepare())
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await second == ["something is wrong"]
    assert (await prepare(), begun) == ([], 1)
    assert first.cancelled()


async def test_what_cannot_be_opened_is_told_and_left_out() -> None:
    def broken() -> Capability:
        raise RuntimeError("no")

    capabilities = Capabilities(broken)
    assert await capabilities.ready() == ("capabilities are left out: RuntimeError: no",)
    assert (capabilities.text, capabilities.specs(), capabilities.tool("Use")) == ("", (), None)


async def test_its_tools_are_those_of_the_port() -> None:
    capability = TableCapability({"a": "A."})
    capabilities = Capabilities(lambda: capability)
    assert (await capabilities.ready(), capabilities.text) == ((), "There are: a.")
    assert [spec.name for spec in capabilities.specs()] == ["Use"]
    assert capabilities.tool("Other") is None
