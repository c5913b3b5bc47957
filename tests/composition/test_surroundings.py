"""Where a session lives."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from protea.composition.surroundings import find_surroundings
from protea.domain.errors import UsageError


def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_the_root_is_the_nearest_folder_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "a" / ".git").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    around = find_surroundings(str(tmp_path / "a" / "b" / "c"), (), env(tmp_path))
    assert (around.root, around.cwd) == (str(tmp_path / "a"), str(tmp_path / "a" / "b" / "c"))


def test_a_mark_in_the_home_directory_makes_no_project_of_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".protea").mkdir()
    (tmp_path / "a").mkdir()
    assert find_surroundings(str(tmp_path / "a"), (), env(tmp_path)).root == str(tmp_path / "a")


def test_links_are_followed_to_the_real_place(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find_surroundings(str(tmp_path / "link"), (), env(tmp_path)).cwd == str(tmp_path / "real")


def test_more_directories_are_taken_from_where_we_are(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert find_surroundings(str(tmp_path / "a"), ["../b"], env(tmp_path)).add_dirs == (str(tmp_path / "b"),)


@pytest.mark.parametrize(("name", "words"), [("missing", "no directory"), ("file", "a file, not a directory")])
def test_what_is_no_directory_is_said(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=words):
        find_surroundings(str(tmp_path / name), (), env(tmp_path))


def test_the_home_of_protea_can_be_moved(tmp_path: Path) -> None:
    moved = {**env(tmp_path), "PROTEA_HOME": str(tmp_path / "elsewhere")}
    assert find_surroundings(str(tmp_path), (), moved).protea_home == str(tmp_path / "elsewhere")
    assert find_surroundings(str(tmp_path), (), env(tmp_path)).protea_home == str(tmp_path / ".protea")


@pytest.mark.parametrize("home", [None, "", ".", "relative/home"])
def test_a_home_that_is_none_is_looked_up_and_is_never_the_root_of_the_disk(tmp_path: Path, home: str | None) -> None:
    environment = {} if home is None else {"HOME": home}
    around = find_surroundings(str(tmp_path), (), environment)
    assert around.user_home == os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    assert around.protea_home == around.user_home + "/.protea"
