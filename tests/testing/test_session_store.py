from __future__ import annotations

import pytest

from protea.adapters.storage.memory import MemoryStore
from protea.domain.errors import StoreError
from protea.testing.contracts.session_store import SessionStoreContract, notices
from protea.testing.session_store import FailingStore


class TestFailingStoreThatDoesNotFail(SessionStoreContract):
    def store(self) -> FailingStore:
        return FailingStore(MemoryStore())


def test_a_failing_store_writes_nothing_until_it_recovers() -> None:
    store = FailingStore(MemoryStore())
    log = store.create("s1")
    log.append(notices("s1", 1, 1), durable=True)
    store.fail()
    for action in (
        lambda: log.append(notices("s1", 2, 2), durable=False),
        log.sync,
        lambda: store.create("s2"),
        lambda: store.delete("s1"),
    ):
        with pytest.raises(StoreError, match="no space left on device"):
            action()
    assert len(list(log.read())) == 1
    store.recover()
    log.append(notices("s1", 2, 2), durable=False)
    log.sync()
    assert (log.last, store.synced) == (2, 2)
