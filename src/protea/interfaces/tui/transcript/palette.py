"""What a role of the transcript looks like, made of the roles that a theme has."""

from __future__ import annotations

from rich.style import Style

from protea.interfaces.tui.themes import Look

_MADE_OF: dict[str, tuple[str, str]] = {
    "strong": ("", "bold"), "em": ("", "italic"), "strike": ("", "strike"), "code": ("code", ""), "link": ("link", ""),
    "h1": ("heading", "bold underline"), "h2": ("heading", "bold"), "h3": ("", "bold"), "quote-bar": ("rule", ""),
    "bullet": ("mark", ""), "rule": ("rule", ""), "th": ("", "bold"), "table-line": ("rule", ""), "fence": ("", ""),
    "fence-language": ("dim", ""), "math": ("info", "italic"), "dim": ("dim", ""), "accent": ("accent", ""),
    "ok": ("good", ""), "warning": ("warn", ""), "error": ("bad", ""), "prompt": ("user", ""),
    "prompt-mark": ("accent", "bold"), "tool": ("", "bold"), "object": ("", ""), "bar": ("rule", ""),
    "output": ("", ""), "thought": ("dim", "italic"), "marker": ("dim", ""),
    "add": ("add", ""), "del": ("remove", ""),
    "same": ("", ""), "add-word": ("add_word", ""), "del-word": ("remove_word", ""), "number": ("dim", ""),
    "hunk": ("dim", ""), "file": ("", "bold"), "absent": ("dim", ""), "comment": ("dim", "italic"),
    "keyword": ("accent", ""), "string": ("good", ""), "numeral": ("warn", ""), "operator": ("", ""),
    "function": ("info", ""), "class": ("info", "bold"), "decorator": ("warn", ""), "builtin": ("info", ""),
    "gone": ("dim", "strike"), "selected": ("select", ""),
    "match": ("hit", ""), "match-here": ("hit", "bold underline"),
    "thumb": ("dim", ""), "below": ("chip", "bold"), "input": ("", "bold"), "cursor": ("cursor", ""),
}  # fmt: skip
"""Role → (the theme's role, what is added)."""


class Palette:
    """The styles of one look."""

    def __init__(self, look: Look) -> None:
        self.base = look["text"] + look.background
        self._roles = {role: (look[of] if of else Style()) + Style.parse(more) for role, (of, more) in _MADE_OF.items()}
        panel = look["select"]
        if panel.bgcolor is not None and look.colour:
            # Where a theme has a colour for surfaces, code and prompts stand on it.
            surface = Style(bgcolor=panel.bgcolor)
            self._roles["fence"] += surface
            self._roles["prompt"] += surface
        self._made: dict[tuple[str, str], Style] = {}

    def of(self, roles: str, link: str = "") -> Style:
        """The style of several roles, the later ones over the earlier ones."""
        style = self._made.get((roles, link))
        if style is None:
            style = self.base
            for role in roles.split():
                style += self._roles[role]
            if link:
                style += Style(link=link)
            if len(self._made) > 5000:
                self._made.clear()  # links are many and seldom seen twice
            self._made[roles, link] = style
        return style

    def over(self, role: str) -> Style:
        """The style of one role alone, to lay over others."""
        return self._roles[role]
