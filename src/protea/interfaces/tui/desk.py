"""What all tabs of one screen share: the gateway, the keys, the colours, where files lie, and how something is told."""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from protea.domain.errors import ProteaError
from protea.domain.events import ToolCallChanged
from protea.domain.messages import Image
from protea.domain.settings import ScreenSettings
from protea.domain.view import call_object
from protea.interfaces.tui import remembered
from protea.interfaces.tui.background import guessed_light
from protea.interfaces.tui.composer.history import History
from protea.interfaces.tui.fuzzy import Finder
from protea.interfaces.tui.keys import Keys, Table, keymap
from protea.interfaces.tui.later import Later
from protea.interfaces.tui.state import State
from protea.interfaces.tui.suggestions import Offers
from protea.interfaces.tui.themes import THEMES, Look, theme_named
from protea.ports.gateway import Gateway, OpenSession, Topic

if TYPE_CHECKING:
    from protea.interfaces.tui.pictures.asking import Drawing
    from protea.interfaces.tui.pictures.gallery import Gallery


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the screen runs."""

    home: str
    """Protea's own folder."""
    environment: Mapping[str, str]
    open: OpenSession
    """How a session begins here."""


class Desk:
    """Shared by every widget of a screen."""

    def __init__(self, gateway: Gateway, place: Place, preferences: ScreenSettings) -> None:
        self.gateway = Later(gateway)
        self.place = place
        self.preferences = preferences
        self.remembered = remembered.recall(f"{place.home}/tui.json")
        self.light = guessed_light(place.environment)
        """Whether the terminal's background is, as far as is known."""
        self.look = Look(
            words_only=preferences.screen_reader,
            theme=theme_named(preferences.theme, light=self.light) or THEMES["terminal"],
            colour=not place.environment.get("NO_COLOR"),
        )
        self.key_problems: tuple[str, ...] = ()
        self._keys_stamp = _stamp(self.keys_file)
        self.keys = Keys(self.read_keys())
        self.history = History(f"{place.home}/history")
        self.offers = Offers()
        self._paths: Sequence[str] = ()
        self.branch = ""
        self.keep: Callable[[str, Any], None] = lambda name, value: None
        """Writes a setting of `[tui]`; may raise `ProteaError`."""
        self.warnings: Callable[[], list[str]] = list
        """What has come up since it was last asked."""
        self.dress: Callable[[], None] = lambda: None
        """Puts the colours of `look` on the application."""
        self.give_up: Callable[[ProteaError], None] = lambda error: None
        """Called when a session cannot be followed: ends the program where there is nothing else to see."""
        self.hint: Callable[[str], None] = lambda text: None
        """Shows one line for a moment."""
        self.notify: Callable[[str, str], None] = lambda title, text: None
        """Calls a person who looks elsewhere."""
        self.title: Callable[[State], None] = lambda state: None
        """Tells the terminal what its window is about."""
        self.ask_pictures: Callable[[Callable[[Drawing | None], None]], None] = lambda told: told(None)
        """Asks the terminal how it draws pictures."""
        self.draw: Callable[[str], None] = lambda text: None
        """Writes to the terminal, past what draws text."""
        self._gallery: Gallery | None = None
        self._running: set[asyncio.Task[Any]] = set()

    def looking(self) -> Look:
        """The colours of now: widgets ask each time they draw."""
        return self.look

    # ── doing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that waits; what goes wrong is told in one line."""
        task = asyncio.ensure_future(self._guarded(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except ProteaError as error:
            self.hint(str(error))

    async def settle(self) -> None:
        """Wait for what was spawned."""
        while self._running:
            await asyncio.wait(self._running)

    # ── what is there ──────────────────────────────────────────────────────────────────────────────────────────────

    async def refresh_offers(self, session: str) -> None:
        """Ask what can be completed."""
        describe = self.gateway.describe
        self.offers.commands = await describe("commands", session)
        topics: tuple[Topic, ...] = ("models", "modes", "profiles")
        for topic in topics:
            self.offers.topics[topic] = sorted(await describe(topic, session), key=_lacks)
        known = await self.gateway.sessions(self.place.open.cwd)
        agents = [(f"agent-{each['name']}", str(each.get("about", ""))) for each in await describe("agents", session)]
        self.offers.mentions = [*agents, *((f"session:{each.id}", each.title) for each in known[:200] if each.title)]

    async def clipboard(self, session: str) -> str | Image | None:
        """What is in the clipboard."""
        found = await self.gateway.describe("clipboard", session)
        return msgspec.convert(found, Image) if isinstance(found, dict) else found if isinstance(found, str) else None

    async def files(self, session: str) -> Sequence[str]:
        """The files of the project, relative to it, ignored ones left out."""
        paths: Sequence[str] = await self.gateway.describe("files", session) or ()
        if paths != self._paths:
            # In a thread: in a large project it takes longer than a key may.
            self._paths, self.offers.files = paths, await asyncio.to_thread(Finder, paths)
        return paths

    async def stamps(self, session: str) -> dict[str, int]:
        """The same files, each with what changes when the file does."""
        return dict(await self.gateway.describe("stamps", session) or {})

    def changes_of(self, event: ToolCallChanged) -> Iterator[tuple[str, str]]:
        """(file, diff) of what a call changed."""
        if event.result is not None and event.result.diff:
            cwd = self.place.open.cwd.rstrip("/") + "/"
            for path, diff in split_diff(event.result.diff, call_object(event.call)):
                yield path.removeprefix(cwd), diff

    def find_branch(self) -> None:
        """The branch the project is on, as its files say."""
        folder = self.place.open.cwd
        while not os.path.lexists(os.path.join(folder, ".git")):
            if folder == "/":
                self.branch = ""
                return
            folder = os.path.dirname(folder)
        place = os.path.join(folder, ".git")
        text = _first_line(os.path.join(place, "HEAD")) or _first_line(place)
        if text.startswith("gitdir: "):  # a work tree of a repository that lies elsewhere
            text = _first_line(os.path.join(folder, text.removeprefix("gitdir: "), "HEAD"))
        self.branch = text.removeprefix("ref: refs/heads/") if text.startswith("ref: ") else text[:8]

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────────────

    def gallery(self) -> Gallery:
        """What makes and keeps pictures; loaded with the first one."""
        if self._gallery is None:
            from protea.interfaces.tui.pictures.gallery import Gallery

            wanted = self.preferences.images != "none"
            self._gallery = Gallery(self.place.environment, self.ask_pictures, self._draw, wanted=wanted)
        return self._gallery

    def _draw(self, text: str) -> None:
        self.draw(text)

    def look_at_pictures(self) -> None:
        """What draws them may be another terminal by now."""
        if self._gallery is not None:
            self._gallery.look_again()

    def forgotten_pictures(self) -> str:
        """What lets the terminal forget the pictures it keeps; empty where there are none."""
        return self._gallery.forgotten() if self._gallery is not None else ""

    # ── keys, and what is remembered ───────────────────────────────────────────────────────────────────────────────

    @property
    def keys_file(self) -> str:
        return f"{self.place.home}/keybinds.toml"

    def read_keys(self) -> Table:
        """The keymap with a person's own keys on top; what is wrong with those is kept in `key_problems`."""
        own: dict[str, Any] = {}
        problems: tuple[str, ...] = ()
        try:
            with open(self.keys_file, "rb") as file:
                own = tomllib.load(file)
        except FileNotFoundError:
            pass
        except (OSError, tomllib.TOMLDecodeError) as error:
            problems = (f"keybinds.toml: {error}",)
        except UnicodeDecodeError:
            problems = ("keybinds.toml: not UTF-8; save it as UTF-8",)
        except RecursionError:
            problems = ("keybinds.toml: nested too deeply",)
        name = own.get("keymap") or self.preferences.keymap
        read = keymap(str(name), own)
        self.key_problems = (*problems, *(f"keybinds.toml: {each}" for each in read.problems))
        return read.table

    def changed_keys(self) -> Sequence[str] | None:
        """Read the keys again if their file is another than it was; what is wrong with them, None where it is the
        same."""
        stamp = _stamp(self.keys_file)
        if stamp == self._keys_stamp:
            return None
        self._keys_stamp = stamp
        self.keys.table = self.read_keys()
        return self.key_problems

    def remember(self, **fields: Any) -> None:
        """Keep something for the next run."""
        after = remembered.changed(self.remembered, **fields)
        if after != self.remembered:
            self.remembered = after
            remembered.remember(f"{self.place.home}/tui.json", after)


def _lacks(offer: Any) -> bool:
    """Whether it could not be used: such are offered behind all others."""
    return isinstance(offer, dict) and bool(offer.get("lacks"))


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _first_line(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.readline(4096).strip()
    return ""


def keep_first_frame(home: str, colours: str) -> None:
    """Lets the first frame of the next start have the colours of this one."""
    path = f"{home}/first-frame"
    with suppress(OSError):
        if not colours:
            os.unlink(path)
            return
        beside = f"{path}.{os.getpid()}.new"
        descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(colours)
        os.replace(beside, path)


def split_diff(diff: str, named: str) -> Iterator[tuple[str, str]]:
    """(path, diff) of every file in a unified diff; one without a head is `named`'s."""
    path, lines = named, list[str]()
    for line in diff.split("\n"):
        if line.startswith("+++ ") and lines and lines[-1].startswith("--- "):
            before = lines.pop()
            if lines and any(each.startswith(("+", "-", "@")) for each in lines):
                yield path, "\n".join(lines)
            name = line[4:].partition("\t")[0]
            if name == "/dev/null":
                name = before[4:].partition("\t")[0]
            path, lines = name.removeprefix("b/").removeprefix("a/"), []
            continue
        lines.append(line)
    if any(each.startswith(("+", "-", "@")) for each in lines):
        yield path, "\n".join(lines)
