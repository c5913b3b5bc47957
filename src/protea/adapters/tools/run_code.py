"""RunCode: code the model wrote, in a folder of its own within the session's, behind the sandbox's walls."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._following import followed
from protea.adapters.tools._kit import Kit
from protea.domain.messages import Image
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.sandbox import Launch
from protea.ports.toolset import ToolContext

SECONDS = 60.0
MOST_IMAGES = 4
MOST_FILES = 50
"""Files named in a result."""
_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}

LANGUAGES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "python": ("main.py", ("python3", "main.py"), "Python 3"),
    "node": ("main.mjs", ("node", "main.mjs"), "Node.js"),
    "rust": ("main.rs", ("sh", "-c", "rustc -O -o .main main.rs && exec ./.main"), "rustc"),
    "shell": ("main.sh", ("sh", "main.sh"), "sh"),
}
"""Language → (file, command, what it needs)."""


class RunCode:
    """Writes the code and its files, runs it, names what it left."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit = self._kit
        name, argv, needs = LANGUAGES[str(arguments["language"])]
        program = kit.which("rustc" if arguments["language"] == "rust" else argv[0])
        if program is None:
            return ToolResult(f"{needs} is not installed here.", is_error=True)
        beside = {str(n): str(t) for n, t in arguments.get("files", {}).items()}
        if name in beside:
            return ToolResult(f"{name} is the code itself: a file beside it has another name.", is_error=True)
        given = {name: str(arguments["code"]), **beside}
        odd = [each for each in given if not _plain(each)]
        if odd:
            return ToolResult(f"A file beside the code has a plain name, not {odd[0]!r}.", is_error=True)
        try:
            folder = _written(context.output_path(".run"), given)
        except (OSError, UnicodeEncodeError) as error:
            return ToolResult(f"The code could not be written: {error}", is_error=True)
        launch = Launch(
            argv=(program, *argv[1:]) if argv[0] != "sh" else (kit.which("sh") or "/bin/sh", *argv[1:]),
            cwd=folder,
            env={**kit.environment, "PROJECT": kit.cwd, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": folder},
            writable=(folder,),
            readable=tuple(kit.workspace.roots),
            network=False,
        )
        asked = float(arguments.get("timeout", SECONDS))
        # The habit of other agents: milliseconds.
        seconds = min(asked / 1000 if asked > 10_000 else asked, kit.options.bash_timeout_limit)
        try:
            done = await followed(kit, launch, context, seconds)
        except OSError as error:
            return ToolResult(f"{needs} could not be started: {error.strerror or error}.", is_error=True)
        left, images = _left(folder, set(given), kit.options.image_bytes)
        text = "\n".join([*([done.text.rstrip("\n")] if done.text.strip() else []), *done.words, *left])
        return ToolResult(text or "[no output]", is_error=done.failed, file=done.file, images=images)


def _written(folder: str, given: Mapping[str, str]) -> str:
    """A new folder with these files in it; its real path."""
    os.mkdir(folder, 0o700)
    for name, content in given.items():
        with open(os.path.join(folder, name), "x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(content)
    return os.path.realpath(folder)


def _plain(name: str) -> bool:
    return bool(name) and "/" not in name and "\0" not in name and name not in (".", "..", ".main")


def _left(folder: str, given: set[str], image_bytes: int) -> tuple[list[str], tuple[Image, ...]]:
    """Lines that name the files it wrote, and the images among them."""
    lines: list[str] = []
    images: list[Image] = []
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(above, name)
            if (above == folder and name in {*given, ".main"}) or os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if len(lines) < MOST_FILES:
                lines.append(f"[wrote {path}, {size:,} bytes]")
            media = _IMAGES.get(os.path.splitext(name)[1].lower())
            if media and 0 < size <= image_bytes and len(images) < MOST_IMAGES:
                with open(path, "rb") as file:
                    images.append(Image(media, base64.b64encode(file.read()).decode()))
    return lines, tuple(images)
