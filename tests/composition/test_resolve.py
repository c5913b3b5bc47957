"""From names to adapters."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from protea.adapters.clock.system import SystemClock
from protea.composition.catalogue import CATALOGUE, DEFAULTS, EXTRAS, SWAP_CLASSES
from protea.composition.plugins import MissingPackageError, UnknownAdapterError, all_plugins
from protea.composition.resolve import (
    Choice,
    Resolver,
    WrongOptionError,
    check,
    load,
)
from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings
from tests.architecture.source import ROOT

USUAL: dict[str, Choice] = {port: (name, {}) for port, name in DEFAULTS.items()}


def test_what_create_names_is_made_and_handed_in() -> None:
    resolver = Resolver({"ids": ("system", {}), "clock": ("system", {})}, {})
    assert resolver.get("ids").session()
    assert isinstance(resolver.get("clock"), SystemClock)
    assert resolver.get("clock") is resolver.get("clock")


def test_options_reach_their_adapter() -> None:
    resolver = Resolver({"persona": ("minimal", {"text": "Be brief."})}, {})
    assert resolver.get("persona").system(cwd="/w", model="m", mode="normal", tools=())[0] == "Be brief."


def test_a_wrong_option_is_named_with_those_there_are() -> None:
    resolver = Resolver({"persona": ("minimal", {"txet": "x"})}, {})
    with pytest.raises(ConfigError, match=r"\[ports\.persona\] adapter minimal: .*txet.*its options are: text"):
        resolver.get("persona")


def test_an_unknown_adapter_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean coding"):
        load("persona", "codign")


def test_an_unknown_port_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there is no port persna"):
        load("persna", "coding")


def test_a_circle_of_needs_is_told() -> None:
    resolver = Resolver({"ids": ("system", {}), "clock": ("system", {})}, {})
    resolver._making.append("clock")
    with pytest.raises(ConfigError, match="circle"):
        resolver.get("ids")


def test_every_default_is_in_the_catalogue_and_every_port_has_a_swap_class() -> None:
    assert all(name in CATALOGUE[port] for port, name in DEFAULTS.items())
    assert SWAP_CLASSES.keys() == CATALOGUE.keys()


def test_all_that_is_wrong_with_options_is_told_at_once() -> None:
    chosen = {
        "persona": ("minimal", {"text": 3, "txet": "x"}),
        "instructions": ("files", {"names": "AGENTS.md"}),
        "workspace": ("disk", {}),
    }
    with pytest.raises(ConfigError) as raised:
        check(chosen, {"ports.persona.txet": "/home/me/p.toml:7"}, chosen)
    told = str(raised.value)
    for each in (
        "/home/me/p.toml:7: [ports.persona] adapter minimal: text: it must be text, and is a whole number",
        "there is no option 'txet' (did you mean text?); its options are: text",
        "[ports.instructions] adapter files: names: it must be a list, and is text",
    ):
        assert each in told
    assert "\n" not in told


def test_what_is_wrong_with_a_table_is_told_with_its_place() -> None:
    chosen = {"hooks": ("configured", {"before_tool": {"command": "x"}})}
    with pytest.raises(WrongOptionError, match=r"^/home/me/config\.toml:2: \[ports\.hooks\]"):
        check(chosen, {"ports.hooks.before_tool.command": "/home/me/config.toml:2"}, chosen)


def test_an_option_that_must_be_there_is_named() -> None:
    with pytest.raises(WrongOptionError, match="model is missing"):
        Resolver({}, {}).make("model", "openai-chat", {})


def test_extras_are_those_of_the_package() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    projects = {"PIL": "pillow"}
    for package, extra in EXTRAS.items():
        named = projects.get(package, package).replace("_", "-")
        assert any(wanted.startswith(named) for wanted in extras[extra])


def test_a_missing_package_is_told_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_keyring.py").write_text("import keyring.nothing_like_it")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(CATALOGUE["secrets"], "needy", "needs_keyring")
    with pytest.raises(MissingPackageError, match=r"pip install 'protea\[keyring\]'"):
        load("secrets", "needy")


def test_what_would_be_made_alike_is_taken_over_and_the_rest_is_left_to_be_closed() -> None:
    chosen = {"clock": ("system", {}), "ids": ("system", {}), "persona": ("minimal", {})}
    before = Resolver(chosen, {})
    old = {port: before.get(port) for port in ("ids", "persona")}
    after = Resolver({**chosen, "persona": ("minimal", {"text": "Hi."})}, {}, before=before)
    assert after.get("ids") is old["ids"]
    assert after.get("clock") is before.get("clock")
    assert after.get("persona") is not old["persona"]
    assert after.replace(before) == []  # a persona has nothing to close


async def test_what_is_left_over_is_closed_and_what_was_taken_over_is_not() -> None:
    around = Surroundings(cwd="/", root="/", user_home="/h", protea_home="/h/.protea", environment={})
    chosen = {**USUAL, "workspace": ("memory", {})}
    before = Resolver(chosen, {"surroundings": around})
    tools, sandbox = before.get("toolset"), before.get("sandbox")
    after = Resolver({**chosen, "toolset": ("none", {})}, {"surroundings": around}, before=before)
    assert after.fresh(before) == []
    fresh = after.get("toolset")
    assert after.fresh(before) == [fresh.aclose]
    assert after.replace(before) == [tools.aclose]
    assert sandbox.aclose in after.made()
    assert after.made()[0] == fresh.aclose


def test_what_needs_a_port_that_changes_is_made_anew() -> None:
    around = Surroundings(cwd="/", root="/", user_home="/h", protea_home="/h/.protea", environment={})
    chosen = {"toolset": ("builtin", {}), "workspace": ("memory", {}), "sandbox": ("none", {}), "web": ("none", {})}
    chosen |= {"agents": ("none", {}), "search": ("none", {}), "diagnostics": ("none", {})}
    before = Resolver(chosen, {"surroundings": around})
    tools = before.get("toolset")
    assert Resolver(chosen, {"surroundings": around}, before=before).get("toolset") is tools
    other = Resolver({**chosen, "workspace": ("disk", {})}, {"surroundings": around}, before=before)
    assert other.get("toolset") is not tools
    assert other.get("sandbox") is before.get("sandbox")


async def test_what_is_opened_later_is_opened_by_the_resolver_that_is_in_place_then() -> None:
    around = Surroundings(cwd="/", root="/", user_home="/h", protea_home="/h/.protea", environment={})
    chosen = {"toolset": ("builtin", {}), "workspace": ("memory", {}), "sandbox": ("none", {}), "web": ("none", {})}
    chosen |= {"agents": ("none", {}), "search": ("none", {}), "diagnostics": ("lsp", {"only": ["ruff"]})}
    before = Resolver(chosen, {"surroundings": around})
    tools, later = before.get("toolset"), before.later("diagnostics")
    after = Resolver(chosen, {"surroundings": around}, before=before)
    assert after.later("diagnostics") is later
    left_over = after.replace(before)
    assert [server.name for server in later.servers()] == ["ruff"]
    assert after.made()[0] == after.get("diagnostics").aclose
    assert left_over == []
    other = Resolver({**chosen, "diagnostics": ("none", {})}, {"surroundings": around}, before=after)
    assert other.get("toolset") is not tools
    assert list(other.later("diagnostics").servers()) == []


# ── adapters of other packages ─────────────────────────────────────────────────────────────────────────────────────

ECHO = """
import msgspec

