"""What is drawn reaches the terminal whole and in order, and nobody waits for a terminal that takes nothing."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from collections.abc import Iterator

import pytest

from protea.interfaces.tui.writer import Writer

PATIENCE = 30.0
MUCH = "".join(f"line {n}\n" for n in range(100_000))
"""More than a terminal keeps for one who does not read."""


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """(the terminal's end, the program's end)"""
    leader, follower = pty.openpty()
    tty.setraw(follower)
    yield leader, follower
    os.close(leader)
    os.close(follower)


def read(leader: int, size: int) -> str:
    found = b""
    while len(found) < size:
        assert select.select([leader], [], [], PATIENCE)[0], f"{len(found)} of {size} bytes came"
        found += os.read(leader, 1 << 16)
    return found.decode()


def test_what_the_terminal_takes_is_there_when_flush_returns(ends: tuple[int, int]) -> None:
    writer = Writer(ends[1])
    writer.write("one ")
    writer.write("frame")
    assert not select.select([ends[0]], [], [], 0)[0]
    before = threading.active_count()
    writer.flush()
    assert read(ends[0], 9) == "one frame"
    assert not writer.behind
    assert threading.active_count() == before
    writer.end()


def test_a_terminal_that_takes_nothing_holds_nobody_up_and_gets_everything_in_order(ends: tuple[int, int]) -> None:
    caught_up = threading.Event()
    writer = Writer(ends[1], caught_up=caught_up.set)
    for text in (MUCH, "then this", " and that"):
        writer.write(text)
        writer.flush()
    assert writer.behind
    assert read(ends[0], len(MUCH) + 18) == f"{MUCH}then this and that"
    assert caught_up.wait(PATIENCE)
    assert not writer.behind
    writer.end()


def test_the_end_waits_for_the_rest(ends: tuple[int, int]) -> None:
    writer = Writer(ends[1])
    writer.write(MUCH)
    ending = threading.Thread(target=writer.end)
    ending.start()
    assert read(ends[0], len(MUCH)) == MUCH
    ending.join(PATIENCE)
    assert not ending.is_alive()


def test_the_descriptor_that_others_share_stays_as_it_is(ends: tuple[int, int]) -> None:
    writer = Writer(ends[1])
    assert os.get_blocking(ends[1])
    writer.end()


def test_where_there_is_no_terminal_to_open_again_a_thread_writes() -> None:
    source, target = os.pipe()
    writer = Writer(target)
    writer.write("all the same")
    writer.flush()
    assert read(source, 12) == "all the same"
    writer.end()
    os.close(source)
    os.close(target)


def test_a_terminal_that_is_gone_is_not_an_error(ends: tuple[int, int]) -> None:
    leader, follower = pty.openpty()
    writer = Writer(follower)
    os.close(leader)
    writer.write("to nobody")
    writer.flush()
    assert not writer.behind
    writer.end()
    os.close(follower)
