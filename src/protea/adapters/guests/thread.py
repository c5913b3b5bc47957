"""A function of somebody else's, in a thread that holds nobody up.

The threads of asyncio's own pool are waited for when the process ends: one that sleeps for an hour would keep it for an
hour. And what asks Python to exit (`sys.exit`) is a mistake of the function's own: it must not end whoever called it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any


class LeavingError(Exception):
    """A function wanted the process to end."""


@contextmanager
def staying() -> Iterator[None]:
    """What asks Python to exit is an error like any other. Raises `LeavingError` then."""
    try:
        yield
    except SystemExit as leaving:
        raise LeavingError(f"it called sys.exit({'' if leaving.code is None else repr(leaving.code)})") from None


async def in_own_thread(function: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
    """What the function returns. Raises what it raises, and `LeavingError`. Cancelled, it leaves the thread to itself:
    nothing can stop it, and nobody waits for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def settle(value: Any, fault: BaseException | None) -> None:
        if future.done():
            return
        if fault is None:
            future.set_result(value)
        else:
            future.set_exception(fault)

    def work() -> None:
        value, fault = None, None
        try:
            with staying():
                value = context.run(function, *given, **named)
        except Exception as raised:
            # A future cannot hold a StopIteration.
            fault = RuntimeError("it raised StopIteration") if isinstance(raised, StopIteration) else raised
        except BaseException as raised:  # KeyboardInterrupt is for the main thread alone
            fault = LeavingError(f"it raised {type(raised).__name__}")
        with suppress(RuntimeError):  # the loop is gone, and so is whoever asked
            loop.call_soon_threadsafe(settle, value, fault)

    threading.Thread(target=work, name=getattr(function, "__name__", "guest"), daemon=True).start()
    return await future
