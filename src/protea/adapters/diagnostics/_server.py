"""One language server through a session: started when there is need of it, told of changes, ended when there is none.

A worker does what takes time; whoever looks waits for it as long as they may and takes what is known.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from protea.adapters.diagnostics._link import GoneError, Link, open_link
from protea.adapters.diagnostics._options import Options, Server
from protea.domain.diagnostics import Change, fresh, touched
from protea.domain.environment import for_commands
from protea.domain.plain import plain
from protea.domain.surroundings import Surroundings
from protea.domain.tools import Diagnostic
from protea.ports.sandbox import Launch, Sandbox

State = Literal["starting", "running", "resting", "failed"]

ANSWER = 20.0
"""Seconds a server has to say something of a file before it is no longer waited for."""
SHORTEST = 0.1
"""Seconds a look waits at least for a server that was late again and again."""
MOST = 500
"""Of them that are taken in for one file."""
LARGEST = 2_000_000
"""Characters of a file that a server is told of."""


class Document:
    """A file as the server was told of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.version = 1
        self.found: tuple[Diagnostic, ...] = ()
        self.answered = 0
        """The version that `found` is about; 0 before there is any."""
        self.told: tuple[Diagnostic, ...] | None = None
        """What is known already; None until it is known what was there before the first change."""
        self.changed = range(0)
        self.news = asyncio.Event()


