"""RunCode with real interpreters and compilers, with walls and without."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from protea.adapters.sandbox import bubblewrap
from protea.adapters.tools import builtin
from protea.domain.tools import ToolResult
from tests import toolchains
from tests.adapters.tools.conftest import Project
from tests.adapters.tools.test_further import PIXEL


class Bench:
    """A project, behind walls or not, whose tools are opened with what a test needs."""

    def __init__(self, project: Project, *, walled: bool) -> None:
        self.project = project
        self.walled = walled
        self.readable: tuple[str, ...] = ()

    async def open(self, **environment: str) -> None:
        project = self.project
        everything = {**project.surroundings.environment, **environment}
        project.surroundings = replace(project.surroundings, environment=everything)
        if self.walled:
            await project.sandbox.aclose()
            options = bubblewrap.Options(readable=self.readable)
            project.sandbox = bubblewrap.create(options, surroundings=project.surroundings)
        project.tools = project.open(builtin.Options())

    async def rust(self, **environment: str) -> None:
        folder = toolchains.rust()
        self.readable = (str(folder.parent),)
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        await self.open(PATH=path, **environment)

    async def run(self, language: str, code: str, **more: Any) -> ToolResult:
        return await self.project.call("RunCode", language=language, code=code, **more)


@pytest.fixture(params=["without walls", "behind bubblewrap"])
async def bench(project: Project, request: pytest.FixtureRequest) -> Bench:
    walled = request.param == "behind bubblewrap"
    why = bubblewrap.obstacle(project.surroundings) if walled else None
    if why:
        pytest.skip(f"bubblewrap cannot be used here: {why}")
    made = Bench(project, walled=walled)
    await made.open()
    return made


# ── each language ──────────────────────────────────────────────────────────────────────────────────────────────────

PYTHON = f"""
import os, sys
said = sys.stdin.read()
data = open(os.environ["PROJECT"] + "/data.txt").read()
print(int(data) + int(open("more.txt").read()) + int(said))
open("plot.png", "wb").write(bytes.fromhex("{PIXEL.hex()}"))
"""
NODE = f"""
import {{ readFileSync, writeFileSync }} from "node:fs";
const number = (path) => parseInt(readFileSync(path, "utf8"));
console.log(number(process.env.PROJECT + "/data.txt") + number("more.txt") + number(0));
writeFileSync("plot.png", Buffer.from("{PIXEL.hex()}", "hex"));
"""
RUST = f"""
use std::{{env, fs, io}};
fn number(text: &str) -> i32 {{ text.trim().parse().unwrap() }}
fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let said = io::read_to_string(io::stdin())?;
    let data = fs::read_to_string(format!("{{}}/data.txt", env::var("PROJECT")?))?;
    println!("{{}}", number(&data) + number(&fs::read_to_string("more.txt")?) + number(&said));
    fs::write("plot.png", {list(PIXEL)}.map(|byte: u8| byte))?;
    Ok(())
}}
"""
SHELL = f"""
read -r said
numbers=($(cat "$PROJECT/data.txt") $(cat more.txt) "$said")
echo $((numbers[0] + numbers[1] + numbers[2]))
echo {base64.b64encode(PIXEL).decode()} | base64 -d >plot.png
"""


@pytest.mark.parametrize(("language", "code"), [("python", PYTHON), ("node", NODE), ("rust", RUST), ("shell", SHELL)])
async def test_each_language_takes_files_and_input_and_gives_files_and_images_back(
    bench: Bench, language: str, code: str
) -> None:
    bench.project.write({"data.txt": "30"})
    if language == "rust":
        await bench.rust()
    elif language == "node":
        toolchains.program("node")
    done = await bench.run(language, code, files={"more.txt": "10"}, stdin="2\n")
    assert not done.is_error, done.text
    said, *wrote = done.text.splitlines()
    assert said == "42"
    (line,) = wrote  # neither the code nor what the compiler made
    assert line.endswith(f"plot.png, {len(PIXEL)} bytes]")
    assert [base64.b64decode(image.data) for image in done.images] == [PIXEL]


@pytest.mark.parametrize(
    "code",
    [
        "const fs = require('fs');\nconsole.log(fs.existsSync('x') ? 0 : 42);\nmodule.exports = {};",
        "const os = require('os');\nconst n = await Promise.resolve(42);\nconsole.log(os ? n : 0);",
        "import fs from 'fs';\nconst path = require('path');\nconsole.log(fs && path && __dirname ? 42 : 0);",
        "async function main() { await null; console.log(42); }\nif (require.main === module) main();",
        "export const n = 42;\nconsole.log(n);",
        "console.log((await import('node:os')) ? 42 : 0)",
        "// import x from 'y' is not needed, and I await nothing\nconsole.log(require('os') ? 42 : 0)",
    ],
)
async def test_node_takes_modules_scripts_and_both_at_once(project: Project, code: str) -> None:
    toolchains.program("node")
    done = await project.call("RunCode", language="node", code=code)
    assert (done.text, done.is_error) == ("42", False)


async def test_rust_is_of_today(bench: Bench) -> None:
    await bench.rust()
    code = 'async fn a() -> i32 { 42 }\nfn main() { let _f = a(); let n = 42; println!("{n}"); }'
    done = await bench.run("rust", code)
    assert not done.is_error, done.text
    assert "42" in done.text


async def test_rust_that_does_not_compile_or_panics_says_where(bench: Bench) -> None:
    await bench.rust()
    wrong = await bench.run("rust", "fn main() { let n: i32 = true; }")
    assert wrong.is_error
    assert "main.rs:1:26" in wrong.text
    panic = await bench.run("rust", 'fn main() { let v: Vec<i32> = vec![];\n println!("{}", v[3]); }')
    assert "main.rs:2:18" in panic.text
    assert "[exit code 101]" in panic.text


GREET = {
    "greet/Cargo.toml": '[package]\nname = "greet"\nversion = "0.1.0"\nedition = "2021"\n',
    "greet/src/lib.rs": "pub fn answer() -> i32 { 40 }\n",
}


def manifest(*lines: str) -> str:
    head = '[package]\nname = "made"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
    return head + "\n".join(lines) + "\n"


async def test_rust_with_crates_is_built_by_cargo_in_its_own_folder(bench: Bench) -> None:
    bench.project.write(dict(GREET))
    await bench.rust(CARGO_TARGET_DIR="/nowhere/that/can/be/written")
    done = await bench.run(
        "rust",
        'mod two;\nfn main() { println!("{}", greet::answer() + two::two()); }',
        files={
            "Cargo.toml": manifest(f'greet = {{ path = "{bench.project.root}/greet" }}'),
            "two.rs": "pub fn two() -> i32 { 2 }\n",
        },
    )
    assert not done.is_error, done.text
    said, *left = done.text.splitlines()
    assert said == "42"
    assert [line.rpartition("/")[2] if "wrote" in line else line[-8:] for line in left] == [
        "target/]",
        left[-1].rpartition("/")[2],
    ]
    assert "Cargo.lock" in left[-1]
    assert sorted(os.listdir(bench.project.root / "greet")) == ["Cargo.toml", "src"]


async def test_a_crate_that_is_not_here_is_said_with_its_mend(bench: Bench) -> None:
    if not bench.walled:
        pytest.skip("without walls cargo asks the network, which tests do not")
    await bench.rust()
    done = await bench.run("rust", "fn main() {}", files={"Cargo.toml": manifest('no-such-crate-of-ours = "1"')})
    assert done.is_error
    assert "no-such-crate-of-ours" in done.text
    assert "[there is no network behind the walls: crates come from what cargo has fetched before" in done.text


# ── what is missing ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "more", "said"),
    [
        ("python", {}, "python3 is not installed here, or not on PATH: apt install python3, or see python.org."),
        ("node", {}, "node is not installed here, or not on PATH: apt install nodejs, or see nodejs.org."),
        ("rust", {}, "rustc is not installed here, or not on PATH: apt install rustc, or see rustup.rs."),
        (
            "rust",
            {"files": {"Cargo.toml": ""}},
            "cargo is not installed here, or not on PATH: apt install cargo, or see rustup.rs.",
        ),
        ("shell", {}, "bash is not installed here, or not on PATH: apt install bash."),
    ],
)
async def test_a_missing_interpreter_is_one_line_that_names_the_mend(
    project: Project, tmp_path: Path, language: str, more: dict[str, Any], said: str
) -> None:
    (tmp_path / "bin").mkdir()
    project.surroundings = replace(project.surroundings, environment={"PATH": str(tmp_path / "bin")})
    project.tools = project.open(builtin.Options())
    done = await project.call("RunCode", language=language, code="1", **more)
    assert (done.text, done.is_error) == (said, True)
    assert os.listdir(project.outputs) == []


async def test_behind_walls_a_program_may_be_missing_because_of_them(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not bench.walled:
        pytest.skip("there are no walls")
    hidden = tmp_path_factory.mktemp("hidden")
    (hidden / "rustc").write_text("#!/bin/sh\n")
    (hidden / "rustc").chmod(0o755)
    await bench.open(PATH=str(hidden))
    done = await bench.run("rust", "fn main() {}")
    assert "or not where commands behind the sandbox's walls can read it" in done.text


async def test_rust_without_a_linker_says_what_to_install(project: Project, tmp_path: Path) -> None:
    folder = toolchains.rust()
    project.surroundings = replace(project.surroundings, environment={"PATH": str(folder)})
    project.tools = project.open(builtin.Options())
    done = await project.call("RunCode", language="rust", code="fn main() {}")
    if not done.is_error:
        pytest.skip("this compiler links without cc")
    assert "[Rust links by cc: apt install gcc]" in done.text


# ── what code does ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_standard_input_is_empty_unless_it_is_given(bench: Bench) -> None:
    code = "import sys; print(repr(sys.stdin.read()))"
    assert (await bench.run("python", code)).text == "''"
    assert (await bench.run("python", code, stdin="a\nü\n")).text == repr("a\nü\n")
    failed = await bench.run("python", "import sys; sys.exit(3)", stdin="x")
    assert failed.text == "[exit code 3]"


async def test_much_output_is_cut_and_whole_in_a_file(bench: Bench) -> None:
    done = await bench.run("python", "for n in range(500_000): print('%099d' % n)")
    assert not done.is_error
    assert len(done.text) < 40_000
    assert done.file is not None
    assert os.stat(done.file).st_size == 50_000_000
    assert done.text.startswith("0" * 99)
    assert f"{499_999:099d}" in done.text


FORKS = """
import os, sys, time
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.write(write, b"x")
    os.close(write); os.close(1); os.close(2)
    time.sleep(600)
