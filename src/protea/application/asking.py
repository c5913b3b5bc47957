"""Ask a model until it has answered: retries with backoff, each shown while it waits. Called by `turn`."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.errors import ModelError
from protea.domain.events import Passing, RetryScheduled, TextDelta, ThinkingDelta, UsageUpdated
from protea.domain.reply import ModelRequest, Reply, TextPiece, ThinkingPiece, UsageSeen
from protea.domain.retry import MOST_ATTEMPTS, next_delay
from protea.ports.clock import Clock
from protea.ports.model import Model


class Heard:
    """The text of the reply that is coming in, for the case that it is cut off by an interrupt."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.model = ""
        """Who is speaking."""
        self.seen = 0
        """The last event its request knew of."""

    def begin(self, model: Model, *, seen: int) -> None:
        self.model, self.seen = model.info.id, seen
        self.forget()

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def forget(self) -> None:
        self._pieces.clear()

    @property
    def text(self) -> str:
        return "".join(self._pieces)


async def ask(
    model: Model,
    request: ModelRequest,
    tell: Callable[[Passing], None],
    clock: Clock,
    heard: Heard,
    attempts: int = MOST_ATTEMPTS,
) -> Reply:
    """One whole reply, in at most so many attempts.

    Deltas are told as they come; after a `RetryScheduled` those of the failed attempt are void. Raises `ModelError`
    once waiting cannot help or has been tried long enough.
    """
    attempt, waited = 1, 0.0
    while True:
        begun = clock.monotonic()
        try:
            return await _attempt(model, request, tell, heard)
        except ModelError as error:
            if error.failure.kind == "timeout":
                # Silence was waited for as well. Half of it counts: one that lasted two minutes is worth one more try.
                waited += (clock.monotonic() - begun) / 2
            delay = next_delay(error.failure, attempt, waited, clock.monotonic() * 1e6 % 1, attempts)
            if delay is None:
                raise
            heard.forget()
            attempt += 1
            tell(RetryScheduled(attempt=attempt, delay=delay, error=error.failure))
            await clock.sleep(delay)
            waited += delay


async def _attempt(model: Model, request: ModelRequest, tell: Callable[[Passing], None], heard: Heard) -> Reply:
    stream = model.stream(request)
    try:
        async for piece in stream:
            match piece:
                case TextPiece(text=text):
                    heard.add(text)
                    tell(TextDelta(text=text))
                case ThinkingPiece(text=text):
                    tell(ThinkingDelta(text=text))
                case UsageSeen(usage=usage):
                    tell(UsageUpdated(usage=usage))
                case Reply():
                    return piece
    finally:
        await stream.aclose()
    raise ModelError.of(
        "truncated", "The reply ended before it was complete.", provider=model.info.id.partition("/")[0], retryable=True
    )
