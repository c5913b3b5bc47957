"""What every `Gateway` keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from protea.domain.commands import SubmitPrompt
from protea.domain.errors import SessionError
from protea.domain.events import AnyEvent, Lasting, PromptSubmitted, SessionStarted, TurnFinished
from protea.ports.gateway import Gateway, OpenSession

WITHIN = 20.0
"""Seconds a prompt may take."""


class GatewayContract:
    async def gateway(self) -> Gateway:
        """A new one, in which any prompt is answered without asking anybody."""
        raise NotImplementedError

    def cwd(self) -> str:
        """An absolute, real directory to work in."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Gateway, str]]:
        gateway = await self.gateway()
        try:
            yield gateway, await gateway.open(OpenSession(cwd=self.cwd()))
        finally:
            await gateway.close()

    async def run(self, gateway: Gateway, session: str, text: str, after: int = 0) -> list[AnyEvent]:
        """Submit a prompt; what happens until its turn ends."""
        await gateway.submit(session, SubmitPrompt(text=text))
        return await self.until_finished(gateway, session, after)

    async def until_finished(self, gateway: Gateway, session: str, after: int = 0) -> list[AnyEvent]:
        seen: list[AnyEvent] = []
        async with asyncio.timeout(WITHIN):
            async for event in gateway.events(session, after):
                seen.append(event)
                if isinstance(event, TurnFinished):
                    return seen
        raise AssertionError("the events ended before the turn did")

    async def test_a_session_begins_with_its_start(self) -> None:
        async with self.opened() as (gateway, session):
            seen = await self.run(gateway, session, "hello")
            assert isinstance(seen[0], SessionStarted)
            assert seen[0].seq == 1

    async def test_lasting_events_come_in_order_each_once(self) -> None:
        async with self.opened() as (gateway, session):
            seen = await self.run(gateway, session, "hello")
            numbers = [event.seq for event in seen if isinstance(event, Lasting)]
            assert numbers == list(range(1, len(numbers) + 1))
            assert [event.seq for event in seen if not isinstance(event, Lasting)].count(None) == len(seen) - len(
                numbers
            )

    async def test_every_event_names_its_session(self) -> None:
        async with self.opened() as (gateway, session):
            assert {event.session for event in await self.run(gateway, session, "hello")} == {session}

    async def test_submitting_a_prompt_gives_its_id(self) -> None:
        async with self.opened() as (gateway, session):
            id = await gateway.submit(session, SubmitPrompt(text="hello"))
            seen = await self.until_finished(gateway, session)
            assert [event.id for event in seen if isinstance(event, PromptSubmitted)] == [id]

    async def test_a_follower_begins_where_it_wants(self) -> None:
        async with self.opened() as (gateway, session):
            first = await self.run(gateway, session, "hello")
            last = first[-1].seq or 0
            seen = await self.run(gateway, session, "hello again", after=last)
            assert min(event.seq for event in seen if event.seq is not None) == last + 1

    async def test_whoever_comes_late_misses_no_lasting_event(self) -> None:
        async with self.opened() as (gateway, session):
            first = [event for event in await self.run(gateway, session, "hello") if isinstance(event, Lasting)]
            late = await self.until_finished(gateway, session)
            assert [event for event in late if isinstance(event, Lasting)] == first

    async def test_two_followers_see_the_same(self) -> None:
        async with self.opened() as (gateway, session):
            both = asyncio.gather(self.until_finished(gateway, session), self.until_finished(gateway, session))
            await asyncio.sleep(0)
            await gateway.submit(session, SubmitPrompt(text="hello"))
            one, other = await both
            assert [e for e in one if isinstance(e, Lasting)] == [e for e in other if isinstance(e, Lasting)]

    async def test_history_is_what_was_seen(self) -> None:
        async with self.opened() as (gateway, session):
            seen = [event for event in await self.run(gateway, session, "hello") if isinstance(event, Lasting)]
            assert list(await gateway.history(session))[: len(seen)] == seen
            assert list(await gateway.history(session, after=1, limit=2)) == seen[1:3]
            assert [event.seq for event in await gateway.history(session, limit=-1)][-1] == len(
                await gateway.history(session)
            )

    async def test_opening_an_open_session_gives_the_same_one(self) -> None:
        async with self.opened() as (gateway, session):
            assert await gateway.open(OpenSession(cwd=self.cwd(), resume=session)) == session

    async def test_a_session_that_does_not_exist_is_an_error_for_the_person(self) -> None:
        async with self.opened() as (gateway, _):
            for attempt in (
                gateway.open(OpenSession(cwd=self.cwd(), resume="no-such-session")),
                gateway.history("no-such-session"),
                gateway.submit("no-such-session", SubmitPrompt(text="hello")),
                gateway.delete("no-such-session"),
            ):
                try:
                    await attempt
                except SessionError:
                    continue
                raise AssertionError("no SessionError")

    async def test_what_exists_is_told_as_plain_data(self) -> None:
        async with self.opened() as (gateway, _):
            for topic in ("models", "tools", "modes"):
                msgspec.json.encode(await gateway.describe(topic))

    async def test_closing_ends_what_is_followed_and_may_be_done_twice(self) -> None:
        async with self.opened() as (gateway, session):
            seen: list[AnyEvent] = []

            async def follow() -> None:
                async for event in gateway.events(session):
                    seen.append(event)

            follower = asyncio.create_task(follow())
            await self.run(gateway, session, "hello")
            await gateway.close()
            await gateway.close()
            async with asyncio.timeout(WITHIN):
                await follower
            assert any(isinstance(event, TurnFinished) for event in seen)
