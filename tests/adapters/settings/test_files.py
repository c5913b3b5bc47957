"""Settings from real files, as `adapters.settings.files` reads them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from protea.adapters.settings import files
from protea.adapters.settings.profiles import PACKAGED
from protea.adapters.settings.trust import is_trusted, trust
from protea.domain.errors import ConfigError
from protea.domain.settings import ModelSettings, Settings
from protea.domain.surroundings import Surroundings
from protea.domain.usage import Price

WHOLE = """
model = "acme/big-1"
effort = "high"
fallback = ["ollama/llama3.2"]
proxy_url = "http://127.0.0.1:3128"

[permissions]
mode = "plan"
allow = [
  "Read(//usr/share/**)",  # documentation
  'Bash(git status)',
]
deny = ["Bash(git push:*)"]

[providers.acme]
api = "openai-chat"            # openai-chat | openai-responses | anthropic | gemini | ollama
base_url = "http://127.0.0.1:8080/v1"
api_key_env = "ACME_API_KEY"   # or api_key_command = ["pass", "acme"]
headers = { X-Team = "a" }
[providers.acme.models."big-1"]
context = 200000
price = { input = 3.0, output = 15.0, cache_read = 0.3, cache_write = 3.75 }   # dollars per million tokens

[limits]
max_turns = 30
budget_usd = 2

[ports.context]
adapter = "windowed"
keep = 20
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / ".protea"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".protea").mkdir(parents=True)
    return folder


Load = Callable[..., Settings]


@pytest.fixture
def load(home: Path, project: Path) -> Load:
    def load(
        user: str | None = None, own: str | None = None, environment: dict[str, str] | None = None, **more: Any
    ) -> Settings:
        if user is not None:
            (home / "config.toml").write_text(user)
        if own is not None:
            (project / ".protea" / "config.toml").write_text(own)
        return files.load(surroundings(home, project, environment), **more)

    return load


def surroundings(home: Path, project: Path, environment: dict[str, str] | None = None) -> Surroundings:
    return Surroundings(
        cwd=str(project),
        root=str(project),
        user_home=str(home.parent),
        protea_home=str(home),
        environment=environment or {},
        trusted=False,
    )


def test_every_table_of_the_documented_file_is_understood(load: Load, home: Path) -> None:
    settings = load(WHOLE)
    assert settings.warnings == ()
    assert (settings.model, settings.effort, settings.fallback) == ("acme/big-1", "high", ("ollama/llama3.2",))
    acme = settings.providers["acme"]
    assert (acme.api, acme.base_url, acme.api_key_env) == ("openai-chat", "http://127.0.0.1:8080/v1", "ACME_API_KEY")
    assert acme.headers == {"X-Team": "a"}
    assert acme.models == {"big-1": ModelSettings(context=200000, price=Price(3.0, 15.0, 0.3, 3.75))}
    assert (settings.limits.max_turns, settings.limits.budget_usd) == (30, 2.0)
    assert settings.ports["context"] == {"adapter": "windowed", "keep": 20}
    (layer,) = settings.permissions.layers
    assert layer.source == str(home / "config.toml")
    assert layer.allow == ("Read(//usr/share/**)", "Bash(git status)")
    assert layer.lines == {"Read(//usr/share/**)": 10, "Bash(git status)": 11, "Bash(git push:*)": 13}
    assert settings.permissions.mode == "plan"


def test_who_said_what_is_known_to_the_line(load: Load, home: Path) -> None:
    settings = load(
        WHOLE,
        environment={"PROTEA_LOG": "debug"},
        flags={"effort": "low", "permissions.mode": "normal"},
        set=["limits.time_limit=60"],
    )
    file = str(home / "config.toml")
    assert settings.origins["model"] == f"{file}:2"
    assert settings.origins["limits.max_turns"] == f"{file}:25"
    assert settings.origins["providers.acme.models.big-1.price.input"] == f"{file}:22"
    assert settings.origins["log.level"] == "environment PROTEA_LOG"
    assert settings.origins["effort"] == "flag --effort"
    assert settings.origins["permissions.mode"] == "flag --permission-mode"
    assert settings.origins["limits.time_limit"] == "flag --set"


