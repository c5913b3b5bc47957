"""Asks a Python function of a person's own file, in this process: it may do whatever Protea may."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache
from types import ModuleType
from typing import Any

import msgspec

from protea.adapters.guests.task import in_own_task
from protea.adapters.guests.thread import LeavingError, in_own_thread
from protea.adapters.hooks._looked_at import looked_at
from protea.domain.surroundings import Surroundings


async def ask(place: str, around: Surroundings, told: dict[str, Any]) -> Any:
    """What it returned, as JSON has it. Raises `ValueError` where there is no such function, or it raised: with the
    line it was at."""
    path, _, name = place.rpartition(":")
    own = around.user_home + path[1:] if path.startswith("~/") else path
    file = os.path.join(around.root, own)
    data = looked_at(around, file)
    try:
        function = await in_own_thread(_find, file, name, data)
    except _MissingError:
        raise
    except Exception as fault:  # somebody's file: whatever it raises
        raise ValueError(f"it cannot be imported: {_told(fault, file)}") from fault
    given = deepcopy(told)  # what it changes in it is no answer
    try:
        if inspect.iscoroutinefunction(function):
            answer = await in_own_task(function(given))
        else:
            answer = await in_own_thread(function, given)
            if inspect.isawaitable(answer):
                answer = await in_own_task(answer)
    except Exception as fault:  # the same
        raise ValueError(_told(fault, file)) from fault
    try:
        return _plain(answer)
    except (TypeError, ValueError, RecursionError) as fault:
        raise ValueError(f"what it returned is no JSON: {fault}") from fault


class _MissingError(ValueError):
    """There is no such function."""


def _told(fault: Exception, file: str) -> str:
    """What went wrong, and in which line of the file."""
    line = fault.lineno if isinstance(fault, SyntaxError) and fault.filename == file else None
    at = fault.__traceback__
    while at is not None:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == file else line
        at = at.tb_next
    words = fault.msg if isinstance(fault, SyntaxError) else str(fault)
    what = words if isinstance(fault, LeavingError) else f"{type(fault).__name__}: {words}".removesuffix(": ")
    return f"{what} ({file}, line {line})" if line is not None else f"{what} ({file})"


def _plain(answer: Any) -> Any:
    given = dict(answer) if isinstance(answer, Mapping) else answer
    return msgspec.json.decode(msgspec.json.encode(given))


@lru_cache(maxsize=64)
def _find(path: str, name: str, source: bytes) -> Callable[[dict[str, Any]], Any]:
    """The function of a file that says `source`: what is run is what was looked at, whatever lies there by now."""
    module = ModuleType(f"protea_hook_{abs(hash(path)):x}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # annotations of classes are looked up there
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    function = vars(module).get(name)
    if not callable(function):
        raise _MissingError(f"{path} has no function {name}")
    found: Callable[[dict[str, Any]], Any] = function
    return found
