"""Everything a SKILL.md gets wrong by the standard (agentskills.io), each with its line and what mends it. Pure.

Stricter than what is needed to use one: this is for who writes a skill and wants it to work everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from protea.domain.front_matter import split
from protea.domain.skill import LONGEST_COMPATIBILITY, LONGEST_DESCRIPTION, LONGEST_NAME, NAME, tools_of
from protea.domain.spelling import nearest

FIELDS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
"""Of the standard."""
_KEY = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*:(?:[ \t]+(.*)|[ \t]*)$")
_LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^)>\s]+)>?[^)\n]*\)")


class Fault(msgspec.Struct, frozen=True):
    line: int
    what: str
    mend: str


def faults_of(text: str, folder: str, files: Collection[str]) -> list[Fault]:
    """What is wrong with the SKILL.md in a folder of that name; `files` are those beside it, relative to it."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != "---":
        return [Fault(1, "there is no head", "begin the file with a line ---, then name and description, then ---")]
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        return [Fault(1, "the head does not end", "put a line --- below it")]
    found = [*_head(lines[1:end], text, folder), *_body(lines, end + 1, files)]
    return sorted(found, key=lambda fault: fault.line)


def _head(lines: list[str], text: str, folder: str) -> Iterator[Fault]:
    values, _ = split(text)
    where: dict[str, int] = {}
    block = ""
    for number, line in enumerate(lines, 2):
        indented = line[:1] in (" ", "\t")
        if "\t" in line[: len(line) - len(line.lstrip())]:
            yield Fault(number, "a tab is used to indent", "use spaces: YAML knows no other")
        if not line.strip() or line.lstrip().startswith("#") or indented or line.startswith("- "):
            continue
        pair = _KEY.match(line.rstrip())
        if pair is None:
            yield Fault(number, f"{_short(line)} is no field", "write NAME: VALUE")
            continue
        key, value = pair[1], (pair[2] or "").strip()
        if key in where:
            yield Fault(number, f"{key} is said twice, first in line {where[key]}", "remove one of them")
        where.setdefault(key, number)
        block = value[:1] if value[:1] in "|>" else ""
        if key not in FIELDS:
            near = nearest(key, FIELDS)
            hint = f"did you mean {near}?" if near else "put it below metadata, where anything may stand"
            yield Fault(number, f"the standard has no field {key}", hint)
        if not block and value[:1] not in ("'", '"', "[", "{") and re.search(r":\s|\s#", value):
            yield Fault(
                number, f"{key} holds `: ` or ` #` outside quotes, which YAML reads otherwise", "put it in quotes"
            )
    yield from _values(values, where, folder)


def _values(values: dict[str, str | tuple[str, ...]], where: dict[str, int], folder: str) -> Iterator[Fault]:
    name, at = values.get("name", ""), where.get("name", 1)
    if not isinstance(name, str) or not name:
        yield Fault(at, "there is no name", f"write name: {folder}")
    else:
        if not NAME.fullmatch(name):
            better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or folder
            yield Fault(at, f"{name!r} is no name: lower case letters, digits, single hyphens", f"write {better}")
        if len(name) > LONGEST_NAME:
            yield Fault(at, f"the name has {len(name)} characters", f"{LONGEST_NAME} are the most")
        if name != folder:
            yield Fault(at, f"it is called {name} and lies in a folder called {folder}", "let them be the same")
    about, at = values.get("description", ""), where.get("description", 1)
    if not isinstance(about, str) or not about.strip():
        yield Fault(at, "there is no description", "say what it does and when it is of use: by it a model chooses")
    elif len(about) > LONGEST_DESCRIPTION:
        yield Fault(at, f"the description has {len(about)} characters", f"{LONGEST_DESCRIPTION} are the most")
    needs, at = values.get("compatibility", ""), where.get("compatibility", 1)
    if isinstance(needs, str) and len(needs) > LONGEST_COMPATIBILITY:
        yield Fault(at, f"compatibility has {len(needs)} characters", f"{LONGEST_COMPATIBILITY} are the most")
    if "allowed-tools" in values:
        at = where.get("allowed-tools", 1)
        for tool in tools_of(values["allowed-tools"]):
            if not re.fullmatch(r"[A-Za-z_*][\w*.:-]*(\(.*\))?", tool):
                yield Fault(
                    at, f"{tool} in allowed-tools is no tool", "write Tool or Tool(pattern), blanks between them"
                )


def _body(lines: list[str], start: int, files: Collection[str]) -> Iterator[Fault]:
    body = lines[start:]
    if not any(line.strip() for line in body):
        yield Fault(start + 1, "there is nothing below the head", "say what is to be done")
    fenced = ""
    for number, line in enumerate(body, start + 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and (not fenced or mark[1].startswith(fenced)):
            fenced = "" if fenced else mark[1]
        if fenced or mark:
            continue
        for link in _LINK.finditer(re.sub(r"`[^`]*`", "", line)):
            target = link[1].partition("#")[0]
            if not target or re.match(r"[a-z][a-z0-9+.-]*:|//|/|\.\./|[{$<]", target, re.IGNORECASE):
                continue
            plain = target.removeprefix("./").rstrip("/")
            if plain not in files and not any(file.startswith(f"{plain}/") for file in files):
                near = nearest(plain, files)
                yield Fault(number, f"{plain} is not in its folder", f"did you mean {near}?" if near else "add it")


def _short(line: str) -> str:
    return repr(line.strip()[:40])
