"""A notifier that keeps what it was told."""

from __future__ import annotations

from protea.ports.notifier import Notification


class RecordingNotifier:
    """`Notifier` that keeps it all in `told`; with `away` nobody can be called."""

    def __init__(self, *, away: bool = False) -> None:
        self.told: list[Notification] = []
        self._away = away

    async def notify(self, notification: Notification) -> bool:
        self.told.append(notification)
        return not self._away
