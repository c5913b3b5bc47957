"""What every `SessionStore` keeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from protea.domain.errors import SessionError
from protea.domain.events import (
    LastingEvent,
    MessageCompleted,
    NoticeGiven,
    PromptSubmitted,
    SessionStarted,
    TitleChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
    UnknownEvent,
)
from protea.domain.messages import Text, ToolCall
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage
from protea.ports.session_store import EventLog, SessionStore


def notices(session: str, first: int, last: int) -> list[LastingEvent]:
    """Events to fill a log with."""
    return [
        NoticeGiven(session=session, seq=seq, at="2026-11-21T04:05:06.789Z", level="info", text=f"event {seq}")
        for seq in range(first, last + 1)
    ]


def conversation(
    session: str, cwd: str = "/project", prompt: str = "count the stars", at: str = ""
) -> list[LastingEvent]:
    """One whole turn with a call."""
    at = at or "2026-11-21T04:05:06.789Z"
    call = ToolCall("c1", "Read", {"path": "sky.txt"})
    steps: list[LastingEvent] = [
        SessionStarted(version="1", cwd=cwd, model="acme/big"),
        PromptSubmitted(id="p_1", text=prompt),
        TurnStarted(id="t_1", prompt="p_1", model="acme/big"),
        MessageCompleted(model="acme/big", content=(Text("Let me look."), call), stop="tool_calls", usage=Usage(10, 2)),
        ToolCallChanged(call=call, state="success", result=ToolResult("Orion\nCassiopeia")),
        MessageCompleted(model="acme/big", content=(Text("Two."),), stop="end_turn", usage=Usage(20, 1), cost_usd=0.5),
        TurnFinished(id="t_1", outcome="finished", turns=2, usage=Usage(30, 3), cost_usd=0.5),
    ]
    return [replace(step, session=session, seq=number, at=at) for number, step in enumerate(steps, 1)]


class SessionStoreContract:
    """Subclasses say in `store` what is under test: a new, empty one each time."""

    def store(self) -> SessionStore:
        raise NotImplementedError

    def test_a_store_that_can_keep_something_says_so(self) -> None:
        store = self.store()
        assert store.unusable() is None
        assert not store.list()

    def test_what_was_appended_is_read_back_in_order(self) -> None:
        store = self.store()
        log = store.create("s1")
        events = conversation("s1")
        log.append(events[:3], durable=False)
        log.append(events[3:], durable=True)
        assert log.last == 7
        assert list(log.read()) == events
        assert list(store.read("s1")) == events
        log.close()
        assert list(store.read("s1")) == events

    def test_page_by_page_everything_comes_once_while_the_log_grows(self) -> None:
        store, log = self._filled(20)
        seen: list[int] = []
        while page := [event.seq or 0 for event in store.read("s1", len(seen), 7)]:
            seen += page
            if log.last < 40:
                log.append(notices("s1", log.last + 1, log.last + 1), durable=False)
            list(store.read("s1", 3, 2))  # somebody else reads elsewhere
        assert seen == list(range(1, log.last + 1))
        log.close()

    def test_reading_begins_after_and_stops_at_the_limit(self) -> None:
        store, log = self._filled(20)
        for after, limit in ((0, 3), (5, 3), (18, 9), (20, 1), (25, 1), (0, 0), (7, None), (19, None), (-1, 2)):
            begin = max(after, 0)
            expected = list(range(begin + 1, 21))[: None if limit is None else limit]
            assert [event.seq for event in log.read(after, limit)] == expected
            assert [event.seq for event in store.read("s1", after, limit)] == expected
        log.close()

    def test_the_tail_is_the_last_events_in_order(self) -> None:
        store, log = self._filled(20)
        for count in (0, 1, 5, 20, 50):
            expected = list(range(max(0, 20 - count) + 1, 21))
            assert [event.seq for event in log.tail(count)] == expected
            assert [event.seq for event in store.tail("s1", count)] == expected
        log.close()

    def test_a_reader_that_has_begun_goes_on_when_the_log_is_closed(self) -> None:
        store = self.store()
        log = store.create("20261121-040506-aaaa")
        log.append(notices("20261121-040506-aaaa", 1, 600), durable=False)
        reading = log.read()
        assert next(reading).seq == 1
        log.close()
        assert [event.seq for event in reading] == list(range(2, 601))

    def test_a_closed_session_can_be_opened_and_continued(self) -> None:
        store, log = self._filled(3)
        log.close()
        again = store.open("s1")
        assert again.last == 3
        assert again.mended is None
        again.append(notices("s1", 4, 6), durable=True)
        again.close()
        assert [event.seq for event in store.read("s1")] == [1, 2, 3, 4, 5, 6]

    def test_events_that_do_not_follow_are_refused_and_leave_nothing(self) -> None:
        _, log = self._filled(3)
        assert isinstance(_raised(lambda: log.append(notices("s1", 5, 6), durable=False)), ValueError)
        assert log.last == 3
        assert len(list(log.read())) == 3
        log.close()

    def test_a_second_writer_is_refused_and_told_who_has_it(self) -> None:
        store, log = self._filled(1)
        error = _raised(lambda: store.open("s1"))
        assert isinstance(error, SessionError)
        assert str(os.getpid()) in str(error)
        log.close()
        store.open("s1").close()

    def test_a_session_is_made_once(self) -> None:
        store, log = self._filled(1)
        assert isinstance(_raised(lambda: store.create("s1")), SessionError)
        log.close()

    def test_a_session_that_does_not_exist_cannot_be_used(self) -> None:
        store = self.store()
        for action in (
            lambda: store.open("nobody"),
            lambda: list(store.read("nobody")),
            lambda: store.tail("nobody", 1),
            lambda: store.delete("nobody"),
        ):
            assert isinstance(_raised(action), SessionError)

    def test_ids_that_could_leave_the_folder_are_refused(self) -> None:
        store = self.store()
        for id in ("", ".", "..", "../up", "a/b", "-rf", "a\0b", "x" * 200, "ä", ".hidden"):
            assert isinstance(_raised(partial(store.create, id)), SessionError)
            assert isinstance(_raised(partial(store.open, id)), SessionError)

    def test_the_folder_exists(self) -> None:
        _, log = self._filled(1)
        assert os.path.isabs(log.folder)
        assert os.stat(log.folder).st_mode & 0o777 == 0o700
        log.close()

    def test_an_unknown_event_comes_back_as_it_was(self) -> None:
        store = self.store()
        log = store.create("s1")
        event = UnknownEvent(
            session="s1", seq=1, at="2026-11-21T04:05:06.789Z", name="star_born", data={"x": [1, None]}
        )
        log.append([event], durable=False)
        assert list(log.read()) == [event]
        log.close()

    def test_text_that_is_not_unicode_is_kept_as_far_as_it_can_be(self) -> None:
        store = self.store()
        log = store.create("s1")
        log.append([TitleChanged(session="s1", seq=1, title="a\udcffb\ud83d\ude00")], durable=False)
        (event,) = log.read()
        assert isinstance(event, TitleChanged)
        assert event.title == "a\ufffdb\U0001f600"
        log.close()

    def test_lists_show_the_latest_first_with_its_figures(self) -> None:
        store = self.store()
        for id, cwd, at in (("old", "/a", "2026-11-20T00:00:00.000Z"), ("new", "/b", "2026-11-22T00:00:00.000Z")):
            log = store.create(id)
            log.append(conversation(id, cwd, f"the {id} prompt\nand more", at), durable=False)
            log.close()
        store.create("empty").close()
        new, old = store.list()
        assert (new.id, old.id) == ("new", "old")
        assert (old.cwd, old.title, old.prompts, old.turns, old.events) == ("/a", "the old prompt and more", 1, 2, 7)
        assert (old.usage, old.cost_usd, old.model, old.state) == (Usage(30, 3), 0.5, "acme/big", "idle")
        assert (old.created, old.updated) == ("2026-11-20T00:00:00.000Z",) * 2
        assert [summary.id for summary in store.list("/b")] == ["new"]
        assert list(store.list("/c")) == []

    def test_a_list_knows_who_is_at_work_and_who_was_interrupted(self) -> None:
        store = self.store()
        log = store.create("s1")
        log.append(conversation("s1")[:3], durable=False)
        assert [summary.state for summary in store.list()] == ["running"]
        log.close()
        assert [summary.state for summary in store.list()] == ["interrupted"]

    def test_a_list_is_never_behind(self) -> None:
        store = self.store()
        log = store.create("s1")
        events = conversation("s1")
        for event in events:
            log.append([event], durable=False)
            assert [summary.events for summary in store.list()] == [event.seq]
        log.close()
        assert [summary.events for summary in store.list()] == [7]

    def test_a_session_is_found_by_a_unique_beginning(self) -> None:
        store = self.store()
        for id in ("20261121-040506-aaaa", "20261121-040506-bbbb", "20261122-000000-cccc"):
            store.create(id).close()
        assert store.find("20261121-040506-aaaa") == "20261121-040506-aaaa"
        assert store.find("20261122") == "20261122-000000-cccc"
        ambiguous = _raised(lambda: store.find("20261121"))
        assert isinstance(ambiguous, SessionError)
        assert "aaaa" in str(ambiguous)
        assert "bbbb" in str(ambiguous)
        misspelled = _raised(lambda: store.find("20261122-000000-cccd"))
        assert isinstance(misspelled, SessionError)
        assert "20261122-000000-cccc" in str(misspelled)
        by_end = _raised(lambda: store.find("bbbb"))
        assert "20261121-040506-bbbb" in str(by_end)
        for nothing in ("", "zzz", "../etc", "."):
            assert isinstance(_raised(partial(store.find, nothing)), SessionError)

    def test_search_finds_all_words_in_prompts_answers_and_results(self) -> None:
        store = self.store()
        log = store.create("s1")
        log.append(conversation("s1", prompt='Count the "stars" of the Großer Bär'), durable=False)
        log.close()
        for text, seq in (
            ("STARS count", 2),
            ('"stars"', 2),
            ("GROßER", 2),
            ("bär", 2),
            ("look", 4),
            ("orion cassiopeia", 5),
        ):
            ((summary, found, shown),) = store.search(text)
            assert (summary.id, found) == ("s1", seq)
            assert "\n" not in shown
        assert list(store.search("orion nobody")) == []
        assert list(store.search("  ")) == []
        assert len(store.search("o", limit=2)) == 2

    def test_a_deleted_session_is_gone(self) -> None:
        store, log = self._filled(2)
        assert isinstance(_raised(lambda: store.delete("s1")), SessionError)
        folder = log.folder
        log.close()
        store.delete("s1")
        assert list(store.list()) == []
        assert not os.path.exists(folder)
        assert isinstance(_raised(lambda: store.open("s1")), SessionError)
        store.create("s1").close()

    def test_closing_twice_is_harmless_and_nothing_can_be_added_afterwards(self) -> None:
        _, log = self._filled(1)
        log.close()
        log.close()
        assert isinstance(_raised(lambda: log.append(notices("s1", 2, 2), durable=False)), SessionError)

    def _filled(self, count: int) -> tuple[SessionStore, EventLog]:
        store = self.store()
        log = store.create("s1")
        log.append(notices("s1", 1, count), durable=False)
        return store, log


def _raised(action: Callable[[], object]) -> Exception | None:
    try:
        action()
    except Exception as error:
        return error
    return None
