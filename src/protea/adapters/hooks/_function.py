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
from protea.adapters.guests.thread import in_own_thread
from protea.adapters.hooks._looked_at import looked_at
from protea.domain.surroundings import Surroundings


async def ask(place: str, around: Surroundings, told: dict[str, Any]) -> Any:
    """What it returned, as JSON has it. Raises whatever it raises, `ValueError` where there is no such function, and
    `LeavingError` where it wanted to end more than itself."""
    path, _, name = place.rpartition(":")
    own = around.user_home + path[1:] if path.startswith("~/") else path
    file = os.path.join(around.root, own)
    data = looked_at(around, file)
    function = await in_own_thread(_find, file, name, data)
    given = deepcopy(told)  # what it changes in it is no answer
    if inspect.iscoroutinefunction(function):
        answer = await in_own_task(function(given))
    else:
        answer = await in_own_thread(function, given)
        if inspect.isawaitable(answer):
            answer = await in_own_task(answer)
    return _plain(answer)


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
        raise ValueError(f"{path} has no function {name}")
    found: Callable[[dict[str, Any]], Any] = function
    return found
