"""The pictures of one screen: asks how they are drawn, has each made once, and tells who waits for it.

Where tmux stands between, what was true when it was asked may be so no longer: another terminal has come, nobody looks.
So it is asked again before a picture is sent, and when the screen has another size or is turned to.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from weakref import WeakMethod

from protea.domain.messages import Image
from protea.interfaces.tui.pictures.asking import Drawing, may_be_drawn
from protea.interfaces.tui.pictures.making import Picture, forgotten, make

MOST = 60
"""Pictures that are kept."""
UNSEEN = 2.0
"""Seconds until it is asked again whether somebody looks, while a picture waits for that."""

Load = Callable[[], Awaitable[bytes]]
"""Gives the data of a picture that lies in a file."""
Ask = Callable[[Callable[[Drawing | None], None]], None]
"""Asks how pictures are drawn; the answer comes soon, or None after a while."""
Place = tuple[str, int]
"""The key of a picture, and the columns there were for it."""


class Gallery:
    def __init__(
        self, environment: Mapping[str, str], ask: Ask, write: Callable[[str], None], *, wanted: bool = True
    ) -> None:
        self._may = wanted and may_be_drawn(environment)
        self._ask = ask
        self._write = write
        self._asked = False
        self._drawing: Drawing | None = None
        self._made: OrderedDict[Place, Picture | None] = OrderedDict()
        self._wanted: dict[Place, Image | Load] = {}
        """What waits for the terminal's answer, or is being made."""
        self._unsent: dict[Place, Picture] = {}
        """Pictures that are made and wait for somebody who looks."""
        self._asks_again = False
        self._waiting: list[WeakMethod[Callable[[str], None]]] = []
        self._making: set[asyncio.Task[None]] = set()

    def watch(self, come: Callable[[str], None]) -> None:
        """`come` is called with the key of each picture that has been made, or is there no more."""
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

    def look_again(self) -> None:
        """Something may be otherwise than it was: where that can be, it is asked anew."""
        if self._drawing is not None and self._drawing.wrapped and not self._asks_again:
            self._asks_again = True
            self._ask(self._answered)

    def _answered(self, drawing: Drawing | None) -> None:
        before, self._drawing, self._asks_again = self._drawing, drawing, False
        if drawing is None:
            self._may = False
            self._wanted.clear()
        elif before is None:
            for place in list(self._wanted):
                self._begin(place)
        elif (drawing.way, drawing.cell, drawing.wrapped) != (before.way, before.cell, before.wrapped):
            self._begin_anew()
        elif drawing.seen:
            if drawing.viewers != before.viewers:  # one has come who was sent none of them
                self._unsent |= {place: each for place, each in self._made.items() if each is not None}
            self._send()
        elif self._unsent:
            asyncio.get_running_loop().call_later(UNSEEN, self.look_again)

    def _begin_anew(self) -> None:
        """They are drawn in another way from now on."""
        if gone := self.forgotten():
            self._write(gone)
        places = list(self._made)
        self._made.clear()
        self._unsent.clear()
        self._tell(places)

    def _send(self) -> None:
        sent, self._unsent = self._unsent, {}
        for place, picture in sent.items():
            self._write(picture.upload)
            self._keep(place, picture)
        self._tell(sent)

    def _begin(self, place: Place) -> None:
        task = asyncio.ensure_future(self._make(place, self._wanted[place]))
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _make(self, place: Place, source: Image | Load) -> None:
        drawing = self._drawing
        assert drawing is not None
        try:
            data = base64.b64decode(source.data) if isinstance(source, Image) else await source()
        except (binascii.Error, ValueError):
            data = b""
        # The number says who it is to the terminal, which other programs use as well.
        number = secrets.randbelow(0xFF0000) + 0x00FFFF
        picture = await asyncio.to_thread(make, data, drawing, place[1], number) if data else None
        self._wanted.pop(place, None)
        if picture is not None and self._drawing is not None and picture.wrapped != self._drawing.wrapped:
            self._tell([place])  # it was made for terminals that look no more
            return
        if picture is not None and picture.wrapped:
            self._unsent[place] = picture
            self.look_again()
            return
        self._keep(place, picture)
        if picture is None:
            return
        if picture.upload:
            self._write(picture.upload)
        self._tell([place])

    def _keep(self, place: Place, picture: Picture | None) -> None:
        self._made[place] = picture
        while len(self._made) > MOST:
            _, oldest = self._made.popitem(last=False)
            if oldest is not None:
                self._write(forgotten(oldest))

    def _tell(self, places: Iterable[Place]) -> None:
        for key in dict.fromkeys(key for key, _ in places):
            for each in self._waiting:
                if (come := each()) is not None:
                    come(key)
