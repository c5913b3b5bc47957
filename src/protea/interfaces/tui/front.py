"""What lists, panes and actions may ask of the main screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from textual.app import App

from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.panes.arrangement import Arrangement
from protea.interfaces.tui.status import StatusBar
from protea.interfaces.tui.tab import Tab


class Front(Protocol):
    """The main screen, seen from what opens over it."""

    @property
    def app(self) -> App[Any]: ...

    @property
    def desk(self) -> Desk: ...

    @property
    def tab(self) -> Tab: ...

    @property
    def tabs(self) -> Sequence[Tab]: ...

    @property
    def focus_on(self) -> str:
        """`composer`, `transcript`, or the name of a pane."""
        ...

    @property
    def arrangement(self) -> Arrangement: ...

    @property
    def status(self) -> StatusBar: ...

    def contexts(self) -> list[str]:
        """Whose keys count now, the nearest first."""
        ...

    def do(self, action: str) -> None:
        """Do an action, whoever's it is."""
        ...

    def use_theme(self, name: str, *, keep: bool = True) -> None:
        """Draw with a theme; with `keep` it is remembered."""
        ...

    def use_keymap(self, name: str) -> None: ...

    def prefer(self, **changes: Any) -> None:
        """Change how the screen behaves, and remember it."""
        ...

    def to_tab(self, place: int) -> None: ...

    async def open_session(self, id: str | None, *, fork: bool = False) -> None:
        """In a tab of its own; the one it is open in already, if there is one. None begins a new session."""
        ...

    def open_file(self, path: str, line: int = 0, *, grows: bool = False) -> None:
        """Show a file in the viewer; with `grows` its end, followed."""
        ...

    def focus_part(self, name: str) -> None:
        """Give the keys to the composer, the conversation or a pane."""
        ...

    def toggle_pane(self, name: str) -> None: ...

    def lay_panes(self) -> None:
        """Show tabs and panes as the arrangement has them."""
        ...

    def copy(self, text: str) -> None:
        """Into the clipboard of the terminal."""
        ...

    def hint(self, text: str) -> None:
        """One line in the status bar, for a moment."""
        ...

    def twice(self, action: str) -> bool:
        """Whether this is the second time within a moment. An empty one forgets what was pressed."""
        ...

    async def another(self, *, instead: bool) -> None:
        """A new session, in a tab of its own or in place of this one."""
        ...

    async def close_tab(self) -> None: ...

    def refresh(self, *, repaint: bool = True, layout: bool = False) -> Any:
        """Draw it anew."""
        ...
