"""What many kinds of content look like: see `screens`."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.themes import THEMES, Look
from protea.interfaces.tui.transcript.cells import clean
from protea.interfaces.tui.transcript.colouring import Colouring
from protea.interfaces.tui.transcript.palette import Palette
from tests.interfaces.tui.transcript.screens import CONTENT, GOLDEN, WIDTHS, drawn, rows_of


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CONTENT)
def test_it_looks_as_it_did(name: str, width: int) -> None:
    assert drawn(name, width) == (GOLDEN / f"{name}-{width}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("theme", THEMES)
def test_every_role_has_a_look_in_every_theme(theme: str, colour: bool) -> None:
    palette = Palette(Look(THEMES[theme], colour=colour))
    for name in CONTENT:
        for row in rows_of(name, 80):
            for _, roles, link in (*row.spans, ("", row.fill, ""), *((row.tail,) if row.tail else ())):
                style = palette.of(roles + " gone", link)
                assert (style.link or "") == link
                assert colour or (style.color is None or style.color.is_default)


@pytest.mark.parametrize(
    "language", ["python", "rust", "bash", "json", "html", "diff", "console", "toml", "ts", "c", "sql"]
)
def test_coloured_code_is_the_same_code_in_roles_that_have_a_look(language: str) -> None:
    code = 'def f(x: int = 1) -> str:  # note\n\n    return "a\tb" + str(x)\n+ added\n- gone\n@x\n<b c="d">\n'
    palette = Palette(Look(THEMES["dusk"]))
    lines = Colouring().lines(code, language)
    assert lines is not None
    assert "\n".join("".join(text for text, _, _ in line) for line in lines) == clean(code)
    for line in lines:
        for _, roles, _ in line:
            palette.of(roles)


def test_a_language_nobody_knows_has_no_colours() -> None:
    assert Colouring().lines("x", "no-such-language") is None