os.close(write)
os.read(read, 1)
print("gone on")
"""


async def test_what_forks_and_stays_is_ended_with_the_code(bench: Bench) -> None:
    async with asyncio.timeout(30):
        done = await bench.run("python", FORKS)
    assert done.text.startswith("gone on\n[left running and ended with the command: ")
    assert not done.is_error


async def test_what_takes_too_long_is_ended_and_what_it_wrote_is_there(bench: Bench) -> None:
    code = "import time\nprint('begun', flush=True)\nopen('half.txt', 'w').write('x')\ntime.sleep(600)"
    done = await bench.run("python", code, timeout=2)
    assert done.is_error
    assert done.text.startswith(
        "begun\n[ended: it took longer than 2 s; set a longer timeout (600 s at most)]\n[wrote "
    )


async def test_nothing_outside_its_folder_is_written_behind_walls(bench: Bench) -> None:
    done = await bench.run("shell", 'touch "$PROJECT/x" && echo written')
    assert done.is_error == bench.walled
    assert ("x" in os.listdir(bench.project.root)) != bench.walled


async def test_what_is_called_an_image_and_is_none_is_not_sent_as_one(project: Project) -> None:
    code = f"""
open("a.png", "w").write("no image")
open("b.jpg", "wb").write(bytes.fromhex("{PIXEL.hex()}"))
open("c.png", "w")
"""
    done = await project.call("RunCode", language="python", code=code)
    assert [(image.media_type, base64.b64decode(image.data)) for image in done.images] == [("image/png", PIXEL)]
    assert done.text.count("[wrote ") == 3


@pytest.mark.parametrize("project", [builtin.Options(image_bytes=200_000)], indirect=True)
async def test_an_image_that_is_too_large_is_made_smaller(project: Project) -> None:
    pytest.importorskip("PIL", reason="without Pillow (protea[media]) it is only named")
    code = f"""
