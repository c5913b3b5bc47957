from __future__ import annotations

from protea.testing.contracts.ids import IdsContract
from protea.testing.ids import FakeIds


class TestFakeIds(IdsContract):
    def ids(self) -> FakeIds:
        return FakeIds()
