"""What the name of a model tells."""

from __future__ import annotations

import pytest

from protea.domain.families import Family, able, family_of
from protea.domain.usage import ModelInfo


@pytest.mark.parametrize(
    ("model", "images", "thinking"),
    [
        ("claude-2.1", False, False),
        ("claude-3-5-sonnet-20241022", True, False),
        ("claude-3-7-sonnet-latest", True, True),
        ("openrouter/anthropic/claude-sonnet-4.5", True, True),
        ("claude-opus-4-6", True, True),
        ("gpt-3.5-turbo", False, False),
        ("openai/gpt-4o", True, False),
        ("groq/openai/gpt-oss-120b", False, True),
        ("gpt-6.1-sol", True, True),
        ("o3-mini", False, True),
        ("o4-mini", True, True),
        ("gemini-2.0-flash", True, False),
        ("gemini-4-argon", True, True),
        ("deepseek-reasoner", False, True),
        ("xai/grok-4-1-fast-non-reasoning", True, False),
        ("acme/big-1", None, None),
    ],
)
def test_it_tells_what_the_family_has_without_exception(model: str, images: bool | None, thinking: bool | None) -> None:
    family = family_of(model)
    assert (family.images, family.thinking) == (images, thinking)


def test_what_is_said_of_the_model_itself_stays() -> None:
    assert able(ModelInfo("a/gpt-3.5-turbo", images=True)).images is True
    assert able(ModelInfo("a/gpt-oss-20b", efforts=("low",))).efforts == ("low",)
    assert family_of("never-heard-of") == Family()
