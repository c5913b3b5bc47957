"""Makes this checkout's environment in `.venv`: `python3 -I scripts/environment.py run|test`.

Called by scripts/run and scripts/test when the stamp of what they need is missing or older than the list it was made
from. Everything installed is pinned with its hashes in `requirements/`; the checkout itself is not installed but
pointed at, by a path that still holds when the checkout is moved. Standard library only, Python 3.11 or newer.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MAKING = VENV / "making"
"""Stands while packages are being installed: found at the start, the last attempt died halfway."""

INCLUDES = {"run": ("run",), "test": ("test", "run")}
"""A list → the lists it satisfies: test.txt pins everything run.txt does, at the same versions."""


class SetupError(Exception):
    """One line on what went wrong and what to do."""


def main(kind: str) -> int:
    try:
        with locked(ROOT / ".cache" / "environment.lock"):
            if is_current(kind):
                return 0
            if not is_usable():
                create()
            install(kind)
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"cannot make the environment in {VENV}: {error.strerror} ({error.filename or ROOT})")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def say(text: str) -> None:
    print(f"protea: {text}", file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Two first runs at once make one environment. The kernel frees the lock if we are killed."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run to finish making the environment …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wanted(kind: str) -> str:
    return (ROOT / "requirements" / f"{kind}.txt").read_text()


def is_current(kind: str) -> bool:
    """Whether what the stamp says was installed is what the list asks for; if so the stamp becomes the newer one."""
    stamp = VENV / f"{kind}.stamp"
    try:
        if MAKING.exists() or stamp.read_text() != wanted(kind) or not os.access(VENV / "bin/python", os.X_OK):
            return False
        if not (VENV / "bin/protea").is_file() or not points_here():
            return False
        stamp.touch()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def site_packages() -> Path:
    """Where the environment's own Python looks. Its version is written in pyvenv.cfg."""
    for line in (VENV / "pyvenv.cfg").read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            major, minor = value.strip().split(".")[:2]
            return VENV / f"lib/python{major}.{minor}/site-packages"
    raise FileNotFoundError(VENV / "pyvenv.cfg")


def points_here() -> bool:
    return (site_packages() / "protea-checkout.pth").is_file()


def is_usable() -> bool:
    """Whether packages can be installed into `.venv` as it stands."""
    if MAKING.exists():
        return False
    try:
        asked = subprocess.run(
            [VENV / "bin/python", "-I", "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        return asked.returncode == 0 and site_packages().is_dir()
    except (OSError, subprocess.TimeoutExpired):
        return False


def create() -> None:
    say(f"making the environment in {VENV} (once) …")
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    # The real path, so that an upgrade of `python3` to another minor version leaves a dangling link (which is
    # noticed) and not an interpreter that silently looks in another folder.
    python = os.path.realpath(sys.executable)
    made = subprocess.run(
        [python, "-I", "-m", "venv", VENV], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment()
    )
    if made.returncode != 0:
        raise SetupError(f"python -m venv failed: {last_line(made.stdout + made.stderr)}")


def environment() -> dict[str, str]:
    """The caller's, without what would send packages elsewhere. Indexes, proxies and certificates stay."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for key in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "VIRTUAL_ENV"):
        kept.pop(key, None)
    return kept


def install(kind: str) -> None:
    say(f"installing requirements/{kind}.txt …")
    MAKING.touch()
    for stale in VENV.glob("*.stamp"):
        stale.unlink()
    python = VENV / "bin/python"
    options = ["--require-hashes", "--no-deps", "--no-input", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [python, "-I", "-m", "pip", "install", *options, "-r", ROOT / "requirements" / f"{kind}.txt"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(),
    )
    if done.returncode != 0:
        raise SetupError(
            f"pip could not install requirements/{kind}.txt (the first run needs the network, later ones do not): "
            + last_line(done.stderr)
        )
    (site_packages() / "protea-checkout.pth").write_text("../../../../src\n")
    write_command(VENV / "bin/protea")
    # The environment may forbid writing bytecode at run time, and a start without it takes twice as long.
    subprocess.run([python, "-I", "-m", "compileall", "-q", ROOT / "src"], stdin=subprocess.DEVNULL, check=False)
    for name in INCLUDES[kind]:
        part = VENV / f"{name}.stamp.part"
        part.write_text(wanted(name))
        part.rename(VENV / f"{name}.stamp")
    MAKING.unlink()
    say("the environment is ready")


def write_command(path: Path) -> None:
    """`.venv/bin/protea`. It is both shell and Python, since a `#!` line allows neither blanks nor long paths."""
    quoted = str(VENV / "bin/python").replace("'", "'\\''")
    path.write_text(
        "#!/bin/sh\n"
        f"'''exec' '{quoted}' -I \"$0\" \"$@\"\n"
        "' '''\n"
        "import sys\n\n"
        "from protea.cli import main\n\n"
        "sys.exit(main())\n"
    )
    path.chmod(0o755)


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no message"])[-1]


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in INCLUDES:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(INCLUDES)}")
    sys.exit(main(sys.argv[1]))
