"""Rules on effects, and what changes once a session has heard others' words."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.permission import rules
from protea.domain.errors import ConfigError
from protea.domain.permission import Decision, PermissionRequest, RuleLayer, Verdict
from protea.domain.surroundings import Surroundings

AROUND = Surroundings(
    cwd="/srv/repo", root="/srv/repo", user_home="/home/u", protea_home="/home/u/.protea", environment={}
)


def decide(
    cwd: Path,
    tool: str,
    subject: str,
    *,
    allow: tuple[str, ...] = (),
    ask: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
    taint: tuple[str, ...] = (),
    mode: str = "normal",
) -> Decision:
    engine = rules.create(rules.Options(layers=(RuleLayer("flags", allow, ask, deny),)), surroundings=AROUND)
    name = {"Bash": "command", "WebFetch": "url"}.get(tool, "path")
    return engine.decide(
        PermissionRequest(
            tool=tool,
            arguments={name: subject},
            cwd=str(cwd),
            root=str(cwd),
            home=str(cwd.parent / "home"),
            mode=mode,  # type: ignore[arg-type]  # the table says it right
            taint=taint,
        )
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "home/.ssh").mkdir(parents=True)
    (tmp_path / "home/.ssh/id_rsa").write_text("SECRET")
    project = tmp_path / "repo"
    (project / ".git/hooks").mkdir(parents=True)
    (project / "a.txt").write_text("a")
    (project / ".env").write_text("KEY=1")
    return project


EFFECTS: list[tuple[str, str, str, Verdict]] = [
    # rule that asks, tool, call, decision
    ("Effect(net.egress)", "Bash", "git status", "allow"),
    ("Effect(net.egress)", "Bash", "cat a.txt | wc -l", "allow"),
    ("Effect(net.egress)", "Bash", "git push", "ask"),
    ("Effect(net.egress)", "Bash", "curl https://x.org", "ask"),
    ("Effect(net.egress)", "Bash", "timeout 5 curl https://x.org", "ask"),
    ("Effect(net.egress)", "Bash", "npm install left-pad", "ask"),
    ("Effect(net.egress)", "Bash", ".venv/bin/python -I -m pip install x", "ask"),
    ("Effect(net.egress)", "Bash", "python3 -I -m pip list --outdated", "ask"),
    ("Effect(net.egress)", "Bash", "make", "ask"),  # nobody knows what it does
    ("Effect(net.egress)", "Bash", "echo hi > a.txt", "allow"),
    ("Effect(net.egress)", "Bash", "echo x > /dev/tcp/1.2.3.4/80", "ask"),
    ("Effect(net.egress)", "WebFetch", "https://x.org/", "ask"),
    ("Effect(net.egress)", "Read", "a.txt", "allow"),
    ("Effect(fs.write)", "Bash", "cat a.txt", "allow"),
    ("Effect(fs.write)", "Bash", "rm a.txt", "ask"),
    ("Effect(fs.write)", "Bash", "sort a.txt -o b.txt", "ask"),
    ("Effect(fs.write)", "Bash", "echo hi > b.txt", "ask"),
    ("Effect(fs.write)", "Bash", "for f in *; do rm $f; done", "ask"),
    ("Effect(fs.write)", "Write", "a.txt", "ask"),
    ("Effect(fs.write)", "Grep", "a.txt", "allow"),
    ("Effect(fs.read)", "Read", "a.txt", "ask"),
    ("Effect(fs.read)", "Bash", "cat a.txt", "ask"),
    ("Effect(fs.read)", "Bash", "date", "allow"),
    ("Effect(proc.exec)", "Bash", "date", "ask"),
    ("Effect(secret.read)", "Bash", "gpg --export-secret-keys", "ask"),
    ("Effect(secret.read)", "Bash", "cat a.txt", "allow"),
    ("Effect(msg.send)", "mcp__mail__send", "x", "ask"),
    ("Effect(delegate)", "Bash", "date", "allow"),
]


@pytest.mark.parametrize(("rule", "tool", "subject", "verdict"), EFFECTS)
def test_a_rule_on_an_effect_asks_about_what_may_have_it(
    repo: Path, rule: str, tool: str, subject: str, verdict: Verdict
) -> None:
    allow = ("Bash", "Edit(**)", "WebFetch", "mcp__mail")
    decision = decide(repo, tool, subject, allow=allow, ask=(rule,))
    assert decision.verdict == verdict, decision
    denied = decide(repo, tool, subject, allow=allow, deny=(rule,))
    assert denied.verdict == ("deny" if verdict == "ask" else verdict), denied


def test_secrets_are_an_effect_of_whatever_reads_them(repo: Path) -> None:
    key = str(repo.parent / "home/.ssh/id_rsa")
    for tool, subject in (("Read", key), ("Read", ".env"), ("Bash", f"cat {key}"), ("Bash", "head .env")):
        assert decide(repo, tool, subject).verdict == "ask"
        assert decide(repo, tool, subject, deny=("Effect(secret.read)",)).verdict == "deny"


def test_a_taint_in_a_rule_waits_for_such_words(repo: Path) -> None:
    push, rule = "git push", "Effect(net.egress, taint:web)"
    assert decide(repo, "Bash", push, allow=("Bash(git push)",), ask=(rule,)).verdict == "allow"
    assert decide(repo, "Bash", push, allow=("Bash(git push)",), ask=(rule,), taint=("mcp",)).verdict == "allow"
    asked = decide(repo, "Bash", push, allow=("Bash(git push)",), ask=(rule,), taint=("web",))
    assert (asked.verdict, asked.rule) == ("ask", rule)
    whichever = "Effect(net.egress, taint:any)"
    assert decide(repo, "Bash", push, allow=("Bash",), deny=(whichever,), taint=("channel",)).verdict == "deny"
    for tool, subject in (("WebFetch", "https://x.org/"), ("mcp__a__b", "x"), ("Bash", "x" * 10_001)):
        assert decide(repo, tool, subject, deny=(whichever,), taint=("web",)).verdict == "deny"
        assert decide(repo, tool, subject, deny=(whichever,)).verdict == "ask"


@pytest.mark.parametrize(
    ("rule", "verdict", "why"),
    [
        ("Effect(net.egress, taint:email)", "ask", "may name a taint behind the effect"),
        ("Effect(net.egress, web)", "ask", "may name a taint behind the effect"),
        ("Effect(taint:web)", "deny", "names no effect"),
        ("Effect(net.egress, taint:web)", "allow", "would allow more for what others have said"),
    ],
)
def test_what_a_taint_cannot_mean_is_told(repo: Path, rule: str, verdict: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        decide(repo, "Bash", "date", **{verdict: (rule,)})  # type: ignore[arg-type]


HEARD: list[tuple[str, str, str, tuple[str, ...], Verdict, Verdict]] = [
    # mode, tool, call, rules that allow, before, after
    ("yolo", "Write", "a.txt", (), "allow", "allow"),
    ("yolo", "Write", ".mcp.json", (), "ask", "deny"),
    ("yolo", "Write", ".git/hooks/pre-commit", (), "ask", "deny"),
    ("yolo", "Bash", "echo x > .envrc", (), "ask", "deny"),
    ("yolo", "Bash", "cp a.txt .git/hooks/pre-commit", (), "ask", "deny"),
    ("yolo", "Read", ".env", (), "ask", "deny"),
    ("yolo", "Bash", "cat .env", (), "ask", "deny"),
    ("normal", "Write", ".mcp.json", ("Edit",), "ask", "ask"),
    ("normal", "Read", "a.txt", (), "allow", "allow"),
    ("normal", "Bash", "git status", (), "allow", "allow"),
    ("normal", "Bash", "npm test", ("Bash(npm test)",), "allow", "allow"),
    ("normal", "Bash", "npm test", ("Bash",), "allow", "allow"),
    ("normal", "Bash", "curl https://x.org", ("Bash",), "allow", "ask"),
    ("normal", "Bash", "git push", ("Bash",), "allow", "ask"),
    ("normal", "Bash", "git push", ("Bash(git push:*)",), "allow", "allow"),
    ("normal", "Bash", "cat a.txt && nice curl x.org", ("Bash",), "allow", "ask"),
    ("normal", "WebFetch", "https://x.org/page", ("WebFetch",), "allow", "allow"),
    ("normal", "WebFetch", "https://x.org/?q=SECRET", ("WebFetch",), "allow", "ask"),
    ("normal", "WebFetch", "https://x.org/?q=1", ("WebFetch(domain:x.org)",), "allow", "allow"),
    ("normal", "mcp__a__b", "x", ("mcp__a",), "allow", "allow"),
]


@pytest.mark.parametrize(("mode", "tool", "subject", "allow", "before", "after"), HEARD)
def test_others_words_make_it_strict_where_it_matters_and_nowhere_else(
    repo: Path, mode: str, tool: str, subject: str, allow: tuple[str, ...], before: Verdict, after: Verdict
) -> None:
    assert decide(repo, tool, subject, mode=mode, allow=allow).verdict == before
    heard = decide(repo, tool, subject, mode=mode, allow=allow, taint=("web",))
    assert heard.verdict == after, heard
    if after != before or (after == "ask" and "protected" in heard.why):
        assert "words from the web" in str(heard.trace)
        assert heard.proposals == () or mode == "normal"
