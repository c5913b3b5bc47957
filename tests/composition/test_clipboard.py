"""What a screen copies with where nobody has said."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.composition.launch import Launch
from protea.composition.root import Given, Root


def chosen(folder: Path, *, screen: bool = True, set: tuple[str, ...] = (), **environment: str) -> str:
    launch = Launch(
        cwd=str(folder),
        environment={"HOME": str(folder), "PROTEA_HOME": str(folder / "home"), **environment},
        warn=lambda text: None,
        screen=screen,
        set=set,
    )
    root = Root(launch, Given())
    return root._chosen(root.settings)["clipboard"][0]


@pytest.mark.parametrize(
    ("environment", "adapter"),
    [
        ({"DISPLAY": ":0"}, "system"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "system"),
        ({"SSH_CONNECTION": "a 1 b 2"}, "osc52"),
        ({"SSH_CONNECTION": "a 1 b 2", "DISPLAY": "localhost:10.0"}, "system"),
        ({"DISPLAY": ":0", "TERM_PROGRAM": "protea-web"}, "osc52"),
    ],
)
def test_the_desktops_where_there_is_one_else_the_terminals(
    tmp_path: Path, environment: dict[str, str], adapter: str
) -> None:
    assert chosen(tmp_path, **environment) == adapter


def test_what_is_set_counts_and_nothing_is_copied_where_there_is_no_screen(tmp_path: Path) -> None:
    assert chosen(tmp_path, set=("ports.clipboard.adapter=none",), DISPLAY=":0") == "none"
    assert chosen(tmp_path, screen=False, DISPLAY=":0") == "none"
