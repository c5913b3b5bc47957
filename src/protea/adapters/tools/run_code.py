"""RunCode: code the model wrote, in a folder of its own within the session's, behind the sandbox's walls."""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from protea.adapters.tools._following import followed
from protea.adapters.tools._images import kind_of, shrunk
from protea.adapters.tools._kit import Kit
from protea.adapters.tools._schemas import in_seconds
from protea.domain.messages import Image
from protea.domain.pattern import regex
from protea.domain.textfile import shown_name
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.sandbox import Launch
from protea.ports.toolset import ToolContext

SECONDS = 60.0
MOST_IMAGES = 4
MOST_FILES = 20
"""Files named in a result."""
LARGEST_IMAGE = 64 << 20
"""Bytes of a file that is looked at as an image."""
MADE = ("target", "node_modules", "__pycache__", ".git", ".venv")
"""Folders that programs fill for themselves: they are named, what is in them is not."""
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_INPUT = ".stdin"


class Language(msgspec.Struct, frozen=True):
    name: str
    file: str
    programs: tuple[str, ...]
    """What runs it: the first that is there."""
    mend: str
    """How to come by it."""


LANGUAGES: dict[str, Language] = {
    "python": Language("Python 3", "main.py", ("python3", "python"), "apt install python3, or see python.org"),
    "node": Language("Node.js", "main.mjs", ("node", "nodejs"), "apt install nodejs, or see nodejs.org"),
    "rust": Language("Rust", "main.rs", ("rustc",), "apt install rustc, or see rustup.rs"),
    "shell": Language("A shell", "main.sh", ("bash", "sh"), "apt install bash"),
}
CARGO = Language("Cargo", "src/main.rs", ("cargo",), "apt install cargo, or see rustup.rs")
"""For Rust that has a Cargo.toml beside it."""
MENDS = (
    ("linker `cc` not found", "[Rust links by cc: apt install gcc]"),
    (
        "without `--offline`",
        "[there is no network behind the walls: crates come from what cargo has fetched before, by `cargo fetch` or "
        "Packages]",
    ),
)
"""What a failure says, and how it is mended."""

_MODULE = regex(r"^\s*(?:import\b\s*[^(.\s]|export\b)|^[^\s/*][^\n]*\bawait\b", re.MULTILINE)
"""What only a module may have."""
_BEFORE = ".before.cjs"
_REQUIRE = """\
const main = process.cwd() + "/main.mjs";
const made = require("module").createRequire(main);
made.main = globalThis.module = { exports: {}, filename: main };
Object.assign(globalThis, { require: made, exports: module.exports, __dirname: process.cwd(), __filename: main });
"""
"""What scripts have and modules have not: models write both at once."""


