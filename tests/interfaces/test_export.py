"""A session as Markdown: what was thought and seen is there, too."""

from __future__ import annotations

from protea.domain.events import MessageCompleted, PromptSubmitted, ToolCallChanged
from protea.domain.messages import Image, Text, Thinking, ToolCall
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage
from protea.interfaces.export import markdown_of

PICTURE = Image("image/png", "AAAA")


def test_thoughts_are_quoted_before_what_was_said() -> None:
    said = MessageCompleted(
        model="m/x", content=(Thinking("First.\n\n- one\n# two"), Text("Then.")), stop="end_turn", usage=Usage()
    )
    assert markdown_of(said) == "## m/x\n\n> *thought:*\n>\n> First.\n>\n> - one\n> # two\n\nThen.\n\n"
    assert markdown_of(said, short=True) == "## m/x\n\nThen.\n\n"


def test_a_reply_that_only_thinks_is_there_and_one_that_only_calls_is_not() -> None:
    thinks = MessageCompleted(model="m/x", content=(Thinking("Hm."),), stop="tool_calls", usage=Usage())
    assert markdown_of(thinks) == "## m/x\n\n> *thought:*\n>\n> Hm.\n\n"
    calls = MessageCompleted(
        model="m/x",
        content=(Thinking("", signature="s"), ToolCall(id="1", name="Read")),
        stop="tool_calls",
        usage=Usage(),
    )
    assert markdown_of(calls) == ""


def test_pictures_are_named() -> None:
    prompt = PromptSubmitted(id="p", text="What is it?", images=(PICTURE,))
    assert markdown_of(prompt) == "## You\n\nWhat is it?\n\n*picture: image/png*\n\n"
    call = ToolCall(id="1", name="Read", arguments={"path": "a.png"})
    read = ToolCallChanged(call=call, state="success", result=ToolResult(text="a.png", images=(PICTURE,)))
    assert markdown_of(read) == "- **Read** `a.png`: success\n\n```\na.png\n```\n\n*picture: image/png*\n\n"


def test_escape_sequences_are_shown_and_not_kept() -> None:
    said = MessageCompleted(model="m/x", content=(Thinking("a\x1b[31mb"),), stop="end_turn", usage=Usage())
    assert "\x1b" not in markdown_of(said)
