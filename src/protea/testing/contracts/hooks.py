"""What every `Hooks` keeps."""

from __future__ import annotations

from protea.domain.hooks import WIRE_NAMES, HookMoment
from protea.ports.hooks import Hooks


class HooksContract:
    def hooks(self) -> Hooks:
        raise NotImplementedError

    async def test_every_moment_can_be_asked_about_and_answered(self) -> None:
        hooks = self.hooks()
        for moment in WIRE_NAMES:
            tool = "Bash" if moment.endswith("_tool") else None
            told = HookMoment(moment=moment, session="s", cwd="/", tool=tool, arguments={"command": "true"}, text="hi")
            said = await hooks.run(told)
            assert hooks.wants(moment, tool) or not said
            assert all(each.hook for each in said)
        await hooks.aclose()

    async def test_closing_again_does_nothing(self) -> None:
        hooks = self.hooks()
        await hooks.aclose()
        await hooks.aclose()
