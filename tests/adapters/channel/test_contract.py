"""Each channel through the contract of its port, and messages as files."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.channel import none, spool
from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.domain.surroundings import Surroundings
from protea.ports.channel import Channel
from protea.testing.contracts.channel import ChannelContract


def opened(home: Path, **options: Any) -> spool.Spool:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    clock = SystemClock()
    return spool.create(spool.Options(every=0.01, **options), clock=clock, ids=SystemIds(clock), surroundings=around)


class TestNoChannel(ChannelContract):
    def channel(self) -> Channel:
        return none.create(none.Options())


class TestSpool(ChannelContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def channel(self) -> Channel:
        return opened(self._path)

    async def write(self, conversation: str, text: str) -> bool:
        part = self._path / "spool/inbox" / f".{conversation}.part"
        part.write_text(text)
        part.rename(part.with_name(f"{conversation}.txt"))
        return True

    async def said(self) -> list[tuple[str, str]]:
        told = [json.loads(path.read_text()) for path in sorted((self._path / "spool/outbox").iterdir())]
        return [(each["conversation"], each["text"]) for each in told]


async def heard(channel: spool.Spool, count: int) -> list[tuple[str, str, str]]:
    found = []
    async with asyncio.timeout(30):
        async for message in channel.incoming():
            found.append((message.conversation, message.sender, message.text))
            if len(found) == count:
                return found
    return found


async def test_what_is_no_message_is_set_aside_and_what_is_being_written_is_left(tmp_path: Path) -> None:
    channel = opened(tmp_path)
    await channel.open()
    inbox = tmp_path / "spool/inbox"
    (inbox / "broken.json").write_text('{"text":')
    (inbox / "large.txt").write_bytes(b"x" * (spool.LARGEST + 1))
    (inbox / "link.txt").symlink_to("/etc/hostname")
    os.mkfifo(inbox / "pipe.txt")
    (inbox / ".unfinished.txt").write_text("not yet")
    (inbox / "letter.json").write_text(json.dumps({"conversation": "a/b", "sender": "ann", "text": "hello"}))
    assert await heard(channel, 1) == [("a/b", "ann", "hello")]
    assert [path.name for path in inbox.iterdir()] == [".unfinished.txt"]
    await channel.aclose()


async def test_who_is_not_on_the_list_is_not_heard(tmp_path: Path) -> None:
    channel = opened(tmp_path, senders=("ann",))
    await channel.open()
    for number, sender in enumerate(("eve", "ann", "eve")):
        path = tmp_path / "spool/inbox" / f"{number}.json"
        path.write_text(json.dumps({"sender": sender, "text": sender}))
    assert await heard(channel, 1) == [("1", "ann", "ann")]
    await channel.aclose()
