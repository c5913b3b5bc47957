"""When another model may help."""

from __future__ import annotations

import pytest

from protea.domain.errors import Failure
from protea.domain.messages import AssistantMessage, Image, Text, ToolMessage, UserMessage
from protea.domain.standing_in import helps, lost, without_images
from protea.domain.usage import ModelInfo


@pytest.mark.parametrize(
    ("kind", "another"),
    [("overloaded", True), ("billing", True), ("auth", True), ("invalid_request", False), ("context_length", False)],
)
def test_only_what_lies_with_the_provider_is_worth_another(kind: str, another: bool) -> None:
    assert helps(Failure(kind=kind, message="x")) == another


def test_what_the_second_lacks_is_named() -> None:
    big = ModelInfo(id="a/big", context=200_000, images=True, thinking=True)
    assert lost(big, ModelInfo(id="b/small", context=8_000, images=False, thinking=False)) == (
        "images",
        "thinking",
        "window (8,000 tokens instead of 200,000)",
    )
    assert lost(ModelInfo(id="b/small"), big) == ()
    assert lost(big, ModelInfo(id="c/unknown")) == ()


def test_a_model_that_sees_no_images_is_told_where_they_stood() -> None:
    picture = Image("image/png", "AAAA")
    said = AssistantMessage((Text("I see."),))
    shown = without_images(
        (UserMessage((Text("Look:"), picture)), said, ToolMessage("c", "Read", "", images=(picture, picture)))
    )
    assert shown[0] == UserMessage((Text("Look:"), Text("[an image stood here; this model sees none]")))
    assert shown[1] is said
    assert isinstance(shown[2], ToolMessage)
    assert (shown[2].text.count("an image stood here"), shown[2].images) == (2, ())


def test_without_images_nothing_is_made_anew() -> None:
    messages = (UserMessage((Text("Hello."),)),)
    assert without_images(messages) is messages
