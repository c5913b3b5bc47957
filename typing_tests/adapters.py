"""Written from the catalogue; checked by mypy: every adapter fills its port."""

from collections.abc import Callable

from protea.adapters.agents import files as agents_files
from protea.adapters.agents import none as agents_none
from protea.adapters.approval import interactive as approval_interactive
from protea.adapters.approval import policy as approval_policy
from protea.adapters.audit import file as audit_file
from protea.adapters.audit import none as audit_none
from protea.adapters.capability import none as capability_none
from protea.adapters.capability import skills as capability_skills
from protea.adapters.catalog import none as catalog_none
from protea.adapters.catalog import provider as catalog_provider
from protea.adapters.catalog import snapshot as catalog_snapshot
from protea.adapters.channel import none as channel_none
from protea.adapters.channel import spool as channel_spool
from protea.adapters.checkpoint import none as checkpoint_none
from protea.adapters.checkpoint import snapshots as checkpoint_snapshots
from protea.adapters.clipboard import none as clipboard_none
from protea.adapters.clipboard import osc52 as clipboard_osc52
from protea.adapters.clipboard import system as clipboard_system
from protea.adapters.clock import system as clock_system
from protea.adapters.compaction import clear_results as compaction_clear_results
from protea.adapters.compaction import digest as compaction_digest
from protea.adapters.compaction import levels as compaction_levels
from protea.adapters.compaction import none as compaction_none
from protea.adapters.compaction import summarise as compaction_summarise
from protea.adapters.compaction import truncate as compaction_truncate
from protea.adapters.context import everything as context_everything
from protea.adapters.context import windowed as context_windowed
from protea.adapters.diagnostics import lsp as diagnostics_lsp
from protea.adapters.diagnostics import none as diagnostics_none
from protea.adapters.embedding import hashing as embedding_hashing
from protea.adapters.embedding import none as embedding_none
from protea.adapters.file_list import git as file_list_git
from protea.adapters.file_list import none as file_list_none
from protea.adapters.file_list import walk as file_list_walk
from protea.adapters.hooks import configured as hooks_configured
from protea.adapters.hooks import none as hooks_none
from protea.adapters.ids import system as ids_system
from protea.adapters.instructions import files as instructions_files
from protea.adapters.instructions import none as instructions_none
from protea.adapters.ledger import file as ledger_file
from protea.adapters.ledger import memory as ledger_memory
from protea.adapters.memory import files as memory_files
from protea.adapters.memory import none as memory_none
from protea.adapters.models import anthropic as model_anthropic
from protea.adapters.models import gemini as model_gemini
from protea.adapters.models import offline as model_offline
from protea.adapters.models import ollama as model_ollama
from protea.adapters.models import openai_chat as model_openai_chat
from protea.adapters.models import openai_responses as model_openai_responses
from protea.adapters.models import scripted as model_scripted
from protea.adapters.notifier import bell as notifier_bell
from protea.adapters.notifier import desktop as notifier_desktop
from protea.adapters.notifier import none as notifier_none
from protea.adapters.peer_server import loopback as peer_server_loopback
from protea.adapters.peer_server import none as peer_server_none
from protea.adapters.permission import everything_asks as permission_everything_asks
from protea.adapters.permission import rules as permission_rules
from protea.adapters.persona import coding as persona_coding
from protea.adapters.persona import minimal as persona_minimal
from protea.adapters.proactive import checklist as proactive_checklist
from protea.adapters.proactive import none as proactive_none
from protea.adapters.rule_store import file as rule_store_file
from protea.adapters.rule_store import none as rule_store_none
from protea.adapters.sandbox import bubblewrap as sandbox_bubblewrap
from protea.adapters.sandbox import docker as sandbox_docker
from protea.adapters.sandbox import none as sandbox_none
from protea.adapters.scheduler import cron as scheduler_cron
from protea.adapters.scheduler import none as scheduler_none
from protea.adapters.search import metasearch as search_metasearch
from protea.adapters.search import none as search_none
from protea.adapters.search import searxng as search_searxng
from protea.adapters.secrets import command as secrets_command
from protea.adapters.secrets import configured as secrets_configured
from protea.adapters.secrets import environment as secrets_environment
from protea.adapters.secrets import file as secrets_file
from protea.adapters.secrets import keyring as secrets_keyring
from protea.adapters.storage import jsonl as session_store_jsonl
from protea.adapters.storage import memory as session_store_memory
from protea.adapters.task_runner import durable as task_runner_durable
from protea.adapters.task_runner import in_process as task_runner_in_process
from protea.adapters.task_runner import none as task_runner_none
from protea.adapters.telemetry import log as telemetry_log
from protea.adapters.telemetry import none as telemetry_none
from protea.adapters.templates import files as templates_files
from protea.adapters.templates import none as templates_none
from protea.adapters.tokens import bytes as tokens_bytes
from protea.adapters.tokens import estimate as tokens_estimate
from protea.adapters.tools import builtin as toolset_builtin
from protea.adapters.tools import files as toolset_files
from protea.adapters.tools import none as toolset_none
from protea.adapters.web import http as web_http
from protea.adapters.web import none as web_none
from protea.adapters.workspace import disk as workspace_disk
from protea.adapters.workspace import journaled as workspace_journaled
from protea.adapters.workspace import memory as workspace_memory
from protea.ports.agents import Agents
from protea.ports.approval import Approval
from protea.ports.audit import Audit
from protea.ports.capability import Capability
from protea.ports.catalog import Catalog
from protea.ports.channel import Channel
from protea.ports.checkpoint import Checkpoint
from protea.ports.clipboard import Clipboard
from protea.ports.clock import Clock
from protea.ports.compaction import Compaction
from protea.ports.context import Context
from protea.ports.diagnostics import Diagnostics
from protea.ports.embedding import Embedding
from protea.ports.file_list import FileList
from protea.ports.hooks import Hooks
from protea.ports.ids import Ids
from protea.ports.instructions import Instructions
from protea.ports.ledger import Ledger
from protea.ports.memory import Memory
from protea.ports.model import Model
from protea.ports.notifier import Notifier
from protea.ports.peer_server import PeerServer
from protea.ports.permission import Permission
from protea.ports.persona import Persona
from protea.ports.proactive import Proactive
from protea.ports.rule_store import RuleStore
from protea.ports.sandbox import Sandbox
from protea.ports.scheduler import Scheduler
from protea.ports.search import Search
from protea.ports.secrets import Secrets
from protea.ports.session_store import SessionStore
from protea.ports.task_runner import TaskRunner
from protea.ports.telemetry import Telemetry
from protea.ports.templates import Templates
from protea.ports.tokens import Tokens
from protea.ports.toolset import Toolset
from protea.ports.web import Web
from protea.ports.workspace import Workspace

