"""What fits a window, and that it moves seldom."""

from __future__ import annotations

from itertools import pairwise

from protea.domain.messages import Message, UserMessage
from protea.domain.window import steps, turns, windowed
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
