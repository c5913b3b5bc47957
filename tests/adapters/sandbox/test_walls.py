"""What commands try, and what becomes of it. A case is a script; it escaped if it says PWNED or a file says so."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.sandbox._obstacles import find_bwrap, trouble
from protea.ports.sandbox import Sandbox
from protea.testing.contracts.sandbox import PATH
from tests.adapters.sandbox.engine import why_not
from tests.adapters.sandbox.walled import World, git, make, run

WHY_NOT = {"bubblewrap": trouble(find_bwrap(PATH, ())), "docker": why_not()}


def adapters() -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.skipif(why is not None, reason=f"{name} cannot be used here: {why}"))
        for name, why in WHY_NOT.items()
    ]


BATTERY = Path(__file__).parents[4] / "shared/batteries/sandbox_sample.json"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


@pytest.fixture(params=adapters())
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def sandbox(world: World, adapter: str) -> AsyncIterator[Sandbox]:
    made = world.sandbox(adapter)
    yield made
    await made.aclose()


# ── what works ──────────────────────────────────────────────────────────────────────────────────────────────────────

WORKS = {
    "commit": "echo x>n && git add -A && git -c user.name=a -c user.email=a@b commit -qm 2 && git log | grep -q commit",
    "branch, stash, merge": """git checkout -qb b && echo y>>f && git stash -q && git stash pop -q
        export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
        git commit -qam two && git checkout -q main && git merge -q b && git gc -q && git fsck""",
    "linked worktree": "git worktree add -q wt && cd wt && git status",
    "commit in a nested repository": """cd packages/sub && echo x>n && git add n &&
        git -c user.name=a -c user.email=a@b commit -qm 1""",
    "nothing stands in git's way": 'test -z "$(git status --porcelain)"',
    "temporary files": "f=$(mktemp) && echo x >$f && test -s $f && touch /tmp/z /var/tmp/z /dev/shm/z",
    "a home to write in": "mkdir -p ~/.cache/tool && echo x > ~/.cache/tool/y && cat ~/.cache/tool/y",
    "python": "python3 -c 'import ssl, socket, sqlite3; print(1)'",
    "multiprocessing": "python3 -c 'import multiprocessing as m\nwith m.Pool(2) as p: print(p.map(abs, [-1]))'",
    "a pseudo-terminal": "python3 -c 'import pty; pty.openpty()'",
    "own loopback": """python3 -c 'import socket as s
a = s.create_server(("127.0.0.1", 0)); s.create_connection(a.getsockname())
b = s.create_server(("::1", 0), family=s.AF_INET6)'""",
    "names of addresses": "python3 -c 'import socket; socket.getaddrinfo(\"localhost\", 80)'",
    "rename, link and remove": "mkdir d && echo x>d/a && mv d e && ln e/a e/b && ln -s a e/c && rm -r e",
    "reading a guarded file": "cat .agent/settings.json .git/config .env.example",
    "threads": "python3 -c 'import threading\nfor i in range(50): threading.Thread(target=int).start()'",
    "the time": "date && sleep 0.01",
    "extended attributes and modes": "touch x && chmod 755 x && chmod g+s . && touch -d yesterday x",
}


@pytest.mark.parametrize("script", WORKS.values(), ids=WORKS.keys())
async def test_work_goes_on(world: World, sandbox: Sandbox, script: str) -> None:
    git(world, "branch", "-m", "main")
    out, code = await run(sandbox, world.launch(script))
    assert code == 0, out


async def test_a_commit_is_made_under_the_persons_name(world: World, sandbox: Sandbox) -> None:
    world.path("../.gitconfig").write_text(
        '[user]\n\tname = Ada\n\temail = ada@example.org\n[url "https://SECRET@example.org"]\n\tinsteadOf = x\n'
        "[core]\n\tsshCommand = SECRET\n\tautocrlf = input\n[credential]\n\thelper = SECRET\n"
    )
    script = "echo y >> f && git commit -qam two && git log -1 --format=%an; cat ~/.gitconfig; echo EVIL >>~/.gitconfig"
    out, _ = await run(sandbox, world.launch(script))
    assert out.splitlines()[0] == "Ada"
    assert "autocrlf = input" in out
    assert "SECRET" not in out
    assert "EVIL" not in world.path("../.gitconfig").read_text()


# ── what does not ───────────────────────────────────────────────────────────────────────────────────────────────────

