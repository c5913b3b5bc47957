"""The composition root: from what the process was started with to a gateway. Called by `cli` and `sdk`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from protea._version import __version__
from protea.adapters.settings.files import load as load_settings
from protea.application.parts import Parts, Reread
from protea.application.sessions import Sessions
from protea.composition.catalogue import CATALOGUE, DEFAULTS, IDLE, LATER, SWAP_CLASSES
from protea.composition.deferred import DeferredAudit, DeferredCompaction, DeferredPermission, DeferredTokens
from protea.composition.launch import Launch
from protea.composition.models import ConfiguredModels, OneModel, unknown_provider
from protea.composition.resolve import Choice, Resolver, check, load
from protea.composition.rules import RulesInForce, read_rules
from protea.composition.surroundings import find_surroundings
from protea.composition.trusting import ProjectFiles, Projects, added_by, brings_nothing, not_used
from protea.composition.walls import bare, settle, stand
from protea.domain.errors import ConfigError, UsageError
from protea.domain.log_levels import levels
from protea.domain.permission import Mode, RuleLayer
from protea.domain.profile import DEFAULT
from protea.domain.redaction import secrets_of
from protea.domain.settings import EFFORTS, Settings
from protea.domain.spelling import nearest
from protea.domain.surroundings import Surroundings, skill_folders, tool_folders
from protea.ports.gateway import Gateway, OpenSession
from protea.ports.model import Model
from protea.ports.model_source import ModelSource
from protea.ports.persona import Persona
from protea.ports.session_store import SessionStore
from protea.ports.toolset import Toolset

_log = logging.getLogger("protea.config")

SHARED = ("clock", "ids", "ledger")
"""Ports, besides the session store, that all sessions of a process have in common unless one is told otherwise."""

IDLE_CAPABILITY: Choice = ("skills", {})
"""Does nothing where there are no skills."""

if TYPE_CHECKING:  # what most runs have no use for
    from protea.composition.rereading import Sources
    from protea.ports.agents import Agents
    from protea.ports.file_list import FileList
    from protea.ports.secrets import Secrets
    from protea.ports.task_runner import TaskRunner
    from protea.ports.templates import Templates
    from protea.ports.workspace import Workspace


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Adapters a library user brings along, in place of those the configuration would choose."""

    model: Model | None = None
    toolsets: tuple[Toolset, ...] = ()
    """Besides the built-in one."""
    builtin_tools: bool = True
    persona: Persona | None = None
    store: SessionStore | None = None


async def create_gateway(launch: Launch) -> Gateway:
    """The gateway of a process of its own, which keeps a log. Raises `ConfigError` or `UsageError`."""
    from protea.adapters.logs.rotating import install  # a library user's program logs as it likes

    root = Root(launch, Given())
    folder = os.path.join(root.surroundings.protea_home, "logs")

    def keep_log(settings: Settings) -> None:
        log = settings.log
        install(folder, levels(log.level), secrets_of(launch.environment.items()), structured=log.format == "json")

    keep_log(root.settings)
    root.on_reread = keep_log
    _log.debug("protea %s, profile %s, in %s", __version__, root.settings.profile or DEFAULT, launch.cwd)
    for warning in root.settings.warnings:
        _log.warning("%s", warning)
    return root.sessions()


def build(launch: Launch, given: Given | None = None) -> Sessions:
    """The same for a program that brings adapters of its own."""
    root = Root(launch, given or Given())
    return root.sessions()


