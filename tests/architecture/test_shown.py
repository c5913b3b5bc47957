"""What the pages show can be typed: command lines parse, tables of settings load, programs compile, and what is named
(commands, keys, files, modules, events) is there. That it also happens is shown by `tests/journeys/test_tried.py`."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from protea.adapters.permission.rules import read_rules_file
from protea.adapters.settings.files import look_at
from protea.adapters.settings.profiles import Profiles
from protea.application.slash_commands import COMMANDS
from protea.composition.catalogue import CATALOGUE
from protea.domain import commands, events
from protea.domain.errors import ProteaError
from protea.domain.surroundings import Surroundings
from protea.interfaces import manual
from protea.interfaces.arguments import Mistake, parse
from protea.interfaces.tui.keys import keymap
from tests.architecture.source import ROOT
from tests.architecture.test_docs import all_commands

PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/*.md",
        "docs/decisions/*.md",
        "docker/*.md",
        "benchmarks/*.md",
        "examples/**/README.md",
    )
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)


def blocks(text: str, *languages: str) -> list[str]:
    """Fenced blocks; "" is a fence without a language."""
    return [body for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if language in languages]


def spans(text: str) -> list[str]:
    """Inline code."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    found = re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", prose, re.S)
    return [" ".join(code.split()).replace("\\|", "|") for _, code in found]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# ── command lines ──────────────────────────────────────────────────────────────────────────────────────────────────

PROGRAM = re.compile(r"(?:^|.* \| )\$? ?(?:\S+/)?(?:protea|scripts/run)(?= |$)(.*)")


def command_lines(text: str) -> Iterator[str]:
    """What stands behind `protea`, in blocks and between backticks."""
    for body in blocks(text, "", "sh", "console"):
        for line in body.splitlines():
            if found := PROGRAM.fullmatch(line):
                yield re.split(r" {3,}| +# ", found[1])[0]
    for code in spans(text):
        if found := re.fullmatch(r"(?:protea|scripts/run) (.*)", code):
            yield found[1]
    for cell in re.findall(r"^\| (`.*?`) \| ", text.partition("| command | does |")[2].partition("\n\n")[0], re.M):
        yield from spans(cell)


def variants(line: str) -> Iterator[list[str]]:
    """The command lines a synopsis stands for: `list|show [ID]` is four. `…` stands for more of the same."""
    line = re.split(r"(?: >>?| <)(?= )", line)[0].replace("…", "")
    for bare in {re.sub(r"\[[^\]]*\]", "", line), re.sub(r"[\[\]]", "", line)}:
        words = shlex.split(bare)
        yield from map(
            list,
            product(*(word.split("|") if re.fullmatch(r"[\w./-]+(\|[\w./-]+)+", word) else [word] for word in words)),
        )


def refused(line: str) -> list[str]:
    """Why a command line, or a reading of it, is none. Naming a command leaves out what it needs."""
    found = set()
    for words in variants(line):
        if "COMMAND" in words[:1] or (words[:1] and words[0].startswith("/")):
            continue  # any of them; one that is typed inside
        try:
            parse(words)
        except Mistake as mistake:
            if f"'protea {' '.join(words[:2])}' needs" not in str(mistake):
                found.add(f"protea {shlex.join(words)}: {mistake}")
    return sorted(found)


def test_every_command_line_in_a_page_is_one() -> None:
    lines = [(named(page), line) for page in PAGES for line in command_lines(page.read_text())]
    assert len(lines) > 150
    assert [f"{page}: {why}" for page, line in lines for why in refused(line)] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("```sh\nscripts/run sesions list\n```", 1),
        ("```\n$ git diff | protea -p 'x' --outputformat json\n```", 1),
        ("`protea tasks list|shows`", 1),
        ("```\nprotea sandbox run -- COMMAND …        # --adapter none\n```\n`protea undo`", 0),
        ("```\nprotea skills validate PATH       the same of one skill\n```", 0),
    ],
)
def test_a_command_line_that_is_none_is_noticed(text: str, wrong: int) -> None:
    assert sum(len(refused(line)) for line in command_lines(text)) == wrong


OTHERS_FLAGS = {
    "--flag": "any of them",
    "--force": "git",
    "--mirror": "git",
    "--hidden": "ripgrep",
    "--upgrade": "scripts/lock",
    "--debian": "docker/build",
    "--counter": "the probes of compaction",
}
"""Flag → whose it is that pages name alone and that are not Protea's."""


