"""Twenty calls one after the other (reads, greps, shell, an edit), beside the bare client; and how much is sent."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Report, Sample, median, paired, rounds, run
from project import PROTEA, make_home, make_project
from provider import Provider

BARE = [sys.executable, "-I", str(Path(__file__).with_name("bare_client.py"))]
ALLOWED = ("--allow", "Bash(wc:*)", "--allow", "Edit(src/**)")


def main() -> None:
    report = Report("tool turns")
    with tempfile.TemporaryDirectory() as folder, Provider("turns") as provider:
        address = provider.address("openai-chat")
        project = make_project(Path(folder, "project"))
        edited = project / "src/module_5.py"
        before = edited.read_text()
        environment = make_home(Path(folder, "home"), {"openai-chat": address})
        sent: list[int] = []

        def once(command: list[str]) -> Sample:
            edited.write_text(before)
            sample = run(command, cwd=str(project), environment=environment)
            seen = provider.seen()
            assert seen["requests"] == 21, seen
            assert edited.read_text() != before, "the edit was not made"
            sent.append(seen["bytes"])
            return sample

        ours = [*PROTEA, "-p", *ALLOWED, "-m", "bench-openai-chat/one", "Do it."]
        bare = [*BARE, "openai-chat", address, "one", "Do it."]
        pair = paired(lambda: once(ours), lambda: once(bare), rounds(15))
        assert {sample.out for sample in (*pair.ours, *pair.beside)} == {b"All done.\n"}
        report.compare("20 tool turns / the bare client", pair, 2.5)
        report.figure("sent in all", max(sent[::2]) / 1000, 300, "kB", f"the bare client {sent[-1] / 1000:.0f} kB")
        report.figure("memory at its highest", median(pair.ours, lambda sample: sample.peak), None, "MB")
    report.exit()


if __name__ == "__main__":
    main()
