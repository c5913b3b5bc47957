"""Real commands in real containers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from protea.adapters.sandbox import docker
from protea.adapters.sandbox._engine import Engine, EngineError, find_socket, target
from protea.adapters.sandbox._keeper import Ear
from protea.composition.walls import settle
from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Limits, Sandbox
from protea.testing.contracts.sandbox import PATH, SandboxContract, drain
from tests.adapters.sandbox.engine import IMAGE, OPTIONS, READABLE, why_not
from tests.adapters.sandbox.test_bubblewrap import surroundings
from tests.adapters.sandbox.walled import World, make, run

needs_engine = pytest.mark.skipif(why_not() is not None, reason=f"containers cannot be used here: {why_not()}")


@needs_engine
class TestDocker(SandboxContract):
    sees_pids = False

    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        for name in ("home", "project"):
            (tmp_path / name).mkdir()
        around = surroundings(tmp_path / "project", tmp_path / "home")
        self._folder = around.root
        self._sandbox = docker.create(OPTIONS, surroundings=around)

    def sandbox(self) -> Sandbox:
        return self._sandbox

    def folder(self) -> str:
        return self._folder


PROGRAM = """
import asyncio, sys
from tests.adapters.sandbox.walled import World

async def main():
    world = World(*sys.argv[1:])
    sandbox = world.sandbox("docker")
    script = "setsid sh -c 'trap \\"\\" TERM HUP; sleep 4747' & (sleep 4748 &) ; echo ready; sleep 4749"
    process = await sandbox.start(world.launch(script))
    print((await process.read()).data.decode(), flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


@pytest.fixture
def engine() -> Engine:
    return Engine(find_socket(dict(os.environ)))


def containers(engine: Engine, world: World) -> list[str]:
    sandbox = docker.ContainerSandbox(OPTIONS, world.surroundings(), (world.project,), engine)
    filters = {"label": [f"{docker.HOME}={sandbox._labels()[docker.HOME]}"]}
    found = engine.ask("GET", target("containers", "json", all=True, filters=filters)).json()
    return [each["Id"] for each in found]


@needs_engine
async def test_a_killed_protea_takes_its_containers_along_and_the_next_removes_what_stood_in(
    world: World, engine: Engine
) -> None:
    protea = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, world.home, world.project, world.protea_home),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert protea.stdout is not None
    async with asyncio.timeout(60):
        assert await protea.stdout.readline() == b"ready\n"
    assert len(containers(engine, world)) == 1
    protea.kill()
    await protea.wait()
    async with asyncio.timeout(30):
        while containers(engine, world):  # noqa: ASYNC110 - the engine tells nobody who did not ask before
            await asyncio.sleep(0.05)
    assert ".mcp.json" in world.stand_ins()
    sandbox = world.sandbox("docker")
    assert (await run(sandbox, world.launch("true")))[1] == 0
    await sandbox.aclose()
    assert world.stand_ins() == []


@needs_engine
async def test_a_container_whose_owner_is_gone_is_ended_by_the_next_start(world: World, engine: Engine) -> None:
    sandbox = world.sandbox("docker")
    labels = {**sandbox._labels(), docker.OWNER: docker._owner(2**22 + 5)}  # type: ignore[attr-defined]
    made = engine.ask(
        "POST",
        "/containers/create",
        {
            "Image": IMAGE,
            "Labels": labels,
            "Cmd": ["/bin/sleep", "300"],
            "HostConfig": {
                "NetworkMode": "none",
                "Binds": [f"{path}:{path}:ro" for path in READABLE],
                "Ulimits": [{"Name": name, "Soft": 1024, "Hard": 1024} for name in ("nofile", "nproc")],
            },
        },
    )
    assert made.status == 201, made.body
    assert engine.ask("POST", target("containers", made.json()["Id"], "start")).status == 204
    assert containers(engine, world) == [made.json()["Id"]]
    assert (await run(sandbox, world.launch("true")))[1] == 0
    await sandbox.aclose()
    assert made.json()["Id"] not in containers(engine, world)


@needs_engine
async def test_what_a_command_wrote_is_the_persons_and_the_project_may_be_read_only(world: World) -> None:
    sandbox = world.sandbox("docker")
    _, code = await run(sandbox, world.launch("echo x > made && mkdir d"))
    assert code == 0
    assert world.path("made").stat().st_uid == os.getuid()
    out, code = await run(sandbox, replace(world.launch("cat f && echo x > f"), writable=()))
    assert out.startswith("one\n")
    assert code != 0
    await sandbox.aclose()
    assert world.path("f").read_text() == "one\n"


@needs_engine
async def test_limits_of_a_launch_make_those_of_the_options_smaller(world: World) -> None:
    sandbox = world.sandbox("docker", cpus=0.5)
    launch = replace(
        world.launch("ulimit -f; cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max"),
        limits=Limits(processes=60, memory=1 << 30, file_size=1 << 20),
    )
    out, _ = await run(sandbox, launch)
    await sandbox.aclose()
    assert "1024" in out.split()
    assert "60" in out.split()


