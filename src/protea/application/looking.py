"""Asks a person about files of the project that are not as they have looked at them, before anything of them is used.

Called by `session` before a turn, and by `nearby` for instructions of folders that a turn has come to.
"""

from __future__ import annotations

from collections.abc import Sequence

from protea.application.approvals import Approvals
from protea.application.hub import Hub
from protea.application.parts import Project
from protea.domain.events import ApprovalRequested, NoticeGiven
from protea.domain.messages import ToolCall
from protea.domain.trust import named, shown, why_asked
from protea.ports.ids import Ids

TOOL = "Trust"
"""The name the question has in place of a tool's."""


async def ask_about(
    project: Project, cwd: str, hub: Hub, approvals: Approvals, ids: Ids, files: Sequence[str] = ()
) -> bool:
    """Ask until there is nothing to ask; whether a person has said yes to anything. A yes is about what was shown: a
    file that is changed meanwhile is asked about again."""
    used = False
    while found := project.unseen(cwd, files):
        # What cannot be read cannot be meant.
        readable = [each for each in found if each.what != "unreadable"]
        if unreadable := [each for each in found if each.what == "unreadable"]:
            hub.record(NoticeGiven(level="warning", text=f"{named(unreadable)}: not used, since nobody can look at it"))
            project.decline(unreadable)
        if not readable:
            continue
        diff, asked = shown(readable)
        names = [each.name for each in asked]
        question = ApprovalRequested(
            id=ids.short("q"),
            call=ToolCall(id=ids.short("c"), name=TOOL, arguments={"files": "\n".join(names)}),
            why=why_asked(asked),
            kind="trust",
            detail={"diff": diff, "files": names},
        )
        answer = await approvals.ask(question)
        if answer.decision == "deny":
            project.decline(asked)
        else:
            project.accept(asked)
            used = True
    return used


def tell_unused(project: Project, cwd: str, hub: Hub, files: Sequence[str], told: set[str]) -> None:
    """The same where nobody can be asked: each file is told once, and its name then in `told`."""
    if found := [each for each in project.unseen(cwd, files) if each.name not in told]:
        told.update(each.name for each in found)
        text = f"{named(found)}: not used, since nobody has looked at {'it' if len(found) == 1 else 'them'}"
        hub.record(NoticeGiven(level="warning", text=f"{text}; `protea trust` does that"))
