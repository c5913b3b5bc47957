"""What is done to a conversation that fills its room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protea.domain.compaction import (
    LONGEST_SKILL,
    Conversation,
    Shrunk,
    applied,
    askable,
    behind_results,
    border,
    digest,
    last_resort,
    summed_up,
    survivors,
    to_sum_up,
)
from protea.domain.messages import AssistantMessage, Image, Message, Text, ToolMessage, UserMessage
from protea.testing.contracts.context import count
from protea.testing.conversations import answer, conversation, prompt, step, whole

HISTORY = (prompt("go"), *(message for number in range(20) for message in step(number, size=3000)))


def results(messages: tuple[Message, ...]) -> list[ToolMessage]:
    return [message for message in messages if isinstance(message, ToolMessage)]


def test_old_results_are_emptied_and_say_how_to_have_them_again() -> None:
    cleared = applied(HISTORY, Shrunk(how="clear", before=behind_results(HISTORY, 5)))
    assert [len(result.text) > 200 for result in results(cleared)] == [False] * 15 + [True] * 5
    assert "3000 characters" in results(cleared)[0].text
    assert "c_0_0" in results(cleared)[0].text
    assert whole(cleared)


def test_old_results_are_cut_to_their_beginning_and_end() -> None:
    short = applied(HISTORY, Shrunk(how="shorten", before=behind_results(HISTORY, 5), longest=400))
    assert all(len(result.text) < 600 for result in results(short)[:15])
    assert results(short)[15:] == results(HISTORY)[15:]


def test_what_is_small_and_what_is_no_result_stays() -> None:
    small = (prompt("go"), *step(1, size=50), answer("x" * 5000))
    assert applied(small, Shrunk(how="clear", before=len(small))) == small


def test_images_go_with_their_result() -> None:
    seen = ToolMessage(call_id="c_1_0", name="Read", text="", images=(Image("image/png", "AAAA"),))
    (cleared,) = results(applied((seen,), Shrunk(how="clear", before=1)))
    assert cleared.images == ()
    assert "1 images" in cleared.text


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 4000))
def test_the_border_parts_no_call_from_its_result(turns: int, steps: int, keep: int) -> None:
    history = conversation(turns, steps=steps)
    at = border(history, tuple(map(count, history)), keep)
    after = applied(history, Shrunk(how="summarise", before=at, text="…"))
    assert whole(after)
    assert after[-1] is history[-1]
    assert not isinstance(history[at], ToolMessage)


def test_a_digest_names_what_was_done_and_what_went_wrong() -> None:
    failing = (
        prompt("go"),
        *step(1),
        AssistantMessage((Text("Now I look at the tests."),)),
        ToolMessage(call_id="x", name="Bash", text="\nE  assert 1 == 2\n", is_error=True),
    )
    text = digest(failing)
    assert "- Read c_1_0.txt → " in text
    assert "- said: Now I look at the tests." in text
    assert "failed: E  assert 1 == 2" in text


def test_a_long_digest_keeps_the_end() -> None:
    text = digest(HISTORY, longest=500)
    assert len(text) < 600
    assert "earlier steps]" in text.splitlines()[0]
    assert "c_19_0" in text


def test_what_survives_is_word_for_word() -> None:
    text = survivors(["do it\nwell", "and now this"], ["never push"], ["- [x] look"], longest=1000)
    assert text == (
        "## What the person said\n> do it\n  well\n> and now this\n## Pinned\n- never push\n## To do\n- [x] look"
    )
    assert survivors([], [], [], longest=10) == ""
    many = survivors([f"prompt {number} " + "x" * 100 for number in range(50)], [], [], longest=500)
    assert "prompt 49" in many
    assert "earlier prompts" in many
    assert len(many) < 800


def test_a_summary_says_what_it_is() -> None:
    text = summed_up("## What the person said\n> go", "- it went")
    assert text.startswith("[Protea] ")
    assert text.endswith("## What was done\n- it went")


def test_a_skill_that_was_read_is_neither_emptied_nor_cut_and_one_without_end_is() -> None:
    def read(text: str, *, is_error: bool = False) -> tuple[Message, ...]:
        return (ToolMessage(call_id="c", name="Skill", text=text, is_error=is_error),)

    for how, longest in (("clear", 0), ("shorten", 300)):
        shrunk = Shrunk(how=how, before=1, longest=longest)  # type: ignore[arg-type]  # one of them
        skill = read("Do it so. " * 500)
        assert applied(skill, shrunk) == skill
        assert applied(read("no " * 500, is_error=True), shrunk) != read("no " * 500, is_error=True)
        endless = read("x" * (LONGEST_SKILL + 1))
        assert applied(endless, shrunk) != endless


def test_skills_survive_the_latest_first_and_no_more_of_them_than_there_is_room() -> None:
    text = survivors([], [], [], longest=1000, skills={"old": "a" * 900, "new": "b" * 900})
    assert text == f"## Skills in use\n[old was read before; read it again where it is needed]\n{'b' * 900}"


def given_to(messages: tuple[Message, ...], room: int, *, forced: bool = False) -> Conversation:
    return Conversation(messages=messages, sizes=tuple(map(count, messages)), room=room, forced=forced)


def test_results_of_one_reply_that_do_not_fit_are_cut_until_they_do() -> None:
    huge = (prompt("read all"), *step(1, calls=20, size=30_000))
    room = sum(map(count, huge)) // 4
    shrunk = last_resort(given_to(huge, room))
    assert shrunk is not None
    after = applied(huge, shrunk)
    assert whole(after)
    assert room // 4 < sum(map(count, after)) <= room
    assert all(message.text.startswith("c_1_") for message in after if isinstance(message, ToolMessage))
    assert last_resort(given_to(after, room)) is None
    assert last_resort(given_to(huge, room * 4 + 4)) is None
    assert last_resort(given_to((prompt("x" * 100_000),), 10)) is None


def test_where_nobody_knows_the_room_half_of_it_has_to_do() -> None:
    huge = (prompt("read all"), *step(1, calls=20, size=30_000))
    size = sum(map(count, huge))
    shrunk = last_resort(given_to(huge, size, forced=True))
    assert shrunk is not None
    assert sum(map(count, applied(huge, shrunk))) <= size / 2


def test_a_prompt_of_great_length_can_be_summed_up_alone() -> None:
    huge, small = (prompt("x" * 50_000), prompt("and now")), (prompt("a"), prompt("b"))
    assert to_sum_up(given_to(huge, 100), 0.8, 0.25) == 1
    assert to_sum_up(given_to(small, 10, forced=True), 0.8, 0.25) == 0
    own = (prompt("[Protea] The conversation " + "x" * 50_000), prompt("and now"))
    assert to_sum_up(given_to(own, 100), 0.8, 0.25) == 0


def test_what_is_too_long_to_be_asked_about_is_shown_without_results_and_with_long_prompts_cut() -> None:
    shown = askable((prompt("a" * 30_000 + "z"), *step(1, size=3000)), 1000)
    assert sum(map(count, shown)) < 500
    assert whole(shown)
    assert str(shown[0]).count("a") > 400


def test_images_of_one_reply_that_are_too_many_go_and_say_how_to_have_them_again() -> None:
    calls = step(1, calls=2, size=10)[0]
    pictures = tuple(
        ToolMessage(call_id=f"c_1_{at}", name="Read", text="", images=(Image("image/png", "A" * 10),) * 10)
        for at in range(2)
    )
    shrunk = last_resort(given_to((prompt("look"), calls, *pictures), 50, forced=True))
    assert shrunk is not None
    after = applied((prompt("look"), calls, *pictures), shrunk)
    assert whole(after)
    assert [each.text for each in results(after)] == [
        f"[10 images stood here. Recall gives them again by the id c_1_{at}.]" for at in range(2)
    ]
    assert not any(each.images for each in results(after))


def test_who_sums_up_what_is_too_much_is_shown_no_images() -> None:
    shown = askable((UserMessage((Text("look"), Image("image/png", "AAAA"))), *step(1)))
    assert "AAAA" not in str(shown)
    assert "look" in str(shown)
