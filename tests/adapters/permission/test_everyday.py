"""Questions nobody needs: everyday commands under a usual set of rules."""

from __future__ import annotations

from tests.adapters.permission.cases import CASES
from tests.adapters.permission.scenery import Scenery

USUAL = (
    "Bash(npm test)",
    "Bash(npm run test:*)",
    "Bash(npm run build)",
    "Bash(npm run lint:*)",
    "Bash(npm ci)",
    "Bash(pytest:*)",
    "Bash(python -m pytest:*)",
    "Bash(ruff:*)",
    "Bash(mypy:*)",
    "Bash(make:*)",
    "Bash(cargo test:*)",
    "Bash(cargo build:*)",
    "Bash(cargo check:*)",
    "Bash(go test:*)",
    "Bash(go build:*)",
    "Bash(go vet:*)",
    "Bash(git add:*)",
    "Bash(git commit:*)",
    "Bash(mkdir:*)",
    "Edit(**)",
)
BUILDING = [
    *["npm test", "npm run test", "npm run build", "npm run lint", "npm run lint -- --fix", "npm ci", "npm test 2>&1"],
    *["pytest", "pytest -q", "pytest -x tests/test_a.py", "pytest -k 'a and b'", "pytest -q 2>&1 | tail -30"],
    *["python -m pytest -q", "ruff check .", "ruff check src --fix", "ruff format .", "mypy src", "mypy --strict src"],
    *[
        "make",
        "make test",
        "make -j4",
        "make clean all",
        "cargo test",
        "cargo test --workspace",
        "cargo build --release",
    ],
    *[
        "cargo check",
        "go test ./...",
        "go build ./cmd/x",
        "go vet ./...",
        "git add .",
        "git add -A",
        "git add src/app.py",
    ],
    *["git commit -m 'a message'", "git commit -am 'fix: b'", "git add . && git commit -m 'x'", "mkdir -p build/x"],
    *[
        "PYTHONPATH=src pytest -q",
        "PYTHONPATH=src:lib python -m pytest",
        "cd src && PYTHONPATH=.. pytest",
        "pip freeze",
    ],
    *["CI=1 npm test", "NODE_ENV=production npm run build", "timeout 300 pytest -q", "time make", "npm ci && npm test"],
    *["cd packages/api && npm test", "cd src && pytest", "ruff check . && mypy src && pytest -q", "pytest || true"],
    *["npm run build > build.log 2>&1", "npm run build > /dev/null", "pytest -q; echo $?", "make 2>&1 | tee /dev/null"],
    *[
        "echo 'x' > notes.txt",
        "echo '# done' >> README.md",
        "cat <<'EOF' > notes.md\nhello $x\nEOF",
        "make test | grep -c ok",
    ],
    *["RUST_BACKTRACE=1 cargo test", "LC_ALL=C make", "nice -n 10 make", "make --version", "cargo test -- --nocapture"],
]
NEEDED = {"make 2>&1 | tee /dev/null"}
"""Asked about with reason: tee is a writer, and no rule names it."""


def test_everyday_commands_are_not_asked_about(scenery: Scenery) -> None:
    looking = [call for call in CASES[("bare", "allow")] if isinstance(call, str)]
    commands = [*looking, *BUILDING]
    assert len(commands) >= 150
    asked = []
    for command in commands:
        text = command.replace("{root}", scenery.root).replace("{home}", scenery.home)
        decision = scenery.bash(text, allow=USUAL, deny=["Bash(rm:*)", "Bash(git push:*)", "Read(~/.ssh/**)"])
        if decision.verdict != "allow" and command not in NEEDED:
            asked.append((command, decision.why))
    assert asked == []
