"""What a person may set, as values; how layers of it become one; who said what.

Read from files, the environment and flags by `adapters.settings`; used by the composition. Later layers win: tables
merge, lists replace, `"key+"` adds to the list below; a port's table that names another adapter begins anew. Two things
are the exception. The rules in `[permissions]` add up, as no layer takes back what another has denied, and each layer
is kept apart in `Settings.permissions.layers`. So do hooks: whoever brings some takes nobody else's away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from protea.domain.permission import Mode, RuleLayer
from protea.domain.providers import Api
from protea.domain.spending import Budgets
from protea.domain.usage import Price

Dialect = Literal[
    "openai", "azure", "openrouter", "groq", "deepseek", "mistral", "xai", "vllm", "llamacpp", "ollama", "generic"
]
Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]

EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max", "none", "off")
"""How much a model can be told to think; each wire says it in its own words."""


class Table(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A table of the configuration. Its fields are the keys."""


class ModelSettings(Table, frozen=True):
    """`[providers.NAME.models."MODEL"]`: what the provider does not tell of its model."""

    context: Count | None = None
    """Tokens it can see, in and out together."""
    max_output: Count | None = None
    price: Price | None = None
    """Dollars per million tokens."""
    images: bool | None = None


class ProviderSettings(Table, frozen=True):
    """`[providers.NAME]`: an endpoint of one's own, or changes to a known one."""

    api: Api | None = None
    """The wire it speaks."""
    base_url: str | None = None
    api_key_env: str | None = None
    """The environment variable that holds the key."""
    api_key_command: tuple[str, ...] | None = None
    """A command, as a list of words, that prints the key."""
    api_key_keyring: str | None = None
    """What the key is called in the system's keyring, `NAME` or `SERVICE/NAME`; alone, the service is `protea`."""
    api_key_file: str | None = None
    """A file, readable by its owner alone, that holds the key."""
    dialect: Dialect | None = None
    """Whose Chat Completions it speaks, where its address does not tell."""
    headers: dict[str, str] = {}
    """Sent with every request."""
    proxy_url: str | None = None
    stream: bool | None = None
    """Whether replies are streamed; false for a gateway that cannot."""
    connect_timeout: Amount | None = None
    """Seconds until the connection must stand; 15 where nothing is said."""
    first_byte_timeout: Amount | None = None
    """Seconds until an answer must begin: models think; 300."""
    idle_timeout: Amount | None = None
    """Seconds of silence in mid-answer after which it counts as stalled; 120."""
    models: dict[str, ModelSettings] = {}


class PermissionSettings(Table, frozen=True):
    """`[permissions]`."""

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    mode: Mode | None = None
    layers: tuple[RuleLayer, ...] = ()
    """The rules again, by who gave them. Nobody sets this."""


class LimitSettings(Table, frozen=True):
    """`[limits]`."""

    max_turns: Count | None = None
    """Replies of the model per prompt."""
    budget_usd: Amount | None = None
    """Dollars per prompt."""
    time_limit: Amount | None = None
    """Seconds per prompt."""


class LogSettings(Table, frozen=True):
    """`[log]`."""

    level: str = "warning"
    """`debug`, `info`, `warning`, `error`, or by area: `providers=debug,mcp=info`."""
    format: Literal["text", "json"] = "text"
    """A line for people, or an object for programs."""


class SandboxSettings(Table, frozen=True):
    """`[sandbox]`."""

    adapter: str | None = None
    network: bool | None = None
    required: bool | None = None
    """Run no command where no walls can be built, instead of running it without."""
    allow_domains: tuple[str, ...] | None = None
    """Hosts commands may reach although they have no network."""
    image: str | None = None
    """The image of containers, where the adapter is `docker`."""


class InstructionSettings(Table, frozen=True):
    """`[instructions]`."""

    adapter: str | None = None
    """`files` or `none`."""


