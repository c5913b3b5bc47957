"""The fakes keep the contracts of the ports they stand for."""

from __future__ import annotations

import pytest

from protea.domain.errors import StoreError
from protea.testing.approval import ScriptedApproval
from protea.testing.clipboard import MemoryClipboard
from protea.testing.compaction import ClearingCompaction
from protea.testing.context import LastTurns
from protea.testing.contracts.approval import ApprovalContract
from protea.testing.contracts.clipboard import ClipboardContract
from protea.testing.contracts.compaction import CompactionContract
from protea.testing.contracts.context import ContextContract
from protea.testing.contracts.instructions import InstructionsContract
from protea.testing.contracts.notifier import NotifierContract
from protea.testing.contracts.persona import PersonaContract
from protea.testing.contracts.rule_store import RuleStoreContract
from protea.testing.contracts.telemetry import TelemetryContract
from protea.testing.contracts.tokens import TokensContract
from protea.testing.instructions import FixedInstructions
from protea.testing.notifier import RecordingNotifier
from protea.testing.persona import FixedPersona
from protea.testing.rule_store import ListRuleStore
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
