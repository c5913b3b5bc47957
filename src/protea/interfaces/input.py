"""Standard input: whole, as a prompt; or line by line, as it comes."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import AsyncIterator

from protea.domain.errors import UsageError
from protea.interfaces.terminal import is_terminal, say

AHEAD = 256
"""Lines read before they are wanted; a flood of input waits in its pipe."""
LARGEST = 64 << 20
"""Bytes a prompt, or a line, may have."""


class Lines:
    """The lines of a descriptor, without their newlines, as an asynchronous iterator. Of one that is longer than
    `LARGEST` a byte more than that is given, and the rest forgotten.

    Read by a thread, because standard input may be a file, which no event loop can wait for; a daemon thread, because
    nothing ends a read from a pipe that its writer keeps open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._space = threading.Semaphore(AHEAD)
        threading.Thread(target=self._feed, name="standard input", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (line := await self._lines.get()) is not None:
            self._space.release()
            yield line

    def _feed(self) -> None:
        begun: list[bytes] = []
        size = 0
        try:
            while chunk := os.read(self._descriptor, 1 << 18):
                first, *more = chunk.split(b"\n")
                begun.append(first[: max(0, LARGEST + 1 - size)])
                size += len(first)
                for following in more:
                    self._put(b"".join(begun))
                    begun, size = [following], len(following)
        except OSError:
            pass  # closed under us: the same as its end
        except RuntimeError:
            return  # the loop is closed: the run is over
        try:
            if any(begun):
                self._put(b"".join(begun))
            self._put(None)
        except RuntimeError:
            pass  # the loop is closed: the run is over

    def _put(self, line: bytes | None) -> None:
        self._space.acquire()
        self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


def typed_prompt(words: list[str]) -> str | None:
    """The words of a prompt that was typed, None where there are none. Bytes that are not UTF-8 become U+FFFD."""
    typed = " ".join(words).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return typed if typed.strip() else None


def whole_prompt(words: list[str], descriptor: int | None, stderr: int = 2) -> str:
    """The prompt: the words typed, then what comes on standard input, unless that is a terminal (or None).

    Raises `UsageError` where there is none, or where it is larger than 64 MiB. Bytes that are not UTF-8 and NUL, which
    no provider takes, become U+FFFD.
    """
    typed = typed_prompt(words)
    parts = [typed] if typed else []
    if descriptor is not None and not is_terminal(descriptor):
        piped = _read_all(descriptor, stderr).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip("\n")
        if piped:
            parts.append(piped)
    prompt = "\n\n".join(parts).replace("\0", "\ufffd")
    if not prompt.strip():
        raise UsageError('the prompt is empty; write it after -p, as in: protea -p "what is in this folder?"')
    if len(prompt) > LARGEST // 4 and len(prompt.encode()) > LARGEST:
        raise UsageError(_TOO_LARGE)
    return prompt


_TOO_LARGE = "the prompt is larger than 64 MiB; put the data into a file and name it in the prompt"


def _read_all(descriptor: int, stderr: int) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    chunks: list[bytes] = []
    size = 0
    try:
        if not poll.poll(3000):
            say("waiting for standard input to end; where there is none, add </dev/null", stderr)
        while chunk := os.read(descriptor, 1 << 20):
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST:
                raise UsageError(_TOO_LARGE)
    except IsADirectoryError as error:
        raise UsageError("standard input is a directory; give a file or a pipe") from error
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror or error}") from error
    return b"".join(chunks)
