"""Nobody is called."""

from __future__ import annotations

import msgspec

from protea.ports.notifier import Notification


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoNotifier:
    async def notify(self, notification: Notification) -> bool:
        return False


def create(options: Options) -> NoNotifier:
    return NoNotifier()
