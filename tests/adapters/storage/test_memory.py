from __future__ import annotations

from protea.adapters.storage import memory
from protea.testing.contracts.session_store import SessionStoreContract


class TestMemoryStore(SessionStoreContract):
    def store(self) -> memory.MemoryStore:
        return memory.create(memory.Options())
