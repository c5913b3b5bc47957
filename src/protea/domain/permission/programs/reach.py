"""What a shell command brings about: the effects it surely has, and those it may have as far as its words tell.

A decision holds rules on effects against these. An ask or a deny meets what a command *may* do; the built-in caution
after others' words looks at what it surely does, so that `npm test` is not asked about after every page that was read.
"""

from __future__ import annotations

from collections.abc import Iterable

from protea.domain.permission.effects import EFFECTS
from protea.domain.permission.programs.git import without_globals
from protea.domain.permission.programs.options import Study
from protea.domain.permission.programs.reserved import OUTWARD, SECRETIVE
from protea.domain.permission.shell.script import NOWHERE, Command, listed
from protea.domain.permission.shell.unwrap import basename
from protea.domain.tools import Effect

ANYTHING: frozenset[Effect] = frozenset(EFFECTS["Bash"])

_FETCHING = {
    "git": listed("push fetch pull clone ls-remote submodule send-email request-pull"),
    "npm": listed("install i ci add update exec publish audit outdated view search login"),
    "pnpm": listed("install i add update dlx publish fetch"),
    "yarn": listed("install add upgrade dlx publish npm"),
    "bun": listed("install add update x publish"),
    "pip": listed("install download index search"),
    "pip3": listed("install download index search"),
    "uv": listed("add sync lock pip tool python publish"),
    "poetry": listed("add install update lock publish"),
    "cargo": listed("add fetch install publish search update login"),
    "go": listed("get install mod"),
    "gem": listed("install update push fetch"),
    "bundle": listed("install update"),
    "composer": listed("install update require"),
    "apt": listed("update install upgrade source download"),
    "apt-get": listed("update install upgrade source download"),
    "brew": listed("update install upgrade fetch"),
    "docker": listed("pull push login build run"),
    "podman": listed("pull push login build run"),
}
"""Program → its subcommands that speak to other machines."""
_RUNNERS = listed("npx bunx pnpx uvx pipx")


class Reach:
    """Of all commands of a script together."""

    def __init__(self, commands: Iterable[tuple[Command, Study]]) -> None:
        self.surely: set[Effect] = {"proc.exec"}
        self.maybe: set[Effect] = {"proc.exec"}
        self.outward = ""
        """The first command that surely reaches out, as it was written."""
        for command, study in commands:
            self._add(command, study)

    def _add(self, command: Command, study: Study) -> None:
        found: set[Effect] = set()
        for redirect in command.redirects:
            if redirect.fed or redirect.target.text in NOWHERE:
                continue
            found.add("fs.write" if redirect.writes else "fs.read")
            if redirect.target.text.startswith(("/dev/tcp/", "/dev/udp/")):
                found.add("net.egress")
        for use in study.uses:
            found.add("fs.write" if use.access in ("write", "remove") else "fs.read")
        if command.words:
            name = basename(command.words[0].text)
            texts = [word.text for word in command.words]
            rest = (without_globals(texts) if name == "git" else tuple(texts))[1:]
            verb = next((text for text in rest if not text.startswith("-")), "")
            asks = name in ("pip", "pip3") and any(text in ("--outdated", "-o") for text in rest)
            if name in OUTWARD or name in _RUNNERS or verb in _FETCHING.get(name, ()) or asks:
                found.add("net.egress")
            if name in SECRETIVE:
                found.add("secret.read")
            if not study.known or study.hazard or not command.known:
                self.maybe |= ANYTHING
        if "net.egress" in found and not self.outward:
            self.outward = " ".join(command.argv) or command.redirects[0].target.text
        self.surely |= found
        self.maybe |= found
