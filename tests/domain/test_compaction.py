"""Results of old calls, emptied or cut."""

from __future__ import annotations

from protea.domain.compaction import clear_results, truncate_results
from protea.domain.messages import Image, Message, ToolMessage
from protea.testing.conversations import conversation, prompt, step, whole

HISTORY = (prompt("go"), *(message for number in range(20) for message in step(number, size=3000)))


def results(messages: tuple[Message, ...]) -> list[ToolMessage]:
    return [message for message in messages if isinstance(message, ToolMessage)]


def test_old_results_are_emptied_and_say_how_much_they_were() -> None:
    cleared = clear_results(HISTORY, keep=5, step=5)
    assert [len(result.text) > 200 for result in results(cleared)] == [False] * 15 + [True] * 5
    assert "3000 characters" in results(cleared)[0].text
    assert whole(cleared)


def test_what_is_emptied_moves_on_by_steps() -> None:
    emptied = []
    for count in range(20):
        history = (prompt("go"), *(message for number in range(count) for message in step(number, size=3000)))
        emptied.append(sum("cleared" in result.text for result in results(clear_results(history, keep=4, step=5))))
    assert sorted(set(emptied)) == [0, 5, 10, 15]


def test_small_results_stay_and_pictures_go() -> None:
    picture = ToolMessage("c", "Read", "A picture.", images=(Image("image/png", "AAAA"),))
    small, shown = clear_results((ToolMessage("b", "Read", "ok"), picture), keep=0, step=1)
    assert small == ToolMessage("b", "Read", "ok")
    assert isinstance(shown, ToolMessage)
    assert shown.images == ()
    assert "1 images" in shown.text


def test_cut_results_keep_their_beginning_and_their_end() -> None:
    text = "\n".join(f"line {number}" for number in range(2000))
    history = (prompt("go"), ToolMessage("a", "Read", text), ToolMessage("b", "Read", text))
    cut, left = results(truncate_results(history, keep=1, step=1, longest=500))
    assert len(cut.text) < 700
    assert cut.text.startswith("line 0\n")
    assert cut.text.endswith("line 1999")
    assert left.text == text


def test_doing_it_again_changes_nothing() -> None:
    once = clear_results(conversation(10), keep=2, step=2)
    assert clear_results(once, keep=2, step=2) == once
