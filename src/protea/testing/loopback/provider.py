"""The server: what is asked over HTTP is recorded, judged, and answered as the script says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from inspect import isawaitable
from typing import Any, Self

from msgspec.structs import replace

from protea.testing.loopback import _http
from protea.testing.loopback._answers import Answer, Outcome, answer, error_answer, faulty, pause, ready, write
from protea.testing.loopback._http import Connection, Request
from protea.testing.loopback.faults import Fault, Status, Trouble, reason_of
from protea.testing.loopback.lists import listing
from protea.testing.loopback.recording import Prefix, Recorded, path_without_key, prefix_kept, without_keys
from protea.testing.loopback.routes import Asked, Route, asked_of, base_of, route_of
from protea.testing.loopback.script import Given, LoopbackReply, Steps, Told, reply_of, steps_of
from protea.testing.loopback.seal import Ledger
from protea.testing.loopback.strict.judge import refusal
from protea.testing.loopback.wires.spoken import Wire, spoken_of


class LoopbackProvider:
    """A provider on 127.0.0.1 that speaks every wire Protea speaks, and says what it is told.

        async with LoopbackProvider(["Hello.", ScriptedCall("Read", {"path": "a"}), "Done."]) as provider:
            options = anthropic.Options(model="m", key="k", base_url=provider.url("anthropic"))

    Every request for a reply takes one step of the script, whichever wire it comes over, also one that is refused or
    broken by a fault. A step is a text, a `ScriptedCall`, a `ScriptedReply`, a `LoopbackReply` (which may carry a
    fault), a fault, or a function of the `Recorded` request that gives one of these. What follows the last step is told
    by `after`: `repeat` it (the default), begin again (`cycle`), or `fail` with status 500.

    With `strict` a request that the real API would refuse is refused in its words and takes no step.
    Ids in replies are made of the number of the request (with `cycle`, of the step's place), so the same run gives the
    same bytes.
    """

    def __init__(
        self,
        script: Told = "Hello from the loopback provider.",
        *,
        after: str | None = None,
        strict: bool = False,
        models: tuple[str, ...] = (),
        port: int = 0,
    ) -> None:
        self.requests: list[Recorded] = []
        """Those for a reply, refused ones too, in the order they came."""
        self.others: list[Recorded] = []
        """All else that was asked: lists of models, versions, addresses there are none of."""
        self.connections = 0
        """How many were opened."""
        self.port = port
        self._steps: Steps = steps_of(script, after)
        self._strict = strict
        self._models = models
        self._played = 0
        self._ledger = Ledger()
        self._ready: dict[tuple[Any, ...], bytes] = {}
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[Connection] = set()
        self._news = threading.Condition()
        self._changed: set[asyncio.Future[None]] = set()

    # -- its life

    async def start(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def aclose(self) -> None:
        """Stop at once; answers that are under way break off."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._open):
            connection.close()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @classmethod
    @contextmanager
    def in_thread(cls, script: Told = "Hello from the loopback provider.", **options: Any) -> Generator[Self]:
        """The same in a thread of its own, for those who have no event loop. `options` are the constructor's."""
        provider = cls(script, **options)
        started: list[BaseException | None] = []
        up, down = threading.Event(), None

        async def live() -> None:
            nonlocal down
            down = asyncio.Event()
            try:
                await provider.start()
            except BaseException as exc:
                started.append(exc)
                raise
            finally:
                up.set()
            await down.wait()
            await provider.aclose()

        def run() -> None:
            with suppress(OSError):  # told to the one who started it
                asyncio.run(live())

        thread = threading.Thread(target=run, name="loopback-provider", daemon=True)
        thread.start()
        up.wait()
        if started and started[0] is not None:
            raise started[0]
        try:
            yield provider
        finally:
            loop, done = provider._loop, down
            if loop is not None and done is not None:
                loop.call_soon_threadsafe(done.set)
            thread.join(10)

    # -- what it offers

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, wire: str) -> str:
        """The `base_url` for a wire: `anthropic`, `openai-chat`, `openai-responses`, `gemini` or `ollama`."""
        return self.address + base_of(wire)

    def prefix_kept(self, first: int = 0) -> Prefix:
        """`prefix_kept` of the requests from `first` on."""
        return prefix_kept(self.requests[first:])

    def prepare(self, wire: str, model: str, *, stream: bool = True) -> None:
        """Make the answers of the script for one wire and model beforehand, so that playing them costs nothing.

        Only for those that are values without a fault, a chunk size or a pace; others are made when asked for.
        """
        verb = "streamGenerateContent" if stream else "generateContent"
        route = route_of("POST", f"/models/{model}:{verb}?alt=sse", {}, wire)
        if route is None or route.wire is None:
            raise ValueError(f"no wire {wire!r}")
        asked = [Asked(model=model, stream=stream)]
        if wire == "openai-chat":
            asked.append(Asked(model=model, stream=stream, usage=False))
        if wire == "openai-responses":
            asked.append(Asked(model=model, stream=stream, sealed=False))
        for place, step in enumerate(self._steps.steps):
            if callable(step):
                continue
            for each in asked:
                self._prepared(route, each, reply_of(step), place, place)

    @property
    def held(self) -> int:
        """How many answers are held as bytes, to be sent again without any work."""
        return len(self._ready)

    async def arrived(self, count: int, within: float = 10.0) -> None:
        """Wait until so many requests for a reply came. Raises TimeoutError."""
        await self._until(lambda: len(self.requests) >= count, within)

    async def connected(self, count: int, within: float = 10.0) -> None:
        """Wait until so many connections were opened. Raises TimeoutError."""
        await self._until(lambda: self.connections >= count, within)

    async def settled(self, within: float = 10.0) -> None:
        """Wait until every answer has ended: given, broken, or the client left. Raises TimeoutError."""
        await self._until(lambda: all(request.outcome != "open" for request in self.requests), within)

    async def _until(self, condition: Callable[[], bool], within: float) -> None:
        async with asyncio.timeout(within):
            while not condition():
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._changed.add(future)
                await future

    def wait_for(self, count: int, within: float = 10.0) -> None:
        """As `arrived`, for a provider in a thread. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.requests) >= count, within):
                raise TimeoutError(f"{len(self.requests)} of {count} requests came in {within} s")

    # -- serving

    def _connect(self) -> Connection:
        self.connections += 1
        connection = Connection(self.connections, self._serve, self._open.discard)
        self._open.add(connection)
        self._told()
        return connection

    def _serve(self, connection: Connection, request: Request) -> None:
        route = route_of(request.method, request.path, request.headers)
        recorded = Recorded(
            number=-1,
            method=request.method,
            path=path_without_key(request.path),
            headers=without_keys(request.headers),
            body=request.body,
            at=time.monotonic(),
            connection=connection.number,
        )
        if route is None or route.wire is None:
            self.others.append(recorded)
            status, body = listing(route, self._models)
            recorded.status = status
            self._send(connection, recorded, _http.whole(status, {"content-type": "application/json"}, body))
            return
        recorded.number = len(self.requests)
        recorded.wire = route.wire.name
        self.requests.append(recorded)
        self._told()
        asked = asked_of(route, request.body)
        recorded.model, recorded.stream = asked.model, asked.stream
        refused = self._refused(route, asked, request)
        if refused is not None:
            self._send(connection, recorded, self._error(route.wire, recorded, asked, refused))
            return
        number = self._played
        self._played += 1
        place = self._steps.place(number)
        if place is None:
            over = Trouble(status=500, reason="server", message=f"the script is over, and request {number + 1} came")
            self._send(connection, recorded, self._error(route.wire, recorded, asked, over))
            return
        step = self._steps.steps[place]
        number = place if self._steps.after == "cycle" else number
        if not callable(step):
            data = self._prepared(route, asked, reply_of(step), place, number)
            if data is not None:
                recorded.status = 200
                self._send(connection, recorded, data)
                return
        task = asyncio.ensure_future(self._play(connection, recorded, route, asked, step, number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refused(self, route: Route, asked: Asked, request: Request) -> Trouble | None:
        if asked.broken is not None:
            return Trouble(status=400, reason="invalid_request", message=asked.broken)
        if route.wire is not None and self._strict:
            return refusal(route, asked, request.headers, request.body, self._ledger, self._models)
        return None

    def _error(self, wire: Wire, recorded: Recorded, asked: Asked, trouble: Trouble) -> bytes:
        recorded.status = trouble.status
        return error_answer(wire, replace(trouble, model=asked.model, request_id=_request_id(wire, recorded.number)))

    def _prepared(self, route: Route, asked: Asked, reply: LoopbackReply, place: int, number: int) -> bytes | None:
        """The whole answer as bytes, kept for as long as its number can come again; None for what must be played."""
        wire = route.wire
        if wire is None or reply.fault is not None or reply.chunk is not None or reply.pace or reply.delay:
            return None
        key = (wire.name, number, asked.model, asked.stream, asked.usage, asked.sealed, route.events)
        data = self._ready.get(key)
        if data is None:
            try:
                data = ready(self._answer(route, asked, reply, number))
            except ValueError:  # the wire cannot say it; told when it is played
                return None
            if place == number:
                self._ready[key] = data
        return data

    def _answer(self, route: Route, asked: Asked, reply: LoopbackReply, number: int) -> Answer:
        wire = route.wire
        assert wire is not None
        spoken = spoken_of(reply, number, asked.model)
        spoken = replace(spoken, usage_asked=asked.usage, sealed=asked.sealed, events=route.events)
        if reply.signature is not None:
            self._ledger.note(wire.name, reply.thinking, reply.signature)
            self._ledger.note(wire.name, "", reply.signature)  # thoughts that were not shown, or signed by a last text
        for call in reply.tool_calls:
            if call.signature is not None:
                self._ledger.note(wire.name, call.name, call.signature)
        if (bound := wire.bound(spoken)) is not None:
            self._ledger.follows(*bound)
        return answer(wire, spoken, asked.stream, _request_id(wire, number))

    def _send(self, connection: Connection, recorded: Recorded, data: bytes) -> None:
        connection.write(data)

        def done() -> None:
            self._ended(recorded, "left" if connection.gone.is_set() else "answered")

        connection.when_sent(done)
        connection.finished()

    async def _play(
        self, connection: Connection, recorded: Recorded, route: Route, asked: Asked, step: Any, number: int
    ) -> None:
        wire = route.wire
        assert wire is not None
        try:
            given: Given = step(recorded) if callable(step) else step
            if isawaitable(given):
                given = await given
            reply = reply_of(given)
            if reply.delay and await pause(connection, reply.delay):
                self._ended(recorded, "left")
                return
            fault: Fault | None = reply.fault
            if isinstance(fault, Status):
                data = error_answer(wire, _trouble(fault, asked, _request_id(wire, number)), fault)
                recorded.status = fault.status
                self._send(connection, recorded, data)
                return
            made = faulty(self._answer(route, asked, reply, number), fault, wire)
        except Exception as exc:  # a mistake of the script: whoever asks is told, and the test sees it there
            trouble = Trouble(status=500, reason="server", message=f"the script: {type(exc).__name__}: {exc}")
            self._send(connection, recorded, self._error(wire, recorded, asked, trouble))
            return
        recorded.status = 200
        self._ended(recorded, await write(connection, made, reply))
        connection.finished()

    def _ended(self, recorded: Recorded, outcome: Outcome) -> None:
        recorded.outcome = outcome
        self._told()

    def _told(self) -> None:
        with self._news:
            self._news.notify_all()
        waiting, self._changed = self._changed, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _trouble(fault: Status, asked: Asked, request_id: str) -> Trouble:
    return Trouble(
        status=fault.status,
        reason=fault.reason or reason_of(fault.status),
        model=asked.model,
        request_id=request_id,
        message=fault.message,
        retry_after=fault.retry_after,
    )


def _request_id(wire: Wire, number: int) -> str:
    return f"{wire.request_id}{number + 1:04d}"
