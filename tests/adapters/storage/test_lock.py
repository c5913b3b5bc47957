"""Who holds a session: a lock that no death leaves behind, and a number that tells nothing."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from protea.adapters.storage._lock import SessionLock, held
from protea.domain.errors import SessionError


def test_the_number_of_a_dead_process_that_is_anothers_by_now_keeps_nobody_out(tmp_path: Path) -> None:
    lock, over = tmp_path / "lock", threading.Event()
    lock.touch()

    def look() -> None:
        """As whoever lists sessions does, again and again."""
        with lock.open() as looking:
            while not over.is_set():
                fcntl.flock(looking, fcntl.LOCK_SH)
                fcntl.flock(looking, fcntl.LOCK_UN)
                over.wait(0.0001)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(500):
            lock.write_text(f"{os.getppid()}\n")  # it lives, and has nothing to do with the session
            SessionLock(str(tmp_path), "s").release()
    finally:
        over.set()
        looker.join()


def test_who_holds_it_is_named(tmp_path: Path) -> None:
    lock = SessionLock(str(tmp_path), "s")
    assert held(str(tmp_path))
    with pytest.raises(SessionError, match=f"in use by process {os.getpid()}"):
        SessionLock(str(tmp_path), "s")
    lock.release()
    assert not held(str(tmp_path))
