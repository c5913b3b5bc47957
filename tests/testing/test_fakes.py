"""The fakes keep the contracts of the ports they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from protea.domain.errors import StoreError
from protea.ports.search import Hit
from protea.testing.approval import ScriptedApproval
from protea.testing.capability import TableCapability
from protea.testing.channel import MemoryChannel
from protea.testing.clipboard import MemoryClipboard
from protea.testing.clock import FakeClock
from protea.testing.compaction import ClearingCompaction
from protea.testing.context import LastTurns
from protea.testing.contracts.approval import ApprovalContract
from protea.testing.contracts.capability import CapabilityContract
from protea.testing.contracts.channel import ChannelContract
from protea.testing.contracts.clipboard import ClipboardContract
from protea.testing.contracts.compaction import CompactionContract
from protea.testing.contracts.context import ContextContract
from protea.testing.contracts.embedding import EmbeddingContract
from protea.testing.contracts.file_list import FileListContract
from protea.testing.contracts.instructions import InstructionsContract
from protea.testing.contracts.memory import MemoryContract
from protea.testing.contracts.notifier import NotifierContract
from protea.testing.contracts.peer_server import PeerServerContract
from protea.testing.contracts.persona import PersonaContract
from protea.testing.contracts.proactive import ProactiveContract
from protea.testing.contracts.rule_store import RuleStoreContract
from protea.testing.contracts.scheduler import SchedulerContract
from protea.testing.contracts.search import SearchContract
from protea.testing.contracts.task_runner import TaskRunnerContract
from protea.testing.contracts.telemetry import TelemetryContract
from protea.testing.contracts.tokens import TokensContract
from protea.testing.embedding import WordEmbedding
from protea.testing.file_list import FixedFileList
from protea.testing.instructions import FixedInstructions
from protea.testing.memory import ListMemory
from protea.testing.notifier import RecordingNotifier
from protea.testing.peer_server import DirectPeerServer
from protea.testing.persona import FixedPersona
from protea.testing.proactive import ListProactive
from protea.testing.rule_store import ListRuleStore
from protea.testing.scheduler import ListScheduler
from protea.testing.search import ListSearch
from protea.testing.task_runner import KeptTasks, MemoryTaskRunner
from protea.testing.telemetry import RecordingTelemetry
from protea.testing.tokens import WordTokens


class TestScriptedApproval(ApprovalContract):
    def approval(self) -> ScriptedApproval:
        return ScriptedApproval(["once", "once"])

    def test_when_the_script_ends_questions_stay_open(self) -> None:
        approval = ScriptedApproval(["deny"])
        given = [approval.answer(self.question(id)) for id in ("a_1", "a_2")]
        assert [answer and answer.decision for answer in given] == ["deny", None]
        assert [question.id for question in approval.asked] == ["a_1", "a_2"]


class TestFixedInstructions(InstructionsContract):
    def instructions(self) -> FixedInstructions:
        return FixedInstructions({"/p/AGENTS.md": "Be kind."})

    def directory(self) -> str:
        return "/p"


class TestFixedPersona(PersonaContract):
    def persona(self) -> FixedPersona:
        return FixedPersona("You are a test.")


class TestListRuleStore(RuleStoreContract):
    @pytest.fixture(autouse=True)
    def _store(self) -> None:
        self._kept = ListRuleStore()

    def rule_store(self) -> ListRuleStore:
        return self._kept

    def saved(self) -> list[str]:
        return self._kept.rules

    def test_a_full_one_fails_as_a_full_disk_would(self) -> None:
        with pytest.raises(StoreError, match="no space"):
            ListRuleStore(full=True).allow(["Bash(ls)"])


class TestWordTokens(TokensContract):
    def tokens(self) -> WordTokens:
        return WordTokens()


class TestLastTurns(ContextContract):
    def context(self) -> LastTurns:
        return LastTurns(10**6)


class TestClearingCompaction(CompactionContract):
    def compaction(self) -> ClearingCompaction:
        return ClearingCompaction()


class TestRecordingTelemetry(TelemetryContract):
    def telemetry(self) -> RecordingTelemetry:
        return RecordingTelemetry()


class TestRecordingNotifier(NotifierContract):
    def notifier(self) -> RecordingNotifier:
        return RecordingNotifier()


class TestMemoryClipboard(ClipboardContract):
    @pytest.fixture(autouse=True)
    def _held(self) -> None:
        self._clipboard = MemoryClipboard()

    def clipboard(self) -> MemoryClipboard:
        return self._clipboard


class TestWordEmbedding(EmbeddingContract):
    def embedding(self) -> WordEmbedding:
        return WordEmbedding("cat", "mat", "sit", "rate")


class TestListMemory(MemoryContract):
    @pytest.fixture(autouse=True)
    def _memory(self) -> None:
        self._notes = ListMemory()

    def memory(self) -> ListMemory:
        return self._notes

    async def test_a_full_one_fails_as_a_full_disk_would(self) -> None:
        with pytest.raises(StoreError, match="no space"):
            await ListMemory(full=True).remember("x", source="user")


class TestListScheduler(SchedulerContract):
    @pytest.fixture(autouse=True)
    def _jobs(self) -> None:
        self._made: ListScheduler | None = None

    def scheduler(self, clock: FakeClock) -> ListScheduler:
        self._made = self._made or ListScheduler(clock)
        return self._made


class TestListProactive(ProactiveContract):
    @pytest.fixture(autouse=True)
    def _errands(self) -> None:
        self._made = ListProactive("water the figs", "look after the build")

    def proactive(self) -> ListProactive:
        return self._made


class TestMemoryTaskRunner(TaskRunnerContract):
    @pytest.fixture(autouse=True)
    def _tasks(self) -> None:
        self._kept = KeptTasks()

    def task_runner(self) -> MemoryTaskRunner:
        return MemoryTaskRunner(self._kept)


class TestMemoryChannel(ChannelContract):
    @pytest.fixture(autouse=True)
    def _channel(self) -> None:
        self._made = MemoryChannel()

    def channel(self) -> MemoryChannel:
        return self._made

    async def write(self, conversation: str, text: str) -> bool:
        self._made.write(conversation, text)
        return True

    async def said(self) -> list[tuple[str, str]]:
        return self._made.sent


class TestDirectPeerServer(PeerServerContract):
    def peer_server(self) -> DirectPeerServer:
        self._made = DirectPeerServer()
        return self._made

    async def ask(self, address: str, text: str, *, known: bool) -> str | None:
        return await self._made.ask(text, known=known)


class TestTableCapability(CapabilityContract):
    def capability(self) -> TableCapability:
        return TableCapability({"baking": "Knead.", "weeding": "Pull."})

    def use(self) -> tuple[str, dict[str, Any]]:
        return "Use", {"name": "baking"}


class TestListSearch(SearchContract):
    def search(self) -> ListSearch:
        return ListSearch(Hit("One", "https://a.example/"), Hit("Two", "https://b.example/"))


class TestListSearchThatIsDown(SearchContract):
    def search(self) -> ListSearch:
        return ListSearch(down=True)


class TestFixedFileList(FileListContract):
    def file_list(self) -> FixedFileList:
        return FixedFileList({self.folder(): ["b.md", "a/c.py"]})

    def folder(self) -> str:
        return "/project"
