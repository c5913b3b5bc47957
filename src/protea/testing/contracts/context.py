"""What every `Context` keeps."""

from __future__ import annotations

from protea.domain.messages import AssistantMessage, Message, Text, UserMessage
from protea.ports.context import Context
from protea.testing.conversations import answer, conversation, prompt, step, whole

ROOMS = (None, 100_000, 1500, 300, 40, 1)


def count(message: Message) -> int:
    """A token for four characters."""
    if isinstance(message, UserMessage | AssistantMessage):
        return 4 + sum(len(part.text) // 4 if isinstance(part, Text) else 10 for part in message.content)
    return 4 + len(message.text) // 4


HISTORIES: tuple[tuple[Message, ...], ...] = (
    (),
    (prompt("only this"),),
    conversation(1),
    conversation(5),
    conversation(30, steps=3),
    (prompt("one"), prompt("two"), answer("both"), prompt("three")),
    (prompt("a long turn"), *(message for number in range(40) for message in step(number, calls=3))),
    (prompt("then steered"), *step(1), prompt("no, the other"), *step(2, calls=2)),
)


class ContextContract:
    def context(self) -> Context:
        raise NotImplementedError

    def test_what_is_chosen_was_given_and_is_in_its_order(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                rest = iter(history)
                chosen = self.context().choose(history, room=room, count=count)
                assert all(any(message is given for given in rest) for message in chosen)

    def test_no_call_is_parted_from_its_result_and_a_person_speaks_first(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                assert whole(self.context().choose(history, room=room, count=count))

    def test_the_last_prompt_and_the_last_reply_are_there_however_little_room_there_is(self) -> None:
        for history in HISTORIES:
            for room in ROOMS:
                chosen = self.context().choose(history, room=room, count=count)
                prompts = [message for message in history if isinstance(message, UserMessage)]
                assert not prompts or any(message is prompts[-1] for message in chosen)
                assert not history or chosen[-1] is history[-1]

    def test_without_a_limit_nothing_is_left_out_that_would_be_shown_in_a_large_room(self) -> None:
        for history in HISTORIES:
            large = self.context().choose(history, room=10**9, count=count)
            assert self.context().choose(history, room=None, count=count) == large

    def test_the_same_conversation_and_room_give_the_same_choice(self) -> None:
        context = self.context()
        for history in HISTORIES:
            for room in ROOMS:
                first = context.choose(history, room=room, count=count)
                assert context.choose(history, room=room, count=count) == first
