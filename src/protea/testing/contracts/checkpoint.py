"""What every `Checkpoint` keeps."""

from __future__ import annotations

from protea.domain.errors import StoreError
from protea.ports.checkpoint import Checkpoint


class CheckpointContract:
    def checkpoint(self) -> Checkpoint:
        """The same one at every call within one test."""
        raise NotImplementedError

    def path(self) -> str:
        """A file that exists, or could, where the checkpoint looks."""
        raise NotImplementedError

    async def test_a_turn_that_announces_nothing_has_changed_nothing(self) -> None:
        checkpoint = self.checkpoint()
        checkpoint.begin("s", "t1")
        assert await checkpoint.finish() is None
        assert await checkpoint.finish() is None
        await checkpoint.aclose()

    async def test_announcing_is_never_refused(self) -> None:
        checkpoint = self.checkpoint()
        await checkpoint.before_write("/nowhere/at/all")  # before any turn has begun, too
        await checkpoint.after_write("/nowhere/at/all")
        checkpoint.begin("s", "t1")
        await checkpoint.after_command()
        await checkpoint.before_command(["rm -rf 'unfinished", "\udcff"], "/nowhere")
        await checkpoint.after_command()
        await checkpoint.finish()
        await checkpoint.aclose()

    async def test_what_is_not_kept_is_said_to_be(self) -> None:
        checkpoint = self.checkpoint()
        for attempt in (
            checkpoint.restore(["s/never"], "undo"),
            checkpoint.restore(["../../s/never"], "redo", dry_run=True),
            checkpoint.compare(["s/never"]),
        ):
            try:
                await attempt
            except StoreError as error:
                told = str(error)
            else:
                raise AssertionError("it was not refused")
            assert "\n" not in told
        await checkpoint.aclose()

    async def test_there_is_nothing_to_recover_of_a_turn_that_never_was(self) -> None:
        checkpoint = self.checkpoint()
        assert await checkpoint.recover("s", "never") is None
        await checkpoint.aclose()

    async def test_a_session_can_be_forgotten(self) -> None:
        checkpoint = self.checkpoint()
        checkpoint.forget("never")
        checkpoint.begin("s", "t1")
        await checkpoint.before_write(self.path())
        await checkpoint.after_write(self.path())
        await checkpoint.finish()
        checkpoint.forget("s")
        try:
            await checkpoint.compare(["s/t1"])
        except StoreError:
            return
        finally:
            await checkpoint.aclose()
        raise AssertionError("it was not forgotten")

    async def test_it_can_be_closed_twice(self) -> None:
        checkpoint = self.checkpoint()
        await checkpoint.aclose()
        await checkpoint.aclose()
