"""What one session is made of: the adapters that composition chose for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from protea.domain.permission import Mode, RuleLayer
from protea.domain.settings import AgentSettings, BesideSettings
from protea.domain.spending import Budgets
from protea.domain.surroundings import Surroundings
from protea.ports.approval import Approval
from protea.ports.checkpoint import Checkpoint
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.instructions import Instructions
from protea.ports.ledger import Ledger
from protea.ports.model_source import ModelSource
from protea.ports.permission import Permission
from protea.ports.persona import Persona
from protea.ports.rule_store import RuleStore
from protea.ports.sandbox import Sandbox
from protea.ports.session_store import SessionStore
from protea.ports.toolset import Toolset

if TYPE_CHECKING:  # most runs have none of these, and each would be read from the disk
    from protea.application.capabilities import Capabilities
    from protea.domain.delegation import AgentDefinition
    from protea.domain.trust import Unseen
    from protea.ports.audit import Audit
    from protea.ports.clipboard import Clipboard
    from protea.ports.compaction import Compaction
    from protea.ports.context import Context
    from protea.ports.diagnostics import Diagnostics
    from protea.ports.file_list import FileList
    from protea.ports.hooks import Hooks
    from protea.ports.notifier import Notifier
    from protea.ports.task_runner import TaskRunner
    from protea.ports.telemetry import Telemetry
    from protea.ports.templates import Templates
    from protea.ports.tokens import Tokens
    from protea.ports.workspace import Workspace


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a configuration that was changed while a session was open."""

    problem: str = ""
    """Why it cannot be used; then what was in force stays."""
    changes: tuple[str, ...] = ()
    """What is different, a line each."""
    warnings: tuple[str, ...] = ()
    """What is passed over, and was not before."""