import sys; sys.path[:0] = {sys.path!r}
import os
from PIL import Image
Image.frombytes("RGB", (2000, 1000), os.urandom(6_000_000)).save("noise.png")
"""
    done = await project.call("RunCode", language="python", code=code)
    assert not done.is_error, done.text
    assert [image.media_type for image in done.images] == ["image/jpeg"]
    assert len(base64.b64decode(done.images[0].data)) <= 200_000


async def test_of_many_files_some_are_named_and_the_rest_are_counted(project: Project) -> None:
    made = "os.makedirs('node_modules/x'); open('node_modules/x/y', 'w')"
    code = f"import os; {made}\nfor n in range(100): open(f'{{n:03}}.txt', 'w')"
    done = await project.call("RunCode", language="python", code=code)
    lines = done.text.splitlines()
    assert lines[0].endswith("/node_modules/]")
    assert len(lines) == 21
    assert lines[-1].startswith("[… and 81 more files in /")


ODD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"language": "python", "code": ""}, "[no output]"),
    ({"language": "shell", "code": "\n\n"}, "[no output]"),
    ({"language": "python", "code": "print('ü🦀\\u202e')"}, "ü🦀"),
    ({"language": "python", "code": "print('\ud800')"}, "The code could not be written: 'utf-8' codec can't encode"),
    ({"language": "python", "code": "x = '\0'"}, "null byte"),
    ({"language": "python", "code": "\ufeffprint(1)"}, "1"),
    ({"language": "python", "code": "print(1)\r\nprint(2)\r\n"}, "1\n2"),
    ({"language": "shell", "code": "echo a\r\n"}, "a"),
    ({"language": "python", "code": "1", "files": {".before.cjs": ""}}, "A file beside the code has a plain name"),
    ({"language": "python", "code": "1", "files": {"a" * 300: ""}}, "The code could not be written: "),
    ({"language": "python", "code": "print(open('ü b').read())", "files": {"ü b": "c"}}, "c"),
    ({"language": "node", "code": "1", "files": {"main.cjs": ""}}, "A file beside the code has a plain name"),
    ({"language": "rust", "code": "", "files": {"src": ""}}, "A file beside the code has a plain name"),
    ({"language": "python", "code": "#" * 3_000_000 + "\nprint(1)"}, "1"),
    ({"language": "python", "code": "import os; os.kill(os.getpid(), 9)"}, "[ended by SIGKILL]"),
    ({"language": "python", "code": "import os; os.rmdir(os.getcwd())"}, "Directory not empty"),
    ({"language": "python", "code": "import os; os.mkfifo('p'); os.symlink('/etc/passwd', 'l.png')"}, "[no output]"),
    ({"language": "python", "code": "open('line\\nbreak', 'w')"}, r"line\nbreak"),
)


@pytest.mark.parametrize(("arguments", "said"), ODD)
async def test_odd_calls_get_an_answer_that_says_what_happened(
    project: Project, arguments: dict[str, Any], said: str
) -> None:
    if arguments["language"] == "node":
        toolchains.program("node")
    if arguments["language"] == "rust":
        await Bench(project, walled=False).rust()
    done = await project.call("RunCode", **arguments)
    assert said in done.text


async def test_a_folder_that_is_gone_when_the_code_ends_leaves_nothing_to_name(project: Project) -> None:
    done = await project.call("RunCode", language="shell", code='echo x; rm -rf "$PWD"')
    assert (done.text, done.is_error) == ("x", False)
