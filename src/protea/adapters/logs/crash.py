"""The report of a fault of Protea's own: one file, the latest, without secrets. Called where a process would end in a
traceback.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Iterable, Sequence

from protea.domain.redaction import redact

NAME = "crash.txt"


def report(
    folder: str, error: BaseException, *, version: str, arguments: Sequence[str] = (), secrets: Iterable[str] = ()
) -> str:
    """Write the report into `folder` and return one line for the person that says what happened and where it is.

    Never raises: where it cannot be written the line says so.
    """
    known = tuple(secrets)
    what = redact(" ".join(f"{type(error).__name__}: {error}".split()), known)[:200]
    text = "\n".join(
        [
            f"protea {version}, Python {platform.python_version()}, {platform.platform()}",
            f"at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}, process {os.getpid()}",
            # Options only: the words of a prompt belong to the session's log.
            f"options: {' '.join(word.partition('=')[0] for word in arguments if word.startswith('-'))}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    path = os.path.join(folder, NAME)
    passing = f"{path}.{os.getpid()}"
    try:
        for each in (os.path.dirname(folder), folder):  # `makedirs` gives its mode to the last alone
            os.makedirs(each, 0o700, exist_ok=True)
        fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(redact(text, known).encode("utf-8", "replace"))
        os.replace(passing, path)
    except OSError as failed:
        return f"protea has a fault ({what}); its report could not be written to {path}: {failed.strerror}"
    return f"protea has a fault ({what}); the report is in {path}"