CTYPES = "import ctypes; c=ctypes.CDLL(None, use_errno=True); "
WRITES = {
    # name: script, path that must not come to hold EVIL
    "the home": ("echo EVIL > $HOME/x", "../x"),
    "a shell's start-up file": ("echo EVIL >> $HOME/.bashrc", "../.bashrc"),
    "through a link": ("echo EVIL > link_home/x", "../x"),
    "beside the project": ("echo EVIL > ../x", "../x"),
    "through /proc": ("echo EVIL > /proc/self/root$HOME/x; echo EVIL > /proc/1/root$HOME/x", "../x"),
    "through a hard link": ("ln ../notes.txt n && echo EVIL > n", "../notes.txt"),
    "a hook": ("echo EVIL > .git/hooks/pre-commit", ".git/hooks/pre-commit"),
    "a hook, the folder replaced": ("rm -rf .git/hooks; mkdir -p .git/hooks; echo EVIL > .git/hooks/x", ".git/hooks/x"),
    "git's configuration": ("echo EVIL >> .git/config", ".git/config"),
    "git's configuration, replaced": ("echo EVIL > n; mv -f n .git/config", ".git/config"),
    "git's attributes": ("mkdir -p .git/info; echo EVIL > .git/info/attributes", ".git/info/attributes"),
    "another repository's files for this one": ("echo EVIL > .git/commondir", ".git/commondir"),
    "a repository in place of this": ("mv .git g; mkdir -p .git/hooks; echo EVIL > .git/hooks/x", ".git/hooks/x"),
    "a linked repository in place of this": ("mv .git g; echo EVIL > .git", ".git"),
    "a hook of a nested repository": ("echo EVIL > sub/.git/hooks/x", "sub/.git/hooks/x"),
    "a nested repository renamed": (
        "mv sub s; mkdir -p sub/.git/hooks; echo EVIL > sub/.git/hooks/x",
        "sub/.git/hooks/x",
    ),
    "a folder above it renamed": (
        "mv packages p; mkdir -p packages/sub/.git/hooks; echo EVIL > packages/sub/.git/hooks/x",
        "packages/sub/.git/hooks/x",
    ),
    "another program's settings": ("echo EVIL > .agent/settings.json", ".agent/settings.json"),
    "their folder renamed": ("mv .agent a; mkdir .agent; echo EVIL > .agent/settings.json", ".agent/settings.json"),
    "settings that do not exist": ("echo EVIL > .mcp.json", ".mcp.json"),
    "settings that do not exist, by renaming": ("rmdir .mcp.json; echo EVIL > n; mv -T n .mcp.json", ".mcp.json"),
    "an editor's settings": ("mkdir -p .vscode; echo EVIL > .vscode/tasks.json", ".vscode/tasks.json"),
    "hooks of husky": ("mkdir -p .husky; echo EVIL > .husky/pre-commit", ".husky/pre-commit"),
    "Protea's own": ("mkdir -p $HOME/.protea; echo EVIL > $HOME/.protea/config.toml", "../.protea/config.toml"),
    "Protea's keys": ("echo EVIL > $HOME/.protea/keys.toml", "../.protea/keys.toml"),
    "Protea's settings of the project": ("mkdir -p .protea; echo EVIL > .protea/config.toml", ".protea/config.toml"),
    "a hidden file": ("echo EVIL > .env", ".env"),
    "after a mount": ("mount -o remount,rw,bind /; umount -l $HOME; echo EVIL > $HOME/x", "../x"),
    "in a namespace of its own": (
        "unshare -Urm sh -c 'umount -l $HOME; mount -o remount,rw,bind /; echo EVIL > $HOME/x'",
        "../x",
    ),
    "by chroot": ("chroot /proc/1/root sh -c 'echo EVIL > $HOME/x'", "../x"),
}
SAYS = {
    "a key": "grep -q SECRET $HOME/.ssh/id_ed25519 && echo PWNED",
    "a key through /proc": "grep -q SECRET /proc/self/root$HOME/.ssh/id_ed25519 && echo PWNED",
    "a key through a link": "grep -qr SECRET link_home/ --include=id_ed25519 && echo PWNED",
    "a history": "grep -q SECRET $HOME/.bash_history && echo PWNED",
    "whatever lies in the home": "grep -q SECRET $HOME/notes.txt $HOME/.netrc && echo PWNED",
    "Protea's keys": "grep -qr SECRET $HOME/.protea && echo PWNED",
    "an .env file": "grep -q SECRET .env && echo PWNED",
    "the environment": "env | grep -q SECRET_API_KEY && echo PWNED",
    "another process's environment": "cat /proc/[0-9]*/environ | grep -qa SECRET && echo PWNED",
    "passwords": "grep -q root /etc/shadow && echo PWNED",
    "other processes": "[ $(ls -d /proc/[0-9]* | wc -l) -gt 12 ] && echo PWNED",
    "capabilities": "[ $(awk '/CapEff/{print $2}' /proc/self/status) = 0000000000000000 ] || echo PWNED",
    "new privileges": "[ $(awk '/NoNewPrivs/{print $2}' /proc/self/status) = 1 ] || echo PWNED",
    "open descriptors": "[ $(ls /proc/self/fd | wc -l) -gt 4 ] && echo PWNED",
    "a device": "mknod d b 254 0 && echo PWNED; mknod e c 1 1 && echo PWNED; [ -e /dev/mem ] && echo PWNED",
    "a disk": "ls /dev/sd* /dev/vd* /dev/nvme* 2>/dev/null | grep -q . && echo PWNED",
    "a kernel setting": """read v < /proc/sys/kernel/panic; echo $v > /proc/sys/kernel/panic && echo PWNED
        echo h > /proc/sysrq-trigger && echo PWNED""",
    "the host's name": "hostname evil && echo PWNED",
    "a setuid file": "cp /bin/true t; chmod u+s t; [ -u t ] && echo PWNED",
    "a setuid file, made so": f"python3 -c '{CTYPES}c.creat(b\"t\", 0o4755)'; [ -u t ] && echo PWNED",
    "a setuid file, opened so": "python3 -c 'import os; os.open(\"t\", os.O_CREAT, 0o4755)'; [ -u t ] && echo PWNED",
    "memory": 'python3 -c \'b=bytearray(4<<30); b[::4096]=b"x"*len(b[::4096]); print("PWNED")\'',
    "a large file": "timeout 20 truncate -s 3G big && echo PWNED",
    "much in /tmp": "dd if=/dev/zero of=/tmp/a bs=1M count=1100 status=none && echo PWNED",
    "much in /dev/shm": "dd if=/dev/zero of=/dev/shm/a bs=1M count=1100 status=none && echo PWNED",
    "much in the home": "dd if=/dev/zero of=$HOME/a bs=1M count=600 status=none && echo PWNED",
    "much in /dev": "dd if=/dev/zero of=/dev/a bs=1M count=100 status=none && echo PWNED",
    "a namespace": "unshare -U true && echo PWNED; unshare -n true && echo PWNED",
    "a daemon's socket": "python3 -c 'import socket as s; s.socket(s.AF_UNIX); print(\"PWNED\")'",
    "a virtual machine's host": "python3 -c 'import socket as s; s.socket(40, 1); print(\"PWNED\")'",
    "raw packets": "python3 -c 'import socket as s; s.socket(s.AF_PACKET, 3); print(\"PWNED\")'",
    "another process": f"python3 -c '{CTYPES}print(\"PWNED\" if c.ptrace(16, 1, 0, 0) == 0 else 0)'",
    "typing into a terminal": """python3 -c 'import fcntl, pty
m, s = pty.openpty(); fcntl.ioctl(s, 0x5412, b"x"); print("PWNED")'""",
    "a foreign address": "timeout 2 bash -c 'echo >/dev/tcp/192.0.2.1/80' && echo PWNED",
}
CALLS = {"x86_64": {"bpf": 321, "userfaultfd": 323, "add_key": 248, "keyctl": 250, "io_uring_setup": 425, "kcmp": 312}}


