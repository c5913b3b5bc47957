"""One prompt and one answer, headless, beside the bare client on the same provider; and the memory it takes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Report, median, paired, rounds, run
from project import PROTEA, make_home, make_project
from provider import Provider

BARE = [sys.executable, "-I", str(Path(__file__).with_name("bare_client.py"))]


def main() -> None:
    report = Report("hello")
    with tempfile.TemporaryDirectory() as folder, Provider("hello") as provider:
        address = provider.address("openai-chat")
        project = str(make_project(Path(folder, "project")))
        environment = make_home(Path(folder, "home"), {"openai-chat": address})
        ours = [*PROTEA, "-p", "-m", "bench-openai-chat/one", "Say hello."]
        bare = [*BARE, "openai-chat", address, "one", "Say hello."]
        pair = paired(
            lambda: run(ours, cwd=project, environment=environment),
            lambda: run(bare, cwd=project, environment=environment),
            rounds(30),
        )
        assert {sample.out for sample in (*pair.ours, *pair.beside)} == {b"Hello. What shall we do?\n"}
        report.compare("a headless hello / the bare client", pair, 2.2)
        report.figure("memory at its highest", median(pair.ours, lambda sample: sample.peak), 45, "MB")
    report.exit()


if __name__ == "__main__":
    main()
