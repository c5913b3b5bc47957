"""Requests as bytes, of which only what is new is encoded. Used by every model adapter.

A conversation is sent whole each turn. `EncodedOnce` keeps the bytes of each message it has seen, so that turn 200
encodes as little as turn 20; what is left is copying. It knows values by identity: keep the message objects of a
session, do not rebuild them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from protea.domain.messages import AssistantMessage, Message

Value = TypeVar("Value")
_KEPT = 4096

_encode = msgspec.json.Encoder().encode


def encode(value: Any) -> bytes:
    """`value` as JSON in UTF-8. What cannot be text anywhere (half of a surrogate pair) becomes `?`."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        import json  # only for broken text, from a command line or file name that was not UTF-8

        plain = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        return plain.encode("utf-8", "replace")


def decode(data: bytes | str) -> Any:
    """JSON as providers send it; broken UTF-8 and halves of surrogate pairs become U+FFFD. Raises ValueError."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError):
        import json  # as above

        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        return _mended(json.loads(text))


def _mended(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {_mended(key): _mended(item) for key, item in value.items()}
        case _:
            return value


def decode_as(decoder: msgspec.json.Decoder[Value], data: bytes) -> Value:
    """`data` by `decoder`, mended as `decode` does where it must be. Raises msgspec errors or ValueError."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except (msgspec.MsgspecError, ValueError):
        return decoder.decode(_encode(decode(data)))


class EncodedOnce:
    """Bytes of values that were encoded before; at most twice `kept` of them, those in use longest."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        # The value stands beside its bytes: while it is held, its id belongs to nothing else.
        self._young: dict[int, tuple[Any, bytes]] = {}
        self._old: dict[int, tuple[Any, bytes]] = {}

    def get(self, value: Value, encoder: Callable[[Value], bytes]) -> bytes:
        key = id(value)
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key) or (value, encoder(value))
            if len(self._young) >= self._kept:
                self._old, self._young = self._young, {}
            self._young[key] = found
        return found[1]


class Settled:
    """The encoded turns of the part of a conversation that no longer changes: all before its last reply.

    Going through every message again, only to find that each is known, is what would make turn 200 slow. Whatever
    stands before a reply is closed on every wire, so turns can be encoded in parts that begin with one.
    """

    def __init__(self) -> None:
        self._head: tuple[Message, ...] = ()
        self._turns: list[bytes] = []

    def turns(
        self, messages: tuple[Message, ...], encode: Callable[[Sequence[Message]], list[bytes]]
    ) -> tuple[list[bytes], list[bytes]]:
        """The turns before the last reply, and those from it on. `encode` gives the turns of some messages."""
        head = messages[: _last_reply(messages)]
        begun = len(self._head)
        goes_on = head[:begun] == self._head  # the same objects, so this compares no texts
        turns = self._turns + encode(head[begun:]) if goes_on else encode(head)
        self._head, self._turns = head, turns
        return turns, encode(messages[len(head) :])


def _last_reply(messages: tuple[Message, ...]) -> int:
    """Where the last reply begins that does not go on with the one before; 0 where there is none."""
    for at in range(len(messages) - 1, 0, -1):
        if isinstance(messages[at], AssistantMessage) and not isinstance(messages[at - 1], AssistantMessage):
            return at
    return 0


def fitting_id(call_id: str, allowed: str, longest: int) -> str:
    """`call_id` as a wire takes it: unchanged where it fits, else a made-up one, always the same for the same id.

    `allowed` holds the characters beside ASCII letters and digits.
    """
    fits = len(call_id) <= longest and call_id.isascii() and call_id.translate(_without(allowed)).isalnum()
    if fits:
        return call_id
    from hashlib import sha256  # only ids that another provider made need it

    return sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[: min(longest, 32)]


def _without(allowed: str) -> dict[int, None]:
    return dict.fromkeys(map(ord, allowed))
