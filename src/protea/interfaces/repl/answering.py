"""A person's answer to a question, line by line, as the command that gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from protea.domain.commands import ResolveApproval
from protea.domain.events import ApprovalRequested
from protea.domain.question import plan_of
from protea.interfaces.drawing import Drawing
from protea.interfaces.terminal import Paint


class Answers:
    """Asks until what was typed is an answer."""

    def __init__(
        self,
        ask: Callable[[str], str],
        drawing: Drawing,
        paint: Paint,
        environment: Mapping[str, str],
        *,
        editor: bool,
    ) -> None:
        """`ask` shows its words and returns a line, or raises `EOFError`; `editor`: whether one can be opened here."""
        self._ask = ask
        self._drawing = drawing
        self._paint = paint
        self._environment = environment
        self._editor = editor

    def reply(self, question: ApprovalRequested) -> ResolveApproval:
        """Raises `EOFError` where nobody is there any more."""
        match question.kind:
            case "question":
                return self._reply_to(question)
            case "plan":
                return self._agree_to(question)
            case _:
                return self._decide(question)

    def _agree_to(self, question: ApprovalRequested) -> ResolveApproval:
        editor = "  e edit it first" if self._editor else ""
        while True:
            answer = self._ask(f"  y do it like this{editor}  n change it (say what behind it) > ").strip()
            word, _, comment = answer.partition(" ")
            match word.lower():
                case "y" | "yes" if not comment:
                    return ResolveApproval(id=question.id, decision="once")
                case "e" | "edit" if editor and not comment:
                    if (plan := self._edited(question)) is not None:
                        return ResolveApproval(id=question.id, decision="once", comment=plan)
                case "n" | "no":
                    comment = comment.strip() or self._ask("  what should be different > ").strip()
                    return ResolveApproval(id=question.id, decision="deny", comment=comment or None)

    def _edited(self, question: ApprovalRequested) -> str | None:
        """The plan as the person's editor left it; None where it was not changed, or could not be."""
        from protea.interfaces import external  # few plans are edited

        plan = plan_of(question)
        words = external.editor_of(self._environment)
        if not words:
            self._drawing.line(self._paint.bad("there is no editor; set $EDITOR"))
            return None
        try:
            text = external.edit(words, plan, self._environment)
        except OSError as error:
            self._drawing.line(self._paint.bad(f"{words[0]}: {error.strerror}"))
            return None
        if not text.strip() or text.strip() == plan.strip():
            self._drawing.line(self._paint.dim("the plan is as it was"))
            return None
        return text

    def _reply_to(self, question: ApprovalRequested) -> ResolveApproval:
        while not (answer := self._ask("  > ").strip()):
            pass
        if answer.isdigit() and 1 <= int(answer) <= len(question.proposals):
            answer = question.proposals[int(answer) - 1]
        return ResolveApproval(id=question.id, decision="once", comment=answer)

    def _decide(self, question: ApprovalRequested) -> ResolveApproval:
        always = "  a always" if question.proposals else ""
        session = "  s this session" if question.proposals else ""
        files = question.kind == "trust"
        more = "  d show all of it" if self._drawing.leaves_out(question) else ""
        choice = f"  y once{session}{always}{more}  n no > "
        if files:
            choice = f"  y use this as it is now{more}  n leave it out > "
        while True:
            answer = self._ask(choice).strip()
            word, _, comment = answer.partition(" ")
            match word.lower():
                case "y" | "yes" if not comment:
                    return ResolveApproval(id=question.id, decision="once")
                case "d" if more and not comment:
                    self._drawing.whole(question)
                case "s" if question.proposals and not comment:
                    return ResolveApproval(id=question.id, decision="session")
                case "a" | "always" if question.proposals and not comment:
                    return ResolveApproval(id=question.id, decision="always")
                case "n" | "no":
                    asked = "" if files else "  why (Enter: no reason) > "
                    comment = comment.strip() or (self._ask(asked).strip() if asked else "")
                    return ResolveApproval(id=question.id, decision="deny", comment=comment or None)
