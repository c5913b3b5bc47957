"""The pages mention everything a person can type, set or read: flags, commands, tools, events, settings, exit codes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import pytest

import protea
from protea.adapters.tools import builtin
from protea.application.slash_commands import COMMANDS
from protea.domain import commands, events, view
from protea.domain.settings import NOT_KEYS, Settings
from protea.interfaces import manual
from tests.architecture.source import ROOT


def pages() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))


def unmentioned(names: Iterable[str], text: str) -> list[str]:
    """Names that stand nowhere in the text as words of their own."""
    return sorted(name for name in set(names) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))


def all_flags() -> Iterator[str]:
    """By their long names."""
    everywhere = (*manual.HEADLESS, *manual.CHAT, *manual.EVERYWHERE, manual.VERSION)
    below = [flag for each in all_commands() for flag in each.flags]
    return (flag.names[-1] for flag in (*everywhere, *below))


def all_commands(table: tuple[manual.Command, ...] = manual.COMMANDS) -> Iterator[manual.Command]:
    for each in table:
        yield each
        yield from all_commands(each.subcommands)


def test_every_flag_is_in_the_docs() -> None:
    assert unmentioned(all_flags(), pages()) == []


def test_every_command_is_in_the_docs() -> None:
    named = [f"{each.name} {sub.name}" for each in manual.COMMANDS for sub in each.subcommands]
    named += [each.name for each in manual.COMMANDS if not each.subcommands]
    assert unmentioned(named, pages()) == []


def test_every_slash_command_is_in_its_page() -> None:
    text = (ROOT / "docs/slash-commands.md").read_text()
    names = [f"/{name}" for each in COMMANDS for name in (each.name, *each.aliases)]
    assert unmentioned(names, text) == []


def test_every_tool_is_in_the_docs() -> None:
    names = [spec.name for spec in builtin.specs(builtin.Options())]
    assert {"Bash", "Read", "Write", "Edit", "Glob", "Grep"} <= set(names)
    assert len(names) == len(set(names))
    assert unmentioned(names, pages()) == []


def test_every_event_and_command_of_the_stream_is_in_the_docs() -> None:
    kinds = [*get_args(events.LastingEvent), *get_args(events.PassingEvent), *get_args(commands.AnyCommand)]
    names = [str(kind.__struct_config__.tag) for kind in kinds if kind is not events.UnknownEvent]
    assert unmentioned(names, pages()) == []


def test_every_exit_code_is_in_the_docs() -> None:
    text = (ROOT / "docs/headless.md").read_text()
    section = text.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = {int(code) for code in re.findall(r"(?<![\w.])([0-9])(?= )", section)}
    assert codes == {*view.EXIT_CODES.values(), 1}


def settings_of(kind: object) -> Iterator[str]:
    """Names of settings as they stand in config.toml, those of tables within included."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            if field.name not in NOT_KEYS:
                yield field.encode_name
                yield from settings_of(field.type)
    for inner in get_args(kind):
        yield from settings_of(inner)


def test_every_setting_is_in_the_docs() -> None:
    names = set(settings_of(Settings))
    assert {"model", "api_key_env", "max_turns", "cache_read"} <= names
    assert unmentioned(names, pages()) == []


def test_the_pages_of_the_ports_are_those_of_the_source(tmp_path: Path) -> None:
    """Make them anew with `python scripts/port_pages.py`."""
    check = [sys.executable, "scripts/port_pages.py", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    for name in ("src/protea/ports", "src/protea/adapters", "docs/ports", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src/protea/composition").mkdir()
    shutil.copy(ROOT / "src/protea/composition/catalogue.py", tmp_path / "src/protea/composition")
    clock = tmp_path / "src/protea/ports/clock.py"
    clock.write_text(clock.read_text().replace("RFC 3339", "RFC 9999"))
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "docs/ports/clock.md is stale: run python scripts/port_pages.py\n"


def test_every_name_the_library_gives_out_is_in_the_docs() -> None:
    assert unmentioned(protea.__all__, (ROOT / "docs/sdk.md").read_text()) == []


@pytest.mark.parametrize(("name", "text"), [("--model", "use --models"), ("Edit", "MultiEdit"), ("steer", "steering")])
def test_what_is_not_mentioned_is_noticed(name: str, text: str) -> None:
    assert unmentioned([name], text) == [name]
    assert unmentioned([name], f"`{name}` does") == []


_LEADS = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.py|(?:[a-z_]+/)+)(?::\d+)?`")
_ROW = re.compile(r"^\| .+ \| (`.+?`) \| (`.*`)? ?\|$", re.M)


def astray(text: str) -> list[str]:
    """Files and folders that a page leads to and that are not there, and names that its tables look for in vain."""
    lost = [name for name in _LEADS.findall(text) if not found(name)]
    for files, names in _ROW.findall(text):
        texts = [path.read_text() for name in _LEADS.findall(files) if (path := found(name)) and path.is_file()]
        lost += [
            name for name in re.findall(r"`(\w+)`", names) if texts and not re.search(rf"\b{name}\b", "\n".join(texts))
        ]
    return lost


@cache
def sources() -> tuple[Path, ...]:
    tops = [ROOT / top for top in ("src", "tests", "scripts", "docs", "benchmarks")]
    return (*tops, *(path for top in tops for path in top.rglob("*")))


def found(name: str) -> Path | None:
    """What a page may mean by a name: whole, or the end of a path."""
    return next((path for path in sources() if str(path).endswith("/" + name.rstrip("/"))), None)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "AGENTS.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_a_page_about_the_source_leads_to_what_is_there(page: str) -> None:
    assert astray((ROOT / page).read_text()) == []


def test_what_leads_nowhere_is_noticed() -> None:
    assert astray("see `application/turn.py`, `tui/panes/` and `domain/nowhere.py`") == ["domain/nowhere.py"]
    assert astray("| a turn ends | `application/turn.py` | `turn`, `no_turn` |") == ["no_turn"]