def test_every_flag_a_page_names_alone_is_one() -> None:
    ours = {
        name for flag in (*manual.HEADLESS, *manual.CHAT, *manual.EVERYWHERE, manual.VERSION) for name in flag.names
    }
    ours |= {name for each in all_commands() for flag in each.flags for name in flag.names}
    told = {
        (named(page), found[0])
        for page in PAGES
        for code in spans(page.read_text())
        if (found := re.match(r"--[a-z][a-z-]*", code))
    }
    assert len({flag for _, flag in told} & ours) > 20
    assert sorted((page, flag) for page, flag in told if flag not in ours | OTHERS_FLAGS.keys()) == []


# ── slash commands and keys ────────────────────────────────────────────────────────────────────────────────────────

OWN = {"review", "git:tidy", "deploy", "explain", "git:commit"}
"""Commands of one's own that pages make up, or that examples/commands has."""
OTHERS = {"command", "tmp", "run", "mnt", "media", "dev", "etc", "proc", "home", "usr", "sys", "x"}
"""What else begins with a slash: a word for any of them, and folders."""


def slash_commands(text: str) -> set[str]:
    lines = [line.removeprefix("> ") for body in blocks(text, "") for line in body.splitlines()]
    told = [*spans(text), *lines, *re.findall(r'protea (?:-\S+ )*"?(/[^"`]+)', text)]
    return {found[1] for each in told if (found := re.match(r"/([a-z][a-z:-]*)(?=\s|$)", each))}


def test_every_slash_command_in_a_page_is_one() -> None:
    known = {name for each in COMMANDS for name in (each.name, *each.aliases)}
    told = {(named(page), name) for page in PAGES for name in slash_commands(page.read_text())}
    assert len({name for _, name in told} & known) > 20
    assert sorted((page, name) for page, name in told if name not in known | OWN | OTHERS) == []


def test_a_slash_command_that_is_none_is_noticed() -> None:
    assert slash_commands('`/compcat` `/etc/hosts`\n```\n> /tasksx\nprotea -p -c "/undoo 2"\n```') == {
        "compcat",
        "tasksx",
        "undoo",
    }


def chords(text: str) -> set[str]:
    """`Ctrl+X k` → `ctrl+x k`."""
    found = re.findall(r"Ctrl\+X (?:`(\S+?)`|([a-z,])(?![\w]))", text)
    return {f"ctrl+x {one or other}" for one, other in found}


def test_every_chord_in_a_page_does_something() -> None:
    keys = {key.replace("comma", ",") for table in keymap("default").table.values() for key in table}
    told = {(named(page), chord) for page in PAGES for chord in chords(page.read_text())}
    assert {"ctrl+x k", "ctrl+x j"} <= {chord for _, chord in told}
    assert sorted((page, chord) for page, chord in told if chord not in keys) == []


# ── settings ───────────────────────────────────────────────────────────────────────────────────────────────────────


def as_config(text: str) -> None:
    warnings, _ = look_at(text, "config.toml")
    if warnings:
        raise ValueError("; ".join(warnings))
    for port, table in tomllib.loads(text).get("ports", {}).items():
        options_of(port, table)


def as_profile(text: str, folder: Path) -> None:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles/page.toml").write_text(text)
    place = str(folder)
    around = Surroundings(cwd=place, root=place, user_home=place, protea_home=place, environment={})
    Profiles(around, trusted=True, bare=False, ports=CATALOGUE).chain("page")
    for port, table in tomllib.loads(text).items():
        if port in CATALOGUE and isinstance(table, dict):
            options_of(port, table)


def options_of(port: str, table: dict[str, Any]) -> None:
    """Raises where the adapter of this name has no such options; another package's are its own business."""
    rest = {key.removesuffix("+"): value for key, value in table.items() if key != "adapter"}
    adapter = str(table.get("adapter", ""))
    if adapter in CATALOGUE[port]:
        msgspec.convert(rest, importlib.import_module(CATALOGUE[port][adapter]).Options)


def as_keys(text: str) -> None:
    told = tomllib.loads(text)
    read = keymap(told.pop("keymap", "default"), told)
    if read.problems:
        raise ValueError("; ".join(read.problems))


def as_rules(text: str, folder: Path) -> None:
    (folder / "permissions.toml").write_text(text)
    read_rules_file(str(folder / "permissions.toml"))


