"""What every `Gateway` keeps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import get_args

from protea.domain.commands import EndSession, SetMode, SubmitPrompt
from protea.domain.errors import ProteaError, SessionError
from protea.domain.events import (
    AnyEvent,
    Lasting,
    MessageCompleted,
    PromptSubmitted,
    SessionEnded,
    SessionStarted,
    TurnFinished,
    TurnStarted,
)
from protea.ports.gateway import Gateway, OpenSession, Topic

WITHIN = 20.0
"""Seconds a prompt may take."""


class GatewayContract:
    async def gateway(self) -> Gateway:
        """A new one without sessions, in which any prompt is answered with a text, without asking anybody."""
        raise NotImplementedError

    def cwd(self) -> str:
        """An absolute directory to work in; the same one at every call within one test."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Gateway, str]]:
        """A gateway with an open session; closed in the end."""
        gateway = await self.gateway()
        try:
            yield gateway, await self._open(gateway)
        finally:
            await gateway.close()

    async def run(self, gateway: Gateway, session: str, text: str) -> list[AnyEvent]:
        """Submit a prompt, and all events of the session up to the end of its turn."""
        id = await gateway.submit(session, SubmitPrompt(text=text))
        events: list[AnyEvent] = []
        turn = None
        following = gateway.events(session)
        async with asyncio.timeout(WITHIN):
            async for event in following:
                events.append(event)
                if isinstance(event, TurnStarted) and event.prompt == id:
                    turn = event.id
                if isinstance(event, TurnFinished) and event.id == turn:
                    break
        await _close(following)
        return events

    async def _open(self, gateway: Gateway) -> str:
        return await gateway.open(OpenSession(cwd=self.cwd()))

    async def test_a_session_begins_with_its_start(self) -> None:
        async with self.opened() as (gateway, session):
            (started,) = await gateway.history(session)
            assert isinstance(started, SessionStarted)
            assert (started.seq, started.session, started.cwd) == (1, session, self.cwd())

    async def test_two_sessions_are_two(self) -> None:
        gateway = await self.gateway()
        first, second = await self._open(gateway), await self._open(gateway)
        assert first != second
        await self.run(gateway, first, "only here")
        assert len(await gateway.history(second)) == 1
        await gateway.close()

    async def test_a_prompt_is_safe_when_its_id_comes_back(self) -> None:
        async with self.opened() as (gateway, session):
            id = await gateway.submit(session, SubmitPrompt(text="count the stars"))
            submitted = [event for event in await gateway.history(session) if isinstance(event, PromptSubmitted)]
            assert [(event.id, event.text) for event in submitted] == [(id, "count the stars")]

    async def test_a_prompt_is_answered_in_the_order_of_events(self) -> None:
        async with self.opened() as (gateway, session):
            events = await self.run(gateway, session, "hello")
            lasting = [type(event) for event in events if isinstance(event, Lasting)]
            kinds = [SessionStarted, PromptSubmitted, TurnStarted, MessageCompleted, TurnFinished]
            assert [kind for kind in lasting if kind in kinds] == kinds
            started = next(event for event in events if isinstance(event, TurnStarted))
            prompt = next(event for event in events if isinstance(event, PromptSubmitted))
            assert started.prompt == prompt.id
            assert {event.session for event in events} == {session}

    async def test_only_lasting_events_are_numbered_and_without_a_gap(self) -> None:
        async with self.opened() as (gateway, session):
            events = await self.run(gateway, session, "hello")
            numbers = [event.seq for event in events if isinstance(event, Lasting)]
            assert numbers == list(range(1, len(numbers) + 1))
            assert [event for event in events if isinstance(event, Lasting)] == list(await gateway.history(session))
            assert all(event.seq is None for event in events if not isinstance(event, Lasting))
            assert all(event.at for event in events if isinstance(event, Lasting))

    async def test_following_begins_after_an_event_and_goes_on_with_what_happens(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "one")
            last = len(await gateway.history(session))
            for after in (0, 1, 3, last):
                seen = [event async for event in _until(gateway.events(session, after), last)] if after < last else []
                assert [event.seq for event in seen if isinstance(event, Lasting)] == list(range(after + 1, last + 1))
            coming = asyncio.ensure_future(_first(gateway, session, last))
            await gateway.submit(session, SubmitPrompt(text="two"))
            assert (await coming).seq == last + 1

    async def test_every_follower_sees_all_that_lasts_once_and_in_order_however_slow_or_late(self) -> None:
        async with self.opened() as (gateway, session):

            async def follow(late: int, pause: int) -> list[int | None]:
                for _ in range(late):
                    await asyncio.sleep(0)
                seen: list[int | None] = []
                async for event in gateway.events(session):
                    if event.seq is not None:
                        seen.append(event.seq)
                    for _ in range(pause):
                        await asyncio.sleep(0)
                return seen

            followers = [asyncio.create_task(follow(late, pause)) for late in (0, 3, 20) for pause in (0, 1, 10)]
            leaving = asyncio.create_task(follow(0, 2))
            await self.run(gateway, session, "one")
            leaving.cancel()
            await self.run(gateway, session, "two")
            await gateway.submit(session, EndSession())
            last = len(await gateway.history(session))
            async with asyncio.timeout(WITHIN):
                for seen in await asyncio.gather(*followers):
                    assert seen == list(range(1, last + 1))

    async def test_history_is_told_from_after_an_event_from_either_end(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "one")
            last = len(await gateway.history(session))
            for after, limit, expected in (
                (0, None, [*range(1, last + 1)]),
                (2, None, [*range(3, last + 1)]),
                (1, 2, [2, 3]),
                (0, 0, []),
                (0, -2, [last - 1, last]),
                (last, None, []),
            ):
                assert [event.seq for event in await gateway.history(session, after, limit)] == expected

    async def test_what_does_not_exist_is_a_session_error(self) -> None:
        gateway = await self.gateway()
        await self._open(gateway)
        for action in (
            gateway.open(OpenSession(cwd=self.cwd(), resume="nobody")),
            gateway.open(OpenSession(cwd=self.cwd(), resume="nobody", fork=True)),
            gateway.submit("nobody", SubmitPrompt(text="hello")),
            gateway.submit("nobody", SetMode(mode="plan")),
            gateway.history("nobody"),
            gateway.delete("nobody"),
            _first(gateway, "nobody"),
        ):
            assert isinstance(await _raised(action), SessionError)
        await gateway.close()

    async def test_a_session_that_is_open_is_itself_when_opened_again(self) -> None:
        async with self.opened() as (gateway, session):
            assert await gateway.open(OpenSession(cwd=self.cwd(), resume=session)) == session
            assert len(await gateway.history(session)) == 1

    async def test_a_session_that_has_ended_tells_so_last_and_takes_no_prompts(self) -> None:
        async with self.opened() as (gateway, session):
            following = gateway.events(session)
            await gateway.submit(session, EndSession(reason="enough"))
            async with asyncio.timeout(WITHIN):
                events = [event async for event in following]
            assert isinstance(events[-1], SessionEnded)
            assert events[-1].reason == "enough"
            refused = await _raised(gateway.submit(session, SubmitPrompt(text="hello")))
            assert isinstance(refused, SessionError)

    async def test_a_session_that_has_ended_can_be_taken_up_again(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "one")
            await gateway.submit(session, EndSession())
            assert await gateway.open(OpenSession(cwd=self.cwd(), resume=session)) == session
            events = await self.run(gateway, session, "two")
            numbers = [event.seq for event in events if event.seq is not None]
            assert numbers == list(range(1, len(numbers) + 1))
            assert sum(isinstance(event, TurnFinished) for event in events) == 2

    async def test_a_fork_has_the_history_and_leaves_the_other_alone(self) -> None:
        gateway = await self.gateway()
        first = await self._open(gateway)
        await self.run(gateway, first, "one")
        before = list(await gateway.history(first))
        second = await gateway.open(OpenSession(cwd=self.cwd(), resume=first, fork=True))
        assert second != first
        started, *copied = await gateway.history(second)
        assert isinstance(started, SessionStarted)
        assert (started.parent, started.parent_seq) == (first, before[-1].seq)
        assert [type(event) for event in copied] == [type(event) for event in before[1:]]
        assert {event.session for event in copied} == {second}
        await self.run(gateway, second, "two")
        assert list(await gateway.history(first)) == before
        await gateway.close()

    async def test_sessions_are_listed_by_directory(self) -> None:
        gateway = await self.gateway()
        assert list(await gateway.sessions()) == []
        session = await self._open(gateway)
        await self.run(gateway, session, "count the stars")
        for cwd in (None, self.cwd()):
            (summary,) = await gateway.sessions(cwd)
            assert (summary.id, summary.cwd, summary.title) == (session, self.cwd(), "count the stars")
        assert list(await gateway.sessions("/elsewhere")) == []
        await gateway.close()

    async def test_search_finds_all_words_of_a_prompt(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "count the stars")
            found = await gateway.search("STARS count")
            assert found
            assert {summary.id for summary, _, _ in found} == {session}
            prompts = [event.seq for event in await gateway.history(session) if isinstance(event, PromptSubmitted)]
            assert prompts[0] in [seq for _, seq, _ in found]
            assert all("stars" in snippet for _, _, snippet in found)
            assert len(await gateway.search("stars", limit=1)) == 1
            assert list(await gateway.search("stars nobody")) == []

    async def test_a_session_in_use_cannot_be_deleted_and_one_that_has_ended_can(self) -> None:
        async with self.opened() as (gateway, session):
            assert isinstance(await _raised(gateway.delete(session)), SessionError)
            await gateway.submit(session, EndSession())
            await gateway.delete(session)
            assert isinstance(await _raised(gateway.history(session)), SessionError)
            assert list(await gateway.sessions()) == []

    async def test_what_is_described_is_plain_data(self) -> None:
        async with self.opened() as (gateway, session):
            for topic in get_args(Topic):
                for of in (None, session):
                    json.dumps(await gateway.describe(topic, of))

    async def test_a_file_that_is_not_there_cannot_be_read(self) -> None:
        async with self.opened() as (gateway, session):
            assert isinstance(await _raised(gateway.read(session, "no/such/file", 10)), ProteaError)

    async def test_closing_ends_every_follower_and_can_be_done_twice(self) -> None:
        gateway = await self.gateway()
        session = await self._open(gateway)

        async def follow() -> list[AnyEvent]:
            return [event async for event in gateway.events(session)]

        followers = [asyncio.create_task(follow()) for _ in range(3)]
        await asyncio.sleep(0)
        await gateway.close()
        await gateway.close()
        async with asyncio.timeout(WITHIN):
            for events in await asyncio.gather(*followers):
                assert isinstance(events[0], SessionStarted)


async def _until(following: AsyncIterator[AnyEvent], last: int) -> AsyncIterator[AnyEvent]:
    async with asyncio.timeout(WITHIN):
        async for event in following:
            yield event
            if event.seq == last:
                break
    await _close(following)


async def _first(gateway: Gateway, session: str, after: int = 0) -> AnyEvent:
    """The first lasting event after event `after`."""
    following = gateway.events(session, after)
    async with asyncio.timeout(WITHIN):
        async for event in following:
            if event.seq is not None:
                await _close(following)
                return event
    raise AssertionError("the session ended")


async def _close(following: object) -> None:
    """End a follower at once, where it can be told to."""
    close = getattr(following, "aclose", None)
    if close is not None:
        await close()


async def _raised(action: Awaitable[object]) -> Exception | None:
    try:
        await action
    except Exception as error:
        return error
    return None
