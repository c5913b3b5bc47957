"""Each way to vectors through the contract of its port, and what hashing can and cannot."""

from __future__ import annotations

from protea.adapters.embedding import hashing, none
from protea.domain.recall import cosine
from protea.ports.embedding import Embedding
from protea.testing.contracts.embedding import EmbeddingContract


class TestNoEmbedding(EmbeddingContract):
    def embedding(self) -> Embedding:
        return none.create(none.Options())


class TestHashing(EmbeddingContract):
    def embedding(self) -> Embedding:
        return hashing.create(hashing.Options())


async def near(one: str, other: str) -> float:
    first, second = await hashing.create(hashing.Options()).embed([one, other])
    return cosine(first, second)


async def test_it_knows_letters() -> None:
    assert await near("configuration of the proxy", "configure proxies") > 0.12
    assert await near("hippopotamus", "hippopotami") > 0.15
    assert await near("configure proxies", "a recipe for bread") < 0.1


async def test_it_does_not_know_meaning() -> None:
    assert await near("car", "automobile") < 0.1


def test_it_is_the_same_on_every_machine() -> None:
    vector = hashing.vector("protea", 32)
    assert [at for at, value in enumerate(vector) if value] == [4, 5, 11, 17, 22, 30, 31]
