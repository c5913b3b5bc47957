"""`logs/protea.log`: what Protea's parts report, in files of a day or 10 MB, the five latest.

Called once by the composition. Nothing is opened before something is logged. Parts log by the standard library, under
`protea.AREA` (`logging.getLogger("protea.providers")`); several processes may share the folder.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from protea.domain.redaction import redact

NAME = "protea.log"
SIZE = 10_000_000
"""Bytes of one file."""
FILES = 5
"""How many are kept, the current one included."""


class RotatingLog(logging.Handler):
    """Never raises: a log that cannot be written is not worth a run."""

    def __init__(
        self,
        folder: str,
        secrets: Iterable[str] = (),
        *,
        structured: bool = False,
        size: int = SIZE,
        today: Callable[[], str] = lambda: time.strftime("%Y-%m-%d", time.gmtime()),
    ) -> None:
        super().__init__()
        self._path = os.path.join(folder, NAME)
        self._secrets = tuple(secrets)
        self._structured = structured
        self._size = size
        self._today = today
        self._fd = -1

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._structured:
                line = _object(record, self._secrets)
            else:
                line = redact(_line(record), self._secrets).encode("utf-8", "replace")
            self._fit(len(line))
            os.write(self._fd, line)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, RUF100 - the standard library's name
        """Give up quietly: standard error belongs to the person."""
        self._close()

    def close(self) -> None:
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()

    def _fit(self, more: int) -> None:
        """Have the current file open, with room for `more` bytes."""
        for _ in range(3):
            if self._fd < 0:
                self._fd = self._open()
            status = os.fstat(self._fd)
            if not self._is_current(status):
                self._close()  # another process has begun a new one
                continue
            day = time.strftime("%Y-%m-%d", time.gmtime(status.st_mtime))
            if not status.st_size or (status.st_size + more <= self._size and day == self._today()):
                return
            self._rotate()

    def _open(self) -> int:
        folder = os.path.dirname(self._path)
        for each in (os.path.dirname(folder), folder):  # `makedirs` gives its mode to the last alone
            os.makedirs(each, 0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        return os.open(self._path, flags, 0o600)

    def _is_current(self, status: os.stat_result) -> bool:
        try:
            return os.path.samestat(status, os.stat(self._path, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        # Whoever gets the lock of the full file moves it; the others find that it has moved.
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        if self._is_current(os.fstat(self._fd)):
            for number in range(FILES - 1, 0, -1):
                older = self._path if number == 1 else f"{self._path}.{number - 1}"
                if os.path.lexists(older):
                    os.replace(older, f"{self._path}.{number}")
        self._close()

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def install(
    folder: str, levels: Mapping[str, int], secrets: Iterable[str] = (), *, structured: bool = False
) -> RotatingLog:
    """Send what is logged under `protea` to `folder`; `levels` as `domain.log_levels.levels` gives them. `structured`
    writes an object on each line instead of text.

    Replaces what an earlier call set up. Returns the handler, to be closed when the process ends.
    """
    remove()
    handler = RotatingLog(folder, secrets, structured=structured)
    top = logging.getLogger("protea")
    top.addHandler(handler)
    top.propagate = False
    for area, level in levels.items():
        logging.getLogger(f"protea.{area}" if area else "protea").setLevel(level)
    return handler


def remove() -> None:
    """Take away what `install` set up."""
    top = logging.getLogger("protea")
    for handler in [*top.handlers]:
        if isinstance(handler, RotatingLog):
            top.removeHandler(handler)
            handler.close()
    top.propagate = True
    for name in [*logging.Logger.manager.loggerDict]:
        if name == "protea" or name.startswith("protea."):
            logging.getLogger(name).setLevel(logging.NOTSET)


def _line(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if trace := _trace(record):
        text += f"\n{trace}"
    # Lines that follow are indented, so that none can be taken for a record of its own.
    body = text.replace("\r", "\\r").replace("\n", "\n    ")
    who = f"{record.process or os.getpid()} {record.levelname.lower():<7} {_area(record)}"
    return f"{_at(record)} {who}: {body}\n"


def _object(record: logging.LogRecord, secrets: Iterable[str]) -> bytes:
    """Secrets are taken out of its texts, not of the line: a pattern must not swallow a quote."""
    line = {
        "at": _at(record),
        "process": record.process or os.getpid(),
        "level": record.levelname.lower(),
        "area": _area(record),
        "text": _clean(record.getMessage(), secrets),
    }
    if trace := _trace(record):
        line["trace"] = _clean(trace, secrets)
    return msgspec.json.encode(line) + b"\n"


def _clean(text: str, secrets: Iterable[str]) -> str:
    return redact(text, secrets).encode("utf-8", "replace").decode()


def _at(record: logging.LogRecord) -> str:
    seconds, milliseconds = int(record.created), int(record.msecs)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"


def _area(record: logging.LogRecord) -> str:
    return record.name.removeprefix("protea").removeprefix(".") or "protea"


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    import traceback

    return "".join(traceback.format_exception(record.exc_info[1])).rstrip()
