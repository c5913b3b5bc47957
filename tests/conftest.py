"""What every test stands on: no key, no server, no home and no project of whoever runs the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that a run that passed passes again; HYPOTHESIS_PROFILE=wild looks for new ones.
settings.register_profile("steady", derandomize=True)
settings.register_profile("wild", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Modules of checks that a test file calls: else a failure does not say what was found.
pytest.register_assert_rewrite("tests.journeys.long_day")

OUTSIDE = ("_API_KEY", "_BASE_URL", "_PROXY", "_proxy")
FOREIGN = ("OLLAMA_HOST", "TELEGRAM_BOT_TOKEN", "NO_COLOR", "FORCE_COLOR", "XDG_RUNTIME_DIR")


@pytest.fixture(scope="session", autouse=True)
def _nothing_from_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The environment as a newcomer's, for code in this process and for what it starts."""
    # A shell that starts the tests in the background has them ignore interrupts, and all they start would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    before = dict(os.environ)
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith("PROTEA_") or name.endswith(OUTSIDE) or name in FOREIGN:
            del os.environ[name]
    os.environ.update(
        HOME=str(home),
        PROTEA_HOME=str(home / ".protea"),
        # Where no test means to reach a server, none is reached: a local Ollama must not answer for us.
        OLLAMA_HOST="http://127.0.0.1:9",
        LANG="C.UTF-8",
        TZ="UTC",
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_SYSTEM=os.devnull,
        GIT_AUTHOR_NAME="Test",
        GIT_AUTHOR_EMAIL="test@example.invalid",
        GIT_COMMITTER_NAME="Test",
        GIT_COMMITTER_EMAIL="test@example.invalid",
    )
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Recorded provider traffic that lies beside the checkout; third-party data, never copied into it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: put them beside the checkout to run this test")
    return folder
