"""What was spent, a line per reply in one file a month: `~/.protea/ledger/2026-11.jsonl`.

Processes append to the same file and read what the others have added before they answer.
"""

from __future__ import annotations

import os

import msgspec

from protea.domain.errors import StoreError
from protea.domain.pattern import regex
from protea.domain.spending import Spending
from protea.domain.surroundings import Surroundings

_DAY = regex(r"\d{4}-\d\d-\d\d")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


def create(options: Options, *, surroundings: Surroundings) -> FileLedger:
    return FileLedger(os.path.join(surroundings.protea_home, "ledger"))


class FileLedger:
    """A line that was torn by a crash, or written by hand, is passed over; the others count."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._months: dict[str, _Month] = {}

    def record(self, spending: Spending) -> None:
        line = msgspec.json.encode(spending) + b"\n"
        path = self._path(spending.day)
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                size = os.fstat(file).st_size
                if size and os.pread(file, 1, size - 1) != b"\n":  # a torn line must not swallow this one
                    line = b"\n" + line
                if os.write(file, line) != len(line):  # one write: lines of two processes do not mix
                    raise StoreError(f"what a reply cost could not be written to {path}: no space left on device")
            finally:
                os.close(file)
        except OSError as error:
            raise StoreError(f"what a reply cost could not be written to {path}: {error.strerror}") from error

    def spent(self, day: str, profile: str | None = None) -> float:
        month = self._months.setdefault(day[:7], _Month())
        month.read(self._path(day))
        return sum(
            dollars
            for (each, who), dollars in month.sums.items()
            if each == day and (profile is None or who == profile)
        )

    def _path(self, day: str) -> str:
        if not _DAY.fullmatch(day):
            raise StoreError(f"{day!r} is no day")
        return os.path.join(self._folder, f"{day[:7]}.jsonl")


class _Month:
    """What one file holds, added up as far as it was read."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], float] = {}
        self._read = 0
        self._file = (0, 0)

    def read(self, path: str) -> None:
        try:
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                if (status.st_dev, status.st_ino) != self._file or status.st_size < self._read:
                    self.sums, self._read, self._file = {}, 0, (status.st_dev, status.st_ino)
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            self.sums, self._read = {}, 0
            return
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        whole = data.rfind(b"\n") + 1
        for line in data[:whole].splitlines():
            try:
                each = msgspec.json.decode(line, type=Spending)
            except (msgspec.MsgspecError, ValueError):
                continue
            key = each.day, each.profile
            self.sums[key] = self.sums.get(key, 0.0) + each.cost_usd
        self._read += whole