class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str = "I am an echo."

class Echo:
    def __init__(self, text):
        self.text = text

    def system(self, *, cwd, model, mode, tools):
        return (self.text,)

def create(options, *, clock):
    return Echo(options.text)
"""

ENTRIES = (
    "[protea.persona]\necho = protea_echo\nbroken = protea_broken\nhollow = protea_hollow\nfaulty = protea_faulty\n"
)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder in which a package with entry points is installed."""
    (tmp_path / "protea_echo.py").write_text(ECHO)
    (tmp_path / "protea_broken.py").write_text("import nothing_of_that_name")
    (tmp_path / "protea_hollow.py").write_text("class Options: ...")
    (tmp_path / "protea_faulty.py").write_text("1 / 0")
    told = tmp_path / "protea_echo-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: protea-echo\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(ENTRIES)
    return tmp_path


@pytest.fixture
def _installed(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(plugin))
    for name in ("protea_echo", "protea_broken", "protea_hollow", "protea_faulty"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("_installed")
def test_an_adapter_of_another_package_is_found_by_its_entry_point() -> None:
    resolver = Resolver({"persona": ("echo", {"text": "Hi."}), "clock": ("system", {})}, {})
    assert resolver.get("persona").system(cwd="", model="", mode="", tools=()) == ("Hi.",)
    assert "echo" in all_plugins()["persona"]
    with pytest.raises(WrongOptionError, match=r"there is no option 'txet' .did you mean text"):
        Resolver({"persona": ("echo", {"txet": "x"})}, {}).get("persona")


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("ecoh", UnknownAdapterError, "the port persona has no adapter ecoh; did you mean echo?"),
        ("broken", MissingPackageError, "needs the package nothing_of_that_name: pip install nothing_of_that_name"),
        ("hollow", ConfigError, "the adapter hollow of persona (protea-echo) has no create"),
        ("faulty", ConfigError, "(protea-echo) cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_one_that_cannot_be_used_is_told_apart(name: str, kind: type[ConfigError], told: str) -> None:
    with pytest.raises(kind) as raised:
        load("persona", name)
    assert told in str(raised.value)


def test_other_packages_are_looked_through_for_unknown_names_alone() -> None:
    code = (
        "import sys\nfrom protea.composition.resolve import Resolver, load\n"
        "Resolver({'persona': ('coding', {}), 'clock': ('system', {})}, {}).get('persona')\n"
        "assert 'importlib.metadata' not in sys.modules\n"
        "try:\n    load('persona', 'codign')\nexcept Exception as error:\n    print(error)\n"
        "assert 'importlib.metadata' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n{code}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("the port persona has no adapter codign; did you mean coding?\n", "")