def test_later_layers_win_key_by_key(load: Load, home: Path, project: Path) -> None:
    (project / ".protea" / "config.toml").write_text(
        'model = "p/two"\neffort = "two"\nprofile = "two"\nproxy_url = "two"'
    )
    (home / "profiles").mkdir()
    (home / "profiles" / "three.toml").write_text('model = "p/zero"\nfallback = ["x/y"]')
    trust(str(home), str(project))
    settings = load(
        'model = "p/one"\neffort = "one"\nprofile = "one"\nproxy_url = "one"\nsocket_path = "one"',
        environment={"PROTEA_MODEL": "p/three", "PROTEA_PROFILE": "three", "PROTEA_LOG": ""},
        flags={"model": "p/four"},
    )
    assert settings.socket_path == "one"
    assert settings.proxy_url == settings.effort == "two"
    assert settings.profile == "three"
    assert settings.fallback == ("x/y",)
    assert settings.model == "p/four"
    assert settings.log.level == "warning"


def test_tables_merge_and_lists_replace_but_rules_add_up(load: Load, home: Path, project: Path) -> None:
    own = 'fallback = ["c/d"]\n[permissions]\ndeny = ["Write"]\n[providers.acme]\nproxy_url = "x"'
    (project / ".protea" / "config.toml").write_text(own)
    trust(str(home), str(project))
    settings = load('fallback = ["a/b"]\n[permissions]\ndeny = ["Bash"]\n[providers.acme]\napi = "gemini"')
    assert settings.fallback == ("c/d",)
    assert settings.permissions.deny == ("Bash", "Write")
    assert [layer.deny for layer in settings.permissions.layers] == [("Bash",), ("Write",)]
    assert (settings.providers["acme"].api, settings.providers["acme"].proxy_url) == ("gemini", "x")


def test_a_project_nobody_trusts_may_forbid_and_nothing_else(load: Load, project: Path) -> None:
    own = 'model = "evil/one"\n[permissions]\nallow = ["Bash"]\ndeny = ["Write"]\nmode = "yolo"\n'
    own += '[providers.openai]\nbase_url = "http://evil"'
    settings = load("", own)
    assert settings.model is None
    assert settings.providers == {}
    assert settings.permissions.mode is None
    assert (settings.permissions.allow, settings.permissions.deny) == ((), ("Write",))
    assert not settings.trusted
    (warning,) = settings.warnings
    assert str(project / ".protea" / "config.toml") in warning
    assert "not been trusted" in warning


def _fifo(path: Path) -> None:
    os.mkfifo(path)


