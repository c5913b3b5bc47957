"""`protea profile`: who the agent can be, what each profile says and where, how two differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
from msgspec.structs import replace

from protea.domain.columns import table
from protea.domain.lock import Drift, in_words
from protea.domain.profile import Difference, Profile, profile_key
from protea.domain.redaction import setting
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import one_line, revealed


class Said(Protocol):
    """What one layer says of a key."""

    @property
    def value(self) -> Any: ...

    @property
    def by(self) -> str: ...


class Explanation(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def value(self) -> Any: ...

    @property
    def said(self) -> Sequence[Said]: ...


class Shelf(Protocol):
    """What the command works on; see `composition.profiles`."""

    @property
    def current(self) -> str: ...

    def rows(self) -> list[dict[str, Any]]: ...

    def chain(self, name: str) -> list[Profile]: ...

    def merged(self, name: str) -> dict[str, Any]: ...

    def whole(self, name: str) -> dict[str, str]: ...

    def explain(self, key: str, name: str | None) -> Sequence[Explanation]: ...

    def diff(self, left: str, right: str) -> Sequence[Difference]: ...


def run_profile(arguments: Arguments, place: Place, shelf: Shelf) -> int:
    """Raises `ConfigError`, `UsageError`."""
    return _COMMANDS[arguments.path[-1].name](arguments, place, shelf)


def _list(arguments: Arguments, place: Place, shelf: Shelf) -> int:
    rows = shelf.rows()
    if arguments.has("json"):
        place.write(as_json(rows))
        return 0
    cells = [
        [
            ">" if row["current"] else "",
            row["name"],
            row["extends"] or "",
            one_line(row.get("problem") or row["about"], 80),
            one_line(row["source"]),
        ]
        for row in rows
    ]
    place.write(table(["", "NAME", "EXTENDS", "IS", "FILE"], cells))
    return 0


def _show(arguments: Arguments, place: Place, shelf: Shelf) -> int:
    name = arguments.words[0] if arguments.words else shelf.current
    chain, merged, adapters = shelf.chain(name), setting("", shelf.merged(name)), shelf.whole(name)
    if arguments.has("json"):
        files = [each.source for each in reversed(chain)]
        last = chain[-1]
        place.write(
            as_json({"name": last.name, "about": last.about, "files": files, "adapters": adapters, "says": merged})
        )
        return 0
    last = chain[-1]
    lines = [f"{last.name}: {one_line(last.about)}\n" if last.about else f"{last.name}\n"]
    lines += [f"  {'is' if each is last else 'extends'} {one_line(each.source)}\n" for each in reversed(chain)]
    place.write("".join(lines) + "\n")
    plain = {key: value for key, value in merged.items() if key != "ports"}
    options = merged.get("ports", {})
    rows = [[port, adapter, _options(options.get(port, {}))] for port, adapter in sorted(adapters.items())]
    place.write(table(["PORT", "ADAPTER", "OPTIONS"], rows))
    if plain:
        place.write("\n" + table(None, ([key, shown(value, 90)] for key, value in _flat(plain))))
    return 0


def _explain(arguments: Arguments, place: Place, shelf: Shelf) -> int:
    key, *name = arguments.words
    found = shelf.explain(key, name[0] if name else None)
    if arguments.has("json"):
        told = [
            {
                "key": each.key,
                "value": setting(each.key, each.value),
                "said": [{"value": setting(each.key, said.value), "by": said.by} for said in each.said],
            }
            for each in found
        ]
        place.write(as_json(told))
        return 0
    for each in found:
        place.write(f"{one_line(each.key)} = {shown(setting(each.key, each.value), 100)}\n")
        rows = [[f"  {one_line(said.by)}", shown(setting(each.key, said.value), 70)] for said in each.said]
        place.write(table(None, rows))
    return 0


def _diff(arguments: Arguments, place: Place, shelf: Shelf) -> int:
    left, right = arguments.words
    found = [
        replace(each, left=setting(each.key, each.left), right=setting(each.key, each.right))
        for each in shelf.diff(left, right)
    ]
    if arguments.has("json"):
        place.write(as_json({"left": left, "right": right, "differences": found}))
        return 0
    if not found:
        place.write(f"{left} and {right} say the same.\n")
        return 0
    rows = [[one_line(each.key), shown(each.left, 60), shown(each.right, 60)] for each in found]
    place.write(table(["KEY", one_line(left).upper(), one_line(right).upper()], rows))
    return 0


def shown(value: Any, width: int) -> str:
    """A value on one line, for a person."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return one_line(text, width)


def _options(table: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={shown(value, 40)}" for name, value in table.items() if name != "adapter")


def _flat(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in data.items():
        if isinstance(value, Mapping):
            rows += [(f"{name}.{below}", item) for below, item in _flat(value)]
        else:
            rows.append((profile_key(name), value))
    return rows


class Lock(Protocol):
    """See `composition.locking`."""

    path: str
    profile: str

    async def write(self) -> int: ...

    async def drift(self) -> tuple[Drift, ...]: ...


async def run_lock(arguments: Arguments, place: Place, lock: Lock) -> int:
    """`profile lock`. Raises `ConfigError`, `StoreError`."""
    found = await lock.drift()
    if arguments.has("check"):
        place.write(as_json(found) if arguments.has("json") else drift_text(found))
        return 1 if found else 0
    count = await lock.write()
    if arguments.has("json"):
        place.write(as_json({"file": lock.path, "profile": lock.profile, "items": count, "accepted": found}))
        return 0
    accepted = f" ({len(found)} of them are not what they were)" if found else ""
    place.write(f"{lock.profile} is locked: {count} texts{accepted}, in {one_line(lock.path)}\n")
    return 0


def drift_text(found: Sequence[Drift]) -> str:
    """What is not as it was locked, with the diffs there are, harmless for a terminal."""
    if not found:
        return "Everything is as it was locked.\n"
    lines = []
    for each in found:
        unseen = " (what it was is not on this machine)" if each.change == "changed" and not each.diff else ""
        lines.append(f"{one_line(each.item)}: {each.change}{unseen}\n")
        lines += [f"    {revealed(line)}\n" for line in each.diff.splitlines()[2 : 2 + MOST_LINES]]
    return "".join(lines)


MOST_LINES = 60
"""Of one diff."""


def ask_about_drift(
    found: Sequence[Drift], write: Callable[[str], None], read: Callable[[str], str]
) -> Literal["once", "lock", "leave"]:
    """Show what has drifted and let a person decide."""
    write(f"profile.lock: {in_words(tuple(found))}\n{drift_text(found)}")
    while True:
        try:
            answer = read("y go on once  l lock it as it is now  n leave > ").strip().lower()
        except EOFError:
            return "leave"
        decided: Literal["once", "lock", "leave"] | None = _ANSWERS.get(answer)
        if decided is not None:
            return decided


_ANSWERS: dict[str, Literal["once", "lock", "leave"]] = {
    "y": "once", "yes": "once", "l": "lock", "lock": "lock", "n": "leave", "no": "leave", "q": "leave",
}  # fmt: skip

_COMMANDS = {"list": _list, "show": _show, "explain": _explain, "diff": _diff}
