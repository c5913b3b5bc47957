"""The recorded provider traffic beside the checkout, and how a reply is compared with a recording.

Used by the walkers of every model adapter. The recordings are other people's data and stay out of this repository:
they are looked for in `../shared/fixtures`, and the tests are skipped, loudly, where they are not.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

import msgspec
import pytest

from protea.domain.errors import ModelError
from protea.domain.messages import Thinking, calls_of, text_of
from protea.domain.reply import Reply, ReplyPiece, TextPiece, ThinkingPiece
from protea.domain.surroundings import Surroundings

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FIXTURES = os.path.join(os.path.dirname(ROOT), "shared", "fixtures")


def _replay() -> ModuleType | None:
    path = os.path.join(FIXTURES, "replay.py")
    if not os.path.exists(path):
        return None
    spec = importlib.util.spec_from_file_location("replay", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["replay"] = module
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = written
    return module


replay: Any = _replay()
needed = pytest.mark.skipif(replay is None, reason=f"the recorded provider traffic is not at {FIXTURES}")


def cases(*prefixes: str) -> list[str]:
    """Names of the recordings that begin with one of `prefixes`."""
    if replay is None:
        return []
    return [name for name in replay.case_files() if name.startswith(prefixes)]


def surroundings(tmp: str = "/") -> Surroundings:
    return Surroundings(cwd=tmp, root=tmp, user_home=tmp, protea_home=tmp, environment={})


_STOP_KINDS = {"end_turn": "stop"}


def streamed(names: list[str]) -> list[str]:
    """Those of `names` that are streams and end well."""
    chosen = []
    for name in names:
        case = replay.load_case(name)
        if case["request"]["stream"] and case["expect"]["outcome"] == "ok":
            chosen.append(name)
    return chosen


class Seen(msgspec.Struct):
    """All that came of one request."""

    pieces: list[ReplyPiece]
    reply: Reply | None
    error: ModelError | None

    @property
    def text(self) -> str:
        return "".join(p.text for p in self.pieces if isinstance(p, TextPiece))

    @property
    def thinking(self) -> str:
        return "".join(p.text for p in self.pieces if isinstance(p, ThinkingPiece))


async def ask(model: Any, request: Any) -> Seen:
    seen = Seen([], None, None)
    try:
        async for piece in model.stream(request):
            assert seen.reply is None, "something came after the reply"
            if isinstance(piece, Reply):
                seen.reply = piece
            else:
                seen.pieces.append(piece)
    except ModelError as exc:
        seen.error = exc
    assert (seen.reply is None) != (seen.error is None)
    return seen


def got(case: dict[str, Any], seen: Seen, content: list[Any] | None = None) -> dict[str, Any]:
    """`seen` as the recordings' comparison wants it. `content` is what would be sent back."""
    if seen.reply is None:
        assert seen.error is not None
        failure = seen.error.failure
        expected = case["expect"].get("error") or {}
        error: dict[str, Any] = {"message": failure.message}
        if failure.status is not None:
            error["status"] = failure.status
        if failure.code is not None:
            error["code" if expected.get("code") is not None else "type"] = failure.code
        if failure.retry_after is not None:
            error["retry_after"] = failure.retry_after
        if failure.request_id is not None:
            error["request_id"] = failure.request_id
        if "<html>" in str(expected.get("message")):
            del error["message"]  # a page is summed up in a sentence, not repeated
        if case["expect"]["outcome"] == "http_error":
            return {"outcome": "http_error", "error": error}
        return {
            "outcome": "stream_error",
            "text": seen.text,
            "thinking": seen.thinking,
            "tool_calls": [],
            "stop_kind": "error",
            "error": error,
        }
    reply = seen.reply
    out: dict[str, Any] = {
        "outcome": "ok",
        "text": text_of(reply.content),
        "thinking": "".join(p.text for p in reply.content if isinstance(p, Thinking)),
        "tool_calls": [
            {"id": call.id, "name": call.name}
            | (
                {"args_raw": call.arguments_text, "invalid": True}
                if isinstance(call.arguments, msgspec.UnsetType)
                else {"args": call.arguments}
            )
            for call in calls_of(reply.content)
        ],
        "stop_kind": _STOP_KINDS.get(reply.stop, reply.stop),
        "stop_reason": reply.wire_stop,
        "usage": {
            "input_total": reply.usage.input,
            "output_total": reply.usage.output,
            "cache_read": reply.usage.cache_read,
            "cache_write": reply.usage.cache_write,
            "reasoning": reply.usage.reasoning,
        },
    }
    if content is not None:
        out["content"] = content
    return out
