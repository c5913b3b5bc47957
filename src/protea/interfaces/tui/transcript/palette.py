"""What a role looks like: styles of the widget's component classes, put together."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style

ROLES = (
    "strong", "em", "strike", "code", "link", "h1", "h2", "h3", "quote-bar", "bullet", "rule", "th",
    "table-line", "fence", "fence-language", "math", "dim", "accent", "ok", "warning", "error", "prompt",
    "prompt-mark", "tool", "object", "bar", "output", "thought", "marker", "add", "del", "same", "add-word",
    "del-word", "number", "hunk", "file", "absent", "comment", "keyword", "string", "numeral", "operator",
    "function", "class", "decorator", "builtin", "gone", "cursor", "selected", "match", "match-here", "thumb",
    "track", "below", "input",
)  # fmt: skip

CSS = """
Transcript {
    height: 1fr;
    & > .transcript--strong { text-style: bold; }
    & > .transcript--em { text-style: italic; }
    & > .transcript--strike { text-style: strike; }
    & > .transcript--code { color: $text-accent; }
    & > .transcript--link { color: $text-primary; text-style: underline; }
    & > .transcript--h1 { color: $text-primary; text-style: bold underline; }
    & > .transcript--h2 { color: $text-primary; text-style: bold; }
    & > .transcript--h3 { text-style: bold; }
    & > .transcript--quote-bar, & > .transcript--bar { color: $foreground 40%; }
    & > .transcript--bullet { color: $text-accent; }
    & > .transcript--rule, & > .transcript--table-line { color: $foreground 30%; }
    & > .transcript--th { text-style: bold; }
    & > .transcript--fence { background: $surface; }
    & > .transcript--fence-language { color: $foreground 50%; }
    & > .transcript--math { color: $text-secondary; text-style: italic; }
    & > .transcript--dim { color: $foreground 60%; }
    & > .transcript--accent { color: $text-accent; }
    & > .transcript--ok { color: $text-success; }
    & > .transcript--warning { color: $text-warning; }
    & > .transcript--error { color: $text-error; }
    & > .transcript--prompt { background: $boost; }
    & > .transcript--prompt-mark { color: $text-accent; text-style: bold; }
    & > .transcript--tool { text-style: bold; }
    & > .transcript--object { color: $foreground 85%; }
    & > .transcript--output { color: $foreground 75%; }
    & > .transcript--thought { color: $foreground 60%; text-style: italic; }
    & > .transcript--marker { color: $foreground 55%; }
    & > .transcript--add { background: $success 15%; }
    & > .transcript--del { background: $error 15%; }
    & > .transcript--same { color: $foreground 80%; }
    & > .transcript--add-word { background: $success 40%; }
    & > .transcript--del-word { background: $error 40%; }
    & > .transcript--number, & > .transcript--hunk { color: $foreground 45%; }
    & > .transcript--file { text-style: bold; }
    & > .transcript--absent { background: $surface; }
    & > .transcript--comment { color: $foreground 55%; text-style: italic; }
    & > .transcript--keyword { color: $text-primary; }
    & > .transcript--string { color: $text-success; }
    & > .transcript--numeral { color: $text-warning; }
    & > .transcript--function, & > .transcript--builtin { color: $text-accent; }
    & > .transcript--class, & > .transcript--decorator { color: $text-secondary; }
    & > .transcript--gone { text-style: dim; }
    & > .transcript--cursor { background: $boost; }
    & > .transcript--selected { background: $primary 40%; }
    & > .transcript--match { background: $warning 40%; }
    & > .transcript--match-here { background: $warning; color: $background; text-style: bold; }
    & > .transcript--thumb { color: $foreground 35%; }
    & > .transcript--below { background: $primary; color: $background; text-style: bold; }
    & > .transcript--input { background: $surface; }
}
"""


class Palette:
    """Styles by role. Two palettes made of the same styles are equal."""

    def __init__(self, base: Style, style_of: Callable[[str], Style]) -> None:
        self.base = base
        self._roles = {role: style_of(role) for role in ROLES}
        self._made: dict[tuple[str, str], Style] = {}

    def same(self, other: Palette | None) -> bool:
        return other is not None and self.base == other.base and self._roles == other._roles

    def of(self, roles: str, link: str = "") -> Style:
        """The style of several roles, the later ones over the earlier ones."""
        style = self._made.get((roles, link))
        if style is None:
            style = self.base
            for role in roles.split():
                style += self._roles.get(role, Style())
            if link:
                style += Style(link=link)
            if len(self._made) > 5000:
                self._made.clear()  # links are many and seldom seen twice
            self._made[roles, link] = style
        return style

    def over(self, role: str) -> Style:
        """The style of one role alone, to lay over others."""
        return self._roles[role]
