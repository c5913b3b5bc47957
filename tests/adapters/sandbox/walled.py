"""A home with secrets, a project under version control, and a sandbox around it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.sandbox import bubblewrap, docker
from protea.domain.environment import for_commands
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Launch, Sandbox
from protea.testing.contracts.sandbox import PATH, drain
from tests.adapters.sandbox.engine import OPTIONS

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")


class World(msgspec.Struct, frozen=True):
    home: str
    project: str
    protea_home: str

    def surroundings(self) -> Surroundings:
        return Surroundings(
            cwd=self.project,
            root=self.project,
            user_home=self.home,
            protea_home=self.protea_home,
            environment={"PATH": PATH, "HOME": self.home, "SECRET_API_KEY": "SECRET", "LANG": "C.UTF-8"},
        )

    def sandbox(self, adapter: str = "bubblewrap", **options: Any) -> Sandbox:
        if adapter == "docker":
            return docker.create(replace(OPTIONS, **options), surroundings=self.surroundings())
        return bubblewrap.create(bubblewrap.Options(**options), surroundings=self.surroundings())

    def launch(self, script: str, *, keep: bool = False) -> Launch:
        return Launch(
            argv=("/bin/bash", "-c", script),
            cwd=self.project,
            env=for_commands(self.surroundings().environment),
            merge=True,
            keep=keep,
            writable=(self.project,),
        )

    def path(self, name: str) -> Path:
        return Path(self.project, name)

    def stand_ins(self) -> list[str]:
        """Empty folders and files that are not the project's."""
        own = {"link_home"}
        found = []
        for folder, folders, files in os.walk(self.project):
            inside = "/.git" in folder.removeprefix(self.project) and not folder.endswith("/.git")
            for name in (*folders, *files):
                path = Path(folder, name)
                if name not in own and not inside and name.startswith((".", "commondir")) and _empty(path):
                    found.append(str(path.relative_to(self.project)))
        return sorted(found)


def _empty(path: Path) -> bool:
    try:
        if path.is_dir():
            return not any(path.iterdir())
        return path.is_file() and path.read_bytes() in (b"", b".\n")
    except FileNotFoundError:  # it is removed while one looks
        return False


def make(folder: Path) -> World:
    home, project = folder / "home", folder / "home/project"
    project.mkdir(parents=True)
    (home / ".ssh").mkdir()
    for name in (".ssh/id_ed25519", ".bash_history", ".netrc", "notes.txt"):
        (home / name).write_text("SECRET\n")
    (home / ".protea").mkdir()
    (home / ".protea/keys.toml").write_text("SECRET\n")
    world = World(os.path.realpath(home), os.path.realpath(project), os.path.realpath(home / ".protea"))
    (project / "f").write_text("one\n")
    (project / ".agent").mkdir()
    (project / ".agent/settings.json").write_text("{}")
    (project / ".env").write_text("PASSWORD=SECRET\n")
    (project / ".env.example").write_text("PASSWORD=\n")
    (project / "link_home").symlink_to(home)
    git(world, "init", "-q")
    (project / ".gitignore").write_text(".env\n/link_home\n/sub/\n/packages/\n")
    git(world, "add", "f", ".agent", ".gitignore", ".env.example")
    git(world, "commit", "-qm", "one")
    (project / "packages/sub").mkdir(parents=True)
    git(world, "init", "-q", "packages/sub")
    git(world, "init", "-q", "sub")
    return world


def git(world: World, *words: str) -> str:
    done = subprocess.run(
        [*GIT, *words],
        cwd=world.project,
        env={"PATH": PATH, "HOME": world.home},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


async def run(sandbox: Sandbox, launch: Launch) -> tuple[str, int | None]:
    process = await sandbox.start(launch)
    out, _ = await drain(process)
    ended = await process.wait()
    process.close()
    return out.decode("utf-8", "replace"), ended.code
