"""Checked by mypy: the fakes that ship fill the ports they stand for."""

from collections.abc import Callable

from protea.ports.approval import Approval
from protea.ports.clock import Clock
from protea.ports.gateway import Gateway
from protea.ports.ids import Ids
from protea.ports.instructions import Instructions
from protea.ports.persona import Persona
from protea.ports.rule_store import RuleStore
from protea.testing.approval import ScriptedApproval
from protea.testing.clock import FakeClock
from protea.testing.gateway import ScriptedGateway
from protea.testing.ids import FakeIds
from protea.testing.instructions import FixedInstructions
from protea.testing.persona import FixedPersona
from protea.testing.rule_store import ListRuleStore

approval: Callable[..., Approval] = ScriptedApproval
clock: Callable[..., Clock] = FakeClock
gateway: Callable[..., Gateway] = ScriptedGateway
ids: Callable[..., Ids] = FakeIds
instructions: Callable[..., Instructions] = FixedInstructions
persona: Callable[..., Persona] = FixedPersona
rule_store: Callable[..., RuleStore] = ListRuleStore
