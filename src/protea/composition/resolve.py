"""From a port and a name to an adapter: import, check its options, hand it what it asks for by parameter name.

The adapters of this package are found by the catalogue. For a name that is not in it other packages are looked through
(`plugins`): an adapter is a module (or any object) with `Options` and `create`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import msgspec

from protea.application.parts import Close
from protea.composition.catalogue import CATALOGUE, EXTRAS, LATER
from protea.domain.errors import ConfigError
from protea.domain.spelling import nearest

Choice = tuple[str, Mapping[str, Any]]
"""An adapter's name and its options."""


class WrongOptionError(ConfigError):
    """What an adapter was told is not what it takes."""


class Later:
    """What fills a port, opened when something of it is first used, by whichever resolver is in place then."""

    def __init__(self, port: str, resolver: Resolver) -> None:
        self._port = port
        self.resolver = resolver

    def __getattr__(self, name: str) -> Any:
        return getattr(self.resolver.get(self._port), name)


class Resolver:
    """Creates adapters, each port at most once, others on demand as parameters ask for them."""

    def __init__(
        self,
        chosen: Mapping[str, Choice],
        given: Mapping[str, Any],
        *,
        before: Resolver | None = None,
        origins: Mapping[str, str] | None = None,
    ) -> None:
        """`before` is the resolver whose place this one takes: what would be made alike is taken over from it.
        `origins` tells who set an option (dotted key → file and line), for errors."""
        self._chosen = chosen
        self._given = given
        self._origins = origins or {}
        self._made: dict[str, Any] = dict(given)
        self._needs: dict[str, tuple[str, ...]] = {}
        """Port → what its adapter asked for."""
        self._later: dict[str, Later] = {}
        self._making: list[str] = []
        if before is not None:
            self._take_over(before)

    def get(self, port: str) -> Any:
        """The adapter that fills `port`. Raises `ConfigError` for a wrong name, option or a circle of needs."""
        if port in self._made:
            return self._made[port]
        if port in self._making:
            raise ConfigError(f"the ports {' → '.join([*self._making, port])} need each other in a circle")
        if port not in self._chosen:
            raise ConfigError(f"nothing fills the port {port}; add [ports.{port}] with an adapter")
        self._making.append(port)
        try:
            name, options = self._chosen[port]
            self._made[port] = self._make(port, name, options, port)
        finally:
            self._making.pop()
        return self._made[port]

    def later(self, port: str) -> Any:
        """The adapter that fills `port`, opened when it is first used."""
        return self._later.setdefault(port, Later(port, self))

    def make(self, port: str, name: str, options: Mapping[str, Any]) -> Any:
        """A new adapter of that name; what its `create` names is got from here. It is the caller's to close."""
        return self._make(port, name, options, None)

    def differs(self, port: str, before: Resolver) -> bool:
        """Whether `port` would be filled otherwise than it was: by another choice, or by one that needs such a port."""
        if self._chosen.get(port) != before._chosen.get(port) or self._given.get(port) != before._given.get(port):
            return True
        return any(self.differs(need, before) for need in before._needs.get(port, ()))

    def replace(self, before: Resolver) -> list[Close]:
        """Take the place of `before`: take over what it has made since, and return what closes the rest."""
        self._take_over(before)
        for later in self._later.values():
            later.resolver = self
        mine = {id(adapter) for adapter in self._made.values()}
        return closing(adapter for adapter in reversed(before._own()) if id(adapter) not in mine)

    def fresh(self, before: Resolver) -> list[Close]:
        """What closes those that were made here and would be left if `before` stayed."""
        theirs = {id(adapter) for adapter in before._made.values()}
        return closing(adapter for adapter in reversed(self._own()) if id(adapter) not in theirs)

    def made(self) -> list[Close]:
        """What closes all that was made, the last first."""
        return closing(reversed(self._own()))

    def _own(self) -> list[Any]:
        return [adapter for port, adapter in self._made.items() if port not in self._given]

    def _take_over(self, before: Resolver) -> None:
        for port, adapter in list(before._made.items()):
            if port not in self._made and not self.differs(port, before):
                self._made[port] = adapter
                self._needs[port] = before._needs.get(port, ())
        for port, later in before._later.items():
            if not self.differs(port, before):
                self._later.setdefault(port, later)

    def _make(self, port: str, name: str, options: Mapping[str, Any], keep: str | None) -> Any:
        adapter = load(port, name, self._origins)
        values = checked(adapter, port, name, options, self._origins)
        wanted = _parameters(adapter.create)
        for parameter in wanted:
            if parameter not in self._made and parameter not in self._chosen:
                raise ConfigError(f"the adapter {name} of {port} asks for {parameter!r}, which is no port")
        if keep is not None:
            self._needs[keep] = wanted
        given = {each: self.later(each) if each in LATER else self.get(each) for each in wanted}
        if name in CATALOGUE[port]:
            return adapter.create(values, **given)
        from protea.composition.plugins import made

        return made(adapter, port, name, values, given)


