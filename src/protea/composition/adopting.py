"""Takes over what other agents were told. Called by `cli` for `protea config import`."""

from __future__ import annotations

from protea.adapters.settings import foreign
from protea.composition.launch import Launch
from protea.composition.surroundings import find_surroundings
from protea.domain.adoption import Adopted, Agent, adopt
from protea.domain.errors import UsageError
from protea.domain.spelling import nearest


class Adoption:
    """What an agent's files hold, and what would become of ours. Nothing is written before `write`."""

    def __init__(self, launch: Launch, agent: str, *, project: bool) -> None:
        """Raises `UsageError` for an agent nobody knows, or of which there is nothing; `ConfigError` where our own
        files cannot be added to."""
        around = find_surroundings(launch.cwd, launch.add_dirs, launch.environment)
        known: Agent | None = next((each for each in foreign.AGENTS if each == agent), None)
        if known is None:
            near = nearest(agent, foreign.AGENTS)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(foreign.AGENTS)}"
            raise UsageError(f"nothing is known of the settings of {agent!r}; {hint}")
        files, unread = foreign.read(known, around, project=project)
        if not files and not unread:
            whose = "in this project" if project else "in your home directory"
            raise UsageError(f"there are no settings of {agent} {whose}")
        found = adopt(known, files)
        self.found, self._changes = foreign.plan(Adopted(found.taken, (*found.left, *unread)), around, project=project)
        self.files = tuple(file.path for file in files)

    @property
    def changes(self) -> tuple[tuple[str, str, str], ...]:
        """(path, text as it is, text as it would be)."""
        return tuple((each.path, each.before, each.after) for each in self._changes)

    def write(self) -> None:
        """Raises `StoreError`."""
        foreign.write(self._changes)