STRANGE: dict[str, Callable[[Path], object]] = {
    "broken": lambda path: path.write_text("x = = 1"),
    "endless number": lambda path: path.write_text(f"x = {'1' * 5000}"),
    "nested": lambda path: path.write_text(f"x = {'[' * 5000}"),
    "a bad value": lambda path: path.write_text("[permissions]\ndeny = 3"),
    "not text": lambda path: path.write_bytes(b"\xff"),
    "a fifo": _fifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "too large": lambda path: path.write_text("#" * (1 << 20) + "\n"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_nothing_in_a_project_nobody_trusts_stops_or_holds_up(load: Load, home: Path, project: Path, what: str) -> None:
    STRANGE[what](project / ".protea" / "config.toml")
    (home / "trusted.toml").write_text("")  # somebody trusts something, so prints are taken
    (warning,) = load('model = "a/b"').warnings
    assert str(project / ".protea" / "config.toml") in warning
    assert "not been trusted" in warning
    assert "\n" not in warning


def test_what_cannot_be_read_cannot_be_trusted(home: Path, project: Path) -> None:
    (project / ".mcp.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        trust(str(home), str(project))
    assert not is_trusted(str(home), str(project))


@pytest.mark.parametrize("name", [".mcp.json", ".protea/config.toml", ".protea/permissions.toml"])
def test_trust_ends_when_a_file_that_matters_changes(home: Path, project: Path, name: str) -> None:
    (project / name).write_text("# one")
    assert not is_trusted(str(home), str(project))
    trust(str(home), str(project))
    assert is_trusted(str(home), str(project))
    assert (home / "trusted.toml").stat().st_mode & 0o777 == 0o600
    (project / name).write_text("# two")
    assert not is_trusted(str(home), str(project))
    trust(str(home), str(project))
    (project / name).unlink()
    assert not is_trusted(str(home), str(project))


def test_trusting_one_project_keeps_the_others_and_odd_names(home: Path, tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("a", 'b "quoted" \\', "ü space", "c]\n")]
    for root in roots:
        root.mkdir()
        (root / ".mcp.json").write_text(root.name)
        trust(str(home), str(root))
    assert all(is_trusted(str(home), str(root)) for root in roots)
    assert not is_trusted(str(home), str(tmp_path))


def test_a_home_that_is_the_projects_own_folder_is_read_once(tmp_path: Path) -> None:
    home = tmp_path / ".protea"
    home.mkdir()
    (home / "config.toml").write_text('[permissions]\ndeny = ["Bash"]')
    settings = files.load(surroundings(home, tmp_path))
    assert len(settings.permissions.layers) == 1
    assert settings.warnings == ()


def test_bare_reads_no_file_but_environment_and_flags(load: Load, home: Path) -> None:
    settings = load("not = [valid", "also not valid", environment={"PROTEA_MODEL": "a/b"}, bare=True)
    assert settings.model == "a/b"
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('model = "a\nb"', ":1:11", "not valid TOML"),
        ('model = "a"\n[limits\nmax_turns = 1', ":2:8", "not valid TOML"),
        ('model = "a"\nmodel = "b"', ":2", "not valid TOML"),
        ("x = [1,\n2", ":2", "not valid TOML"),
        ("model = 5", ":1:9", "model must be text, not a whole number (5)"),
        ("\n[limits]\n  max_turns = 'many'", ":3:15", "limits.max_turns must be a whole number from 1 up"),
        ("[limits]\nmax_turns = 0", ":2:13", "limits.max_turns must be a whole number from 1 up"),
        ("limits = 3", ":1:10", "limits must be a table"),
        ('fallback = "a/b"', ":1:12", "fallback must be a list of texts"),
        ('[providers.x]\napi = "telepathy"', ":2:7", "one of openai-chat, openai-responses, anthropic, gemini, ollama"),
        ('[permissions]\nmode = "normalish"', ":2:8", "one of normal, plan, yolo"),
        ('[permissions]\ndeny = ["a", 2]', ":2:8", "permissions.deny must be a list of texts"),
        ('[providers.x.models."m.1"]\nprice = { input = 1 }', ":2:9", 'providers.x.models."m.1".price'),
        ("[providers.x.models.m]\nprice = 3", ":2:9", "must be a table"),
        ("providers = []", ":1:13", "providers must be a table"),
        ('[log]\nlevel = "loud"', ":2:9", "'loud' is not a log level"),
        ("model = 2026-01-01", ":1:9", "model must be text"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_accepted(
    load: Load, home: Path, text: str, place: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    message = str(caught.value)
    assert message.startswith(str(home / "config.toml") + place + ":") or message.startswith(
        str(home / "config.toml") + place
    )
    assert words in message
    assert "\n" not in message


def test_a_key_nobody_knows_is_passed_over_with_a_hint(load: Load, home: Path) -> None:
    settings = load('modle = "a/b"\n[limits]\nmax_turn = 3\n[wings]\nspan = 2')
    file = home / "config.toml"
    assert settings.warnings == (
        f"{file}:1: modle is not a setting, so it is passed over; did you mean model?",
        f"{file}:3: limits.max_turn is not a setting, so it is passed over; did you mean limits.max_turns?",
        f"{file}:4: wings is not a setting, so it is passed over",
    )
    assert settings.limits.max_turns is None


@pytest.mark.parametrize("key", ["layers", "origins", "warnings", "trusted"])
def test_what_nobody_sets_cannot_be_set(load: Load, key: str) -> None:
    settings = load(f"{key} = true\n[permissions]\nlayers = []")
    assert len(settings.warnings) == 2
    assert not settings.trusted
    assert settings.permissions.layers == ()


def test_names_that_other_agents_use_are_understood(load: Load) -> None:
    settings = load('default_model = "ollama/llama3.2"\nlog_level = "debug"')
    assert (settings.model, settings.log.level, settings.warnings) == ("ollama/llama3.2", "debug", ())


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("model=acme/big", "model", "acme/big"),
        ('model = "acme/big"', "model", "acme/big"),
        ("model=5", "model", "5"),
        ("model=true", "model", "true"),
        ("model=a=b", "model", "a=b"),
        ("limits.max_turns=7", "limits.max_turns", 7),
        ("limits.budget_usd=1.5", "limits.budget_usd", 1.5),
        ("fallback=['a/b', 'c/d']", "fallback", ["a/b", "c/d"]),
        ("sandbox.network=false", "sandbox.network", False),
        ('providers.acme.models."big-1.5".context=9', 'providers.acme.models."big-1.5".context', 9),
        ("providers.acme.headers.X-Team=a", "providers.acme.headers.X-Team", "a"),
        ("ports.context.keep=3", "ports.context.keep", 3),
        ("default_model=a/b", "model", "a/b"),
    ],
)
def test_values_are_set_from_the_command_line(load: Load, assignment: str, key: str, value: object) -> None:
    settings = load(set=[assignment])
    assert files.read_value(settings, key) == value
    assert settings.origins[key] == "flag --set"


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("model", "KEY=VALUE"),
        ("=x", "KEY=VALUE"),
        ("a..b=1", "KEY=VALUE"),
        ("a b=1", "KEY=VALUE"),
        ("fallback=['a'", "bracket or quote"),
        ("foo=1", "--set: foo is not a setting; `protea config schema` tells all there are"),
        ("compaction.keep=0.5", "did you mean ports.compaction.keep?"),
        ("tui.theme=nope", "tui.theme must be one of auto, terminal,"),
        ("limits.max_turn=1", "did you mean limits.max_turns?"),
        ("trusted=true", "trusted is not a setting"),
        ("limits.max_turns=many", "flag --set: limits.max_turns must be a whole number"),
        ("log.level=loud", "flag --set: log.level: 'loud' is not a log level"),
    ],
)
def test_a_bad_assignment_is_told(load: Load, assignment: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"--set|flag") as caught:
        load(set=[assignment])
    assert words in str(caught.value)


def test_a_bad_environment_is_told_by_its_name(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"environment PROTEA_LOG: log\.level: 'loud' is not a log level"):
        load(environment={"PROTEA_LOG": "loud"})


@pytest.mark.parametrize(
    "flags",
    [{"model": "a/b"}, {"effort": "low", "log.level": "debug"}, {"permissions.mode": "plan"}, {"sandbox.adapter": "x"}],
)
def test_what_is_known_without_looking_into_types_is_the_same(load: Load, flags: dict[str, str]) -> None:
    quick = load(flags=flags)
    slow = load(flags=flags, set=["limits.max_turns=1"])
    assert msgspec.structs.replace(slow, limits=quick.limits, origins=quick.origins) == quick


def test_a_bad_mode_is_told(load: Load) -> None:
    with pytest.raises(
        ConfigError, match=r"flag --permission-mode: permissions\.mode must be one of normal, plan, yolo"
    ):
        load(flags={"permissions.mode": "wild"})


def test_a_provider_that_cannot_be_asked_is_told(load: Load, home: Path) -> None:
    settings = load('model = "a/b"\n[providers.acme]\napi = "gemini"\n[providers.void]\n[providers.openai]')
    assert settings.warnings == (
        f"{home / 'config.toml'}:2: providers.acme cannot be used without base_url",
        f"{home / 'config.toml'}:4: providers.void cannot be used without api and base_url",
    )


def test_a_home_others_could_look_into_is_closed(load: Load, home: Path, project: Path, tmp_path: Path) -> None:
    home.chmod(0o755)
    load("")
    assert home.stat().st_mode & 0o777 == 0o700
    (other := tmp_path / "any folder").mkdir(mode=0o755)
    other.chmod(0o755)
    files.load(surroundings(other, project))
    assert other.stat().st_mode & 0o777 == 0o755


def test_short_tables_fill_ports(load: Load) -> None:
    assert load(flags={"sandbox.adapter": "bubblewrap"}).ports["sandbox"] == {"adapter": "bubblewrap"}
    assert load('[instructions]\nadapter = "none"').ports["instructions"] == {"adapter": "none"}


def test_the_first_run_writes_a_file_that_changes_nothing(home: Path, project: Path) -> None:
    home.rmdir()
    before = files.load(surroundings(home, project))
    file = home / "config.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert os.listdir(home) == ["config.toml"]
    assert files.load(surroundings(home, project)) == before
    assert (before.model, before.warnings, before.permissions.layers) == (None, (), ())


def test_every_example_of_the_first_file_is_valid(load: Load, home: Path, project: Path) -> None:
    files.load(surroundings(home, project))
    text = (home / "config.toml").read_text()
    _, examples = text.split("\n\n", 1)
    prose = ("# A provider of your own:", "# What fills a port")
    lines = [line.removeprefix("# ") for line in examples.split("\n") if not line.startswith(prose)]
    settings = load("\n".join(lines))
    assert settings.warnings == ()
    assert settings.providers["acme"].models["big-1"].context == 200000
    assert settings.permissions.mode == "normal"
    assert settings.ports["notifier"]["adapter"] == "bell"


def test_a_home_that_cannot_be_written_is_a_warning(tmp_path: Path, project: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the home should be")
    with pytest.raises(ConfigError, match=r"cannot be read: not a directory; set PROTEA_HOME to another"):
        files.load(surroundings(tmp_path / "blocked" / "home", project))
    settings = files.load(surroundings(Path("/proc/no-home"), project))
    (warning,) = settings.warnings
    assert "/proc/no-home cannot be written to" in warning


def test_a_file_that_cannot_be_read_is_an_error_in_one_line(load: Load, home: Path) -> None:
    (home / "config.toml").mkdir()
    with pytest.raises(ConfigError, match=r"config\.toml: cannot be read: is a directory; .*--bare"):
        load()
    (home / "config.toml").rmdir()
    (home / "config.toml").write_bytes(b'model = "a"\nprofile = "\xff"')
    with pytest.raises(ConfigError, match=r"config\.toml:2: not UTF-8"):
        load()


def test_a_byte_order_mark_and_foreign_line_ends_are_no_mistake(load: Load, home: Path) -> None:
    (home / "config.toml").write_bytes(b'\xef\xbb\xbfmodel = "a/b"\r\n[limits]\r\nmax_turns = 3\r\n')
    settings = load()
    assert (settings.model, settings.limits.max_turns) == ("a/b", 3)


SET = """\
# mine
model = "a/b"   # the usual

# about limits
[limits]
max_turns = 3  # three
list = [
  1, # one
]

[providers.acme]
api = "gemini"
"""


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("model", "c/d", 'model = "c/d"   # the usual'),
        ("limits.max_turns", "9", "max_turns = 9  # three"),
        ("limits.time_limit", "1.5", "time_limit = 1.5"),
        ("effort", "low", 'effort = "low"'),
        ("log.level", "debug", 'level = "debug"'),
        ("providers.acme.base_url", "http://x", 'base_url = "http://x"'),
        ('providers.acme.models."m 1".context', "7", 'models."m 1".context = 7'),
        ("permissions.deny", '["Bash(rm:*)"]', 'deny = ["Bash(rm:*)"]'),
    ],
)
def test_setting_one_key_leaves_the_rest_alone(load: Load, home: Path, key: str, value: str, line: str) -> None:
    file = home / "config.toml"
    file.write_text(SET)
    file.chmod(0o640)
    files.set_value(str(file), key, value)
    after = file.read_text()
    assert line in after.splitlines()
    gone = [old for old in SET.splitlines() if old not in after.splitlines()]
    assert len(gone) == (key in ("model", "limits.max_turns"))
    assert file.stat().st_mode & 0o777 == 0o640
    expected = files.read_value(load(set=[f"{key}={value}"], bare=True), key)
    assert files.read_value(load(), key) == expected
    assert os.listdir(home) == ["config.toml"]


