"""Asks a Python function of a person's own file, in this process: it may do whatever Protea may."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from protea.domain.surroundings import Surroundings


async def ask(place: str, around: Surroundings, told: dict[str, Any]) -> Any:
    """What it returned. Raises whatever it raises, and `ValueError` where there is no such function."""
    path, _, name = place.rpartition(":")
    own = around.user_home + path[1:] if path.startswith("~/") else path
    file = os.path.join(around.root, own)
    function = _find(file, name, os.stat(file).st_mtime_ns)
    answer = function(told) if inspect.iscoroutinefunction(function) else await asyncio.to_thread(function, told)
    return await answer if inspect.isawaitable(answer) else answer


@lru_cache(maxsize=64)
def _find(path: str, name: str, changed: int) -> Callable[[dict[str, Any]], Any]:
    """The function of a file as it was at `changed`: one that was changed since is loaded anew."""
    spec = spec_from_file_location(f"protea_hook_{abs(hash(path)):x}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    function = vars(module).get(name)
    if not callable(function):
        raise ValueError(f"{path} has no function {name}")
    found: Callable[[dict[str, Any]], Any] = function
    return found