def as_entry_points(text: str) -> None:
    groups = tomllib.loads(text)["project"]["entry-points"]
    if strange := [group for group in groups if group.removeprefix("protea.") not in CATALOGUE]:
        raise ValueError(f"no port has the entry point group {', '.join(strange)}")


def test_every_table_in_a_page_loads(tmp_path: Path) -> None:
    """As one of the files that are written in TOML."""
    kinds: list[Callable[[str], None]] = [
        as_config,
        lambda text: as_profile(text, tmp_path),
        as_keys,
        lambda text: as_rules(text, tmp_path),
        as_entry_points,
    ]
    seen, wrong = 0, []
    for page in PAGES:
        for text in blocks(page.read_text(), "toml"):
            seen += 1
            why: list[str] = []
            for kind in kinds:
                try:
                    kind(text)
                except (ProteaError, msgspec.ValidationError, ValueError, KeyError, AttributeError) as error:
                    why.append(f"{type(error).__name__}: {error}")
                else:
                    break
            else:
                wrong.append(f"{named(page)}: {text.splitlines()[0]}: {why}")
    assert seen > 15
    assert wrong == []


@pytest.mark.parametrize(
    "text", ['[ports.compaction]\nadapter = "levels"\nclear_abov = 0.6\n', "[tui]\nthem = 1\n", "[[x"]
)
def test_a_table_that_does_not_load_is_noticed(text: str) -> None:
    with pytest.raises((ProteaError, msgspec.ValidationError, ValueError)):
        as_config(text)


# ── programs and objects ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_program_in_a_page_compiles_and_its_names_are_there() -> None:
    seen, wrong = 0, []
    for page in PAGES:
        for text in blocks(page.read_text(), "python"):
            seen += 1
            tree = compile(text, named(page), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "protea":
                    module = importlib.import_module(node.module or "")
                    wrong += [
                        f"{named(page)}: {node.module}.{each.name}"
                        for each in node.names
                        if not hasattr(module, each.name)
                    ]
    assert seen > 8
    assert wrong == []


def test_every_object_in_a_page_is_json_and_of_a_kind_there_is() -> None:
    kinds = [*get_args(events.LastingEvent), *get_args(events.PassingEvent), *get_args(commands.AnyCommand)]
    known = {str(kind.__struct_config__.tag) for kind in kinds} | {"result"}
    seen, wrong = 0, []
    for page in PAGES:
        for text in blocks(page.read_text(), "json"):
            seen += 1
            for each in objects(text):
                if isinstance(each, dict) and "type" in each and each["type"] not in known:
                    wrong.append(f"{named(page)}: {each['type']}")
    assert seen >= 4
    assert wrong == []


def objects(text: str) -> list[Any]:
    """One object, one a line, or the fields of one."""
    try:
        return [json.loads(text)]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return [json.loads(f"{{{text}}}")]


# ── files and modules ──────────────────────────────────────────────────────────────────────────────────────────────

OURS = re.compile(
    r"(?:src/protea|tests|docs|benchmarks|examples|docker|requirements|typing_tests|scripts|\.ci)/[\w./*-]+"
)
THEIRS = {"tests/domain", "docs/style.md", "docs/notes.md", "scripts/check-command", "scripts/format"}
"""Of the project a page makes up."""


def missing(text: str) -> list[str]:
    """Files and modules of ours that a page names and that are not there."""
    found = []
    for code in spans(text):
        if OURS.fullmatch(code) and code not in THEIRS and not list(ROOT.glob(code.rstrip("/"))):
            found.append(code)
        if re.fullmatch(r"protea(\.[a-z_]\w*)+(\.[A-Z]\w*)?", code) and not is_there(code):
            found.append(code)
    return found


def is_there(dotted: str) -> bool:
    names = dotted.split(".")
    for end in range(len(names), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(names[:end]))
        except ImportError:
            continue
        return all((found := getattr(found, name, None)) is not None for name in names[end:])
    return False


def test_every_file_and_module_a_page_names_is_there() -> None:
    assert [f"{named(page)}: {each}" for page in PAGES for each in missing(page.read_text())] == []


def test_a_file_or_module_that_is_not_there_is_noticed() -> None:
    text = "`tests/no_such` `protea.adapters.tools.builtin.Options` `protea.nothing` `tests/testing` `benchmarks/*.py`"
    assert missing(text) == ["tests/no_such", "protea.nothing"]
