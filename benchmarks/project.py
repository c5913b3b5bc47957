"""A project to work on and a home to work from, made for one measurement."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROTEA = [sys.executable, "-I", "-c", "import sys; from protea.cli import main; sys.exit(main())"]
"""What scripts/run starts, whatever installed the environment this runs in."""


def make_project(folder: Path, modules: int = 10) -> Path:
    """`src/module_N.py`, each with eight functions."""
    (folder / "src").mkdir(parents=True)
    for number in range(modules):
        body = [f"def function_{n}(value: int) -> int:\n    return {n + number}\n" for n in range(8)]
        (folder / f"src/module_{number}.py").write_text("\n\n".join(body))
    return folder


def make_home(folder: Path, addresses: dict[str, str]) -> dict[str, str]:
    """A home whose config names one provider per wire (`bench-openai-chat` …); the environment to run Protea in."""
    folder.mkdir(parents=True)
    rows = [
        f'[providers.bench-{api}]\napi = "{api}"\nbase_url = "{address}"\napi_key_env = "BENCH_KEY"\n'
        f"[providers.bench-{api}.models.one]\ncontext = 1000000\n"
        for api, address in addresses.items()
    ]
    (folder / "config.toml").write_text("\n".join(rows))
    environment = {"HOME": str(folder.parent), "PROTEA_HOME": str(folder), "BENCH_KEY": "k", "LANG": "C.UTF-8"}
    return {**environment, "PATH": os.environ["PATH"]}
