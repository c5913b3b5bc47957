"""What must not touch the outside world, and where the outside world may be touched."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Tree, calls, functions, rule

PURE = {
    "__future__", "abc", "base64", "bisect", "codecs", "collections", "contextlib", "datetime", "decimal", "difflib", "enum",
    "fnmatch", "fractions", "functools", "hashlib", "heapq", "html", "ipaddress", "itertools", "json", "math", "operator",
    "posixpath", "re", "shlex", "string", "struct", "textwrap", "types", "typing", "unicodedata", "warnings",
}  # fmt: skip
"""Modules of the standard library that can be used without touching anything."""

OUTSIDE = {
    "fcntl", "ftplib", "glob", "http", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "selectors",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "termios", "threading", "time", "urllib",
    "uuid",
}  # fmt: skip
"""Modules that reach the outside world: the application gets at them through ports."""

READS_ENVIRONMENT = {
    "protea.cli": "the process entry: it takes the environment once and hands it on as a value",
    "protea.cli.opening": "where it hands it on, and where `~` in a flag is the person's own",
    "protea.boot": "the process entry of the full screen",
    "protea.__main__": "the process entry",
    "protea.composition.surroundings": "where HOME is missing, the user database has it",
    "protea.sdk": "the entry of a program that is not ours: where it names no environment, the process's own",
}


@rule(
    {"domain/a.py": "import os"},
    {"domain/a.py": "import asyncio"},
    {"domain/a.py": "from time import monotonic"},
    {"domain/a.py": "def f():\n    import logging"},
    fine={
        "domain/a.py": "import re\nimport collections.abc\nimport msgspec\nfrom protea.domain import b",
        "domain/b.py": "",
    },
)
def the_domain_imports_only_what_is_pure(tree: Tree) -> Iterator[str]:
    for module in tree.under("domain"):
        for each in module.imports:
            if each.target.partition(".")[0] not in PURE | {"msgspec", "protea"}:
                yield module.at(each.line, f"{each.target} is not pure")


@rule(
    {"domain/a.py": "def f(p):\n    return open(p).read()"},
    {"domain/a.py": "print(1)"},
    {"domain/a.py": "x = input()"},
    fine={"domain/a.py": "def f(file):\n    return file.reopen()"},
)
def the_domain_opens_nothing(tree: Tree) -> Iterator[str]:
    for module in tree.under("domain"):
        for call, name in calls(module.ast):
            if name in ("open", "print", "input", "exec", "eval", "compile", "breakpoint", "__import__"):
                yield module.at(call, f"{name}() in the domain")


@rule({"domain/a.py": "async def f(): ..."}, fine={"domain/a.py": "def f(): ...", "ports/p.py": "async def g(): ..."})
def the_domain_never_waits(tree: Tree) -> Iterator[str]:
    for module in tree.under("domain"):
        for function in functions(module.ast):
            if isinstance(function, ast.AsyncFunctionDef):
                yield module.at(function, f"async {function.name} in the domain")


@rule(
    {"application/a.py": "import subprocess"},
    {"application/a.py": "def f():\n    from pathlib import Path"},
    {"application/a.py": "import os"},
    fine={
        "application/a.py": "import asyncio\nfrom collections import deque\nimport os.path",
        "adapters/x/a.py": "import os",
    },
)
def the_application_reaches_outside_through_ports(tree: Tree) -> Iterator[str]:
    for module in tree.under("application", "ports"):
        for each in module.imports:
            if each.target.partition(".")[0] in OUTSIDE and each.target != "os.path":
                yield module.at(each.line, f"{each.target} belongs behind a port")


@rule(
    {"application/a.py": "def f(p):\n    return open(p)"},
    {"ports/a.py": "x = open('y')"},
    fine={"application/a.py": "def f(store, p):\n    return store.open(p)"},
)
def the_application_opens_no_files(tree: Tree) -> Iterator[str]:
    for module in tree.under("application", "ports"):
        for call, name in calls(module.ast):
            if name in ("open", "io.open", "input", "print"):
                yield module.at(call, f"{name}() belongs behind a port")


_CLOCK = re.compile(
    r"(^|\.)(now|utcnow|today|time_ns|monotonic_ns|perf_counter|getrandbits|uuid[14]|token_hex|urandom)$"
)


@rule(
    {"domain/a.py": "import datetime\ndef f():\n    return datetime.datetime.now()"},
    {"application/a.py": "from datetime import date\nx = date.today()"},
    {"application/a.py": "import asyncio\ndef f():\n    return asyncio.get_running_loop().time()"},
    {"application/a.py": "import asyncio\nasync def f():\n    await asyncio.sleep(1)"},
    fine={
        "application/a.py": "import asyncio\nasync def f(clock):\n    await asyncio.sleep(0)\n    return clock.now()",
        "adapters/clock/system.py": "import datetime\ndef f():\n    return datetime.datetime.now()",
    },
)
def time_and_chance_come_from_ports(tree: Tree) -> Iterator[str]:
    """So that a run can be repeated. `asyncio.sleep(0)` only gives way and is no clock."""
    for module in tree.under("domain", "application"):
        for call, name in calls(module.ast):
            gives_way = [ast.unparse(argument) for argument in call.args] == ["0"]
            if name == "asyncio.sleep" and not gives_way:
                yield module.at(call, "asyncio.sleep: ask the clock to sleep")
            elif name.endswith("loop().time") or name == "loop.time":
                yield module.at(call, f"{name}() is a clock")
            elif _CLOCK.search(name) and not re.search(r"(^|\.)_?clock\.", name):
                yield module.at(call, f"{name}() is a clock or chance")


@rule(
    {"adapters/x/a.py": "import os\nx = os.environ['HOME']"},
    {"interfaces/a.py": "import os\ndef f():\n    return os.getenv('X')"},
    {"composition/a.py": "from os import environ"},
    {"adapters/x/a.py": "import os.path\nx = os.path.expanduser('~')"},
    fine={
        "cli.py": "import os\ndef main():\n    return os.environ",
        "adapters/x/a.py": "def create(options, *, surroundings):\n    return surroundings.environment['HOME']",
    },
)
def the_environment_is_read_once(tree: Tree) -> Iterator[str]:
    """And handed on as a value (`Surroundings.environment`), so that two sessions can have two of them."""
    for module in tree.modules:
        if module.name in READS_ENVIRONMENT:
            continue
        for node in ast.walk(module.ast):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "os.environ", "os.environb", "os.getenv", "os.putenv", "os.path.expanduser", "os.path.expandvars",
            ):  # fmt: skip
                yield module.at(node, f"{ast.unparse(node)}: take it from surroundings.environment")
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                for alias in node.names:
                    if alias.name in ("environ", "getenv"):
                        yield module.at(node, f"os.{alias.name}: take it from surroundings.environment")


MAY_REPLACE = {
    "protea.adapters.tools._output": "the output of one call: a name of its own in the session's folder",
    "protea.adapters.tools.bash": "the same, and a script for the shell of one call",
    "protea.interfaces.commands.sessions": "writes the file that the person names with --output",
}


@rule(
    {"adapters/x/a.py": "def f(p):\n    with open(p, 'w') as file:\n        file.write('x')"},
    {"composition/a.py": "def f(p):\n    open(p, mode='w+', encoding='utf-8')"},
    {"adapters/x/a.py": "from pathlib import Path\ndef f(p):\n    Path(p).write_text('x')"},
    {"adapters/x/a.py": "import os\ndef f(p):\n    os.open(p, os.O_WRONLY | os.O_TRUNC)"},
    fine={
        "adapters/x/a.py": "def f(p):\n    open(p, 'ab')\n    open(p)\n    open(p + '.part', 'xb')",
        "adapters/x/b.py": "def f(p, temporary):\n    open(temporary, 'wb')",
    },
)
def a_file_is_never_cut_off_in_place(tree: Tree) -> Iterator[str]:
    """A crash between emptying a file and filling it loses it: write a new one beside it and rename.

    What is written is a new file (`x`), an addition (`a`), or a file whose name says that it is not the real one.
    """
    for module in tree.modules:
        for call, name in calls(module.ast):
            if name.endswith((".write_text", ".write_bytes")):
                yield module.at(call, f"{name}() empties the file first")
            beside = call.args and re.search(r"temp|part|new|draft|passing|fd|desc", ast.unparse(call.args[0]))
            if beside or module.name in MAY_REPLACE:
                continue
            if name == "os.open" and any("O_TRUNC" in ast.unparse(argument) for argument in call.args):
                yield module.at(call, "os.open with O_TRUNC empties the file first")
            if name not in ("open", "io.open", "os.fdopen") or not call.args:
                continue
            modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
            mode = next((m.value for m in modes if isinstance(m, ast.Constant) and isinstance(m.value, str)), "r")
            if "w" in mode:
                yield module.at(call, f"{name}(…, {mode!r}) empties the file first")


@rule(
    {"adapters/x/a.py": "def f(p):\n    return open(p).read()"},
    {"adapters/x/a.py": "def f(p):\n    open(p, 'a')"},
    fine={"adapters/x/a.py": "def f(p, store):\n    open(p, 'rb')\n    open(p, encoding='utf-8')\n    store.open(p)"},
)
def text_files_name_their_encoding(tree: Tree) -> Iterator[str]:
    """Otherwise the locale of whoever runs it decides."""
    for module in tree.modules:
        for call, name in calls(module.ast):
            if name not in ("open", "io.open", "os.fdopen"):
                continue
            modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
            mode = next((m.value for m in modes if isinstance(m, ast.Constant) and isinstance(m.value, str)), "")
            dynamic = any(not isinstance(m, ast.Constant) for m in modes)
            if "b" not in mode and not dynamic and not any(k.arg in ("encoding", "opener") for k in call.keywords):
                yield module.at(call, f"{name}() without encoding=")


RUNS_FILES = {
    "protea.adapters.tools.files": "runs the Python files people keep for that; importing them would trust compiled ones",
    "protea.adapters.hooks._function": "runs the very bytes of a hook's file that a person has looked at",
}
"""Modules that may run a text as Python, and why."""


@rule(
    {"adapters/x/a.py": "import subprocess\ndef f(c):\n    subprocess.run(c, shell=True)"},
    {"adapters/x/a.py": "import os\ndef f(c):\n    os.system(c)"},
    {"adapters/x/a.py": "import pickle"},
    {"adapters/x/a.py": "def f(c):\n    return eval(c)"},
    {"adapters/tools/files.py": "def f(c):\n    return eval(c)"},
    {"adapters/tools/a.py": "def f(c):\n    exec(c)"},
    {"adapters/x/a.py": "import asyncio\nasync def f(c):\n    await asyncio.create_subprocess_shell(c)"},
    fine={
        "adapters/x/a.py": "import subprocess\ndef f(c, model):\n    subprocess.run([c])\n    model.eval(c)",
        "adapters/tools/files.py": "def f(c):\n    exec(c)",
    },
)
def nothing_runs_what_it_was_handed_as_text(tree: Tree) -> Iterator[str]:
    """The shell tool starts its shell by name, with the command as one argument: then a place can be guarded."""
    for module in tree.modules:
        for each in module.imports:
            if each.target.partition(".")[0] in ("pickle", "marshal", "shelve", "code", "imp"):
                yield module.at(each.line, f"{each.target} can run what it reads")
        for call, name in calls(module.ast):
            if name == "exec" and module.name in RUNS_FILES:
                continue
            if name in ("eval", "exec", "os.system", "os.popen", "asyncio.create_subprocess_shell"):
                yield module.at(call, f"{name}()")
            if any(k.arg == "shell" and ast.unparse(k.value) == "True" for k in call.keywords):
                yield module.at(call, f"{name}(shell=True)")


@rule(
    {"application/a.py": "def f():\n    print('x')"},
    {"adapters/x/a.py": "import pprint\npprint.pprint(1)"},
    fine={"interfaces/a.py": "import sys\ndef f():\n    sys.stdout.write('x')"},
)
def nothing_is_printed(tree: Tree) -> Iterator[str]:
    """Standard output belongs to the face that runs, and in stream-json to its events alone."""
    for module in tree.modules:
        for call, name in calls(module.ast):
            if name in ("print", "pprint.pprint", "pprint"):
                yield module.at(call, f"{name}()")


PROGRAMS = {
    "protea.adapters.sandbox._warden": "runs as a process of its own, beside Protea",
    "protea.testing.loopback.__main__": "runs as a process of its own, beside Protea",
}


@rule(
    {"application/a.py": "import sys\ndef f():\n    sys.stderr.write('x')"},
    {"adapters/x/a.py": "import sys\nx = sys.stdin"},
    {"domain/a.py": "import sys\nx = sys.argv"},
    fine={
        "interfaces/a.py": "import sys\ndef f():\n    sys.stdout.write('x')",
        "adapters/x/a.py": "import sys\nx = sys.platform",
    },
)
def only_faces_touch_the_standard_streams(tree: Tree) -> Iterator[str]:
    for module in tree.under("domain", "ports", "application", "adapters", "testing"):
        if module.name in PROGRAMS:
            continue
        for node in ast.walk(module.ast):
            if isinstance(node, ast.Attribute) and re.fullmatch(
                r"sys\.(__)?(stdin|stdout|stderr|argv|exit)(__)?", ast.unparse(node)
            ):
                yield module.at(node, ast.unparse(node))