def closing(adapters: Iterable[Any]) -> list[Close]:
    """What closes those that can be closed."""
    found: list[Close] = []
    for adapter in adapters:
        if hasattr(adapter, "aclose"):
            found.append(adapter.aclose)
        elif hasattr(adapter, "close"):
            found.append(partial(_close, adapter))
    return found


async def _close(adapter: Any) -> None:
    adapter.close()


def check(chosen: Mapping[str, Choice], origins: Mapping[str, str], ports: Iterable[str]) -> None:
    """Look at what `ports` are filled with, and raise one `ConfigError` that tells all that is wrong with it."""
    found: list[ConfigError] = []
    for port in ports:
        name, options = chosen[port]
        try:
            checked(load(port, name, origins), port, name, options, origins)
        except ConfigError as error:
            found.append(error)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ConfigError("; ".join(str(error) for error in found))


def checked(adapter: Any, port: str, name: str, options: Mapping[str, Any], origins: Mapping[str, str]) -> Any:
    """The adapter's `Options`. Raises one `WrongOptionError` for all that is wrong with them."""
    if not options:
        with suppress(TypeError):  # one that must be set is missing: what follows tells which
            return adapter.Options()
    try:
        return msgspec.convert(dict(options), adapter.Options)
    except msgspec.ValidationError as error:
        wrong = _mistakes(adapter.Options, options, whose=_whose(port, options, origins)) or [str(error)]
        named = [f"ports.{port}.{option}" for option in options]
        # Of a table its first key has a place, the table itself has none.
        where = next((f"{origins[key]}: " for each in named for key in origins if f"{key}.".startswith(f"{each}.")), "")
        known = ", ".join(adapter.Options.__struct_fields__) or "none"
        raise WrongOptionError(
            f"{where}[ports.{port}] adapter {name}: {', '.join(wrong)}; its options are: {known}"
        ) from error


def _whose(port: str, options: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, list[str]]:
    """For lists that several files have added to: option → `1 of FILE`, `2 of FILE` … for each item."""
    found: dict[str, list[str]] = {}
    for option, value in options.items():
        places = [origins.get(f"ports.{port}.{option} {number}", "") for number in range(1, _long(value) + 1)]
        if len(set(places)) > 1:
            found[option] = [f"{places[: at + 1].count(place)} of {place}" for at, place in enumerate(places)]
    return found


