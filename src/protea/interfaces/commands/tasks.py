"""`protea tasks …`: background work, also that of other processes and, in a shared database, of other machines."""

from __future__ import annotations

from protea.domain.columns import table
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import ago
from protea.interfaces.terminal import one_line, visible
from protea.ports.task_runner import Task, TaskRunner


async def run_tasks(runner: TaskRunner, arguments: Arguments, place: Place) -> int:
    if arguments.name == "tasks show":
        task = await runner.get(arguments.words[0])
        if arguments.has("json"):
            place.write(as_json(task))
            return 0
        rows = [
            ["task", task.id],
            ["title", one_line(task.title, 100)],
            ["kind", task.kind],
            ["state", _state(task)],
            ["session", task.session],
            ["begun", ago(task.started)],
            *([["runs in", f"{task.owner}, heard of {ago(task.beat)}"]] if task.owner and task.beat else []),
            *([["begun times", str(task.runs)]] if task.runs > 1 else []),
            *([["ended", ago(task.ended)]] if task.ended else []),
            *([["output", str(log)]] if (log := task.input.get("log")) else []),
            *([["progress", one_line(task.progress, 100)]] if task.progress else []),
        ]
        place.write(table(None, rows) + (f"\n{visible(task.result)}\n" if task.result else ""))
        return 0
    if arguments.name == "tasks stop":
        task = await runner.stop(arguments.words[0])
        if arguments.has("json"):
            place.write(as_json(task))
        else:
            place.write(f"{task.id}: {task.state}" + (f", {one_line(task.result, 100)}\n" if task.result else "\n"))
        return 0
    tasks = list(await runner.list())
    if arguments.has("json"):
        place.write(as_json(tasks))
        return 0
    columns = ["ID", "STATE", "BEGUN", "OWNER", "BEAT", "TITLE"]
    rows = [
        [task.id, _state(task), ago(task.started), task.owner, ago(task.beat) if task.beat else "", task.title]
        for task in tasks
    ]
    cut = [[*each[:-1], one_line(each[-1], 60)] for each in rows]
    place.write(table(columns, cut) if rows else "no tasks yet\n")
    return 0


def _state(task: Task) -> str:
    """`waiting`: the process that ran it is gone, and one that goes on with it has not come."""
    return "waiting" if task.state == "running" and not task.owner else task.state
