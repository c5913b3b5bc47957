"""A race from outside: two models of a loopback provider change the same project, and one of them is taken."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protea.domain.script import ScriptedCall
from protea.testing.loopback import LoopbackProvider, LoopbackReply, Status
from protea.testing.loopback.recording import Recorded
from tests.journeys.world import World

RUNNERS = "loop/left,loop/right"


class Track(World):
    """A project with a commit, a change that is not committed, and a file that is new."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LOOP_KEY="a-planted-secret", XDG_CACHE_HOME=str(folder / "cache"))
        self.git("add", "--all")
        self.git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "first")
        (self.project / "src/beta.py").write_text("y = 2  # TODO: three\n# not committed\n")
        (self.project / "new.txt").write_text("new\n")

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.project, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    def serve(self, provider: LoopbackProvider) -> None:
        (self.home / ".protea").mkdir(exist_ok=True)
        (self.home / ".protea/config.toml").write_text(
            'model = "loop/left"\n[providers.loop]\napi = "anthropic"\napi_key_env = "LOOP_KEY"\n'
            f'base_url = "{provider.url("anthropic")}"\n'
            "[providers.loop.models.left]\ncontext = 100000\nprice = { input = 1.0, output = 2.0 }\n"
            "[providers.loop.models.right]\ncontext = 100000\n"
        )

    def asked(self, *words: str) -> dict[str, Any]:
        done = self.run("-p", *words, "--output-format", "json")
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def trees(self) -> list[str]:
        return [
            line for line in self.git("worktree", "list", "--porcelain").splitlines() if line.startswith("worktree")
        ]


def edits(request: Recorded) -> ScriptedCall | LoopbackReply:
    """Each model does it in its own way, then says so."""
    body = request.body.decode()
    if '"tool_result"' in body:
        return LoopbackReply(text=f"I am {request.model} and it is done.")
    if request.model == "left":
        patch = (
            "*** Begin Patch\n*** Update File: src/beta.py\n-y = 2  # TODO: three\n+y = 3\n"
            "*** Add File: empty.txt\n*** Delete File: new.txt\n*** End Patch\n"
        )
        return ScriptedCall("Patch", {"patch": patch})
    return ScriptedCall("Write", {"path": "src/gamma.py", "content": "z = 4\n"})


@pytest.fixture
def track(tmp_path: Path) -> Iterator[Track]:
    made = Track(tmp_path)
    assert made.run("trust").returncode == 0  # else yolo asks as normal does
    with LoopbackProvider.in_thread([edits]) as provider:
        made.serve(provider)
        yield made


def test_runners_are_compared_and_the_changes_of_one_are_taken_and_can_be_undone(track: Track) -> None:
    raced = track.asked(f"/race {RUNNERS} make it better", "--permission-mode", "yolo")
    assert (raced["outcome"], raced["exit_code"]) == ("finished", 0)
    rows = raced["text"].splitlines()
    assert rows[0].split() == ["RUNNER", "ENDED", "TIME", "TOKENS", "COST", "CHANGED"]
    assert rows[1].split()[:3] == ["1", "loop/left", "finished"]
    assert rows[1].endswith("3 files, +1 -2")
    assert "$0." in rows[1]
    assert " -  " in rows[2], "a price that is not known is not made up"
    assert rows[2].endswith("1 file, +1 -0")
    assert "I am right and it is done." in raced["text"]
    # Nothing of it is in the project, and what was not committed is as it was.
    assert (track.project / "src/beta.py").read_text() == "y = 2  # TODO: three\n# not committed\n"
    assert track.git("status", "--porcelain") == " M src/beta.py\n?? new.txt\n"
    assert len(track.trees()) == 3

    assert "+z = 4" in track.asked("-c", "/race diff 2")["text"]
    taken = track.asked("-c", "/race pick 1", "--permission-mode", "yolo")
    assert taken["text"].startswith("Taken: 1 · loop/left.")
    assert (track.project / "src/beta.py").read_text() == "y = 3\n# not committed\n"
    assert not (track.project / "new.txt").exists()
    assert (track.project / "empty.txt").read_text() == ""
    assert not (track.project / "src/gamma.py").exists()
    assert len(track.trees()) == 1
    again = track.run("-p", "-c", "/race pick 1", "--permission-mode", "yolo")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "protea: There is no race that waits for a choice.\n"

    assert track.run("undo").returncode == 0
    assert (track.project / "src/beta.py").read_text() == "y = 2  # TODO: three\n# not committed\n"
    assert (track.project / "new.txt").read_text() == "new\n"
    assert track.git("stash", "list") == ""
    assert track.git("branch", "--list", "protea/*") == ""


