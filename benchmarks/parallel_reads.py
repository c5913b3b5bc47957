"""Eight files read by the calls of one reply, beside the bare client."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Report, paired, rounds, run
from project import PROTEA, make_home, make_project
from provider import Provider

BARE = [sys.executable, "-I", str(Path(__file__).with_name("bare_client.py"))]


def main() -> None:
    report = Report("eight reads in one reply")
    with tempfile.TemporaryDirectory() as folder, Provider("reads") as provider:
        address = provider.address("openai-chat")
        project = make_project(Path(folder, "project"))
        environment = make_home(Path(folder, "home"), {"openai-chat": address})
        ours = [*PROTEA, "-p", "-m", "bench-openai-chat/one", "Read."]
        bare = [*BARE, "openai-chat", address, "one", "Read."]
        pair = paired(
            lambda: run(ours, cwd=str(project), environment=environment),
            lambda: run(bare, cwd=str(project), environment=environment),
            rounds(15),
        )
        assert {sample.out for sample in (*pair.ours, *pair.beside)} == {b"All read.\n"}
        report.compare("8 reads / the bare client", pair, 2.5)
        report.figure("processor", pair.ratio(lambda sample: sample.cpu), 2.5, "x")
    report.exit()


if __name__ == "__main__":
    main()