@pytest.mark.parametrize(("script", "path"), WRITES.values(), ids=WRITES.keys())
async def test_nothing_is_written_to(world: World, sandbox: Sandbox, script: str, path: str) -> None:
    await run(sandbox, world.launch(script))
    target = world.path(path)
    assert not target.is_file() or "EVIL" not in target.read_text()
    await sandbox.aclose()
    assert world.stand_ins() == []


@pytest.mark.skipif(WHY_NOT["bubblewrap"] is not None, reason=f"bubblewrap: {WHY_NOT['bubblewrap']}")
@pytest.mark.parametrize("script", SAYS.values(), ids=SAYS.keys())
async def test_nothing_is_had_of(world: World, script: str) -> None:
    sandbox = world.sandbox()
    try:
        out, _ = await run(sandbox, world.launch(script))
        assert "PWNED" not in out
    finally:
        await sandbox.aclose()


@pytest.mark.skipif(WHY_NOT["docker"] is not None, reason=f"docker: {WHY_NOT['docker']}")
async def test_nothing_is_had_in_a_container(world: World) -> None:
    """All of them in one: a container takes half a second, and none of these changes what the next one meets."""
    for number, script in enumerate(SAYS.values()):
        world.path(f"case{number}").write_text(script)
    sandbox = world.sandbox("docker")
    try:
        every = "; ".join(f"echo {n}; bash ./case{n} 2>&1; rm -rf t d e big /tmp/a ~/a" for n in range(len(SAYS)))
        out, _ = await run(sandbox, world.launch(every))
    finally:
        await sandbox.aclose()
    assert str(len(SAYS) - 1) in out.split()
    had, name = [], ""
    for line in out.splitlines():
        name = list(SAYS)[int(line)] if line.isdigit() and int(line) < len(SAYS) else name
        had += [name] if "PWNED" in line else []
    assert had == []


