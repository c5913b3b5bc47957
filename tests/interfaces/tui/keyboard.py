"""Keys for an app without a terminal, taken in one after the other.

As Textual's pilot does it, which waits until the processor has nothing to do besides: a twentieth of a second for every
key, and longer on a machine that is busy with something else.
"""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any

from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widget import Widget


async def press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        pilot.app.post_message(_pressed(key))
        await taken_in(pilot)


async def taken_in(pilot: Pilot[Any]) -> None:
    """Until all that is there has taken in what it was sent, and what has changed by that is drawn. One thing brings
    about another: as often as that may be. A screen below another is asked to paint again whenever that one is painted,
    so it does not end by itself."""
    for _ in range(20):
        await asyncio.sleep(0)
        await pilot._wait_for_screen()
        screens = pilot.app.screen_stack
        for screen in screens:
            screen._on_timer_update()
        if not any(map(_waits, (pilot.app, *(each for screen in screens for each in screen.walk_children())))):
            return


def _waits(pump: MessagePump) -> bool:
    """Whether it was sent something, or is to be laid out or painted."""
    if pump.message_queue_size or pump._next_callbacks or not pump._is_mounted:
        return True
    return isinstance(pump, Widget) and (pump._repaint_required or pump._layout_required)


def _pressed(key: str) -> events.Key:
    """As a driver gives it."""
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        character = name if len(name) == 1 else None
    return events.Key(name, character)
