"""Colours by what they mean, in several themes. Widgets ask for a role; a theme says how it looks. Pure.

`terminal` and the ANSI themes leave the background to the terminal, so the screen is at home in any of them.
"""

from __future__ import annotations

import msgspec
from rich.color import ColorSystem
from rich.style import Style


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """Role → how it looks, as Rich writes styles."""

    name: str
    about: str
    dark: bool = True
    background: str = "default"
    """`default` is the terminal's own."""
    roles: dict[str, str] = {}
    code: str = "ansi_dark"
    """The Pygments style for source; `ansi_*` keeps to the terminal's sixteen colours."""


_ANSI = {
    "text": "default",
    "dim": "bright_black",
    "accent": "cyan",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "info": "blue",
    "rule": "bright_black",
    "active": "cyan",
    "select": "reverse",
    "cursor": "reverse",
    "placeholder": "bright_black",
    "heading": "bold",
    "code": "cyan",
    "link": "underline blue",
    "hit": "black on yellow",
    "add": "green",
    "remove": "red",
    "add_word": "bold reverse green",
    "remove_word": "bold reverse red",
    "badge_normal": "reverse",
    "badge_plan": "bold black on blue",
    "badge_yolo": "bold white on red",
    "badge_vim": "bold black on green",
    "question": "bold yellow",
    "key": "bold cyan",
    "chip": "black on cyan",
    "folder": "bold blue",
    "shell": "bold magenta",
    "user": "bold",
    "mark": "cyan",
}


def _rgb(
    name: str,
    about: str,
    *,
    dark: bool,
    background: str,
    text: str,
    dim: str,
    accent: str,
    good: str,
    bad: str,
    warn: str,
    info: str,
    panel: str,
    code: str,
) -> Theme:
    ink = "#101010" if dark else "#ffffff"
    roles = {
        "text": text,
        "panel": panel,
        "dim": dim,
        "accent": accent,
        "good": good,
        "bad": bad,
        "warn": warn,
        "info": info,
        "rule": dim,
        "active": accent,
        "select": f"on {panel}",
        "cursor": "reverse",
        "placeholder": dim,
        "heading": f"bold {accent}",
        "code": info,
        "link": f"underline {info}",
        "hit": f"{ink} on {warn}",
        "add": good,
        "remove": bad,
        "add_word": f"bold {ink} on {good}",
        "remove_word": f"bold {ink} on {bad}",
        "badge_normal": f"{text} on {panel}",
        "badge_plan": f"bold {ink} on {info}",
        "badge_yolo": f"bold {ink} on {bad}",
        "badge_vim": f"bold {ink} on {good}",
        "question": f"bold {warn}",
        "key": f"bold {accent}",
        "chip": f"{ink} on {accent}",
        "folder": f"bold {info}",
        "shell": f"bold {warn}",
        "user": "bold",
        "mark": accent,
    }
    return Theme(name=name, about=about, dark=dark, background=background, roles=roles, code=code)


