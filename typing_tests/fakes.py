"""Checked by mypy: the fakes that ship fill the ports they stand for."""

from collections.abc import Callable

from protea.ports.agents import Agents
from protea.ports.approval import Approval
from protea.ports.capability import Capability
from protea.ports.channel import Channel
from protea.ports.clipboard import Clipboard
from protea.ports.clock import Clock
from protea.ports.compaction import Compaction
from protea.ports.context import Context
from protea.ports.embedding import Embedding
from protea.ports.file_list import FileList
from protea.ports.gateway import Gateway
from protea.ports.hooks import Hooks
from protea.ports.ids import Ids
from protea.ports.instructions import Instructions
from protea.ports.memory import Memory
from protea.ports.notifier import Notifier
from protea.ports.peer_server import PeerServer
from protea.ports.persona import Persona
from protea.ports.proactive import Proactive
from protea.ports.rule_store import RuleStore
from protea.ports.scheduler import Scheduler
from protea.ports.search import Search
from protea.ports.task_runner import TaskRunner
from protea.ports.telemetry import Telemetry
from protea.ports.templates import Templates
from protea.ports.tokens import Tokens
from protea.testing.agents import FixedAgents
from protea.testing.approval import ScriptedApproval
from protea.testing.capability import TableCapability
from protea.testing.channel import MemoryChannel
from protea.testing.clipboard import MemoryClipboard
from protea.testing.clock import FakeClock
from protea.testing.compaction import ClearingCompaction
from protea.testing.context import LastTurns
from protea.testing.embedding import WordEmbedding
from protea.testing.file_list import FixedFileList
from protea.testing.gateway import ScriptedGateway
from protea.testing.hooks import TableHooks
from protea.testing.ids import FakeIds
from protea.testing.instructions import FixedInstructions
from protea.testing.memory import ListMemory
from protea.testing.notifier import RecordingNotifier
from protea.testing.peer_server import DirectPeerServer
from protea.testing.persona import FixedPersona
from protea.testing.proactive import ListProactive
from protea.testing.rule_store import ListRuleStore
from protea.testing.scheduler import ListScheduler
from protea.testing.search import ListSearch
from protea.testing.task_runner import MemoryTaskRunner
from protea.testing.telemetry import RecordingTelemetry
from protea.testing.templates import FixedTemplates
from protea.testing.tokens import WordTokens

approval: Callable[..., Approval] = ScriptedApproval
clock: Callable[..., Clock] = FakeClock
gateway: Callable[..., Gateway] = ScriptedGateway
ids: Callable[..., Ids] = FakeIds
instructions: Callable[..., Instructions] = FixedInstructions
persona: Callable[..., Persona] = FixedPersona
rule_store: Callable[..., RuleStore] = ListRuleStore
tokens: Callable[..., Tokens] = WordTokens
context: Callable[..., Context] = LastTurns
compaction: Callable[..., Compaction] = ClearingCompaction
hooks: Callable[..., Hooks] = TableHooks
agents: Callable[..., Agents] = FixedAgents
templates: Callable[..., Templates] = FixedTemplates
telemetry: Callable[..., Telemetry] = RecordingTelemetry
notifier: Callable[..., Notifier] = RecordingNotifier
clipboard: Callable[..., Clipboard] = MemoryClipboard
embedding: Callable[..., Embedding] = WordEmbedding
memory: Callable[..., Memory] = ListMemory
scheduler: Callable[..., Scheduler] = ListScheduler
proactive: Callable[..., Proactive] = ListProactive
task_runner: Callable[..., TaskRunner] = MemoryTaskRunner
channel: Callable[..., Channel] = MemoryChannel
peer_server: Callable[..., PeerServer] = DirectPeerServer
capability: Callable[..., Capability] = TableCapability
search: Callable[..., Search] = ListSearch
file_list: Callable[..., FileList] = FixedFileList
