"""Says that a project may be trusted, or no longer. Called by `cli` for `protea trust`."""

from __future__ import annotations

from protea.composition.launch import Launch
from protea.composition.surroundings import find_surroundings


def trust_project(launch: Launch) -> tuple[str, tuple[str, ...]]:
    """(the project's root, the files of its own whose change asks again). Raises `StoreError`."""
    from protea.adapters.settings import trust

    around = find_surroundings(launch.cwd, (), launch.environment)
    return around.root, trust.trust(around.protea_home, around.root)


def forget_project(launch: Launch) -> tuple[str, bool]:
    """(the project's root, whether it had been trusted). Raises `StoreError`."""
    from protea.adapters.settings import trust

    around = find_surroundings(launch.cwd, (), launch.environment)
    return around.root, trust.forget(around.protea_home, around.root)