class AgentSettings(Table, frozen=True):
    """`[agents]`: those that are sent on errands."""

    depth: Annotated[int, msgspec.Meta(ge=0)] = 2
    """How deep agents may send agents; 0: none are sent."""
    at_once: Count = 32
    """How many of one session may be under way."""


class BesideSettings(Table, frozen=True):
    """`[tasks]`: what goes on beside the turns."""

    wake: bool = False
    """Whether a task that ends begins a turn of its own where none runs; otherwise the next turn is told of it."""
    most_wakes: Count = 50
    """Turns in a row that tasks may begin without a word of a person's: a model that begins another task in each would
    go on, and cost, for ever."""
    again: tuple[str, ...] = ()
    """Commands in the background that are safe to repeat, `*` for anything: where the process dies they are begun again
    by the one that takes up the session. `npm run dev`, `make *`."""


ThemeName = Literal[
    "auto",
    "terminal",
    "terminal-light",
    "ansi-16",
    "dusk",
    "forest",
    "paper",
    "snow",
    "daltonised-dark",
    "daltonised-light",
    "contrast-dark",
    "contrast-light",
]


class ScreenSettings(Table, frozen=True):
    """`[tui]`: the full screen."""

    theme: ThemeName = "auto"
    """`auto`: by the terminal's background. /theme shows them."""
    keymap: Literal["default", "claude", "codex", "vim", "emacs"] = "default"
    mouse: bool = True
    """Whether the mouse belongs to the screen; otherwise to the terminal's own selection."""
    motion: bool = True
    """Whether anything moves by itself."""
    screen_reader: bool = False
    """Words instead of drawings, and nothing that moves."""
    notify: Literal["auto", "bell", "osc9", "osc99", "osc777", "none"] = "auto"
    """How you are called while you look elsewhere."""
    images: Literal["auto", "blocks", "none"] = "auto"
    """`auto`: pictures are drawn as well as the terminal says that it can; `blocks`: of coloured halves of cells."""


class Settings(Table, frozen=True):
    """All of `config.toml`, and what environment and flags may set."""

    model: str | None = None
    """`provider/model`."""
    effort: str | None = None
    """How much the model is to think: `low`, `medium`, `high` …"""
    profile: str | None = None
    fallback: tuple[str, ...] = ()
    """Models that are asked, in this order, when the model cannot be reached."""
    permissions: PermissionSettings = PermissionSettings()
    providers: dict[str, ProviderSettings] = {}
    limits: LimitSettings = LimitSettings()
    budgets: Budgets = Budgets()
    log: LogSettings = LogSettings()
    proxy_url: str | None = None
    """An HTTP proxy or a gateway for all providers."""
    socket_path: str | None = None
    """Where the daemon listens."""
    sandbox: SandboxSettings = SandboxSettings()
    instructions: InstructionSettings = InstructionSettings()
    hooks: dict[str, Any] = {}
    """`[[hooks.MOMENT]]`: what is to be asked before and after tools, turns and sessions."""
    agents: AgentSettings = AgentSettings()
    tasks: BesideSettings = BesideSettings()
    tui: ScreenSettings = ScreenSettings()
    ports: dict[str, dict[str, Any]] = {}
    """`[ports.PORT]`: the `adapter` that fills it, and that adapter's options."""

    # What follows is not set by anybody: it tells how the rest came about.
    origins: dict[str, str] = {}
    """Dotted key → who set it: `/home/me/.protea/config.toml:3`, `environment PROTEA_MODEL`, `flag --model`."""
    warnings: tuple[str, ...] = ()
    """What was passed over, one line each."""
    trusted: bool = False
    """Whether the project's own configuration was used, or could have been."""


NOT_KEYS = frozenset({"layers", "origins", "warnings", "trusted"})
"""Fields that nobody sets."""

