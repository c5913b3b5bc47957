"""What is done to a conversation that fills its room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protea.domain.compaction import Shrunk, applied, behind_results, border, digest, summed_up, survivors
from protea.domain.messages import AssistantMessage, Image, Message, Text, ToolMessage
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