class Project(Protocol):
    """What a person has looked at of the files that the project brings. Nothing else of it is used, asked or not."""

    def unseen(self, cwd: str, files: Sequence[str] = ()) -> Sequence[Unseen]:
        """What a session in `cwd` would use and nobody has looked at as it is; with `files` (absolute) only the
        instructions of their folders. Costs next to nothing where nothing has changed. Empty for a project that was
        never trusted: of that nothing is used."""
        ...

    def accept(self, files: Sequence[Unseen]) -> None:
        """A person has looked at these as they are told here, and means them. Raises `StoreError`."""
        ...

    def decline(self, files: Sequence[Unseen]) -> None:
        """A person has said no to these: as they are, they are not told again."""
        ...


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Opened for one session and closed with it."""

    profile: str
    surroundings: Surroundings
    models: ModelSource
    persona: Persona
    instructions: Instructions
    toolsets: Sequence[Toolset]
    permission: Permission
    approval: Approval
    rules: RuleStore
    ledger: Ledger
    model: str
    effort: str | None = None
    fallback: tuple[str, ...] = ()
    """Models that go on, in this order, when the model cannot be reached."""
    mode: Mode = "normal"
    layers: tuple[RuleLayer, ...] = ()
    """Rules of this run besides those the permission adapter was made with."""
    max_turns: int | None = None
    budget_usd: float | None = None
    time_limit: float | None = None
    budgets: Budgets = Budgets()
    warnings: tuple[str, ...] = ()
    """What a person should know about the configuration."""
    sandbox: Sandbox | None = None
    """Where its tools' commands run, if that can be asked."""
    checkpoint: Checkpoint | None = None
    audit: Audit | None = None
    # None in what follows is what the null adapter would do, without loading one.
    context: Context | None = None
    compaction: Compaction | None = None
    tokens: Tokens | None = None
    """There where `context` or `compaction` is: they are given the counts."""
    telemetry: Telemetry | None = None
    notifier: Notifier | None = None
    clipboard: Clipboard | None = None
    diagnostics: Diagnostics | None = None
    """What its tools ask about files they have changed."""
    hooks: Hooks | None = None
    capabilities: Capabilities | None = None
    """One of the `toolsets`, too."""
    prepare: Callable[[], Awaitable[Sequence[str]]] | None = None
    """Opens what only a request needs (skills, tools of one's own), once; to be awaited before the first. What a person
    should know of it."""
    tool_files: Callable[[], Mapping[str, str]] = dict
    """Tool → the file it comes from, of those that are somebody's own."""
    remains: Callable[[str], Sequence[str]] = lambda session: ()
    """What there is still of the work of a session that was deleted, for the person, a line each."""
    profiles: Callable[[], Sequence[dict[str, Any]]] = tuple
    """Who else it could be: `name`, `about` and `source` of each profile there is."""
    store: SessionStore | None = None
    """Where the session is kept; None: where all sessions of the process are."""
    clock: Clock | None = None
    """None: that of the process. So for `ids`."""
    ids: Ids | None = None
    configured: str | None = None
    """The model that profile and settings name, where no flag does."""
    choices: Mapping[str, tuple[str, Mapping[str, Any]]] = {}
    """Port → the adapter that fills it and its options."""
    classes: Mapping[str, str] = {}
    """Port → its swap class."""
    adapters: Mapping[str, Iterable[str]] = {}
    """Port → the adapters of this package that could fill it."""
    opened: Opened | None = None
    """Everything that was opened for these parts; None where others brought them along."""
    entered: Callable[[], None] | None = None
    """Called once these parts have taken the place of others."""

    agents: AgentSettings = AgentSettings()
    tasks: BesideSettings = BesideSettings()
    task_runner: Callable[[], TaskRunner] | None = None
    """Opened when the first task begins."""
    named_agents: Callable[[], Sequence[AgentDefinition]] | None = None
    """Those that have a name; read when someone asks."""
    agent_problems: Sequence[str] = ()
    """What was left out of those, and why."""
    workspace: Callable[[], Workspace] | None = None
    """Where its files are."""
    files: Callable[[], FileList] | None = None
    """Opened when someone first asks what files there are."""
    templates: Callable[[], Templates] | None = None
    """Opened when a slash command is typed that is none of ours, or all are listed."""
    reread: Callable[[], Sequence[Reread]] | None = None
    """Looks whether the configuration has changed since these parts were made, and reads it again; costs next to
    nothing where it has not. What it gives is told once."""
    plain: Callable[[], bool] = lambda: True
    """Whether the project, where it is not trusted, brings nothing that would have to be: then a person who chooses
    yolo gets it. Looked at when they do."""
    project: Project | None = None
    """None where nothing of the project is used at all."""

    def system(self, model: str, mode: str) -> tuple[str, ...]:
        """The system prompt of a session that is made of them."""
        cwd = self.surroundings.cwd
        names = tuple(spec.name for toolset in self.toolsets for spec in toolset.specs())
        said = self.persona.system(cwd=cwd, model=model, mode=mode, tools=names)
        brought = (self.capabilities.text,) if self.capabilities is not None and self.capabilities.text else ()
        told = (f"Instructions from {each.path}:\n\n{each.text}" for each in self.instructions.load(cwd))
        return (*said, *brought, *told)

    async def aclose(self) -> None:
        """Close all of them, whatever any of them raises; the last failure is raised in the end."""
        others = [each.aclose for each in (*self.toolsets, self.checkpoint, self.hooks) if each is not None]
        rest = self.opened.made() if self.opened is not None else ()
        await close_all((*others, *rest, self.models.aclose))


Close = Callable[[], Awaitable[None]]
"""Closes one adapter."""


class Opened(Protocol):
    """The adapters behind some `Parts`, each made at most once. What is not changed by a swap is taken over."""

    def made(self) -> Sequence[Close]:
        """What closes all of them, the last that was made first."""
        ...

    def fresh(self, before: Any) -> Sequence[Close]:
        """What closes those that would be left if these never took the place of `before`."""
        ...

    def replace(self, before: Any) -> Sequence[Close]:
        """Take the place of `before`, and give what closes those that are left over."""
        ...


async def close_all(closing: Iterable[Close]) -> None:
    """Close each once, whatever any of them raises; the last failure is raised in the end."""
    async with AsyncExitStack() as ends:
        for close in reversed([*dict.fromkeys(closing)]):
            ends.push_async_callback(close)
