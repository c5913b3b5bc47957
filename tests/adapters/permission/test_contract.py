"""Both engines keep the port's promises."""

from __future__ import annotations

from protea.adapters.permission import everything_asks
from protea.adapters.permission.rules import Options, create
from protea.domain.surroundings import Surroundings
from protea.ports.permission import Permission
from protea.testing.contracts.permission import PermissionContract

SURROUNDINGS = Surroundings(
    cwd="/nonexistent",
    root="/nonexistent",
    user_home="/nonexistent/home",
    protea_home="/nonexistent/home/.protea",
    environment={},
)


class TestRules(PermissionContract):
    def permission(self) -> Permission:
        return create(Options(allow=("Bash(npm test)",)), surroundings=SURROUNDINGS)


class TestEverythingAsks(PermissionContract):
    def permission(self) -> Permission:
        return everything_asks.create(everything_asks.Options())

    def test_even_reading_asks(self) -> None:
        assert self.asked("Read", {"path": "x"}).verdict == "ask"
        assert self.asked("Bash", {"command": "ls"}).verdict == "ask"

    def test_what_concerns_the_session_alone_is_free(self) -> None:
        assert self.asked("TodoWrite", {}).verdict == "allow"