THEMES: dict[str, Theme] = {
    theme.name: theme
    for theme in (
        Theme(name="terminal", about="the terminal's own colours and background", roles=_ANSI),
        Theme(
            name="terminal-light",
            about="the same, with what cannot be read on white made darker",
            dark=False,
            roles={
                **_ANSI,
                "dim": "color(240)",
                "rule": "color(245)",
                "placeholder": "color(243)",
                "accent": "color(25)",
                "active": "color(25)",
                "warn": "color(94)",
                "question": "bold color(94)",
                "good": "color(28)",
                "add": "color(28)",
                "bad": "color(124)",
                "remove": "color(124)",
                "info": "color(25)",
                "code": "color(24)",
                "key": "bold color(25)",
                "mark": "color(25)",
                "chip": "white on color(25)",
                "shell": "bold color(90)",
                "badge_plan": "bold white on blue",
                "badge_vim": "bold white on color(28)",
            },
            code="ansi_light",
        ),
        Theme(
            name="ansi-16",
            about="sixteen colours and nothing that needs more",
            roles={**_ANSI, "dim": "default", "rule": "default", "placeholder": "default"},
        ),
        _rgb(
            "dusk",
            "dark, violet",
            dark=True,
            background="#16161e",
            text="#d5d8e6",
            dim="#7a7f99",
            accent="#b69cf6",
            good="#8fd18a",
            bad="#f28b94",
            warn="#e8c07d",
            info="#7fb8f0",
            panel="#2a2b3d",
            code="monokai",
        ),
        _rgb(
            "forest",
            "dark, green",
            dark=True,
            background="#101a16",
            text="#d3e0d8",
            dim="#7d9488",
            accent="#6fd3a7",
            good="#a4d86e",
            bad="#f0857d",
            warn="#e5c46b",
            info="#7cc3d8",
            panel="#1f3129",
            code="monokai",
        ),
        _rgb(
            "paper",
            "light, warm",
            dark=False,
            background="#fbf7ee",
            text="#33302a",
            dim="#857e70",
            accent="#8a4b08",
            good="#2f7d32",
            bad="#b3261e",
            warn="#8f6400",
            info="#1f5f9e",
            panel="#e9e1cf",
            code="default",
        ),
        _rgb(
            "snow",
            "light, cool",
            dark=False,
            background="#ffffff",
            text="#1f2430",
            dim="#6b7280",
            accent="#0b63c4",
            good="#18794e",
            bad="#c0262d",
            warn="#8a5a00",
            info="#5b46c9",
            panel="#e6ebf2",
            code="default",
        ),
        _rgb(
            "daltonised-dark",
            "dark; blue and orange instead of green and red",
            dark=True,
            background="#14171c",
            text="#dfe3ea",
            dim="#8b93a1",
            accent="#9ecbff",
            good="#56b4e9",
            bad="#e69f00",
            warn="#f0e442",
            info="#cc79a7",
            panel="#2a3038",
            code="monokai",
        ),
        _rgb(
            "daltonised-light",
            "light; blue and orange instead of green and red",
            dark=False,
            background="#ffffff",
            text="#20242b",
            dim="#68707d",
            accent="#0b4f9e",
            good="#0072b2",
            bad="#b35900",
            warn="#7a6a00",
            info="#8f3f71",
            panel="#e3e8ef",
            code="default",
        ),
        _rgb(
            "contrast-dark",
            "white on black, strong",
            dark=True,
            background="#000000",
            text="#ffffff",
            dim="#d0d0d0",
            accent="#ffff00",
            good="#00ff66",
            bad="#ff6b6b",
            warn="#ffd700",
            info="#66d9ff",
            panel="#3a3a3a",
            code="monokai",
        ),
        _rgb(
            "contrast-light",
            "black on white, strong",
            dark=False,
            background="#ffffff",
            text="#000000",
            dim="#303030",
            accent="#00329b",
            good="#005a1e",
            bad="#9b0000",
            warn="#6a4a00",
            info="#3b0086",
            panel="#c8c8c8",
            code="default",
        ),
    )
}

AUTO = "auto"
"""The theme that is chosen by the terminal's background."""


def theme_named(name: str, *, light: bool) -> Theme | None:
    """The theme of that name; for `auto` the one for this background."""
    if name == AUTO:
        return THEMES["terminal-light" if light else "terminal"]
    return THEMES.get(name)


class Look:
    """A theme, ready to draw with."""

    def __init__(self, theme: Theme, *, colour: bool = True, words_only: bool = False) -> None:
        self.theme = theme
        self.words_only = words_only
        """Whether nothing is drawn that a screen reader would read aloud in vain."""
        self.colour = colour
        self._styles: dict[str, Style] = {}
        own = colour and theme.background != "default"
        self.base = Style.parse(f"{theme.roles['text']} on {theme.background}") if own else Style()
        """Under everything that is drawn."""

    def __getitem__(self, role: str) -> Style:
        """The style of a role. Without colour, what is told apart by colour alone is bold, dim or reversed."""
        style = self._styles.get(role)
        if style is None:
            style = self.base + Style.parse(self.theme.roles.get(role, "") or "none")
            if not self.colour:
                style = _WITHOUT_COLOUR.get(role) or Style(
                    bold=style.bold, underline=style.underline, reverse=style.reverse or style.bgcolor is not None
                )
            self._styles[role] = style
        return style

    @property
    def background(self) -> Style:
        return Style(bgcolor=self.base.bgcolor)

    def hex(self, role: str) -> str:
        """The colour of a role, as a style sheet writes it."""
        colour = self[role].color
        return colour.name if colour is not None else "#808080"


_WITHOUT_COLOUR = {
    "dim": Style(dim=True),
    "placeholder": Style(dim=True),
    "rule": Style(dim=True),
    "bad": Style(bold=True),
    "active": Style(bold=True),
    "accent": Style(bold=True),
    "select": Style(reverse=True),
}


SYSTEMS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}


def first_frame_colours(look: Look, system: str | None) -> str:
    """What the first frame of the next start draws with: a line for the text, one for what is dim; "" for the
    terminal's own colours."""
    if look.base == Style() or system not in SYSTEMS:
        return ""
    drawn = (each.render("x", color_system=SYSTEMS[system]) for each in (look.base, look["dim"]))
    return "\n".join(text.partition("x")[0] for text in drawn)
