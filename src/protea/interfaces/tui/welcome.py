"""What stands where nothing was said yet: the head the first frame drew, and how to begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protea._version import __version__
from protea.interfaces.terminal import one_line
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.frame import wrap
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.state import State
from protea.interfaces.tui.themes import Look


class Welcome(Lines):
    """Fills the conversation's place until the first prompt."""

    DEFAULT_CSS = "Welcome { height: 1fr; width: 1fr; }"

    def __init__(self, look: Callable[[], Look], desk: Desk) -> None:
        super().__init__(look, id="welcome")
        self._desk = desk
        self.warnings: list[str] = []
        self.facts: dict[str, str] = {}
        """What a session is made of: name → value."""

    def tell(self, about: Mapping[str, Any], state: State) -> None:
        """What the session is made of, once that is known."""
        effort = f", effort {state.effort}" if state.effort else ""
        self.facts = {"model": f"{state.model}{effort}", "profile": state.profile, "mode": state.mode}
        self.facts = {name: value for name, value in self.facts.items() if value}
        told = [str(each) for each in about.get("warnings", ())] + self._desk.warnings()
        self.warnings += [each for each in told if each not in self.warnings]
        self.again()

    def again(self) -> None:
        if self.is_attached:
            self._shown = self.rows(self.size.width or self.app.size.width)
            self.paint()

    def rows(self, width: int) -> list[Row]:
        cwd = self._desk.place.open.cwd
        rows: list[Row] = [[(f" Protea {__version__}", "user")], [(" " + one_line(cwd, width - 2), "dim")]]
        if self.facts:
            rows.append([])
        rows += [[(f" {name:<10}", "dim"), (one_line(value, width - 12), "text")] for name, value in self.facts.items()]
        offline = self.facts.get("model", "").startswith("offline/")
        if offline:
            rows += [[], *([(f" {line}", "dim")] for line in _wrapped(OFFLINE, width - 2))]
        if not self._desk.remembered.welcomed:
            rows.append([])
            for key, text in FIRST_STEPS if offline else FIRST_STEPS[:-1]:  # the last one is about having no key
                for number, line in enumerate(_wrapped(text, max(8, width - 12))):
                    rows.append([(f" {'' if number else key:<10}", "key"), (line, "dim")])
        rows += [[], *([(f" {line}", "warn")] for each in self.warnings for line in _wrapped(each, width - 2))]
        return rows


OFFLINE = (
    "No key is set and no local server answers, so the built-in offline model does: a small grammar, real tools, your "
    "real files. Try: list files · find TODO in src · read README.md · run git status. Ctrl+P shows everything else."
)


FIRST_STEPS = (
    ("Enter", "sends what you write; everything works now, also without a key"),
    ("Ctrl+P", "everything that can be done, by name"),
    ("?", "the keys; Ctrl+P keymap has vim's, emacs's and those of other agents"),
    ("Shift+Tab", "normal asks before it changes anything, plan only reads, yolo asks little"),
    ("Ctrl+X c", "themes"),
    ("a key", "export ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY, or run Ollama"),
)
"""What a first run is told."""


def _wrapped(text: str, width: int) -> list[str]:
    return [text[begin:end] for begin, end in wrap(text, width)]