class Root:
    """Holds what all sessions of the process share."""

    def __init__(self, launch: Launch, given: Given) -> None:
        launch = self._launch = replace(launch, warn=_once(launch.warn))
        self._given = given
        self._kept = True
        """Whether the home takes what is written: where it does not, which is told, nothing is recorded either."""
        self._exchanged = False
        self._standing: set[tuple[str, str]] = set()
        """Sandboxes that were tried here and work."""
        found = find_surroundings(launch.cwd, launch.add_dirs, launch.environment)
        self.settings = _settings(launch, found)
        self._projects = Projects()
        # Where nothing of the person's or the project's is used, nothing of it is trusted either.
        self.surroundings = self._projects.with_trust(found, self.settings.trusted and not launch.bare)
        origins = self.settings.origins
        self._shared = Resolver(self._chosen(self.settings), {"surroundings": self.surroundings}, origins=origins)
        self._sources: Sources | None = None
        if launch.interactive and not launch.bare:
            from protea.composition.rereading import Sources  # a run that asks once, and leaves, needs none

            self._sources = Sources(self.surroundings, self.settings)
        self._rules: Sequence[RuleLayer] = ()
        self._reread: list[Reread] = []
        """What changed since the first session was opened, in order."""
        self.on_reread: Callable[[Settings], None] | None = None
        """Told of new settings that concern the process and no session."""
        for warning in self.settings.warnings:
            launch.warn(warning)
        for port in self.settings.ports.keys() - CATALOGUE.keys():
            where = next((place for key, place in origins.items() if key.startswith(f"ports.{port}.")), "configuration")
            if where.startswith("flag"):
                raise UsageError(f"{where}: there is no port {port}{_near(port, CATALOGUE)}")
            launch.warn(f"{where}: there is no port {port}, so it is passed over{_near(port, CATALOGUE)}")

    def choices(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """What is to fill each port: an adapter's name and its options. The model is chosen by name."""
        return self._chosen(self.settings)

    def piece(self, port: str) -> Any:
        """What fills a port, for a command about that piece alone. Raises `ConfigError`."""
        return self._shared.get(port)

    def sessions(self) -> Sessions:
        """Raises `ConfigError` for all that is wrong with the options that were set, at once."""
        # What is opened with the session tells by itself that there is no such adapter.
        said = [
            port
            for port, table in self.settings.ports.items()
            if port in LATER or (port != "model" and (set(table) - {"adapter"} or _is_foreign(port, table)))
        ]
        check(_own_options(self._chosen(self.settings)), self.settings.origins, said)
        get = self._shared.get
        return Sessions(
            assemble=self.assemble,
            preload=self.preload,
            store=self._given.store or self._store(),
            clock=get("clock"),
            ids=get("ids"),
            version=__version__,
            warn=self._launch.warn,
        )

    def preload(self, spec: OpenSession) -> None:
        """Import and read what `assemble` will need. Safe in a thread: nothing is made. Raises `ConfigError`."""
        settings = self._settings_of(spec)
        if self._launch.frozen and settings is not self.settings:
            raise ConfigError("--frozen: what was locked is not exchanged; start with another --profile instead")
        before = self._chosen(self.settings)
        for port, choice in self._chosen(settings).items():
            if port != "model" and choice != before.get(port):
                check(_own_options({port: choice}), settings.origins, [port])

    def _settings_of(self, spec: OpenSession) -> Settings:
        """The settings under the profile and the single ports that a session asks for."""
        if spec.profile in (None, self.settings.profile) and not spec.ports and not self._exchanged:
            return self.settings
        self._exchanged = True  # from now on files are read anew: they may have been changed for this
        launch = replace(self._launch, profile=spec.profile or self._launch.profile)
        unknown = next((port for port in spec.ports if port not in CATALOGUE), None)
        if unknown is not None:
            load(unknown, "")  # raises, and names the nearest
        return _settings(launch, replace(self.surroundings, trusted=False, looked_at=None), spec.ports)

    def assemble(self, spec: OpenSession, before: Parts | None = None) -> Parts:
        """What one session is made of; what stays as it is in `before` is taken over from there."""
        self._look()
        launch, given, settings = self._launch, self._given, self._settings_of(spec)
        around = self._around(spec)
        chosen = self._chosen(settings)
        if not spec.interactive and chosen["approval"][0] == "interactive":
            chosen["approval"] = ("policy", {})  # nobody would ever answer
        what = _brought(chosen, around, tools=given.builtin_tools, bare=launch.bare)
        rules = self._rules_for(chosen, settings, around, files="files" in what)
        mode = cast(Mode, spec.mode or launch.mode or rules.mode or "normal")
        plain = cache(partial(brings_nothing, around, bare=launch.bare))
        self._tell_unused(around, mode, plain)
        project = self._project_of(around, settings, spec)
        self._wall_in(chosen, around, before)
        shared = self._shared_by(chosen)
        held = before.opened if before is not None and isinstance(before.opened, Resolver) else None
        resolver = Resolver(chosen, {"surroundings": around, **shared}, before=held, origins=settings.origins)
        models, entered = self._models(settings, around, resolver, before)
        busy = _busy(chosen, resolver)
        builtin = (cast(Toolset, resolver.get("toolset")),) if given.builtin_tools else ()
        known = cast("Agents", resolver.get("agents")).problems if builtin else ()
        for problem in known:
            launch.warn(problem)
        brought: tuple[Toolset, ...] = ()
        if what:
            from protea.composition.brought import bring  # most runs have nothing

            more, brought = bring(resolver, around, before, builtin, what=what)
            busy |= more
        return Parts(
            profile=settings.profile or DEFAULT,
            surroundings=around,
            models=models,
            persona=given.persona or resolver.get("persona"),
            instructions=resolver.get("instructions"),
            toolsets=(*builtin, *brought, *given.toolsets),
            # Where there are rules the engine is made now, so that a wrong one is told before anything runs.
            permission=resolver.get("permission") if rules.layers else DeferredPermission(resolver),
            approval=resolver.get("approval"),
            rules=resolver.get("rule_store"),
            ledger=resolver.get("ledger"),
            sandbox=resolver.get("sandbox") if builtin else None,
            diagnostics=resolver.later("diagnostics") if builtin else None,
            checkpoint=resolver.get("checkpoint"),
            audit=DeferredAudit(resolver) if chosen["audit"][0] != "none" and self._kept else None,
            model=spec.model or launch.model or models.default(),
            effort=spec.effort or settings.effort,
            fallback=settings.fallback,
            mode=mode,
            max_turns=settings.limits.max_turns,
            budget_usd=settings.limits.budget_usd,
            time_limit=settings.limits.time_limit,
            budgets=settings.budgets,
            warnings=settings.warnings,
            **busy,
            remains=lambda session: _remains(around, session),
            profiles=lambda: _profiles(launch, around),
            agent_problems=tuple(known),
            named_agents=lambda: cast("Agents", resolver.get("agents")).load(),
            workspace=lambda: cast("Workspace", resolver.get("workspace")),
            files=lambda: cast("FileList", resolver.get("file_list")),
            store=resolver.get("session_store") if self._exchanges("session_store", chosen) else None,
            clock=None if "clock" in shared else resolver.get("clock"),
            ids=None if "ids" in shared else resolver.get("ids"),
            configured=None if launch.model else settings.model,
            choices=chosen,
            classes=SWAP_CLASSES,
            adapters=CATALOGUE,
            opened=resolver,
            entered=entered,
            agents=settings.agents,
            tasks=settings.tasks,
            task_runner=lambda: cast("TaskRunner", resolver.get("task_runner")),
            templates=lambda: cast("Templates", resolver.get("templates")),
            reread=self._watch() if self._sources is not None else None,
            plain=plain,
            project=project,
        )

    def _around(self, spec: OpenSession) -> Surroundings:
        """Where a session works."""
        around = self.surroundings
        if spec.cwd and os.path.realpath(spec.cwd) != around.cwd:
            around = find_surroundings(spec.cwd, self._launch.add_dirs, self._launch.environment)
        around = self._projects.elsewhere(around, self.surroundings)
        return replace(around, add_dirs=(*around.add_dirs, *spec.add_dirs))

    def _rules_for(
        self, chosen: dict[str, tuple[str, dict[str, Any]]], settings: Settings, around: Surroundings, *, files: bool
    ) -> RulesInForce:
        """The rules of a session, which its permission engine is made with. `files`: it has tools of somebody's own."""
        # Tools that are not ours have any name.
        foreign = bool(self._given.toolsets) or files or chosen["toolset"][0] not in CATALOGUE["toolset"]
        rules = read_rules(self._launch, settings, around, foreign_tools=foreign)
        self._rules = rules.layers
        name, options = chosen["permission"]
        if name == "rules":
            chosen["permission"] = (name, {**options, "layers": rules.layers})
        return rules

    def _exchanges(self, port: str, chosen: Mapping[str, Choice]) -> bool:
        """Whether a session fills a port in another way than the process does."""
        return chosen[port] != self._chosen(self.settings)[port]

    def _shared_by(self, chosen: Mapping[str, Choice]) -> dict[str, Any]:
        """What a session has in common with all others."""
        usual = self._chosen(self.settings)
        return {port: self._shared.get(port) for port in SHARED if chosen[port] == usual[port]}

    def _tell_unused(self, around: Surroundings, mode: Mode, plain: Callable[[], bool]) -> None:
        """What lies there for an agent and is not used, since nobody has trusted it."""
        if around.trusted:
            return
        warn = self._launch.warn
        if not self._launch.bare:
            lies = (name for name in ("AGENTS.md", "CLAUDE.md") if os.path.lexists(os.path.join(around.root, name)))
            if (name := next(lies, None)) is not None:
                warn(f"{name} is not read: this project has not been trusted; `protea trust` does that")
            if _filled((f"{around.root}/.protea/tools",), ".py"):
                warn(".protea/tools is not used: this project has not been trusted; `protea trust` does that")
            for name in (".protea/commands", ".claude/commands"):
                if _filled((f"{around.root}/{name}",), ".md"):
                    warn(f"{name} is not used: this project has not been trusted; `protea trust` does that")
        if mode == "yolo" and not plain():
            from protea.domain.trust import NO_YOLO

            warn(NO_YOLO)

    def _project_of(self, around: Surroundings, settings: Settings, spec: OpenSession) -> ProjectFiles | None:
        """What a person has looked at of the project; None where nothing of it is used at all."""
        project = None if self._launch.bare else self._projects.of(around)
        if project is not None and os.path.lexists(os.path.join(around.protea_home, "trusted.toml")):
            project.use(added_by(settings, around.root))
            for text in () if spec.interactive else not_used(project.unseen(around.cwd)):
                self._launch.warn(text)
        return project

    def _wall_in(
        self, chosen: dict[str, tuple[str, dict[str, Any]]], around: Surroundings, before: Parts | None
    ) -> None:
        """Settle which walls there are, and see that they stand where they are not those of before."""
        asked = chosen["sandbox"]
        if asked[0] == "none" and not asked[1]:
            return
        chosen["sandbox"] = settle(*asked, around, self._launch.warn)
        if asked[0] != "auto" and (before is None or before.choices.get("sandbox") != chosen["sandbox"]):
            self._stand(*chosen["sandbox"], around)

    def _stand(self, name: str, options: Mapping[str, Any], around: Surroundings) -> None:
        """Walls that stood for one session of this process are not tried again for each agent it sends."""
        if (name, repr(options)) not in self._standing:
            stand(name, options, around)
            self._standing.add((name, repr(options)))

    def _watch(self) -> Callable[[], Sequence[Reread]]:
        """What a session asks before each turn: the changes since it was made of what it is made of."""
        seen = len(self._reread)

        def look() -> Sequence[Reread]:
            nonlocal seen
            self._look()
            new, seen = self._reread[seen:], len(self._reread)
            return new

        return look

    def _look(self) -> None:
        if self._sources is None or not self._sources.changed(self.settings):
            return
        from protea.composition.rereading import reread

        quiet = replace(self._launch, warn=lambda line: None)

        def load() -> tuple[Settings, Sequence[RuleLayer]]:
            # Whether it is trusted now is found anew: what was changed meanwhile is not.
            settings = _settings(quiet, replace(self.surroundings, trusted=False, looked_at=None))
            said = [port for port, table in settings.ports.items() if port != "model"]
            check(_own_options(self._chosen(settings)), settings.origins, said)
            around = self._projects.with_trust(self.surroundings, settings.trusted)
            return settings, read_rules(quiet, settings, around, foreign_tools=True).layers

        before = self.settings
        self.settings, self._rules, told = reread(before, self._rules, load)
        if self.settings is not before:
            self.surroundings = self._projects.with_trust(self.surroundings, self.settings.trusted)
            self._shared = Resolver(
                self._chosen(self.settings),
                {"surroundings": self.surroundings},
                before=self._shared,
                origins=self.settings.origins,
            )
            if self.on_reread is not None:
                self.on_reread(self.settings)
        if told != Reread():
            self._reread.append(told)
            _log.info("the configuration has changed: %s", told.problem or "; ".join(told.changes))

    def _models(
        self, settings: Settings, around: Surroundings, resolver: Resolver, before: Parts | None
    ) -> tuple[ModelSource, Callable[[], None] | None]:
        """The source of models, and what makes it look to `resolver` where it is taken over from `before`."""
        if self._given.model is not None:
            return before.models if before is not None else OneModel(self._given.model), None

        def secrets() -> Secrets:
            found: Secrets = resolver.get("secrets")
            return found

        def make(api: str, options: dict[str, Any]) -> Model:
            made: Model = resolver.make("model", api, options)
            return made

        new = ConfiguredModels(settings, around, resolver.get("catalog"), secrets, make)
        if before is None or not isinstance(before.opened, Resolver):
            return new, None
        old = before.models
        if not isinstance(old, ConfiguredModels) or not old.alike(new) or resolver.differs("secrets", before.opened):
            return new, None
        return old, lambda: old.look_to(new)

    def _chosen(self, settings: Settings) -> dict[str, tuple[str, dict[str, Any]]]:
        chosen: dict[str, tuple[str, dict[str, Any]]] = {port: (name, {}) for port, name in DEFAULTS.items()}
        if self._launch.screen:
            chosen["clipboard"] = (_clipboard(self._launch.environment), {})
        for port, table in settings.ports.items():
            options = dict(table)
            chosen[port] = (str(options.pop("adapter", chosen.get(port, ("", {}))[0])), options)
        if self._launch.bare:
            # They are configuration, too, or run what a project says that nobody was asked about.
            chosen["instructions"] = chosen["capability"] = chosen["diagnostics"] = ("none", {})
        return chosen

    def _store(self) -> SessionStore:
        """The store of the configuration; one in memory where the disk keeps nothing, which is told."""
        store: SessionStore = self._shared.get("session_store")
        if self._launch.past:
            return store
        if problem := store.unusable():
            if not any(warning.endswith("are not kept") for warning in self.settings.warnings):
                self._launch.warn(f"{problem}; this session is not kept")
            self._kept = False
            store = self._shared.make("session_store", "memory", {})
        return store


def _busy(chosen: Mapping[str, Choice], resolver: Resolver) -> dict[str, Any]:
    """What fills the ports that most sessions leave idle, by their names among `Parts`."""
    busy = {port: resolver.get(port) for port, idle in IDLE.items() if chosen[port] != (idle, {})}
    if chosen["compaction"][0] != "none":
        busy["compaction"] = DeferredCompaction(resolver)
    busy["tokens"] = DeferredTokens(resolver)
    return busy


def _brought(chosen: Mapping[str, Choice], around: Surroundings, *, tools: bool, bare: bool) -> set[str]:
    """What the person or the project has brought along: found by a look at folders, without loading anything."""
    found = set()
    (toolset, options), capability = chosen["toolset"], chosen["capability"]
    tools = tools and toolset != "none"
    if capability[0] != "none" and (capability != IDLE_CAPABILITY or (tools and _filled(skill_folders(around), ""))):
        found.add("capability")
    # A profile that names the tools it is to have has no others.
    if toolset == "files" or (tools and not bare and "only" not in options and _filled(tool_folders(around), ".py")):
        found.add("files")
    return found


def _clipboard(environment: Mapping[str, str]) -> str:
    """What a screen copies with. Ctrl+V reads the desktop's, pictures too; where there is none, or the screen is in a
    page or far away, the terminal still takes what is copied."""
    if environment.get("TERM_PROGRAM") == "protea-web":
        return "osc52"
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return "system"
    return "system" if sys.platform == "darwin" and not environment.get("SSH_CONNECTION") else "osc52"


def _filled(folders: Sequence[str], ending: str) -> bool:
    for folder in folders:
        try:
            if any(name.endswith(ending) for name in os.listdir(folder)):
                return True
        except OSError:
            continue
    return False


def _is_foreign(port: str, table: Mapping[str, Any]) -> bool:
    """Whether it names an adapter that is none of ours: one of another package, or none at all."""
    return port in CATALOGUE and table.get("adapter", "") not in CATALOGUE[port]


def _own_options(chosen: Mapping[str, Choice]) -> dict[str, Choice]:
    """Of the sandbox without what is said to whoever chooses it."""
    return {port: bare(*choice) if port == "sandbox" else choice for port, choice in chosen.items()}


def _profiles(launch: Launch, around: Surroundings) -> list[dict[str, Any]]:
    from protea.composition.profiles import list_profiles  # most runs never list them

    return list_profiles(launch, around)


def _remains(around: Surroundings, session: str) -> Sequence[str]:
    from protea.adapters.tools.builtin import remains_of  # where a session is deleted

    return remains_of(around, session)


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    """Tells each thing the first time: a process may open many sessions."""
    told: set[str] = set()

    def tell(text: str) -> None:
        if text not in told:
            told.add(text)
            warn(text)

    return tell


def _settings(launch: Launch, surroundings: Surroundings, ports: Mapping[str, str] | None = None) -> Settings:
    """`ports` are single ports that were exchanged by a person: they win over everything."""
    flags = {
        "model": launch.model,
        "effort": launch.effort,
        "profile": launch.profile,
        "permissions.mode": launch.mode,
        "sandbox.adapter": launch.sandbox,
    }
    settings = load_settings(
        surroundings,
        flags={name: value for name, value in flags.items() if value is not None},
        set=(*launch.set, *(f"ports.{port}.adapter={adapter}" for port, adapter in (ports or {}).items())),
        bare=launch.bare,
        ports=CATALOGUE,
    )
    if ports:  # they were not said by a flag
        exchanged = {f"ports.{port}.adapter" for port in ports}
        origins = {key: where for key, where in settings.origins.items() if key not in exchanged}
        settings = replace(settings, origins=origins)
    _one_of(settings, "effort", settings.effort and settings.effort.lower(), EFFORTS)
    for name in settings.fallback:
        if wrong := unknown_provider(name, settings):
            raise ConfigError(f"{settings.origins.get('fallback', 'fallback')}: fallback: {wrong}")
    return settings


def _one_of(settings: Settings, key: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise ConfigError(f"{settings.origins.get(key, key)}: there is no {key} {value!r}{_near(value, known)}")


def _near(name: str, known: Collection[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