def test_setting_makes_a_missing_file(load: Load, home: Path) -> None:
    file = home / "deep" / "config.toml"
    files.set_value(str(file), "limits.max_turns", "4")
    assert file.read_text() == "[limits]\nmax_turns = 4\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_setting_follows_a_link_and_keeps_it(home: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text('model = "a/b"\n')
    (home / "config.toml").symlink_to(real)
    files.set_value(str(home / "config.toml"), "model", "c/d")
    assert (home / "config.toml").is_symlink()
    assert real.read_text() == 'model = "c/d"\n'


@pytest.mark.parametrize(
    ("text", "key", "value", "words"),
    [
        ("", "modle", "x", "did you mean model?"),
        ("", "limits.max_turns", "many", "must be a whole number"),
        ("limits.max_turns = 1\n", "limits.time_limit", "2", "change it by hand"),
        ("broken = [", "model", "a/b", "not valid TOML"),
    ],
)
def test_a_key_that_cannot_be_set_changes_nothing(home: Path, text: str, key: str, value: str, words: str) -> None:
    file = home / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        files.set_value(str(file), key, value)
    assert words in str(caught.value)
    assert file.read_text() == text


def test_reading_a_key_that_is_none_names_the_near_one(load: Load) -> None:
    settings = load("[limits]\nmax_turns = 2")
    assert files.read_value(settings, "limits") == {"max_turns": 2}
    assert files.read_value(settings, "effort") is None
    assert files.read_value(settings, "providers.nobody.api") is None
    assert files.read_value(settings, "log.level") == "warning"
    with pytest.raises(ConfigError, match=r"did you mean limits\.max_turns"):
        files.read_value(settings, "limits.max_turn")


