"""Logs that were cut, flipped, filled with garbage: the longest sound beginning loads, the rest is kept and told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protea.adapters.storage.jsonl import JsonlStore
from protea.domain.errors import SessionError, StoreError
from protea.domain.event_codec import encode
from protea.testing.contracts.session_store import conversation, notices

COUNT = 10
Damage = Callable[[bytes], bytes]


def filled(tmp_path: Path, count: int = COUNT) -> tuple[JsonlStore, Path]:
    store = JsonlStore(str(tmp_path / "sessions"))
    log = store.create("s1")
    log.append(notices("s1", 1, count), durable=False)
    log.close()
    return store, tmp_path / "sessions" / "s1" / "events.jsonl"


def line(number: int) -> Callable[[bytes], tuple[int, int]]:
    def span(data: bytes) -> tuple[int, int]:
        lines = data.splitlines(keepends=True)
        begin = sum(map(len, lines[: number - 1]))
        return begin, begin + len(lines[number - 1])

    return span


def replaced(number: int, by: bytes) -> Damage:
    def damage(data: bytes) -> bytes:
        begin, end = line(number)(data)
        return data[:begin] + by + data[end:]

    return damage


def flipped(number: int, at: int) -> Damage:
    def damage(data: bytes) -> bytes:
        begin, _ = line(number)(data)
        return data[: begin + at] + bytes([data[begin + at] ^ 0x80]) + data[begin + at + 1 :]

    return damage


@pytest.mark.parametrize(
    ("damage", "kept", "lost", "whole"),
    [
        pytest.param(lambda data: data[:-7], 9, "1 event", False, id="cut in the last line"),
        pytest.param(lambda data: data + b'{"type":"no', 10, "1 event", False, id="torn next line"),
        pytest.param(lambda data: data + b"\0" * 5000, 10, "5000 empty bytes", False, id="zeros after the end"),
        pytest.param(lambda data: data[:-7] + b"\0" * 5000, 9, "1 event", False, id="zeros in the last line"),
        pytest.param(flipped(10, 30), 9, "1 event", False, id="flipped bit in the last line"),
        pytest.param(flipped(4, 30), 3, "7 events", True, id="flipped bit in the middle"),
        pytest.param(flipped(1, 0), 0, "10 events", True, id="flipped bit at the beginning"),
        pytest.param(replaced(5, b"garbage\n"), 4, "6 events", True, id="bad line"),
        pytest.param(replaced(5, b""), 4, "6 events", True, id="missing line"),
        pytest.param(replaced(5, b"{}\n"), 4, "6 events", True, id="a line that is no event"),
        pytest.param(lambda data: data[: line(5)(data)[0]] + data, 4, "events", True, id="lines twice"),
        pytest.param(lambda data: b"\0" * len(data), 0, "empty bytes", False, id="all zeros"),
        pytest.param(lambda data: b"MZ\x90\0" * 300, 0, "1 event", False, id="another file altogether"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data[:-7], 9, "1 event", False, id="byte order mark and cut"),
    ],
)
def test_the_longest_sound_beginning_loads_and_the_rest_is_kept(
    tmp_path: Path, damage: Damage, kept: int, lost: str, whole: bool
) -> None:
    store, path = filled(tmp_path)
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    assert [event.seq for event in store.read("s1")] == [*range(1, kept + 1)]
    assert [event.seq for event in store.tail("s1", 3)] == [*range(1, kept + 1)][-3:]

    log = store.open("s1")
    assert log.last == kept
    assert log.mended is not None
    assert lost in log.mended
    aside = path.with_name("events.jsonl.damaged-1")
    assert str(aside) in log.mended
    assert aside.stat().st_mode & 0o777 == 0o600
    if whole:
        assert aside.read_bytes() == broken
    else:
        assert broken.endswith(aside.read_bytes())
    assert [event.seq for event in log.read()] == [*range(1, kept + 1)]
    log.append(notices("s1", kept + 1, kept + 2), durable=True)
    log.close()

    again = store.open("s1")
    assert again.mended is None
    assert [event.seq for event in again.read()] == [*range(1, kept + 3)]
    again.close()
    (summary,) = store.list()
    assert summary.events == kept + 2


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(lambda data: data[:-1], None, id="only the last line's end is missing"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, "byte order mark", id="byte order mark"),
        pytest.param(lambda data: data.replace(b"\n", b"\n\n"), "blank lines", id="blank lines"),
        pytest.param(lambda data: b"\n \r\n" + data + b"\n\n", "blank lines", id="blank lines at both ends"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), None, id="line ends of another system"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\n\n")[:-2], "byte", id="all of it"),
    ],
)
def test_what_loses_nothing_is_mended_without_loss(tmp_path: Path, damage: Damage, said: str | None) -> None:
    store, path = filled(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert [event.seq for event in store.read("s1")] == [*range(1, COUNT + 1)]
    assert [event.seq for event in store.read("s1", 7)] == [8, 9, 10]
    assert [event.seq for event in store.tail("s1", 2)] == [9, 10]
    log = store.open("s1")
    assert (log.mended is None) == (said is None)
    assert said is None or said in (log.mended or "")
    log.append(notices("s1", COUNT + 1, COUNT + 1), durable=False)
    assert [event.seq for event in log.read()] == [*range(1, COUNT + 2)]
    assert [event.seq for event in log.tail(2)] == [COUNT, COUNT + 1]
    log.close()
    assert not [name for name in os.listdir(path.parent) if "damaged" in name or "mending" in name]


def test_an_empty_log_opens_and_says_so(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    path.write_bytes(b"")
    assert list(store.read("s1")) == []
    assert list(store.tail("s1", 5)) == []
    log = store.open("s1")
    assert log.last == 0
    assert "was empty" in (log.mended or "")
    log.append(notices("s1", 1, 1), durable=False)
    log.close()


def test_damage_again_and_again_is_kept_under_new_names(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    for number in range(1, 4):
        path.write_bytes(path.read_bytes() + b"garbage %d" % number)
        store.open("s1").close()
        assert path.with_name(f"events.jsonl.damaged-{number}").read_bytes() == b"garbage %d" % number


def test_a_number_that_was_damaged_is_not_believed(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"seq":9', b'"seq":9000009'))
    log = store.open("s1")
    assert "2 events" in (log.mended or "")
    log.close()


def test_a_long_log_is_checked_in_pieces_and_between_them(tmp_path: Path) -> None:
    store, path = filled(tmp_path, 30_000)
    data = path.read_bytes()
    assert len(data) > 3 << 20
    log = store.open("s1")
    assert (log.last, log.mended) == (30_000, None)
    for after in (0, 1, 14_999, 15_000, 15_001, 29_990):
        assert [event.seq for event in log.read(after, 3)] == [after + 1, after + 2, after + 3]
    assert [event.seq for event in log.tail(9_000)] == [*range(21_001, 30_001)]
    log.close()
    begin, _ = line(20_000)(data)
    path.write_bytes(data[:begin] + b"\xff" + data[begin + 1 :])
    log = store.open("s1")
    assert log.last == 19_999
    assert "10001 events" in (log.mended or "")
    log.close()


def test_lines_longer_than_a_piece_are_no_obstacle(tmp_path: Path) -> None:
    store = JsonlStore(str(tmp_path))
    log = store.create("s1")
    events = conversation("s1", prompt="x" * (5 << 20))
    log.append(events, durable=False)
    assert list(log.read()) == events
    assert list(log.read(1, 1)) == events[1:2]
    assert list(log.tail(6)) == events[1:]
    log.close()
    assert list(store.read("s1", 1)) == events[1:]
    assert list(store.tail("s1", 6)) == events[1:]
    with open(tmp_path / "s1" / "events.jsonl", "ab") as file:
        file.write(b"y" * (3 << 20))
    log = store.open("s1")
    assert log.last == 7
    log.close()


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_the_bytes_a_beginning_of_the_log_loads(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / os.urandom(8).hex()
    store = JsonlStore(str(folder))
    log = store.create("s1")
    events = [*conversation("s1"), *notices("s1", 8, 12)]
    log.append(events, durable=False)
    log.close()
    path = folder / "s1" / "events.jsonl"
    broken = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(broken)))
        match data.draw(st.sampled_from(["cut", "flip", "insert", "remove", "zeros"])):
            case "cut":
                del broken[at:]
            case "flip" if at < len(broken):
                broken[at] ^= 1 << data.draw(st.integers(0, 7))
            case "insert":
                broken[at:at] = data.draw(st.binary(min_size=1, max_size=40))
            case "remove":
                del broken[at : at + data.draw(st.integers(1, 300))]
            case "zeros":
                broken[at:] = bytes(len(broken) - at)
    path.write_bytes(broken)
    loaded = list(store.read("s1"))
    log = store.open("s1")
    assert [event.seq for event in loaded] == [*range(1, len(loaded) + 1)]
    assert list(log.read()) == loaded
    assert log.last == len(loaded)
    # Every line that was not touched, before the first that was, is there.
    whole, rest = 0, bytes(broken)
    while whole < len(events) and rest.startswith(begun := encode(events[whole]) + b"\n"):
        whole, rest = whole + 1, rest[len(begun) :]
    assert loaded[:whole] == events[:whole]
    log.append(notices("s1", log.last + 1, log.last + 1), durable=False)
    log.close()
    again = store.open("s1")
    assert (again.mended, again.last) == (None, len(loaded) + 1)
    again.close()
    assert len(store.list()) == 1


@pytest.mark.parametrize("name", ["summary.json", "lock", "activity.log"])
def test_damage_beside_the_log_is_passed_over(tmp_path: Path, name: str) -> None:
    store, path = filled(tmp_path)
    beside = path.with_name(name)
    for content in (b"", b"\0\xff garbage", b'{"version":1,"size":1,"mtime_ns":1}', b"9" * 100_000):
        beside.write_bytes(content)
        assert [summary.events for summary in store.list()] == [COUNT]
        log = store.open("s1")
        assert (log.last, log.mended) == (COUNT, None)
        log.close()
    beside.unlink()
    beside.mkdir()
    assert [summary.events for summary in store.list()] == [COUNT]
    if name == "lock":
        with pytest.raises(StoreError, match="is a directory"):
            store.open("s1")
    else:
        store.open("s1").close()


def test_a_folder_or_pipe_in_the_logs_place_is_told_at_once(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    path.unlink()
    with pytest.raises(SessionError, match="no session"):
        store.open("s1")
    path.mkdir()
    with pytest.raises(StoreError, match="is a directory"):
        store.open("s1")
    with pytest.raises(StoreError, match="must be a file"):
        list(store.read("s1"))
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(StoreError, match="must be a file"):
        store.open("s1")
    with pytest.raises(StoreError, match="must be a file"):
        list(store.read("s1"))
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="symbolic link"):
        store.open("s1")
    assert list(store.list()) == []


def test_a_list_that_only_has_to_catch_up_reads_no_more_than_that(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    store.list()
    data = path.read_bytes()
    log = store.open("s1")
    log.append(notices("s1", COUNT + 1, COUNT + 5), durable=False)
    # What the summary has counted is not looked at again: here it would be found to be damaged.
    grown = path.read_bytes()
    path.write_bytes(b"x" * len(data) + grown[len(data) :])
    assert [summary.events for summary in store.list()] == [COUNT + 5]
    path.write_bytes(grown)
    log.close()
