"""What whole families of models can do, by how their names are built: see images, think, how much effort they know.

Sources: the providers' lists of models. Only what a family has without exception stands here; all else is unknown.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec
from msgspec.structs import replace

from protea.domain.usage import ModelInfo


class Family(msgspec.Struct, frozen=True):
    images: bool | None = None
    thinking: bool | None = None
    efforts: tuple[str, ...] = ()


_THREE = ("low", "medium", "high")
_RULES: tuple[tuple[str, Family], ...] = (
    # The first that fits the whole of the name; `VENDOR/` before it is left out.
    (r"claude-(2|v1|instant).*", Family(False, False)),
    (r"claude-(3-5|3-haiku|3-opus|3-sonnet|3\.5).*", Family(True, False)),
    (
        r"claude-(3-7|3\.7|opus-4|sonnet-4|haiku-4)(?![.-][678]).*",
        Family(True, True, ("minimal", *_THREE, "xhigh", "max")),
    ),
    (r"claude-.*-?4[.-]6.*", Family(True, True, (*_THREE, "max"))),
    (r"claude-.*\d.*", Family(True, True, (*_THREE, "xhigh", "max"))),
    (r"(chatgpt-4o|gpt-4o|gpt-4\.1|gpt-4-turbo).*", Family(True, False)),
    (r"gpt-(3\.5|4-0|4$|4-32k).*", Family(False, False)),
    (r"gpt-oss.*", Family(False, True, _THREE)),
    (r"gpt-\d+(\.\d+)?-chat.*", Family(True, None)),
    (r"gpt-5(-|$).*", Family(True, True, ("minimal", *_THREE))),
    (r"gpt-5\.1(?!-codex-max).*", Family(True, True, ("none", *_THREE))),
    (r"gpt-(5\.|[6-9]|\d\d).*", Family(True, True, ("none", *_THREE, "xhigh"))),
    (r"o1-mini.*|o3-mini.*", Family(False, True, _THREE)),
    (r"o[134](-|$).*", Family(True, True, _THREE)),
    (r"gemini-(1\.5|2\.0).*", Family(True, False)),
    (r"gemini-(2\.5|[3-9]).*", Family(True, True, ("minimal", *_THREE))),
    (r"gemma-?2.*|gemma-?3-1b.*", Family(False, False)),
    (r"deepseek-(reasoner|r1).*", Family(False, True)),
    (r"deepseek-(chat|v3).*", Family(False, None)),
    (r"grok-3-mini.*", Family(False, True, ("low", "high"))),
    (r"grok-4.*non-reasoning.*", Family(True, False)),
    (r"grok-4.*", Family(True, True)),
    (r"grok-(2|3)(?!.*vision).*", Family(False, False)),
    (r"pixtral.*|mistral-(medium-3|small-3\.[12]).*", Family(True, False)),
    (r"(codestral|open-mistral|open-mixtral|mixtral|mistral-7b).*", Family(False, False)),
    (r"magistral.*", Family(None, True)),
    (r"llama-?4.*", Family(True, False)),
    (r"(meta-)?llama-?(2|3(\.1|\.3)?)-(?!.*vision).*", Family(False, False)),
)
_UNKNOWN = Family()


def family_of(model: str) -> Family:
    """What is known of `model` by its name alone."""
    name = model.rpartition("/")[2].lower().removesuffix(":free")
    return next((family for pattern, family in _near(name[:1]) if pattern.fullmatch(name)), _UNKNOWN)


@cache
def _near(letter: str) -> tuple[tuple[re.Pattern[str], Family], ...]:
    """The rules a name with that first letter may fit; the others need not be compiled to see that it does not."""
    return tuple((re.compile(pattern), family) for pattern, family in _RULES if pattern[0] in (letter, "("))


def able(info: ModelInfo) -> ModelInfo:
    """`info` with what its name tells, where it does not say so itself."""
    family = family_of(info.id)
    return replace(
        info,
        images=family.images if info.images is None else info.images,
        thinking=family.thinking if info.thinking is None else info.thinking,
        efforts=info.efforts or family.efforts,
    )


_SCALE = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def fitting_effort(effort: str, info: ModelInfo) -> str | None:
    """The effort to ask `info` for: as it was wanted where the model knows it, else the nearest it knows.

    None where the model does not think at all. Where nothing is known of it the wish goes as it is.
    """
    if info.thinking is False:
        return None
    wanted = "none" if effort == "off" else effort
    if not info.efforts or wanted in info.efforts or wanted not in _SCALE:
        return wanted
    known = [each for each in _SCALE if each in info.efforts]
    return min(known, key=lambda each: abs(_SCALE.index(each) - _SCALE.index(wanted)), default=wanted)
