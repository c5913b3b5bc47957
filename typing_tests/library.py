"""Checked by mypy: a program that holds an agent needs only what `protea` gives out, and every value has a type."""

from typing import assert_type

from protea import Agent, ApprovalRequested, FunctionTool, ResolveApproval, Run, TextDelta, ToolContext, TurnFinished


async def forecast(city: str, context: ToolContext, days: int = 1) -> str:
    """The forecast for a city."""
    return f"{city}: {days} in {context.session}"


async def answer(question: ApprovalRequested) -> ResolveApproval:
    return ResolveApproval(id=question.id, decision="deny", comment=question.why)


async def program() -> int:
    declared = FunctionTool(forecast, effects=("net.egress",), parallel=True)
    async with Agent(tools=[forecast, declared], allow=["forecast"], on_question=answer) as agent:
        run = await agent.ask("hello")
        assert_type(run, Run)
        assert_type(run.cost_usd, float | None)
        async for event in agent.stream("and now?"):
            match event:
                case TextDelta(text=text):
                    assert_type(text, str)
                case TurnFinished():
                    return event.turns
                case _:
                    pass
    return 0
