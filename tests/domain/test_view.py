"""What a person is told in a line."""

from __future__ import annotations

from protea.domain.messages import ToolCall
from protea.domain.view import call_object


def test_a_call_is_about_what_a_person_would_call_it_by_whatever_name_the_model_gave_the_argument() -> None:
    items = [{"text": "read", "status": "done"}, {"text": "write", "status": "in_progress"}]
    assert call_object(ToolCall(id="c", name="TodoWrite", arguments={"items": items})) == "write"
    assert call_object(ToolCall(id="c", name="TodoWrite", arguments={"todos": items})) == "write"
    plan = "\n# Make it quick\n\n1. measure\n"
    assert call_object(ToolCall(id="c", name="ProposePlan", arguments={"plan": plan})) == "Make it quick"
