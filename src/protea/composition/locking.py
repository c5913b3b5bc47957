"""What a profile is made of here and now, beside what `profile.lock` says. Called by `cli` and by `root`."""

from __future__ import annotations

import os
import sys

import msgspec
from msgspec.structs import replace

from protea.adapters.settings.lock_file import NAME, read_lock, texts_of, write_lock
from protea.adapters.settings.profiles import Profiles
from protea.composition.catalogue import CATALOGUE
from protea.composition.launch import Launch
from protea.composition.resolve import Resolver
from protea.composition.root import Given, Root
from protea.domain.errors import ConfigError
from protea.domain.lock import Drift, drift, in_words
from protea.domain.profile import DEFAULT
from protea.ports.capability import Capability
from protea.ports.gateway import OpenSession
from protea.ports.persona import Persona


class StillClock:
    """The clock of a persona that is looked at: what it says must not change from day to day."""

    def now(self) -> str:
        return "2000-01-01T00:00:00.000Z"

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Nobody waits."""


class Locking:
    """The lock of the project one stands in."""

    def __init__(self, launch: Launch) -> None:
        self._launch = replace(launch, frozen=False, interactive=True)
        self._root = Root(self._launch, Given())
        around = self._root.surroundings
        self.path = os.path.join(around.root, ".protea", NAME)
        self._texts = os.path.join(around.protea_home, "locked")
        self.profile = self._root.settings.profile or DEFAULT

    @property
    def heeded(self) -> bool:
        """Whether the lock counts: one that nobody has trusted must not keep anybody from working."""
        return self._root.surroundings.trusted

    async def write(self) -> int:
        """Lock the profile as it is now; how many texts that are. Raises `StoreError`."""
        texts = await self.now()
        write_lock(self.path, self.profile, texts, self._texts)
        return len(texts)

    async def drift(self) -> tuple[Drift, ...]:
        """What is not as it was locked; empty as well where this profile never was. Raises `ConfigError`."""
        locked = read_lock(self.path).get(self.profile)
        if locked is None:
            return ()
        return drift(locked, await self.now(), texts_of(self._texts, locked.values()))

    async def hold(self) -> None:
        """For `--frozen`: raises `ConfigError` unless everything is as it was locked."""
        if self.profile not in read_lock(self.path):
            raise ConfigError(f"--frozen: the profile {self.profile} is not locked; `protea profile lock` does that")
        if found := await self.drift():
            raise ConfigError(f"--frozen: {in_words(found)}; `protea profile lock` accepts it")

    async def now(self) -> dict[str, str]:
        """Item → text."""
        around = self._root.surroundings
        parts = self._root.assemble(OpenSession(cwd=around.cwd))
        try:
            if parts.prepare is not None:
                await parts.prepare()
            texts = {f"file {self._shown(path)}": _file(path) for path in self._files()}
            persona: Persona = Resolver(parts.choices, {"surroundings": around, "clock": StillClock()}).get("persona")
            for mode in ("normal", "plan"):
                said = persona.system(cwd="/", model="", mode=mode, tools=())
                texts[f"persona ({mode})"] = "\n\n".join(said).replace(f"System: {sys.platform}", "System: any")
            for each in parts.instructions.load(around.cwd):
                texts[f"instructions {self._shown(each.path)}"] = each.text
            for toolset in parts.toolsets:
                for spec in toolset.specs():
                    told = msgspec.to_builtins(spec)
                    del told["example"]  # for people; the model is not sent it
                    texts[f"tool {spec.name}"] = msgspec.json.format(msgspec.json.encode(told, order="sorted")).decode()
            if parts.opened is not None and isinstance(parts.opened, Resolver):
                capability: Capability = parts.opened.get("capability")
                for card in await capability.discover():
                    texts[f"{card.kind} {card.name}"] = f"{card.description}\n{card.digest}\n"
            return texts
        finally:
            await parts.aclose()

    def _files(self) -> list[str]:
        around = self._root.surroundings
        shelf = Profiles(around, trusted=around.trusted, bare=self._launch.bare, ports=CATALOGUE)
        return [each.source for each in shelf.chain(self.profile)]

    def _shown(self, path: str) -> str:
        """The same on every machine."""
        around = self._root.surroundings
        for folder, sign in ((around.root, ""), (around.protea_home, "~/.protea/"), (around.user_home, "~/")):
            if path.startswith(folder.rstrip("/") + "/"):
                return sign + path[len(folder.rstrip("/")) + 1 :]
        return f"protea/{os.path.basename(path)}"


def _file(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
