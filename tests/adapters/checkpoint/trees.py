"""A project on the disk, what lies in it to the last byte, and turns in which commands are run."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from protea.adapters.checkpoint import snapshots
from protea.domain.changes import Changes
from protea.domain.surroundings import Surroundings
from protea.ports.checkpoint import Checkpoint

State = dict[bytes, tuple[int, bytes, int]]


def around(folder: Path) -> Surroundings:
    root = os.path.realpath(folder / "project")
    os.makedirs(root, exist_ok=True)
    home = os.path.realpath(folder)
    return Surroundings(cwd=root, root=root, user_home=home, protea_home=f"{home}/.protea", environment={})


def state(root: str) -> State:
    """Path → mode, content or target, and time of change of what is no folder."""
    found: State = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            seen = os.lstat(path)
            if stat.S_ISLNK(seen.st_mode):
                found[path] = (0o120000, os.readlink(path), seen.st_mtime_ns)
            elif stat.S_ISDIR(seen.st_mode):
                found[path] = (seen.st_mode, b"", 0)
            elif stat.S_ISREG(seen.st_mode):
                found[path] = (seen.st_mode, Path(os.fsdecode(path)).read_bytes(), seen.st_mtime_ns)
            else:
                found[path] = (seen.st_mode, b"", 0)
    return found


class Tree:
    """A project and one session in it."""

    def __init__(self, folder: Path, session: str = "s", **options: object) -> None:
        self.around = around(folder)
        self.root = self.around.root
        self.options = options
        self.session = session
        self.checkpoint = self.open()
        self._turns = 0

    def open(self) -> Checkpoint:
        options = snapshots.Options(**{"wait": 20.0, **self.options})  # type: ignore[arg-type]  # as tests name them
        return snapshots.create(options, surroundings=self.around)

    def path(self, name: str) -> Path:
        return Path(self.root, name)

    def write(self, name: str, data: bytes | str = "", mode: int = 0o644) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(mode)
        return path

    def state(self) -> State:
        return state(self.root)

    def stored(self, pattern: str) -> list[Path]:
        """Files of the store."""
        return list(Path(self.around.protea_home, "checkpoints").glob(pattern))

    def run(self, script: str) -> None:
        subprocess.run(["bash", "-c", script], cwd=self.root, check=False, capture_output=True, timeout=60)

    async def turn(self, *scripts: str) -> Changes | None:
        """A turn in which these commands run, one after the other."""
        self._turns += 1
        self.checkpoint.begin(self.session, f"t{self._turns}")
        for script in scripts:
            await self.checkpoint.before_command([script], self.root)
            self.run(script)
            await self.checkpoint.after_command()
        return await self.checkpoint.finish()

    def files(self, changes: Changes | None) -> dict[str, str]:
        """Path below the root → what happened."""
        return {os.path.relpath(each.path, self.root): each.what for each in changes.files} if changes else {}
