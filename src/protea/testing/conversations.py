"""Conversations made up for suites: turns of prompts, replies, calls and their results."""

from __future__ import annotations

from protea.domain.messages import AssistantMessage, Message, Text, ToolCall, ToolMessage, UserMessage


def prompt(text: str) -> UserMessage:
    return UserMessage((Text(text),))


def answer(text: str) -> AssistantMessage:
    return AssistantMessage((Text(text),), model="acme/big")


def step(number: int, *, calls: int = 1, size: int = 400) -> tuple[Message, ...]:
    """A reply with calls, and their results of `size` characters each."""
    names = [f"c_{number}_{index}" for index in range(calls)]
    asked = tuple(ToolCall(id=name, name="Read", arguments={"path": f"{name}.txt"}) for name in names)
    results = (ToolMessage(call_id=name, name="Read", text=(f"{name} says " * size)[:size]) for name in names)
    return (AssistantMessage((Text(f"Step {number}."), *asked), model="acme/big"), *results)


def conversation(turns: int, *, steps: int = 2, size: int = 400) -> tuple[Message, ...]:
    """`turns` prompts, each answered after `steps` steps; the last one is not answered yet."""
    messages: list[Message] = []
    for turn in range(turns):
        messages.append(prompt(f"Prompt number {turn}: what does file {turn} say?"))
        for number in range(steps):
            messages += step(turn * 100 + number, calls=1 + number % 2, size=size)
        if turn < turns - 1:
            messages.append(answer(f"Answer number {turn}."))
    return tuple(messages)


def whole(messages: tuple[Message, ...]) -> bool:
    """Whether it can be sent: a person speaks first, and every call has exactly one result, right after its reply, in
    the order of the calls."""
    if messages and not isinstance(messages[0], UserMessage):
        return False
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if not waiting or waiting.pop(0) != message.call_id:
                return False
            continue
        if waiting:
            return False
        if isinstance(message, AssistantMessage):
            waiting = [part.id for part in message.content if isinstance(part, ToolCall)]
    return not waiting
