"""What every `Notifier` keeps."""

from __future__ import annotations

import asyncio

from protea.ports.notifier import Notification, Notifier

WITHIN = 30.0
"""Seconds; far more than any may take, for machines that are busy."""


class NotifierContract:
    """Running it calls whoever sits there."""

    def notifier(self) -> Notifier:
        raise NotImplementedError

    async def test_it_says_whether_it_could_hand_on_what_it_was_told(self) -> None:
        async with asyncio.timeout(WITHIN):
            assert await self.notifier().notify(Notification("Protea", "a check of the notifier")) in (True, False)

    async def test_no_text_is_too_odd_to_be_told(self) -> None:
        odd = (
            "",
            "-e",
            "a\x1b]0;b\x07c\x1b\\d",
            "two\nlines; and; more",
            'quotes " and \\',
            "\udcff\ud83d",
            "x" * 5000,
        )
        for text in odd:
            async with asyncio.timeout(WITHIN):
                assert await self.notifier().notify(Notification(text, text, "low")) in (True, False)