class Running:
    def __init__(
        self,
        name: str,
        server: Server,
        program: str,
        options: Options,
        sandbox: Sandbox,
        surroundings: Surroundings,
    ) -> None:
        self.state: tuple[State, str] = ("resting", "")
        self._name = name
        self._server = server
        self._program = program
        self._options = options
        self._sandbox = sandbox
        self._surroundings = surroundings
        self._link: Link | None = None
        self._documents: dict[str, Document] = {}
        self._pending: dict[str, Change] = {}
        self._work: asyncio.Task[None] | None = None
        self._failures = 0
        self._wait = options.wait_first
        self._resting: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def look(self, changes: Iterable[Change], since: float) -> list[Diagnostic]:
        """What is new in these files, and what was found too late for the look before. `since` is when it began."""
        if self._failures > self._options.restarts:
            return []
        for change in changes:
            if len(change.after or "") <= LARGEST and len(change.before or "") <= LARGEST:
                earlier = self._pending.get(change.path)
                self._pending[change.path] = Change(change.path, (earlier or change).before, change.after)
        self._rest_later()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._do(), name=f"language server {self._name}")
        left = since + self._wait - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait([self._work], timeout=max(left, 0))
        self._wait = self._options.wait if done else max(min(self._wait, self._options.wait) / 2, SHORTEST)
        return [each for document in self._documents.values() for each in _news(document)]

    async def aclose(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        for task in (self._work, self._ending):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self._leave()

    # ── the worker ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _do(self) -> None:
        try:
            link = await self._linked()
            while self._pending:
                changes, self._pending = [*self._pending.values()], {}
                await asyncio.gather(*(self._changed(link, change) for change in changes))
        except GoneError as error:
            await self._failed(str(error))
        except OSError as error:
            await self._failed(f"it cannot be started: {error.strerror or error}")

    async def _failed(self, why: str) -> None:
        self._failures += 1
        self._pending.clear()
        await self._leave()
        again = self._failures <= self._options.restarts
        self.state = ("resting" if again else "failed", why + ("; the next edit starts it again" if again else ""))

    async def _leave(self) -> None:
        link, self._link = self._link, None
        self._documents.clear()
        if link is not None:
            await link.aclose()
            self.state = ("resting", "")

    async def _linked(self) -> Link:
        """The conversation, begun anew where there is none. Raises `GoneError`, `OSError`."""
        if self._ending is not None:
            await asyncio.wait([self._ending])
        if self._link is not None and self._link.gone.done():
            why = self._link.why
            await self._leave()
            self._failures += 1
            if self._failures > self._options.restarts:
                raise GoneError(why)
        if self._link is None:
            self.state = ("starting", "")
            folder = self._folder()
            launch = Launch(
                argv=(self._program, *self._server.command[1:]),
                cwd=self._surroundings.root,
                env={**for_commands(self._surroundings.environment), **_filled(self._server.environment, folder)},
                writable=(folder, *((self._surroundings.root,) if self._server.writable else ())),
                network=False,
            )
            folders = [{"uri": _uri(self._surroundings.root), "name": os.path.basename(self._surroundings.root)}]
            self._link = await open_link(self._sandbox, launch, folder, self._heard, self._server.settings, folders)
            await self._greet(self._link, folder, folders)
            self.state = ("running", "")
        return self._link

    async def _greet(self, link: Link, folder: str, folders: Sequence[Mapping[str, str]]) -> None:
        await link.ask(
            "initialize",
            {
                # It may be in a world where our number is somebody else's.
                "processId": None,
                "clientInfo": {"name": "protea"},
                "rootUri": folders[0]["uri"],
                "rootPath": self._surroundings.root,
                "workspaceFolders": folders,
                "initializationOptions": _filled(self._server.options, folder),
                "capabilities": {
                    "general": {"positionEncodings": ["utf-16"]},
                    "textDocument": {
                        "publishDiagnostics": {"versionSupport": True, "codeDescriptionSupport": False},
                        "synchronization": {"didSave": True},
                    },
                    "workspace": {"configuration": True, "workspaceFolders": True, "applyEdit": False},
                    "window": {"workDoneProgress": False},
                },
            },
        )
        link.greeted = True
        link.tell("initialized", {})
        if self._server.settings:
            link.tell("workspace/didChangeConfiguration", {"settings": self._server.settings})

    def _folder(self) -> str:
        """Where this server keeps what it likes to find again in this project."""
        project = hashlib.sha256(os.fsencode(self._surroundings.root)).hexdigest()[:12]
        folder = os.path.join(
            os.path.realpath(self._surroundings.protea_home), "diagnostics", f"{self._name}-{project}"
        )
        os.makedirs(folder, 0o700, exist_ok=True)
        return folder

    # ── one file ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _changed(self, link: Link, change: Change) -> None:
        document = self._documents.get(change.path)
        if change.after is None:
            if document is not None:
                del self._documents[change.path]
                link.tell("textDocument/didClose", {"textDocument": {"uri": _uri(change.path)}})
            return
        if document is None:
            document = self._opened(link, change)
        elif change.before is not None and document.text != change.before:
            # Something else has changed it: what came of that is not this change's.
            self._tell(link, change.path, document, change.before)
            await self._answered(link, document)
            document.told = document.found
        if document.told is None:
            await self._answered(link, document)
            document.told = document.found if document.answered == document.version else None
        if document.text != change.after:
            document.changed = touched(change)
            self._tell(link, change.path, document, change.after)
        link.tell("textDocument/didSave", {"textDocument": {"uri": _uri(change.path)}})
        await self._answered(link, document)

    def _opened(self, link: Link, change: Change) -> Document:
        text = change.before if change.before is not None else change.after or ""
        document = self._documents[change.path] = Document(text)
        if change.before is None:
            document.told = ()
            document.changed = touched(change)
        language = self._server.files[os.path.splitext(change.path)[1]]
        about = {"uri": _uri(change.path), "languageId": language, "version": 1, "text": text}
        link.tell("textDocument/didOpen", {"textDocument": about})
        return document

    def _tell(self, link: Link, path: str, document: Document, text: str) -> None:
        document.text = text
        document.version += 1
        about = {"uri": _uri(path), "version": document.version}
        link.tell("textDocument/didChange", {"textDocument": about, "contentChanges": [{"text": text}]})

    async def _answered(self, link: Link, document: Document) -> None:
        """Wait until the server has said what it has to say of the file as it last was. Raises `GoneError`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER):
                while document.answered < document.version:
                    await _either(link, document.news)
                while await _either(link, document.news, self._server.settle):
                    pass

    def _heard(self, method: str, params: Any) -> None:
        if method != "textDocument/publishDiagnostics" or not isinstance(params, dict):
            return
        path = _path(str(params.get("uri", "")))
        document = self._documents.get(path)
        if document is None:
            return
        version = params.get("version")
        # One that names no version speaks of what it was last told.
        document.answered = version if isinstance(version, int) else document.version
        listed = params.get("diagnostics")
        document.found = tuple(_taken(path, document.text, listed if isinstance(listed, list) else []))
        document.news.set()

    # ── rest ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _rest_later(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(self._options.idle, self._rest)

    def _rest(self) -> None:
        if self._work is None or self._work.done():
            self._ending = asyncio.create_task(self._leave(), name=f"language server {self._name} ends")
        else:
            self._rest_later()


async def _either(link: Link, news: asyncio.Event, seconds: float | None = None) -> bool:
    """Whether there was news within so many seconds. Raises `GoneError` where the server is gone."""
    news.clear()
    waiting = asyncio.ensure_future(news.wait())
    either: list[asyncio.Future[Any]] = [waiting, link.gone]
    try:
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if link.gone.done():
        raise GoneError(link.why)
    return news.is_set()


def _news(document: Document) -> list[Diagnostic]:
    """What has not been told of a file yet; from now on it has been."""
    if document.told is None or document.answered < document.version:
        return []
    news = fresh(document.told, document.found, document.changed)
    document.told = document.found
    return news


def _taken(path: str, text: str, listed: Sequence[Any]) -> Iterable[Diagnostic]:
    lines = text.split("\n")
    for each in listed[:MOST]:
        try:
            severity, start = each.get("severity", 1), each["range"]["start"]
            line, units, message = int(start["line"]), int(start["character"]), each["message"]
            if severity not in _SEVERITIES:
                continue  # hints and the like are for people
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            continue  # it is not what the protocol says; the others may be
        if not (0 <= line <= LARGEST and 0 <= units <= LARGEST):
            continue  # no such place is in a file it was told of, and the log could not hold every number
        code = each.get("code")
        yield Diagnostic(
            path=path,
            line=line + 1,
            column=_column(lines[line] if 0 <= line < len(lines) else "", units),
            severity=_SEVERITIES[severity],
            message=plain(str(message.get("value", "") if isinstance(message, dict) else message))[:2000],
            code="" if code is None else plain(str(code))[:80],
            source=plain(str(each.get("source") or ""))[:80],
        )


_SEVERITIES: dict[Any, Literal["error", "warning"]] = {1: "error", 2: "warning"}


def _column(line: str, units: int) -> int:
    """The protocol counts in units of UTF-16, from 0; people count characters, from 1."""
    if line.isascii():
        return units + 1
    return len(line.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "replace")) + 1


def _uri(path: str) -> str:
    return "file://" + quote(os.fsencode(path))


def _path(uri: str) -> str:
    """What a server calls a file: each writes its name a little differently."""
    try:
        return unquote(urlsplit(uri).path, errors="surrogateescape")
    except ValueError:
        return ""  # no address at all, and so none of a file it was told of


def _filled(value: Any, folder: str) -> Any:
    if isinstance(value, str):
        return value.replace("{cache}", folder)
    if isinstance(value, dict):
        return {key: _filled(each, folder) for key, each in value.items()}
    return value