ALIASES: dict[str, str] = {"default_model": "model", "log_level": "log.level"}
"""Keys other agents' files have → ours."""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says."""

    source: str
    """A file's path, `environment` or `flags`."""
    data: dict[str, Any]
    """Nested tables."""
    lines: Mapping[str, int] = {}
    """For a file: dotted key → line."""
    named: Mapping[str, str] = {}
    """For the others: dotted key → `environment PROTEA_MODEL`, `flag --model`."""

    def origin(self, key: str) -> str:
        """Who set `key`, as exactly as is known: the nearest table above it where the key itself is in none."""
        near: str = key
        while near:
            if near in self.named:
                return self.named[near]
            if near in self.lines:
                return f"{self.source}:{self.lines[near]}"
            near = near.rpartition(".")[0]
        return self.source


def merge(layers: Sequence[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """The tables of all layers as one, and for each dotted key the layer that had the last word on it; for the second
    hook of a moment, whose file may be another than that of the first, also `ports.hooks.before_tool 2`."""
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        _pour(merged, layer.data, "", layer, origins)
    return merged, origins


def rule_layer(layer: Layer, rule_lines: Mapping[str, int]) -> RuleLayer | None:
    """The permission rules of a layer, or None where it has none."""
    table = layer.data.get("permissions", {})
    allow, ask, deny = (
        (*table.get(verdict, ()), *table.get(f"{verdict}+", ())) for verdict in ("allow", "ask", "deny")
    )
    if not allow and not ask and not deny:
        return None
    return RuleLayer(source=layer.source, allow=allow, ask=ask, deny=deny, lines=dict(rule_lines))


def dotted(parts: Sequence[str]) -> str:
    """A key as it is written: `providers.acme.models."big-1.5"`."""
    return ".".join(part if _bare(part) else msgspec.json.encode(part).decode() for part in parts)


_KEPT = frozenset({("ports.sandbox.", "network"), ("ports.sandbox.", "required")})
"""Options that mean the same to whatever fills the port: what one layer forbids, another adapter does not lift."""
_ADDED_UP = frozenset({"permissions.allow", "permissions.ask", "permissions.deny"})
_HOOKS = ("hooks.", "ports.hooks.")
"""Tables whose lists add up, too."""
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def _bare(part: str) -> bool:
    return bool(part) and _BARE.issuperset(part)


def _pour(into: dict[str, Any], table: Mapping[str, Any], prefix: str, layer: Layer, origins: dict[str, str]) -> None:
    if prefix.startswith("ports.") and _other_adapter(into, table, prefix):
        # The options below are those of another adapter.
        for option in [option for option in into if (prefix, option) not in _KEPT]:
            del into[option]
            for key in [key for key in origins if key.startswith(f"{prefix}{dotted([option])}")]:
                del origins[key]
    for name, value in table.items():
        key = f"{prefix}{dotted([name])}"
        if isinstance(value, Mapping):
            below = into.get(name)
            if not isinstance(below, dict):
                below = into[name] = {}
            _pour(below, value, key + ".", layer, origins)
            continue
        added = isinstance(value, Sequence) and not isinstance(value, str) and name.endswith("+")
        if added:
            name = name.removesuffix("+")
            origin, key = layer.origin(key), f"{prefix}{dotted([name])}"
        else:
            origin = layer.origin(key)
        if prefix in _HOOKS and isinstance(value, list) and isinstance(below := into.get(name, []), list):
            for number, _ in enumerate(value, len(below) + 1):
                origins[f"{key} {number}"] = layer.source
            into[name] = [*below, *value]
        elif added or key in _ADDED_UP:
            into[name] = [*(into.get(name) or ()), *value]
        else:
            into[name] = value
        origins[key] = origin


def _other_adapter(below: Mapping[str, Any], above: Mapping[str, Any], prefix: str) -> bool:
    # Hooks are written down without naming what asks them.
    known = below.get("adapter", "configured" if prefix == "ports.hooks." and below else None)
    return known is not None and "adapter" in above and known != above["adapter"]
