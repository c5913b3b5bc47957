"""The pictures of one screen: asks the terminal once, has each picture made once, and tells who waits for it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from weakref import WeakMethod

from protea.domain.messages import Image
from protea.interfaces.tui.pictures.asking import Drawing, may_be_asked
from protea.interfaces.tui.pictures.making import Picture, forgotten, make

MOST = 60
"""Pictures that are kept."""

Load = Callable[[], Awaitable[bytes]]
"""Gives the data of a picture that lies in a file."""
Ask = Callable[[Callable[[Drawing | None], None]], None]
"""Asks the terminal how it draws; the answer comes soon, or None after a while."""


class Gallery:
    def __init__(
        self, environment: Mapping[str, str], ask: Ask, write: Callable[[str], None], *, wanted: bool = True
    ) -> None:
        self._may = wanted and may_be_asked(environment)
        self._ask = ask
        self._write = write
        self._asked = False
        self._drawing: Drawing | None = None
        self._made: OrderedDict[tuple[str, int], Picture | None] = OrderedDict()
        self._wanted: dict[tuple[str, int], Image | Load] = {}
        """What waits for the terminal's answer."""
        self._waiting: list[WeakMethod[Callable[[str], None]]] = []
        self._making: set[asyncio.Task[None]] = set()

    def watch(self, come: Callable[[str], None]) -> None:
        """`come` is called with the key of each picture that has been made."""
        self._waiting.append(WeakMethod(come))

    def find(self, source: Image | Load, key: str, room: int) -> Picture | None:
        """The picture in at most `room` columns; None where there is none, or none yet."""
        place = (key, room)
        if place in self._made:
            self._made.move_to_end(place)
            return self._made[place]
        if not self._may or room < 4:
            return None
        if place not in self._wanted:
            self._wanted[place] = source
            if self._drawing is not None:
                self._begin(place)
            elif not self._asked:
                self._asked = True
                self._ask(self._answered)
        return None

    def draw(self, sequence: str) -> None:
        """Write what draws pictures where they stand."""
        self._write(sequence)

    def forgotten(self) -> str:
        """What lets the terminal forget those it keeps."""
        return "".join(forgotten(each) for each in self._made.values() if each is not None)

    def _answered(self, drawing: Drawing | None) -> None:
        self._drawing = drawing
        if drawing is None:
            self._may = False
            self._wanted.clear()
        for place in list(self._wanted):
            self._begin(place)

    def _begin(self, place: tuple[str, int]) -> None:
        task = asyncio.ensure_future(self._make(place, self._wanted[place]))
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _make(self, place: tuple[str, int], source: Image | Load) -> None:
        assert self._drawing is not None
        try:
            data = base64.b64decode(source.data) if isinstance(source, Image) else await source()
        except (binascii.Error, ValueError):
            data = b""
        # The number says who it is to the terminal, which other programs use as well.
        number = secrets.randbelow(0xFF0000) + 0x00FFFF
        picture = await asyncio.to_thread(make, data, self._drawing, place[1], number) if data else None
        self._wanted.pop(place, None)
        self._made[place] = picture
        if picture is None:
            return
        if picture.upload:
            self._write(picture.upload)
        while len(self._made) > MOST:
            _, oldest = self._made.popitem(last=False)
            if oldest is not None:
                self._write(forgotten(oldest))
        for each in self._waiting:
            if (come := each()) is not None:
                come(place[0])
