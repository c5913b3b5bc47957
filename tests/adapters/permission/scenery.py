"""A project and a home directory as the permission battery describes them, and an engine that looks at them."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protea.adapters.permission.rules import Options, create
from protea.domain.permission import Decision, Mode, PermissionRequest, RuleLayer
from protea.domain.surroundings import Surroundings
from protea.ports.permission import Permission

SECRET = "SECRET_KEY_123"


class Scenery:
    """`root` and `home` may exist or not; the engine must hold either way."""

    def __init__(self, root: str, home: str) -> None:
        self.root, self.home = root, home

    def engine(self, allow: Sequence[str] = (), ask: Sequence[str] = (), deny: Sequence[str] = ()) -> Permission:
        layer = RuleLayer("battery", tuple(allow), tuple(ask), tuple(deny))
        surroundings = Surroundings(
            cwd=self.root,
            root=self.root,
            user_home=self.home,
            protea_home=f"{self.home}/.protea",
            environment={},
        )
        return create(Options(layers=(layer,)), surroundings=surroundings)

    def decide(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        allow: Sequence[str] = (),
        ask: Sequence[str] = (),
        deny: Sequence[str] = (),
        mode: Mode = "normal",
        **more: Any,
    ) -> Decision:
        return self.engine(allow, ask, deny).decide(self.request(tool, arguments, mode=mode, **more))

    def request(self, tool: str, arguments: dict[str, Any], **more: Any) -> PermissionRequest:
        given = {"cwd": self.root, "home": self.home, **more}
        return PermissionRequest(tool=tool, arguments=arguments, **given)

    def bash(self, command: str, **more: Any) -> Decision:
        return self.decide("Bash", {"command": command}, **more)


def build(folder: Path) -> Scenery:
    """The fixture: repository, secrets, links, a planted bare repository, a FIFO, a socket."""
    root, home = folder / "repo", folder / "home"
    for one in (root / "src", root / "tests", root / "docs", root / "packages/api", root / "victim", home / ".ssh"):
        one.mkdir(parents=True)
    (home / ".ssh/id_rsa").write_text(SECRET + "\n")
    (home / ".bashrc").write_text("")
    texts = {
        ".env": f"KEY={SECRET}\n",
        ".env.example": "KEY=\n",
        "README.md": "# hello\n",
        "a.txt": "b\na\nfoo\n",
        "big.txt": "line\n" * 5000,
        "package.json": '{"name": "x", "scripts": {"test": "true"}}\n',
        "src/app.py": "def foo():\n    return 1\n",
        "src/util.py": "import os\n",
        "tests/test_a.py": "def test_b():\n    pass\n",
        "docs/index.md": "foo\n",
        "packages/api/index.js": "1\n",
        "victim/x": "x\n",
        "x.sh": "#!/bin/sh\ntouch pwned\n",
        "x.mk": "all:\n\ttouch pwned\n",
        "evil.so": "\x7fELF",
        ".gitignore": ".env\n",
    }
    for name, text in texts.items():
        (root / name).write_text(text)
    (root / "x.sh").chmod(0o755)
    (root / "link_ssh").symlink_to(home / ".ssh")
    (root / "link_out_dir").symlink_to("/tmp")
    (root / "link_key").symlink_to(home / ".ssh/id_rsa")
    (root / "loop_a").symlink_to("loop_b")
    (root / "loop_b").symlink_to("loop_a")
    os.link(home / ".ssh/id_rsa", root / "hl_key")
    os.mkfifo(root / "fifo")
    # A socket's path may not be long, so it is made by a relative name.
    before = os.getcwd()
    os.chdir(root)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("sock")
    finally:
        os.chdir(before)
    evil = root / "evil"
    for name in ("objects", "refs"):
        (evil / name).mkdir(parents=True)
    (evil / "HEAD").write_text("ref: refs/heads/main\n")
    (evil / "config").write_text("[core]\n\tfsmonitor = touch pwned;\n\tworktree = .\n\tbare = false\n")
    _git(root, "init", "-q", "-b", "main")
    for number in range(2):
        _git(root, "add", "README.md", "src", "docs", "a.txt", ".gitignore", "package.json")
        _git(root, "commit", "-q", "--allow-empty", "-m", f"commit {number}")
        (root / "a.txt").write_text(f"b\na\nfoo\n{number}\n")
    return Scenery(str(root), str(home))


def _git(root: Path, *words: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    subprocess.run(["git", *words], cwd=root, env=environment, check=True, capture_output=True)
