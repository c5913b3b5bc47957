"""Tools that run something under another name than Bash meet the rules that are written for Bash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protea.adapters.permission import rules
from protea.domain.permission import Decision, PermissionRequest, RuleLayer, Verdict
from protea.domain.surroundings import Surroundings

AROUND = Surroundings(
    cwd="/srv/repo", root="/srv/repo", user_home="/home/u", protea_home="/home/u/.protea", environment={}
)


def decide(cwd: Path, tool: str, arguments: dict[str, Any], mode: str = "normal", **said: tuple[str, ...]) -> Decision:
    engine = rules.create(rules.Options(layers=(RuleLayer("flags", **said),)), surroundings=AROUND)
    return engine.decide(
        PermissionRequest(
            tool=tool,
            arguments=arguments,
            cwd=str(cwd),
            root=str(cwd),
            home=str(cwd.parent / "home"),
            mode=mode,  # type: ignore[arg-type]  # the tables say it right
        )
    )


MONITOR: list[tuple[str, dict[str, tuple[str, ...]], Verdict]] = [
    ("git push --force", {"allow": ("Monitor",), "deny": ("Bash(git push:*)",)}, "deny"),
    ("env x=1 git push", {"allow": ("Monitor", "Bash"), "deny": ("Bash(git push:*)",)}, "deny"),
    ("tail -f private.log", {"allow": ("Monitor",), "deny": ("Read(private.log)",)}, "deny"),
    ("tail -f .env", {"allow": ("Monitor",)}, "ask"),
    ("echo x > .git/hooks/pre-commit", {"allow": ("Monitor",)}, "ask"),
    ("make watch", {"allow": ("Bash(make watch)",)}, "allow"),
    ("make watch", {"allow": ("Monitor",)}, "allow"),
    ("make watch", {"allow": ("Bash",), "deny": ("Monitor",)}, "deny"),
    ("make watch", {"allow": ("Bash",), "ask": ("Monitor",)}, "ask"),
    ("make watch", {}, "ask"),
]


@pytest.mark.parametrize(("command", "said", "verdict"), MONITOR)
def test_a_command_that_is_monitored_is_decided_like_one_that_is_run(
    tmp_path: Path, command: str, said: dict[str, tuple[str, ...]], verdict: Verdict
) -> None:
    (tmp_path / ".env").write_text("KEY=1")
    decision = decide(tmp_path, "Monitor", {"command": command, "pattern": "x"}, **said)
    assert decision.verdict == verdict, decision


def test_plan_mode_monitors_nothing_that_is_not_known_to_read(tmp_path: Path) -> None:
    monitored = decide(tmp_path, "Monitor", {"command": "make", "pattern": "x"}, mode="plan", allow=("Monitor",))
    assert monitored.verdict == "deny"


CODE: list[tuple[str, dict[str, Any], Verdict]] = [
    ("a script", {"language": "shell", "code": "cd /tmp\nif true; then git push; fi"}, "deny"),
    ("a file beside it", {"language": "shell", "code": ". ./b", "files": {"b": "git push origin main"}}, "deny"),
    ("a long one", {"language": "shell", "code": "true\n" * 4000 + "git push"}, "deny"),
    ("what is kept from reading", {"language": "shell", "code": "cat /etc/private"}, "deny"),
    ("words in quotes", {"language": "shell", "code": "echo 'git push'"}, "allow"),
    ("something else", {"language": "shell", "code": "git status"}, "allow"),
    ("another language", {"language": "python", "code": "print('git push')"}, "allow"),
]


@pytest.mark.parametrize(("arguments", "verdict"), [each[1:] for each in CODE], ids=[each[0] for each in CODE])
def test_a_script_of_the_shell_meets_what_is_denied_to_bash(
    tmp_path: Path, arguments: dict[str, Any], verdict: Verdict
) -> None:
    said = {"allow": ("RunCode",), "deny": ("Bash(git push:*)", "Read(//etc/private)")}
    decision = decide(tmp_path, "RunCode", arguments, **said)
    assert decision.verdict == verdict, decision