def test_what_no_rule_allows_is_not_taken_and_nothing_is_dropped(track: Track) -> None:
    track.asked(f"/race {RUNNERS} make it better", "--permission-mode", "yolo")
    refused = track.asked("-c", "/race pick 2")
    assert (refused["outcome"], refused["exit_code"]) == ("denied", 5)
    assert refused["denied"][0]["tool"] == "Patch"
    assert not (track.project / "src/gamma.py").exists()
    taken = track.asked("-c", "/race pick 2", "--allow", "Edit(/src/**)")
    assert (taken["outcome"], (track.project / "src/gamma.py").read_text()) == ("finished", "z = 4\n")


def test_a_change_made_meanwhile_is_not_overwritten(track: Track) -> None:
    track.asked(f"/race {RUNNERS} make it better", "--permission-mode", "yolo")
    (track.project / "src/beta.py").write_text("y = 77\n")
    refused = track.asked("-c", "/race pick 1", "--permission-mode", "yolo")
    assert (refused["outcome"], refused["exit_code"]) == ("error", 1)
    assert refused["error"]["message"].startswith("Nothing was taken and nothing dropped.")
    assert (track.project / "src/beta.py").read_text() == "y = 77\n"
    assert (track.project / "new.txt").exists()
    again = track.asked("-c", f"/race {RUNNERS} again", "--permission-mode", "yolo")
    assert "waits for a choice" in again["error"]["message"]
    assert "dropped" in track.asked("-c", "/race drop")["text"]
    assert len(track.trees()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("/race", "each runner is a profile"),
        ("/race coding do it", "needs two runners or more"),
        ("/race coding,base", "needs a prompt"),
        ("/race codign,base do it", "there is no profile 'codign' to race; did you mean coding?"),
        ("/race coding@fast,base do it", "'coding@fast' is no runner"),
        ("/race pick two", "/race pick takes the number of a runner"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(track: Track, words: str, told: str) -> None:
    done = track.run("-p", words)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr


def test_one_that_cannot_run_does_not_keep_the_others(track: Track) -> None:
    raced = track.asked("/race loop/left,nowhere/model make it better", "--permission-mode", "yolo")
    assert raced["exit_code"] == 0
    rows = raced["text"].splitlines()
    assert rows[2].split()[:4] == ["2", "nowhere/model", "did", "not"]
    assert "I am left" in raced["text"]


def test_without_a_commit_there_is_no_race(tmp_path: Path) -> None:
    world = World(tmp_path)
    done = world.run("-p", "/race coding,base hello")
    assert (done.returncode, done.stdout) == (1, "")
    assert "A race needs a first commit to begin with" in done.stderr
    os.rename(world.project / ".git", world.project / "no-git")
    (world.project / ".protea").mkdir()
    assert "needs a git repository" in world.run("-p", "/race coding,base hello").stderr


@pytest.mark.parametrize("runners", ["nowhere/model,nowhere/else", "loop/left,loop/right"])
def test_a_race_that_nobody_finishes_fails_and_leaves_nothing_behind(track: Track, runners: str) -> None:
    with LoopbackProvider.in_thread([Status(status=400)]) as provider:
        track.serve(provider)
        done = track.run("-p", f"/race {runners} make it better")
        again = track.asked("-c", f"/race {runners} make it better")
    assert done.returncode == 2
    assert done.stdout.startswith("No runner came to an end.\n")
    assert done.stderr.endswith("protea: No runner came to an end.\n")
    assert len(track.trees()) == 1
    assert again["text"].startswith("No runner came to an end.\n"), "it does not wait for a choice among nothing"


def test_picking_who_changed_nothing_says_so_and_the_race_still_waits(track: Track) -> None:
    def lazy(request: Recorded) -> ScriptedCall | LoopbackReply:
        return edits(request) if request.model == "left" else LoopbackReply(text="It is good as it is.")

    with LoopbackProvider.in_thread([lazy]) as provider:
        track.serve(provider)
        track.asked(f"/race {RUNNERS} make it better", "--permission-mode", "yolo")
    refused = track.asked("-c", "/race pick 2", "--permission-mode", "yolo")
    assert (refused["outcome"], refused["exit_code"]) == ("error", 1)
    assert refused["error"]["message"].startswith("Runner 2 (loop/right) changed nothing: nothing was taken")
    assert len(track.trees()) == 3
    assert track.asked("-c", "/race pick 1", "--permission-mode", "yolo")["text"].startswith("Taken: 1 · loop/left.")


def test_where_nobody_changed_anything_there_is_nothing_to_pick(track: Track) -> None:
    with LoopbackProvider.in_thread(["It is good as it is."]) as provider:
        track.serve(provider)
        raced = track.asked(f"/race {RUNNERS} what is it?")
    assert raced["exit_code"] == 0
    assert raced["text"].endswith("Nobody changed anything: there is nothing to pick.")
    assert len(track.trees()) == 1


def test_slash_commands_work_without_a_screen(track: Track) -> None:
    assert track.run("-p", "/mode").stdout.startswith(">  normal")
    (track.home / ".protea/commands").mkdir()
    (track.home / ".protea/commands/hail.md").write_text("Say hello to $ARGUMENTS.\n")
    assert "it is done" in track.asked("/hail Ada", "--permission-mode", "yolo")["text"]
    missing = track.run("-p", "/theme dark")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "protea: /theme is for the full screen and the plain chat\n"
    # What only looks like one is a prompt.
    assert "it is done" in track.asked("/usr/bin/python3 is broken", "--permission-mode", "yolo")["text"]


def raced(track: Track) -> Path:
    """A race that waits for a choice, and where what is known of it lies."""
    assert track.run("-p", f"/race {RUNNERS} x", "--permission-mode", "yolo").returncode == 0
    (record,) = (track.home.parent / "cache/protea-worktrees/races").glob("*.json")
    return record


def test_a_deleted_session_says_where_what_its_runners_changed_is_kept(track: Track) -> None:
    record = raced(track)
    gone = track.run("sessions", "delete", record.stem)
    assert (gone.returncode, gone.stdout) == (0, f"deleted {record.stem}\n")
    folders = [line.removeprefix("worktree ") for line in track.trees()[1:]]
    assert len(folders) == 2
    kept = ", ".join(sorted(folders))
    assert gone.stderr == (
        f"protea: {record.stem} is deleted; what its agents changed is kept in {kept}; "
        "`git worktree remove --force FOLDER` removes one\n"
    )
    assert not record.exists()
    for folder in folders:
        track.git("worktree", "remove", "--force", folder)


@pytest.mark.parametrize("field", ["folder", "git"])
def test_what_is_known_of_a_race_that_was_written_by_another_removes_nothing(track: Track, field: str) -> None:
    record, precious = raced(track), track.home.parent / "precious"
    precious.mkdir()
    (precious / "file").touch()
    known = json.loads(record.read_text())
    known["ran"][0][field] = str(precious)
    record.write_text(json.dumps(known))
    dropped = track.run("-p", "-c", "/race drop")
    assert (dropped.returncode, dropped.stderr) == (1, "protea: There is no race that waits for a choice.\n")
    assert (precious / "file").exists()


def test_a_pipe_in_the_place_of_what_is_known_of_a_race_keeps_nobody_waiting(track: Track) -> None:
    record = raced(track)
    record.unlink()
    os.mkfifo(record)
    assert track.run("-p", "-c", "/race show").returncode == 1


def test_a_cache_that_is_no_whole_path_is_passed_over(track: Track) -> None:
    track.environment["XDG_CACHE_HOME"] = "relative/path"
    assert track.asked(f"/race {RUNNERS} x", "--permission-mode", "yolo")["text"].splitlines()[1].endswith("+1 -2")
    assert not (track.project / "relative").exists()
    assert (track.home / ".cache/protea-worktrees/races").is_dir()
