"""What every `Diagnostics` keeps, whatever servers there are."""

from __future__ import annotations

import asyncio
import os

from protea.domain.diagnostics import Change, ranked
from protea.ports.diagnostics import Diagnostics

WRONG = "def f(:\n    return undefined_name\n"


class DiagnosticsContract:
    def diagnostics(self) -> Diagnostics:
        """The same one at every call within one test. The test closes it."""
        raise NotImplementedError

    def folder(self) -> str:
        """A project."""
        raise NotImplementedError

    def _written(self, name: str, text: str) -> str:
        path = os.path.join(os.path.realpath(self.folder()), name)
        with open(path, "xb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        return path

    async def test_what_is_found_is_in_the_files_that_were_changed_and_errors_come_first(self) -> None:
        try:
            changes = [Change(self._written(f"{name}.py", WRONG), None, WRONG) for name in "ab"]
            found = await self.diagnostics().look(changes)
            assert {each.path for each in found} <= {change.path for change in changes}
            assert all(each.line >= 1 and each.column >= 1 and each.message.strip() for each in found)
            assert list(found) == ranked(found)
        finally:
            await self.diagnostics().aclose()

    async def test_what_was_wrong_before_is_not_told(self) -> None:
        try:
            after = f"# a comment\n{WRONG}"
            path = self._written("a.py", after)
            assert list(await self.diagnostics().look([Change(path, WRONG, after)])) == []
        finally:
            await self.diagnostics().aclose()

    async def test_odd_files_are_looked_at_without_a_complaint(self) -> None:
        try:
            for name, text in (
                ("empty.py", ""),
                ("no ending", "x"),
                ("naïve %20#?.py", "x = 1\n"),
                ("wide.py", "s = '\U0001f600\U0001f600'; undefined\r\n"),
                ("lone.py", "s = '\udcff'\n"),
            ):
                path = self._written(name, text)
                assert await self.diagnostics().look([Change(path, None, text)]) is not None
                os.unlink(path)
                assert list(await self.diagnostics().look([Change(path, text, None)])) == []
        finally:
            await self.diagnostics().aclose()

    async def test_servers_have_names_and_none_is_started_by_asking(self) -> None:
        try:
            servers = self.diagnostics().servers()
            assert len({each.name for each in servers}) == len(servers)
            assert all(each.state in ("missing", "ready", "barred", "resting") for each in servers)
        finally:
            await self.diagnostics().aclose()

    async def test_a_look_that_is_broken_off_does_no_harm(self) -> None:
        try:
            path = self._written("a.py", WRONG)
            looking = asyncio.ensure_future(self.diagnostics().look([Change(path, None, WRONG)]))
            await asyncio.sleep(0)
            looking.cancel()
            await asyncio.wait([looking])
            assert await self.diagnostics().look([]) is not None
        finally:
            await self.diagnostics().aclose()

    async def test_closing_twice_is_harmless(self) -> None:
        await self.diagnostics().aclose()
        await self.diagnostics().aclose()
