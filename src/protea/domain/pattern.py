"""Regular expressions that are compiled when they are first used: most of them a short run never needs. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    regex = re.compile
else:

    class regex:
        """As `re.compile`, later."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self._text, self._flags = text, flags

        def __getattr__(self, name: str) -> Any:
            # Asked for `match` and the like once each: what is found is kept on the instance, and not looked for again.
            found = getattr(re.compile(self._text, self._flags), name)
            self.__dict__[name] = found
            return found
