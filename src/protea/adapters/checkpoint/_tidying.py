"""Keeps the store in its bounds: old turns go, then the largest trees nobody used, then what nothing refers to."""

from __future__ import annotations

import contextlib
import os
import time

import msgspec

from protea.adapters.checkpoint._known import Saved
from protea.adapters.checkpoint._pool import Pool
from protea.adapters.checkpoint._records import Shelf, names_in
from protea.domain.errors import StoreError


def tidy(folder: str, pool: Pool, shelf: Shelf, keep: float, limit: int) -> set[str]:
    """The contents that are left. Only for who is alone with the store."""
    now = time.time()
    sizes = dict(pool.names())
    turns = []
    for when, path in sorted(shelf.all()):
        if now - when > keep or path.endswith(".new"):
            _remove(path)
        else:
            try:
                turns.append((when, path, names_in(path)))
            except StoreError:
                _remove(path)  # damaged: nobody can undo it any more
    trees = []
    for when, slot in _slots(f"{folder}/trees"):
        if now - when > keep:
            import shutil  # loads what packs archives; seldom needed

            shutil.rmtree(slot, ignore_errors=True)
        else:
            trees.append((when, slot, _names_of(slot)))

    def over(share: float, *of: list[tuple[float, str, set[str]]]) -> bool:
        names = set().union(*(names for group in of for _, _, names in group))
        return sum(sizes.get(name, 0) for name in names) > limit * share

    while over(0.7, turns, trees):
        # What is known of a tree is only there to be quick; what a turn changed is what somebody may want back.
        if len(trees) > 1 or (trees and (not turns or not over(0.35, turns))):
            _remove(f"{trees.pop(0)[1]}/known")
        else:
            _remove(turns.pop(0)[1])
    used: set[str] = set().union(*(names for _, _, names in (*turns, *trees)))
    for name in sizes:
        if name not in used:
            pool.drop(name)
    pool.tidied(sum(size for name, size in sizes.items() if name in used))
    for path in (f"{folder}/turns", f"{folder}/trees"):
        _without_empty(path)
    return used


def _slots(folder: str) -> list[tuple[float, str]]:
    found = []
    with contextlib.suppress(OSError):
        for tree in os.scandir(folder):
            with contextlib.suppress(OSError):
                for slot in os.scandir(tree.path):
                    try:
                        found.append((os.stat(f"{slot.path}/known").st_mtime, slot.path))
                    except OSError:
                        found.append((slot.stat().st_mtime, slot.path))
    return sorted(found)


def _names_of(slot: str) -> set[str]:
    try:
        with open(f"{slot}/known", "rb") as file:
            return set(msgspec.msgpack.decode(file.read(), type=Saved).objects.values())
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, msgspec.DecodeError):
        _remove(f"{slot}/known")  # it is a cache, and it is damaged
        return set()


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _without_empty(folder: str) -> None:
    with contextlib.suppress(OSError):
        for each in os.scandir(folder):
            with contextlib.suppress(OSError):
                os.rmdir(each.path)
