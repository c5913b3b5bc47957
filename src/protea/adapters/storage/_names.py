"""Session ids: which are safe, which was meant; and the order of events. Shared by the stores."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.errors import SessionError
from protea.domain.events import LastingEvent

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def proper(session: str) -> None:
    """Raises `SessionError` for an id that must not become a folder's name."""
    if not session or session[0] in ".-" or len(session) > 128 or not _SAFE.issuperset(session):
        raise SessionError(
            f"{session[:40]!r} cannot be a session's id: use up to 128 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit"
        )


def near(wanted: str, ids: Sequence[str]) -> str:
    """The id that `wanted` is or begins. Raises `SessionError` naming the near ones."""
    if wanted in ids:
        return wanted
    begun = sorted((session for session in ids if wanted and session.startswith(wanted)), reverse=True)
    if len(begun) == 1:
        return begun[0]
    if begun:
        more = f" and {len(begun) - 5} more" if len(begun) > 5 else ""
        raise SessionError(f"{len(begun)} sessions begin with {wanted!r}: {', '.join(begun[:5])}{more}")
    import difflib  # only for the person who mistyped: `-c` and `-r ID` come by here

    close = sorted((session for session in ids if wanted and wanted in session), reverse=True)[:3]
    close = close or difflib.get_close_matches(wanted, ids, 3, 0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else "`protea sessions list` shows those there are"
    raise SessionError(f"there is no session {wanted!r}; {hint}")


def check_order(events: Sequence[LastingEvent], last: int) -> None:
    """Events must carry the numbers that follow `last`."""
    for number, event in enumerate(events, last + 1):
        if event.seq != number:
            raise ValueError(f"event {type(event).__name__} has seq {event.seq} where {number} must follow")
