"""What every `Clipboard` keeps."""

from __future__ import annotations

from protea.domain.messages import Image
from protea.ports.clipboard import Clipboard


class ClipboardContract:
    """Running it replaces what is in the clipboard."""

    def clipboard(self) -> Clipboard:
        """The same one at every call within one test."""
        raise NotImplementedError

    async def test_it_says_whether_it_took_what_it_was_given(self) -> None:
        assert await self.clipboard().copy("a check of the clipboard") in (True, False)

    async def test_what_it_took_comes_back_as_it_was_where_it_can_be_read(self) -> None:
        clipboard = self.clipboard()
        for text in ("one line", "two\nlines, tabs\t and ünï ✓ 𝄞", "-n", "'\"$(true)`"):
            if await clipboard.copy(text):
                assert await clipboard.paste() in (text, None)

    async def test_what_is_there_is_text_or_a_picture_or_nothing(self) -> None:
        found = await self.clipboard().paste()
        assert found is None or isinstance(found, str | Image)

    async def test_very_long_text_is_taken_or_refused(self) -> None:
        assert await self.clipboard().copy("long " * 100_000) in (True, False)
