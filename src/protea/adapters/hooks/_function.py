"""Asks a Python function of a person's own file, in this process: it may do whatever Protea may."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

from protea.adapters.guests.thread import in_own_thread, staying
from protea.adapters.hooks._looked_at import looked_at
from protea.domain.surroundings import Surroundings


async def ask(place: str, around: Surroundings, told: dict[str, Any]) -> Any:
    """What it returned. Raises whatever it raises, and `ValueError` where there is no such function."""
    path, _, name = place.rpartition(":")
    own = around.user_home + path[1:] if path.startswith("~/") else path
    file = os.path.join(around.root, own)
    data = looked_at(around, file)
    function = _find(file, name, data)
    with staying():
        answer = function(told) if inspect.iscoroutinefunction(function) else await in_own_thread(function, told)
        return await answer if inspect.isawaitable(answer) else answer


@lru_cache(maxsize=64)
def _find(path: str, name: str, source: bytes) -> Callable[[dict[str, Any]], Any]:
    """The function of a file that says `source`: what is run is what was looked at, whatever lies there by now."""
    module = ModuleType(f"protea_hook_{abs(hash(path)):x}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # annotations of classes are looked up there
    with staying():
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    function = vars(module).get(name)
    if not callable(function):
        raise ValueError(f"{path} has no function {name}")
    found: Callable[[dict[str, Any]], Any] = function
    return found
