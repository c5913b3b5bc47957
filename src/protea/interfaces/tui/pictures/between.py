"""Asks tmux, where it stands between the screen and the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from protea.interfaces.tui.pictures.asking import BLOCKS, TMUX_QUESTION, Drawing, drawing_in_tmux

PATIENCE = 5.0
"""Seconds it has; nobody waits for it."""


async def ask_tmux(environment: Mapping[str, str]) -> Drawing:
    """How pictures are drawn in the pane we are in, as it stands now."""
    pane = ("-t", environment["TMUX_PANE"]) if environment.get("TMUX_PANE") else ()
    first, *others = TMUX_QUESTION
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", first, *pane, *others,
            env=dict(environment), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return BLOCKS
    try:
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        return BLOCKS
    return drawing_in_tmux(told.decode("utf-8", "replace"))