agents_files_fills: Callable[..., Agents] = agents_files.create
agents_none_fills: Callable[..., Agents] = agents_none.create
approval_interactive_fills: Callable[..., Approval] = approval_interactive.create
approval_policy_fills: Callable[..., Approval] = approval_policy.create
capability_none_fills: Callable[..., Capability] = capability_none.create
capability_skills_fills: Callable[..., Capability] = capability_skills.create
audit_file_fills: Callable[..., Audit] = audit_file.create
audit_none_fills: Callable[..., Audit] = audit_none.create
catalog_none_fills: Callable[..., Catalog] = catalog_none.create
catalog_provider_fills: Callable[..., Catalog] = catalog_provider.create
catalog_snapshot_fills: Callable[..., Catalog] = catalog_snapshot.create
channel_none_fills: Callable[..., Channel] = channel_none.create
channel_spool_fills: Callable[..., Channel] = channel_spool.create
checkpoint_none_fills: Callable[..., Checkpoint] = checkpoint_none.create
checkpoint_snapshots_fills: Callable[..., Checkpoint] = checkpoint_snapshots.create
clipboard_none_fills: Callable[..., Clipboard] = clipboard_none.create
clipboard_osc52_fills: Callable[..., Clipboard] = clipboard_osc52.create
clipboard_system_fills: Callable[..., Clipboard] = clipboard_system.create
clock_system_fills: Callable[..., Clock] = clock_system.create
compaction_clear_results_fills: Callable[..., Compaction] = compaction_clear_results.create
compaction_digest_fills: Callable[..., Compaction] = compaction_digest.create
compaction_levels_fills: Callable[..., Compaction] = compaction_levels.create
compaction_none_fills: Callable[..., Compaction] = compaction_none.create
compaction_summarise_fills: Callable[..., Compaction] = compaction_summarise.create
compaction_truncate_fills: Callable[..., Compaction] = compaction_truncate.create
context_everything_fills: Callable[..., Context] = context_everything.create
context_windowed_fills: Callable[..., Context] = context_windowed.create
diagnostics_lsp_fills: Callable[..., Diagnostics] = diagnostics_lsp.create
diagnostics_none_fills: Callable[..., Diagnostics] = diagnostics_none.create
embedding_hashing_fills: Callable[..., Embedding] = embedding_hashing.create
embedding_none_fills: Callable[..., Embedding] = embedding_none.create
file_list_git_fills: Callable[..., FileList] = file_list_git.create
file_list_none_fills: Callable[..., FileList] = file_list_none.create
file_list_walk_fills: Callable[..., FileList] = file_list_walk.create
hooks_configured_fills: Callable[..., Hooks] = hooks_configured.create
hooks_none_fills: Callable[..., Hooks] = hooks_none.create
ids_system_fills: Callable[..., Ids] = ids_system.create
instructions_files_fills: Callable[..., Instructions] = instructions_files.create
instructions_none_fills: Callable[..., Instructions] = instructions_none.create
ledger_file_fills: Callable[..., Ledger] = ledger_file.create
ledger_memory_fills: Callable[..., Ledger] = ledger_memory.create
memory_files_fills: Callable[..., Memory] = memory_files.create
memory_none_fills: Callable[..., Memory] = memory_none.create
model_anthropic_fills: Callable[..., Model] = model_anthropic.create
model_gemini_fills: Callable[..., Model] = model_gemini.create
model_offline_fills: Callable[..., Model] = model_offline.create
model_ollama_fills: Callable[..., Model] = model_ollama.create
model_openai_chat_fills: Callable[..., Model] = model_openai_chat.create
model_openai_responses_fills: Callable[..., Model] = model_openai_responses.create
model_scripted_fills: Callable[..., Model] = model_scripted.create
notifier_bell_fills: Callable[..., Notifier] = notifier_bell.create
notifier_desktop_fills: Callable[..., Notifier] = notifier_desktop.create
notifier_none_fills: Callable[..., Notifier] = notifier_none.create
peer_server_loopback_fills: Callable[..., PeerServer] = peer_server_loopback.create
peer_server_none_fills: Callable[..., PeerServer] = peer_server_none.create
permission_everything_asks_fills: Callable[..., Permission] = permission_everything_asks.create
permission_rules_fills: Callable[..., Permission] = permission_rules.create
persona_coding_fills: Callable[..., Persona] = persona_coding.create
persona_minimal_fills: Callable[..., Persona] = persona_minimal.create
proactive_checklist_fills: Callable[..., Proactive] = proactive_checklist.create
proactive_none_fills: Callable[..., Proactive] = proactive_none.create
rule_store_file_fills: Callable[..., RuleStore] = rule_store_file.create
rule_store_none_fills: Callable[..., RuleStore] = rule_store_none.create
sandbox_bubblewrap_fills: Callable[..., Sandbox] = sandbox_bubblewrap.create
sandbox_docker_fills: Callable[..., Sandbox] = sandbox_docker.create
sandbox_none_fills: Callable[..., Sandbox] = sandbox_none.create
scheduler_cron_fills: Callable[..., Scheduler] = scheduler_cron.create
scheduler_none_fills: Callable[..., Scheduler] = scheduler_none.create
search_metasearch_fills: Callable[..., Search] = search_metasearch.create
search_none_fills: Callable[..., Search] = search_none.create
search_searxng_fills: Callable[..., Search] = search_searxng.create
secrets_command_fills: Callable[..., Secrets] = secrets_command.create
secrets_configured_fills: Callable[..., Secrets] = secrets_configured.create
secrets_environment_fills: Callable[..., Secrets] = secrets_environment.create
secrets_file_fills: Callable[..., Secrets] = secrets_file.create
secrets_keyring_fills: Callable[..., Secrets] = secrets_keyring.create
session_store_jsonl_fills: Callable[..., SessionStore] = session_store_jsonl.create
session_store_memory_fills: Callable[..., SessionStore] = session_store_memory.create
task_runner_durable_fills: Callable[..., TaskRunner] = task_runner_durable.create
task_runner_in_process_fills: Callable[..., TaskRunner] = task_runner_in_process.create
task_runner_none_fills: Callable[..., TaskRunner] = task_runner_none.create
telemetry_log_fills: Callable[..., Telemetry] = telemetry_log.create
telemetry_none_fills: Callable[..., Telemetry] = telemetry_none.create
templates_files_fills: Callable[..., Templates] = templates_files.create
templates_none_fills: Callable[..., Templates] = templates_none.create
tokens_bytes_fills: Callable[..., Tokens] = tokens_bytes.create
tokens_estimate_fills: Callable[..., Tokens] = tokens_estimate.create
toolset_builtin_fills: Callable[..., Toolset] = toolset_builtin.create
toolset_files_fills: Callable[..., Toolset] = toolset_files.create
toolset_none_fills: Callable[..., Toolset] = toolset_none.create
web_http_fills: Callable[..., Web] = web_http.create
web_none_fills: Callable[..., Web] = web_none.create
workspace_disk_fills: Callable[..., Workspace] = workspace_disk.create
workspace_journaled_fills: Callable[..., Workspace] = workspace_journaled.create
workspace_memory_fills: Callable[..., Workspace] = workspace_memory.create
