"""What every `Embedding` keeps."""

from __future__ import annotations

import math

from protea.ports.embedding import Embedding

TEXTS = ("the cat sat on the mat", "cats sit on mats", "quarterly interest rates", "", "  \n", "ünï ✓", "x" * 20_000)


class EmbeddingContract:
    def embedding(self) -> Embedding:
        raise NotImplementedError

    async def test_a_vector_for_each_text_of_the_size_that_was_said(self) -> None:
        embedding = self.embedding()
        vectors = await embedding.embed(TEXTS)
        assert [len(vector) for vector in vectors] == [embedding.size] * len(TEXTS)
        assert list(await embedding.embed(())) == []

    async def test_vectors_have_length_one_or_say_nothing(self) -> None:
        for vector in await self.embedding().embed(TEXTS):
            length = math.sqrt(sum(value * value for value in vector))
            assert length == 0 or abs(length - 1) < 1e-3

    async def test_the_same_text_has_the_same_vector_beside_others_and_alone(self) -> None:
        embedding = self.embedding()
        together = await embedding.embed(TEXTS)
        for text, vector in zip(TEXTS, together, strict=True):
            (alone,) = await embedding.embed([text])
            assert all(abs(a - b) < 1e-4 for a, b in zip(alone, vector, strict=True))

    async def test_a_text_is_nearest_to_one_about_the_same(self) -> None:
        embedding = self.embedding()
        if not embedding.size:
            assert not embedding.name
            return
        cat, cats, rates = await embedding.embed(TEXTS[:3])
        near, far = (sum(a * b for a, b in zip(cat, other, strict=True)) for other in (cats, rates))
        assert near > far
        assert embedding.name
