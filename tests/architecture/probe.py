"""Run in a process of its own: imports every module of a tree and tells, as JSON, what importing it did.

    python -I probe.py SRC

Importing does nothing: no file is opened, nothing is written or started, nobody's environment is read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ACTS = (
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chdir", "os.fork", "os.exec", "os.system", "os.putenv",
    "fcntl.", "os.kill", "os.chmod", "os.unsetenv", "shutil.", "socket.", "subprocess.", "sqlite3.", "tempfile.",
    "urllib.",
)  # fmt: skip
LOOKS = ("os.listdir", "os.scandir", "glob.")
"""What the import machinery does itself, and code that is being imported should not."""


def ours(frame: FrameType | None) -> bool:
    """Whether the nearest frame that is not the machinery's is code of Protea's, being imported."""
    return frame is not None and str(frame.f_globals.get("__name__", "")).startswith("protea")


def main(src: str) -> None:
    found: list[str] = []
    current = ""
    sys.dont_write_bytecode = True
    sys.path.insert(0, src)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "sys._getframe":
            return  # what the next line says itself
        frame = sys._getframe(1)
        if event == "open":
            _, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & WRITES)
            if ours(frame) or (writes and arguments[0] != os.devnull):
                found.append(f"{current}: opens {arguments[0]}")
        elif event.startswith(ACTS) or (event.startswith(LOOKS) and ours(frame)):
            found.append(f"{current}: {event} {arguments!r}")

    class Watched(type(os.environ)):  # type: ignore[misc]  # the class has no public name
        def __getitem__(self, key: str) -> str:
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and frame.f_globals.get("__name__") in (
                "os",
                "_collections_abc",
                "collections.abc",
            ):
                frame = frame.f_back
            if ours(frame):
                found.append(f"{current}: reads the environment ({key})")
            return str(super().__getitem__(key))

    names = sorted(
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for path in Path(src, "protea").rglob("*.py")
        if (parts := path.relative_to(src).with_suffix("").parts)[-1] != "__main__"
    )
    handlers = {
        each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGWINCH)
    }
    os.environ.__class__ = Watched
    sys.addaudithook(hook)
    for name in names:
        current = name
        before = (list(sys.path), os.getcwd(), sys.stdout, sys.stderr, sys.excepthook, sys.getrecursionlimit())
        try:
            import_module(name)
        except BaseException as error:
            found.append(f"{name}: cannot be imported: {type(error).__name__}: {error}")
        if before != (list(sys.path), os.getcwd(), sys.stdout, sys.stderr, sys.excepthook, sys.getrecursionlimit()):
            found.append(f"{name}: changes the interpreter's state")
        if threading.active_count() > 1:
            found.append(f"{name}: starts a thread")
            break
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                found.append(f"{name}: takes {number.name}")
                signal.signal(number, handler)
        logging = sys.modules.get("logging")
        if logging is not None and logging.root.handlers:
            found.append(f"{name}: sets logging up")
            logging.root.handlers.clear()
    sys.stdout.write(json.dumps({"modules": len(names), "found": found}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
