"""Reports a fault of Protea's own where the logs are, without the keys of the environment. Called by `cli`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from protea._version import __version__
from protea.composition.surroundings import protea_home
from protea.domain.providers import PROVIDERS


def report(error: BaseException, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Write the report and return one line for the person that says what happened and where it is. Never raises."""
    from protea.adapters.logs import crash  # only a fault needs it
    from protea.domain.redaction import secrets_of

    keys = {name for row in PROVIDERS.values() for name in row.key_env}
    return crash.report(
        os.path.join(protea_home(environment), "logs"),
        error,
        version=__version__,
        arguments=arguments,
        secrets=[*(environment[name] for name in keys if environment.get(name)), *secrets_of(environment.items())],
    )
