"""Protea from outside: a process of its own, a home and a project of its own, what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROTEA = [sys.executable, "-I", "-c", "import sys; from protea.cli import main; sys.exit(main())"]


class World:
    """A home that nobody has used, and a small project under version control."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.home.mkdir()
        (self.project / "src").mkdir(parents=True)
        (self.project / "src/alpha.py").write_text("# TODO: one\nx = 1\n# TODO: two\n")
        (self.project / "src/beta.py").write_text("y = 2  # TODO: three\n")
        # Else a folder above would be taken for the project's root, if someone had left a `.protea` there.
        subprocess.run(["git", "init", "-q", self.project], check=True)
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "OLLAMA_HOST": "http://127.0.0.1:9",
            **environment,
        }

    def speak_to(self, url: str, more: str = "") -> None:
        """Let it ask what speaks Anthropic's wire there, as `loop/m`; its key is in `LOOP_KEY`. `more` settings."""
        (self.home / ".protea").mkdir(exist_ok=True)
        (self.home / ".protea/config.toml").write_text(
            'model = "loop/m"\n[providers.loop]\napi = "anthropic"\napi_key_env = "LOOP_KEY"\n'
            f'base_url = "{url}"\n[providers.loop.models.m]\ncontext = 100000\n{more}'
        )

    def start(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*PROTEA, *words],
            cwd=self.project,
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROTEA, *words],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def events(self, *words: str) -> list[dict[str, Any]]:
        """What `-p` with these words tells, event by event; the last one is the result."""
        done = self.run("-p", "--output-format", "stream-json", *words)
        assert done.stderr == "", done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def logs(self) -> Sequence[Path]:
        return sorted((self.home / ".protea/sessions").glob("*/events.jsonl"))
