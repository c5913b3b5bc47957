"""A checkpoint that remembers what was announced and gives out what it was told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protea.domain.changes import Changes, Direction, FileDiff, Restored
from protea.domain.errors import StoreError


class RecordingCheckpoint:
    """`Checkpoint` without files. Turns that announce something end with `files`, and can be restored.

    `announced` holds what came, in order: `begin s/t`, `write PATH`, `command WORDS`, `finish`, `undo s/t`, `forget s`.
    """

    def __init__(self, files: Mapping[str, str] | None = None, *, full: bool = False) -> None:
        self.announced: list[str] = []
        self.full = full
        """Whether it fails as a full disk would."""
        self._kept: dict[str, Changes] = {}
        self._turn = ""
        self._touched = False
        self.diffs = [FileDiff(path, "changed", diff=diff) for path, diff in (files or {}).items()]

    def begin(self, session: str, turn: str) -> None:
        self._turn, self._touched = f"{session}/{turn}", False
        self.announced.append(f"begin {self._turn}")

    async def before_write(self, path: str) -> None:
        self._touched = True
        self.announced.append(f"write {path}")

    async def after_write(self, path: str) -> None:
        self.announced.append(f"wrote {path}")

    async def before_command(self, words: Sequence[str], cwd: str) -> None:
        self._touched = True
        self.announced.append(f"command {' '.join(words)}")

    async def after_command(self) -> None:
        self.announced.append("ended")

    async def finish(self) -> Changes | None:
        if not self._touched:
            return None
        self._touched = False
        self.announced.append("finish")
        if self.full:
            raise StoreError("no space left on device")
        self._kept[self._turn] = Changes(checkpoint=self._turn)
        return self._kept[self._turn]

    async def recover(self, session: str, turn: str) -> Changes | None:
        self.announced.append(f"recover {session}/{turn}")
        return None

    async def restore(self, checkpoints: Sequence[str], direction: Direction, *, dry_run: bool = False) -> Restored:
        for each in checkpoints:
            if each not in self._kept:
                raise StoreError(f"{each} is not kept any more")
        if not dry_run:
            self.announced += [f"{direction} {each}" for each in checkpoints]
        return Restored()

    async def compare(self, checkpoints: Sequence[str]) -> Sequence[FileDiff]:
        for each in checkpoints:
            if each not in self._kept:
                raise StoreError(f"{each} is not kept any more")
        return self.diffs if checkpoints else []

    def forget(self, session: str) -> None:
        self.announced.append(f"forget {session}")
        for each in [each for each in self._kept if each.startswith(f"{session}/")]:
            del self._kept[each]

    async def aclose(self) -> None:
        """Nothing is open."""