def _long(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _mistakes(
    struct: Any, options: Mapping[str, Any], above: str = "", *, whose: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """What is wrong with a table, each thing by itself and with its place: `before_tool 2: there is no option …`. A
    struct may know by what other names people write its options: `ELSEWHERE`, name → what to write here."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    wrong = []
    for option, value in options.items():
        if option not in fields:
            near = nearest(option, fields)
            hint = f"did you mean {near}?" if near else "there are " + ", ".join(fields) if above else ""
            hint = getattr(struct, "ELSEWHERE", {}).get(option, hint)
            wrong.append(f"{above}there is no option {option!r}" + (f" ({hint})" if hint else ""))
            continue
        try:
            msgspec.convert(value, fields[option].type)
        except msgspec.ValidationError as error:
            names = (whose or {}).get(option)
            wrong += _inside(fields[option].type, value, f"{above}{option}", names) or [
                f"{above}{option}: {_our_words(error)}{_as_list(fields[option].type, value)}"
            ]
    missing = (name for name, field in fields.items() if field.required and name not in options)
    return [*wrong, *(f"{above}{name} is missing" for name in missing)]


def _as_list(kind: Any, value: Any) -> str:
    """How a text is written where a list of texts is wanted."""
    if getattr(kind, "__args__", ()) != (str, ...) or not isinstance(value, str):
        return ""
    return f"; write {msgspec.json.encode(value.split()).decode()}"


def _inside(kind: Any, value: Any, at: str, names: Sequence[str] | None) -> list[str]:
    """What is wrong with the tables of a list of them, or of a table of them. `names` are those of a list's items,
    where their numbers alone are not enough."""
    structs = [each for each in getattr(kind, "__args__", ()) if hasattr(each, "__struct_fields__")]
    if len(structs) != 1:
        return []
    if isinstance(value, list):
        tables = [(f"{at} {names[number] if names else number + 1}: ", each) for number, each in enumerate(value)]
    elif isinstance(value, dict):
        tables = [(f"{at}.{name}: ", each) for name, each in value.items()]
    else:
        return []
    return [
        wrong
        for place, table in tables
        for wrong in (
            _mistakes(structs[0], table, place) if isinstance(table, dict) else [f"{place}it must be a table"]
        )
    ]


_KINDS = {
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a table",
    "null": "nothing",
}


def _our_words(error: msgspec.ValidationError) -> str:
    """`it must be a list, and is text`, where that is all there is to say."""
    text = str(error)
    wrong = re.fullmatch(r"Expected `([a-z |]+)`, got `([a-z]+)`(?: - at `\$(.*)`)?", text)
    if wrong is None or wrong[3]:
        return f"{text[:1].lower()}{text[1:]}"
    wanted = " or ".join(_KINDS.get(each, each) for each in wrong[1].split(" | "))
    return f"it must be {wanted}, and is {_KINDS.get(wrong[2], wrong[2])}"


def load(port: str, name: str, origins: Mapping[str, str] | None = None) -> Any:
    """An adapter: its `Options` and its `create`. Raises `ConfigError` for an unknown name or a missing package.
    `origins` tells who named it, as for `Resolver`."""
    names = CATALOGUE.get(port)
    if names is None:
        near = nearest(port, CATALOGUE)
        hint = f"; did you mean {near}?" if near else f"; there are {', '.join(CATALOGUE)}"
        from protea.composition.plugins import UnknownAdapterError  # only mistakes need it

        raise UnknownAdapterError(f"there is no port {port}{hint}")
    if name not in names:
        from protea.composition.plugins import of_another_package  # costs milliseconds, and few name one

        named = (origins or {}).get(f"ports.{port}.adapter", "")
        return of_another_package(port, name, names, f"{named}: " if named else "")
    try:
        return import_module(names[name])
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "protea":
            raise
        extra = EXTRAS.get((error.name or "").partition(".")[0], "all")
        from protea.composition.plugins import MissingPackageError

        raise MissingPackageError(
            f"the adapter {name} of {port} needs the package {error.name}: pip install 'protea[{extra}]'"
        ) from error


def _parameters(create: Any) -> tuple[str, ...]:
    """The parameters behind the `*`: the ports an adapter asks for."""
    code = getattr(create, "__code__", None)
    if code is None:  # no plain function, which only other packages have
        from inspect import signature

        return tuple(name for name, each in signature(create).parameters.items() if each.kind is each.KEYWORD_ONLY)
    names: tuple[str, ...] = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return names