@pytest.mark.skipif(os.uname().machine not in CALLS, reason="the numbers are not known to this test")
async def test_the_kernel_is_not_reached_by_number(world: World, sandbox: Sandbox) -> None:
    calls = CALLS[os.uname().machine]
    script = f"{CTYPES}\nfor n in {list(calls.values())}: c.syscall(n, 0, 0, 0, 0, 0); print(n, ctypes.get_errno())"
    out, code = await run(sandbox, world.launch(f"python3 -c '{script}'"))
    assert code == 0, out
    assert {int(line.split()[1]) for line in out.splitlines()} <= {1, 38}


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("network", [False, True])
async def test_the_machines_loopback_is_reached_only_with_the_network(
    world: World, server: int, network: bool, adapter: str
) -> None:
    if network and adapter == "docker":
        pytest.skip("a container's network is the engine's, never this machine's loopback")
    sandbox = world.sandbox(adapter, network=network)
    try:
        _, code = await run(sandbox, world.launch(f"exec 3<>/dev/tcp/127.0.0.1/{server}"))
        assert (code == 0) is network
        assert ("network" in sandbox.walls) is not network
    finally:
        await sandbox.aclose()


async def test_a_fork_bomb_is_bounded_and_ended(world: World, adapter: str) -> None:
    sandbox = world.sandbox(adapter, processes=60)
    try:
        script = "for i in $(seq 200); do sleep 300 & done 2>/dev/null; jobs -p | wc -l; kill -9 0"
        process = await sandbox.start(world.launch(script))
        async with asyncio.timeout(20):
            while await process.read():
                pass
            await process.wait()
        process.close()
        assert not _running("sleep 300", world)
    finally:
        await sandbox.aclose()


def _running(words: str, world: World) -> bool:
    done = subprocess.run(["pgrep", "-fx", words], capture_output=True, check=False)
    cwds = []
    for pid in done.stdout.split():
        try:
            cwds.append(os.readlink(f"/proc/{int(pid)}/cwd"))
        except OSError:
            continue
    return world.project in cwds


# ── the battery that is run from outside ────────────────────────────────────────────────────────────────────────────


def battery() -> list[dict[str, Any]]:
    return json.loads(BATTERY.read_text())["tests"] if BATTERY.exists() else []  # type: ignore[no-any-return]


@pytest.mark.skipif(
    not BATTERY.exists(), reason=f"{BATTERY} is not there: the sample of the battery lies beside the checkout"
)
@pytest.mark.parametrize("case", [pytest.param(each, id=each["id"]) for each in battery()])
async def test_the_sample_of_the_battery(world: World, sandbox: Sandbox, case: dict[str, Any]) -> None:
    def here(text: str) -> str:
        return (
            text.replace("$WS", world.project).replace("/home/dev/ws", world.project).replace("/home/dev", world.home)
        )

    process = await sandbox.start(world.launch(here(case["sh"])))
    out = b""
    try:
        async with asyncio.timeout(case["timeout"]):
            while chunk := await process.read():
                out += chunk.data
            await process.wait()
    except TimeoutError:
        await process.end(0)
    process.close()
    if case["expect"] == "works":
        assert b"WORKS" in out, out
        return
    assert b"PWNED" not in out
    if case["host"]:
        look = await asyncio.create_subprocess_exec("/bin/sh", "-c", here(case["host"]), cwd=world.project)
        assert await look.wait() != 0
