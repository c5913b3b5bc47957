"""What fits a window, and that it moves seldom."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protea.domain.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from protea.domain.window import Measured, steps, turns, windowed
from protea.testing.contracts.context import count
from protea.testing.conversations import answer, conversation, prompt, step, whole


def tokens(messages: tuple[Message, ...]) -> int:
    return sum(map(count, messages))


def test_a_turn_begins_at_its_prompt_and_prompts_in_a_row_are_one() -> None:
    history = (prompt("a"), answer("b"), prompt("c"), prompt("d"), *step(1), answer("e"))
    assert [len(turn) for turn in turns(history)] == [2, 5]
    head, replies = steps(turns(history)[1])
    assert head == (prompt("c"), prompt("d"))
    assert [len(reply) for reply in replies] == [2, 1]


def test_what_fits_is_shown_whole() -> None:
    history = conversation(5)
    assert windowed(history, room=tokens(history), count=count) is history


def test_the_latest_turns_stay() -> None:
    history = conversation(20)
    shown = windowed(history, room=tokens(history) // 2, count=count)
    assert tokens(shown) <= tokens(history) // 2
    assert shown == history[-len(shown) :]


def test_the_window_moves_seldom_so_that_requests_in_between_begin_alike() -> None:
    history = conversation(60)
    room = tokens(history) // 4
    begins = []
    for turn in turns(history):
        end = next(at for at, message in enumerate(history) if message is turn[-1]) + 1
        if tokens(history[:end]) > room:
            begins.append(windowed(history[:end], room=room, count=count)[0])
    moved = sum(before != after for before, after in pairwise(begins))
    assert len(begins) > 30
    assert moved <= len(begins) // 3


def test_in_a_turn_too_long_for_the_room_the_prompt_and_the_latest_steps_stay() -> None:
    history = (prompt("go"), *(message for number in range(50) for message in step(number)))
    shown = windowed(history, room=tokens(history) // 5, count=count)
    assert shown[0] == prompt("go")
    assert shown[-1] is history[-1]
    assert whole(shown)
    assert tokens(shown) <= tokens(history) // 5


def test_older_turns_that_share_words_are_shown_again() -> None:
    history = (prompt("Where are the heliotropes planted?"), answer("By the wall."), *conversation(30))
    asked = (*history[:-1], prompt("And who waters the heliotropes?"))
    room = tokens(asked) // 4
    plain = windowed(asked, room=room, count=count)
    recalled = windowed(asked, room=room, count=count, recall=1)
    assert history[0] not in plain
    assert recalled[:2] == history[:2]
    assert isinstance(recalled[2], UserMessage)
    assert recalled[2:] == plain
    assert tokens(recalled) <= room


NOTE = prompt("[Protea] Instructions from /w/deep/AGENTS.md, for what you have just touched:\n\nBe kind.")


def test_what_protea_says_in_the_midst_of_a_turn_takes_no_prompt_away() -> None:
    done = tuple(message for number in range(20) for message in step(number))
    history = (*conversation(3), answer("so"), prompt("mend the parser"), *done, NOTE, *step(90), NOTE, *step(91))
    assert [turn[0] for turn in turns(history)][-1] == prompt("mend the parser")
    for share in (2, 3, 5, 50):
        shown = windowed(history, room=tokens(history) // share, count=count)
        assert prompt("mend the parser") in shown
        assert whole(shown)


def test_news_go_with_the_prompt_they_come_before_and_else_with_the_turn_they_come_in() -> None:
    news = prompt("[Protea] Task b1 has ended.")
    history = (news, prompt("a"), answer("b"), news, news, prompt("c"), prompt("d"), news, *step(1), news, answer("e"))
    assert [len(turn) for turn in turns(history)] == [3, 9]
    assert [len(turn) for turn in turns((news, answer("a"), news, answer("b")))] == [4]
    assert sum(turns(history), ()) == history


def test_of_the_words_that_are_shared_the_rare_ones_tell_which_turn_is_meant() -> None:
    told = (prompt("What does the file heliotrope.py say?"), answer("It waters them."))
    often = (prompt("What does the file say, and what does the other file say?"), answer("The file says so."))
    history = (*told, *often, *conversation(30))
    asked = (*history[:-1], prompt("What does the file heliotrope.py say now?"))
    shown = windowed(asked, room=tokens(asked) // 4, count=count, recall=1)
    assert shown[:2] == told


def test_a_turn_is_found_by_the_file_that_was_read_in_it() -> None:
    call = AssistantMessage((ToolCall("c", "Read", {"path": "src/heliotrope.py"}),))
    told = (prompt("Look around."), call, ToolMessage("c", "Read", "…"), answer("Done."))
    asked = (*told, *conversation(30)[:-1], prompt("Open heliotrope once more."))
    assert windowed(asked, room=tokens(asked) // 4, count=count, recall=1)[:4] == told


def test_writing_without_blanks_is_found_by_its_letters() -> None:
    told = (prompt("数据库的端口是多少"), answer("五四三二。"))
    asked = (*told, *conversation(30)[:-1], prompt("再说一次数据库的名字"))
    assert windowed(asked, room=tokens(asked) // 4, count=count, recall=1)[:2] == told


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 400), st.integers(0, 2))
def test_what_is_kept_from_one_request_to_the_next_changes_no_choice(kinds: list[int], room: int, recall: int) -> None:
    measured = Measured()
    history: tuple[Message, ...] = ()
    for number, kind in enumerate(kinds):
        match kind:
            case 0:
                history = (*history, prompt(f"look at word{number % 3}"))
            case 1:
                history = (*history, *step(number, size=40))
            case 2:
                history = (*history, answer(f"word{number % 3}"))
            case 3:
                history = (*history, NOTE)
            case 4:
                history = history[: len(history) // 2]  # rewound
            case _:
                history = (prompt("[Protea] summed up"), *history[-3:])
        fresh = windowed(history, room=room, count=count, recall=recall)
        assert windowed(history, room=room, count=count, recall=recall, measured=measured) == fresh


def test_what_is_counted_is_what_is_new_until_counts_are_others() -> None:
    counted: list[Message] = []

    def counting(message: Message) -> int:
        counted.append(message)
        return count(message) * factor

    measured, history, factor = Measured(), conversation(100), 1
    windowed(history, room=500, count=counting, measured=measured)
    assert len(counted) >= len(history)
    counted.clear()
    longer = (*history, answer("so"), prompt("and now?"))
    windowed(longer, room=500, count=counting, measured=measured)
    assert len(counted) < 20
    factor = 2
    windowed(longer, room=500, count=counting, measured=measured)
    assert len(counted) > len(history)
