"""A package from outside, installed into an environment that has Protea and nothing else to test with: its adapters are
found by name, made with their options, listed, looked over, and used in a run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protea.testing.loopback import LoopbackProvider, ScriptedCall
from tests.test_examples import environment_with

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "examples/plugin"

PROFILE = """
extends = "base"
about = "an agent nobody wrote code for"

[persona]
adapter = "gardener"
garden = "a roof terrace in Oslo"

[toolset]
adapter = "almanac"

[notifier]
adapter = "logbook"
file = "{file}"

[permissions]
allow = ["MoonPhase"]
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with_the_plugin(tmp_path_factory.mktemp("plugin"))


def environment_with_the_plugin(folder: Path) -> Path:
    """A Python with Protea's base and the plugin, installed as anybody would install it."""
    made = environment_with(["msgspec", "tree-sitter", "tree-sitter-bash"], folder / "python")
    pip = [sys.executable, "-I", "-m", "pip"]
    quiet = ["-q", "--no-deps", "--no-index", "--no-build-isolation"]
    for command in (
        [*pip, "wheel", *quiet, "-w", folder, PLUGIN],
        [*pip, "--python", made, "install", *quiet, "--find-links", folder, "protea-garden"],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=100)
    return made


class Garden:
    def __init__(self, python: Path, folder: Path) -> None:
        self.python = python
        self.folder = folder
        self.logbook = folder / "logbook.txt"
        (folder / "home/.protea/profiles").mkdir(parents=True)
        (folder / "project/.git").mkdir(parents=True)
        self.profile = folder / "home/.protea/profiles/gardener.toml"
        self.profile.write_text(PROFILE.format(file=self.logbook))

    def protea(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-I", "-m", "protea", *words],
            cwd=self.folder / "project",
            env={"HOME": str(self.folder / "home"), "PATH": "/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture
def garden(python: Path, tmp_path: Path) -> Garden:
    return Garden(python, tmp_path)


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider.in_thread([ScriptedCall("MoonPhase", {"day": "2026-11-24"}), "Sow on Tuesday."]) as made:
        yield made


def test_an_agent_nobody_wrote_code_for_is_composed_and_runs(garden: Garden, provider: LoopbackProvider) -> None:
    done = garden.protea(
        "-p", "--profile", "gardener", "-m", "openai/gpt-test", "--output-format", "stream-json", "When do I sow?",
        OPENAI_API_KEY="k", OPENAI_BASE_URL=provider.url("openai-responses"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["text"] == "Sow on Tuesday."
    results = [
        event["result"]["text"] for event in events if event["type"] == "tool_call_changed" and "result" in event
    ]
    assert results == ["On 2026-11-24 the moon is full."]
    asked = provider.requests[0].body.decode()
    assert "You look after a garden" in asked
    assert "a roof terrace in Oslo" in asked
    assert {event["identity"] for event in events if event.get("seq")} == {"gardener"}


def test_help_on_its_tool_shows_a_call(garden: Garden) -> None:
    told = garden.protea("tools", "help", "moonphase", "--profile", "gardener").stdout
    assert 'example: {"day":"2026-11-28"}' in told


def test_its_adapters_are_listed_beside_our_own(garden: Garden) -> None:
    rows = {row["name"]: row for row in json.loads(garden.protea("ports", "--json", "--profile", "gardener").stdout)}
    assert "gardener" in rows["persona"]["adapters"]
    assert rows["persona"]["filled_by"] == "gardener"
    assert rows["clock"]["filled_by"] == "system"


@pytest.mark.parametrize("port", ["persona", "notifier", "toolset"])
def test_its_adapters_keep_what_their_ports_promise(garden: Garden, port: str) -> None:
    done = garden.protea("doctor", "--profile", "gardener", "--port", port, "--json")
    findings = {each["about"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert "are kept" in findings["promises"]["found"]
    if port == "notifier":
        assert "a check of the notifier" in garden.logbook.read_text()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('adapter = "gardener"', 'adapter = "gardner"', "did you mean gardener?"),
        ('garden = "a', 'gardn = "a', "there is no option 'gardn' (did you mean garden?)"),
        ('file = "', 'fill = "', "file is missing"),
    ],
)
def test_a_mistake_in_naming_one_is_told_like_one_of_our_own(
    garden: Garden, before: str, after: str, told: str
) -> None:
    garden.profile.write_text(garden.profile.read_text().replace(before, after))
    done = garden.protea("-p", "--profile", "gardener", "hello")
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    looked = garden.protea("doctor", "--profile", "gardener")
    assert looked.returncode == 1
    assert told in looked.stdout


HEAD = "import msgspec\nclass Options(msgspec.Struct, frozen=True):\n    pass\n"
FAULTS = {
    "leaves": ("import sys\nsys.exit(3)\n", "cannot be imported: it called sys.exit(3)"),
    "breaks": ("1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero"),
    "lacks": ("import nothing_of_that_name\n", "needs the package nothing_of_that_name: pip install"),
    "gone": (None, "is said to be in faulty_gone, and there is no such module"),
    "bare": ("def create(options): ...\n", "has no Options"),
    "loose": ("class Options: ...\ndef create(options): ...\n", "its Options is no msgspec.Struct"),
    "signed": (f"{HEAD}def create(options, surroundings): ...\n", "could not be made: TypeError: create() missing 1"),
    "raises": (f"{HEAD}def create(options):\n    raise RuntimeError('no luck')\n", "made: RuntimeError: no luck"),
    "asks": (f"{HEAD}def create(options, *, weather): ...\n", "asks for 'weather', which is no port"),
    "empty": (f"{HEAD}def create(options):\n    return object()\n", "made something without notify: docs/ports/"),
    "twice": (f"{HEAD}def create(options): ...\n", "faulty and faulty-too both bring an adapter twice of notifier"),
}
"""Adapter of `notifier` → what its module says, and what is told of it."""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Garden:
    """A Python with packages that are wrong in every way that was thought of."""
    folder = tmp_path_factory.mktemp("faulty")
    python = environment_with(["msgspec", "tree-sitter", "tree-sitter-bash"], folder / "python")
    site = next((folder / "python/lib").glob("python3*")) / "site-packages"

    def package(name: str, version: str, entries: str) -> None:
        about = site / f"{name.replace('-', '_')}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (about / "entry_points.txt").write_text(entries)

    for name, (text, _) in FAULTS.items():
        if text is not None:
            (site / f"faulty_{name}.py").write_text(text)
    entries = "".join(f"{name} = faulty_{name}\n" for name in FAULTS)
    package("faulty", "0.3", f"[protea.notifier]\n{entries}bell = faulty_empty\n[protea.notifiers]\nx = faulty_empty\n")
    package("faulty-too", "2.0", "[protea.notifier]\ntwice = faulty_empty\n")
    return Garden(python, folder)


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_one_is_a_line(faulty: Garden, name: str) -> None:
    faulty.profile.write_text(f'extends = "base"\n[notifier]\nadapter = "{name}"\n')
    done = faulty.protea("-p", "--profile", "gardener", "hello")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert FAULTS[name][1] in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_packages_bring_is_listed_with_what_is_wrong(faulty: Garden) -> None:
    faulty.profile.write_text('extends = "base"\n[notifier]\nadapter = "empty"\n')
    rows = json.loads(faulty.protea("plugins", "list", "--json", "--profile", "gardener").stdout)
    told = {(row["package"], row["adapter"]): row for row in rows}
    assert told["faulty", "empty"] == {
        "package": "faulty", "version": "0.3", "port": "notifier", "adapter": "empty", "module": "faulty_empty",
        "used": True, "problem": "",
    }  # fmt: skip
    assert told["faulty", "x"]["problem"] == "there is no port notifiers; did it mean notifier?"
    assert told["faulty", "bell"]["problem"] == "hidden: Protea itself has an adapter bell"
    assert told["faulty-too", "twice"]["problem"] == "faulty brings one of that name, too"
    shown = faulty.protea("plugins", "list", "--profile", "gardener").stdout
    assert [line.split() for line in shown.splitlines() if "empty" in line] == [
        ["faulty", "0.3", "notifier", "empty", "used"]
    ]


def test_without_any_the_list_says_so(tmp_path: Path) -> None:
    python = environment_with(["msgspec", "tree-sitter", "tree-sitter-bash"], tmp_path / "python")
    assert "No package brings anything" in Garden(python, tmp_path).protea("plugins", "list").stdout


def test_it_is_tested_with_the_suites_that_ship(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", PLUGIN / "tests"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{PLUGIN / 'src'}:{ROOT / 'src'}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout
