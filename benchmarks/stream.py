"""An answer of 20,000 tokens on each wire, beside the bare client."""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from measure import Report, paired, rounds, run
from project import PROTEA, make_home
from provider import TOKENS, WIRES, Provider

BARE = [sys.executable, "-I", str(Path(__file__).with_name("bare_client.py"))]


def main() -> None:
    report = Report(f"stream of {TOKENS} tokens")
    with tempfile.TemporaryDirectory() as folder, Provider("stream") as provider:
        environment = make_home(Path(folder, "home"), {api: provider.address(api) for api in WIRES})
        for api in WIRES:
            ours = [*PROTEA, "-p", "-m", f"bench-{api}/one", "Talk."]
            bare = [*BARE, api, provider.address(api), "one", "Talk."]
            pair = paired(
                partial(run, ours, cwd=folder, environment=environment),
                partial(run, bare, cwd=folder, environment=environment),
                rounds(5),
            )
            assert len({sample.out for sample in (*pair.ours, *pair.beside)}) == 1, api
            report.compare(f"{api} / the bare client", pair, 3.0)
            report.figure(f"{api}, processor", pair.ratio(lambda sample: sample.cpu), 3.0, "x")
    report.exit()


if __name__ == "__main__":
    main()