class RunCode:
    """Writes the code and its files, runs it, names what it left."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit = self._kit
        beside = {str(n): str(t) for n, t in arguments.get("files", {}).items()}
        language = CARGO if _cargo(arguments) else LANGUAGES[str(arguments["language"])]
        program = next(filter(None, map(kit.which, language.programs)), None)
        if program is None:
            return ToolResult(f"{language.programs[0]} {_missing(kit)}: {language.mend}.", is_error=True)
        if os.path.basename(language.file) in beside:
            text = f"{os.path.basename(language.file)} is the code itself: a file beside it has another name."
            return ToolResult(text, is_error=True)
        odd = [name for name in beside if not _plain(name)]
        if odd:
            return ToolResult(f"A file beside the code has a plain name, not {odd[0]!r}.", is_error=True)
        given = _given(language, str(arguments["code"]), beside)
        if arguments.get("stdin"):
            given[_INPUT] = str(arguments["stdin"])
        try:
            folder = await asyncio.to_thread(_written, context.output_path(".run"), given)
        except (OSError, UnicodeEncodeError) as error:
            return ToolResult(f"The code could not be written: {error}", is_error=True)
        argv = _command(language, program, list(given), offline="network" in kit.sandbox.walls)
        if _INPUT in given:
            argv = (kit.which("sh") or "/bin/sh", "-c", f'exec "$@" <{_INPUT}', "sh", *argv)
        own = {"PROJECT": kit.cwd, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": folder}
        # What a person has set may lie where this may not write.
        own |= {"CARGO_TARGET_DIR": f"{folder}/target"} if language is CARGO else {}
        launch = Launch(
            argv=argv,
            cwd=folder,
            env={**kit.environment, **own},
            writable=(folder,),
            readable=tuple(kit.workspace.roots),
            network=False,
        )
        seconds = min(in_seconds(float(arguments.get("timeout", SECONDS))), kit.options.bash_timeout_limit)
        try:
            done = await followed(kit, launch, context, seconds)
        except OSError as error:
            return ToolResult(f"{language.name} could not be started: {error.strerror or error}.", is_error=True)
        left, images = await asyncio.to_thread(_left, folder, set(given), kit.options.image_bytes)
        words = [*done.words, *(mend for said, mend in MENDS if done.failed and said in done.text)]
        text = "\n".join([*([done.text.rstrip("\n")] if done.text.strip() else []), *words, *left])
        return ToolResult(text or "[no output]", is_error=done.failed, file=done.file, images=images)


def _cargo(arguments: Mapping[str, Any]) -> bool:
    return arguments["language"] == "rust" and "Cargo.toml" in arguments.get("files", {})


def _missing(kit: Kit) -> str:
    if "files" in kit.sandbox.walls:
        return "is not installed here, or not where commands behind the sandbox's walls can read it"
    return "is not installed here, or not on PATH"


def _given(language: Language, code: str, beside: Mapping[str, str]) -> dict[str, str]:
    """Path → text of all that is written."""
    if language is CARGO:
        return {language.file: code, **{f"src/{n}" if n.endswith(".rs") else n: t for n, t in beside.items()}}
    if language.file == "main.mjs":
        file = "main.mjs" if _MODULE.search(code) else "main.cjs"
        return {file: code, **({_BEFORE: _REQUIRE} if file == "main.mjs" else {}), **beside}
    return {language.file: code, **beside}


def _command(language: Language, program: str, given: list[str], *, offline: bool) -> tuple[str, ...]:
    if language is CARGO:
        return (program, "run", "--quiet", *(["--offline"] if offline else []))
    if program.endswith("rustc"):
        return ("/bin/sh", "-c", '"$0" --edition 2021 -O -o .main main.rs && exec ./.main', program)
    before = ("--require", f"./{_BEFORE}") if _BEFORE in given else ()
    return (program, *before, given[0])


def _written(folder: str, given: Mapping[str, str]) -> str:
    """A new folder with these files in it; its real path."""
    os.mkdir(folder, 0o700)
    for name, content in given.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(content)
    return os.path.realpath(folder)


def _plain(name: str) -> bool:
    taken = (".", "..", ".main", "src", _BEFORE, _INPUT, "main.cjs", "main.mjs")
    return bool(name) and "/" not in name and "\0" not in name and name not in taken


def _left(folder: str, given: set[str], image_bytes: int) -> tuple[list[str], tuple[Image, ...]]:
    """Lines that name the files it wrote, and the images among them."""
    lines: list[str] = []
    images: list[Image] = []
    more = 0
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in [each for each in folders if each in MADE]:
            folders.remove(name)
            lines.append(f"[made {os.path.join(above, name)}/]")
        for name in sorted(names):
            path = os.path.join(above, name)
            inside = os.path.relpath(path, folder)
            if inside in {*given, ".main"} or os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if len(lines) < MOST_FILES:
                lines.append(f"[wrote {shown_name(path)}, {size:,} bytes]")
            else:
                more += 1
            if name.lower().endswith(_IMAGES) and 0 < size <= LARGEST_IMAGE and len(images) < MOST_IMAGES:
                image = _image(path, image_bytes)
                images += [image] if image is not None else []
    return [*lines, *([f"[… and {more:,} more files in {folder}]"] if more else [])], tuple(images)


def _image(path: str, limit: int) -> Image | None:
    """What a model can be shown of it."""
    with open(path, "rb") as file:
        data = file.read()
    kind = kind_of(data[:16])
    if kind is not None and len(data) > limit:
        smaller = shrunk(data, limit)
        if smaller is None:
            return None
        kind, data, _ = smaller
    return None if kind is None else Image(kind, base64.b64encode(data).decode())