@needs_engine
async def test_a_program_is_found_in_the_image_and_in_what_is_shown(world: World) -> None:
    sandbox = world.sandbox("docker")
    assert sandbox.which("sh", PATH) in ("/usr/bin/sh", "/bin/sh")
    assert sandbox.which("/bin/bash", PATH) == "/bin/bash"
    assert sandbox.which("no-such-program", PATH) is None
    assert sandbox.which("passwd", "/etc") is None
    await sandbox.aclose()


@needs_engine
async def test_much_unread_output_does_not_keep_the_end_from_coming(world: World) -> None:
    sandbox = world.sandbox("docker")
    process = await sandbox.start(world.launch("head -c 3000000 /dev/zero"))
    async with asyncio.timeout(60):
        assert (await process.wait()).code == 0
    out, _ = await drain(process)
    assert len(out) == 3_000_000
    process.close()
    await sandbox.aclose()


@needs_engine
async def test_a_missing_image_is_told_and_nothing_runs(world: World) -> None:
    sandbox = world.sandbox("docker", image="protea-there-is-none:1")
    with pytest.raises(OSError, match="there is no image protea-there-is-none:1 in the container engine; build it"):
        await sandbox.start(world.launch("echo x > ran"))
    await sandbox.aclose()
    assert not world.path("ran").exists()


async def test_no_engine_is_told_and_nothing_runs(world: World, tmp_path: Path) -> None:
    sandbox = world.sandbox("docker", socket=str(tmp_path / "nobody.sock"))
    with pytest.raises(OSError, match=r"no container engine listens at .*nobody\.sock; start Docker or Podman"):
        await sandbox.start(world.launch("echo x > ran"))
    await sandbox.aclose()
    assert not world.path("ran").exists()


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[str]:
    """A socket where something else listens."""
    path = str(tmp_path / "strange.sock")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    visitor, _ = door.accept()
                    visitor.recv(100)
                    visitor.sendall(b"220 mail.example.org ESMTP\r\n\r\n")
                    visitor.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield path
        door.shutdown(socket.SHUT_RDWR)
        thread.join(10)


async def test_what_is_no_engine_is_told(world: World, strange: str) -> None:
    sandbox = world.sandbox("docker", socket=strange)
    with pytest.raises(OSError, match="does not speak HTTP"):
        await sandbox.start(world.launch("true"))
    await sandbox.aclose()


def test_an_engine_on_another_machine_is_refused() -> None:
    with pytest.raises(EngineError, match="not on this machine"):
        find_socket({"DOCKER_HOST": "tcp://10.0.0.1:2375"})
    assert find_socket({"DOCKER_HOST": "unix:///x/y.sock"}) == "/x/y.sock"
    assert find_socket({"DOCKER_HOST": "tcp://10.0.0.1:2375"}, "/a.sock") == "/a.sock"


def test_where_walls_are_required_none_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="the sandbox none has none"):
        settle("none", {"required": True}, world.surroundings(), lambda line: None)


def test_where_no_walls_can_be_built_auto_says_so_or_refuses(world: World, tmp_path: Path) -> None:
    told: list[str] = []
    blind = replace(world.surroundings(), environment={"PATH": PATH, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    everything = replace(blind, root="/", cwd="/")
    assert settle("auto", {}, everything, told.append) == ("none", {})
    assert "commands run without walls, because" in told[0]
    assert "no container engine listens" in told[0]
    with pytest.raises(ConfigError, match=r"no walls can be built, and sandbox\.required asks for them"):
        settle("auto", {"required": True}, everything, told.append)
    with pytest.raises(ConfigError, match="cannot keep commands from the network"):
        settle("auto", {"network": False}, everything, told.append)


def test_the_keepers_words_are_told_from_what_the_command_writes() -> None:
    data = b"a\0b\0word exit 3\nc\0wor\0word left x y\n\0word"
    for size in range(1, len(data) + 1):
        ear, own, said = Ear("word"), b"", []
        for at in range(0, len(data), size):
            piece, words = ear.hear(data[at : at + size])
            own += piece
            said += words
        assert (own + ear.rest(), said) == (b"a\0bc\0wor\0word", ["exit 3", "left x y"])


def test_an_engine_that_limits_nothing_is_refused_unless_that_is_wanted(tmp_path: Path) -> None:
    """Podman without root on control groups of version 1, as it answers: it says that it limits, and does not."""
    import http.server
    import socketserver
    import threading

    answers = {
        "/version": {"Components": [{"Name": "Podman Engine"}]},
        "/info": {"OSType": "linux", "Rootless": True, "CgroupVersion": "1", "PidsLimit": True, "SecurityOptions": []},
        target("images", IMAGE, "json"): {"Id": "sha256:1", "Config": {}},
    }

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = next(each for each in answers if self.path.endswith(each))
            body = json.dumps(answers[path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "engine"

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "engine"), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        around = Surroundings(cwd="/p", root="/p", user_home="/h", protea_home="/h/.protea", environment={})
        options = docker.Options(image=IMAGE, socket=str(tmp_path / "engine"))
        said = docker.obstacle(options, around)
        wanted = docker.obstacle(replace(options, uncounted=True), around)
        server.shutdown()
    assert said is not None
    assert "nothing limits the processes and memory" in said
    assert wanted is None