def test_all_that_is_set_is_listed_with_its_origin(load: Load, home: Path) -> None:
    entries = files.entries(load('model = "a/b"\n[limits]\nmax_turns = 2'))
    profile = os.path.join(PACKAGED, "coding.toml")
    assert ("ports.persona.adapter", "coding", f"{profile}:6") in entries
    found = [each for each in entries if not each[0].startswith("ports.")]
    assert found == [
        ("limits.max_turns", 2, f"{home / 'config.toml'}:3"),
        ("model", "a/b", f"{home / 'config.toml'}:1"),
        ("log.format", "text", "built in"),
        ("log.level", "warning", "built in"),
        ("profile", "coding", "built in"),
    ]


def test_the_schema_accepts_the_documented_file_and_refuses_mistakes() -> None:

    schema = files.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(WHOLE), schema)
    for wrong in ({"model": 5}, {"limits": {"max_turns": 0}}, {"providers": {"x": {"api": "telepathy"}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_a_file_of_comments_loads_no_parser(home: Path, project: Path) -> None:
    files.load(surroundings(home, project))
    code = (
        "import sys\nfrom protea.adapters.settings import files\n"
        "from protea.domain.surroundings import Surroundings\n"
        f"s = files.load(Surroundings(cwd='/', root={str(project)!r}, user_home='/', protea_home={str(home)!r}, "
        "environment={}))\n"
        "print([m for m in ('tomllib', 'hashlib', 'pathlib', 'json') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=_path(), timeout=60)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def _path() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_the_short_table_and_the_long_one_say_it_together(load: Load) -> None:
    text = '[sandbox]\nadapter = "docker"\nimage = "x"\n[ports.sandbox]\nimage = "y"\nreadable = ["/usr"]\n'
    assert load(text).ports["sandbox"] == {"adapter": "docker", "image": "y", "readable": ["/usr"]}
    assert load("[sandbox]\nrequired = true").ports["sandbox"] == {"required": True}


def test_what_the_sandbox_must_keep_holds_whoever_chooses_another(load: Load) -> None:
    text = '[sandbox]\nadapter = "docker"\nimage = "x"\nnetwork = false\nrequired = true\n'
    chosen = load(text, flags={"sandbox.adapter": "bubblewrap"}).ports["sandbox"]
    assert chosen == {"adapter": "bubblewrap", "network": False, "required": True}


def test_the_schema_says_what_each_key_means() -> None:
    schema = files.schema()
    settings = schema["$defs"]["Settings"]["properties"]
    assert settings["fallback"]["description"].startswith("Models that are asked, in this order")
    assert schema["$defs"]["LogSettings"]["properties"]["level"]["description"].startswith("`debug`, `info`")
    assert schema["$defs"]["LimitSettings"]["description"] == "`[limits]`."
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    undescribed = [
        f"{name}.{key}"
        for name, table in schema["$defs"].items()
        for key, rule in table.get("properties", {}).items()
        if "description" not in rule
    ]
    assert len(undescribed) < 40, undescribed


def test_an_editor_underlines_a_key_nobody_knows() -> None:
    with pytest.raises(jsonschema.ValidationError, match="modle"):
        jsonschema.validate({"modle": "a/b"}, files.schema())


def test_a_key_in_an_inline_table_is_set_there(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('# mine\nlimits = { max_turns = 3 } # few\n[providers]\nacme = { api = "ollama" }\n')
    files.set_value(str(file), "limits.time_limit", "60")
    files.set_value(str(file), "limits.max_turns", "5")
    files.set_value(str(file), "providers.acme.models.big.context", "9000")
    assert file.read_text() == (
        "# mine\nlimits = { max_turns = 5, time_limit = 60 } # few\n[providers]\n"
        'acme = { api = "ollama", models = { big = { context = 9000 } } }\n'
    )
