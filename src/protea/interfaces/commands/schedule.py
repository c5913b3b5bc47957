"""`protea schedule …`: prompts for later."""

from __future__ import annotations

from protea.domain.columns import table
from protea.domain.errors import UsageError
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import one_line, say
from protea.ports.scheduler import Scheduler


def run_schedule(scheduler: Scheduler, arguments: Arguments, place: Place) -> int:
    match arguments.name:
        case "schedule add":
            when, *prompt = arguments.words
            missed = "skip" if arguments.has("skip_missed") else "once"
            job = scheduler.add(when, " ".join(prompt), cwd=place.cwd, missed=missed)  # type: ignore[arg-type]  # one of two words
            told = {"id": job.id, "when": job.when, "next": scheduler.next(job)}
            place.write(as_json(told) if arguments.has("json") else f"{job.id}  {told['next']}\n")
            say("it is kept; nothing of this build is awake to run it yet")
        case "schedule remove":
            for id in arguments.words:
                if not scheduler.remove(id):
                    raise UsageError(f"there is no job {id}; `protea schedule list` shows them")
        case _:
            jobs = [(job, scheduler.next(job)) for job in scheduler.list()]
            if arguments.has("json"):
                place.write(
                    as_json(
                        [
                            {
                                "id": job.id,
                                "when": job.when,
                                "next": due,
                                "prompt": job.prompt,
                                "cwd": job.cwd,
                                "missed": job.missed,
                                "by": job.by,
                                "made": job.made,
                                "last": job.last or None,
                            }
                            for job, due in jobs
                        ]
                    )
                )
            else:
                rows = [[job.id, job.when, due or "-", one_line(job.prompt, 60)] for job, due in jobs]
                place.write(table(["ID", "WHEN", "NEXT", "PROMPT"], rows) if rows else "nothing is scheduled\n")
    return 0
