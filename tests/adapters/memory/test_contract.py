"""Each memory through the contract of its port, and notes as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.embedding import hashing
from protea.adapters.embedding import none as no_embedding
from protea.adapters.memory import files, none
from protea.domain.errors import StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.embedding import Embedding
from protea.ports.memory import Memory
from protea.testing.clock import FakeClock
from protea.testing.contracts.memory import MemoryContract
from protea.testing.embedding import WordEmbedding


def opened(home: Path, embedding: Embedding | None = None, root: str = "/p/one", **options: object) -> files.FileMemory:
    around = Surroundings(cwd=root, root=root, user_home="/", protea_home=str(home), environment={})
    vectors = embedding or no_embedding.create(no_embedding.Options())
    return files.create(files.Options(**options), surroundings=around, clock=FakeClock(), embedding=vectors)  # type: ignore[arg-type]  # options by name


class TestNoMemory(MemoryContract):
    def memory(self) -> Memory:
        return none.create(none.Options())

    def keeps(self) -> bool:
        return False


class TestFileMemory(MemoryContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def memory(self) -> Memory:
        return opened(self._path)


class TestFileMemoryWithVectors(MemoryContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def memory(self) -> Memory:
        return opened(self._path, hashing.create(hashing.Options()))


def folder(home: Path) -> Path:
    (found,) = (home / "memory").iterdir()
    return found


async def test_nothing_is_found_where_nothing_was_ever_kept(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    assert list(await memory.recall("the wifi")) == []
    assert not (tmp_path / "memory").exists()


async def test_a_note_is_a_file_that_a_person_can_read_and_change(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    note = await memory.remember("The wifi is called Finch.", source="session:s_1", tags=["home"])
    path = folder(tmp_path) / f"{note.id}.md"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().splitlines()[-1] == "The wifi is called Finch."
    path.write_text(path.read_text().replace("Finch", "Sparrow"))
    ((found),) = await memory.recall("sparrow")
    assert (found.note.text, found.note.source) == ("The wifi is called Sparrow.", "session:s_1")
    assert list(await memory.recall("finch")) == []


async def test_a_file_without_a_head_is_a_note_of_the_person(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    await memory.remember("one", source="user")
    (folder(tmp_path) / "by hand.md").write_text("Peas go in the garden.")
    ((found),) = await memory.recall("peas")
    assert (found.note.id, found.note.source) == ("by hand", "user")
    assert await memory.forget("by hand") is True


async def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    await memory.remember("The wifi is called Finch.", source="user")
    await memory.recall("wifi")
    (folder(tmp_path) / "index.sqlite").write_bytes(b"no database at all" * 1000)
    assert len(await memory.recall("wifi")) == 1


async def test_projects_are_apart_and_the_person_s_notes_are_not(tmp_path: Path) -> None:
    await opened(tmp_path, root="/p/one").remember("of one", source="user")
    assert list(await opened(tmp_path, root="/p/two").list()) == []
    assert len(await opened(tmp_path, root="/p/one").list()) == 1
    await opened(tmp_path, root="/p/one", scope="user").remember("of me", source="user")
    assert [note.text for note in await opened(tmp_path, root="/p/two", scope="user").list()] == ["of me"]


async def test_vectors_find_what_words_do_not_and_are_made_once(tmp_path: Path) -> None:
    embedding = WordEmbedding("automobil", "bread")
    memory = opened(tmp_path, embedding)
    await memory.remember("The automobile is in the garage.", source="user")
    await memory.remember("Bread is at the baker.", source="user")
    found = await memory.recall("automobiles")
    assert [each.note.text for each in found] == ["The automobile is in the garage."]
    before = embedding.asked
    await memory.recall("breads")
    assert embedding.asked == before + 1
    assert list(await opened(tmp_path).recall("automobiles")) == []


async def test_what_is_long_past_counts_less(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    for text in ("wifi Finch one", "wifi Finch two"):
        await memory.remember(text, source="user")
    old = next(path for path in folder(tmp_path).glob("*.md") if "one" in path.read_text())
    old.write_text(old.read_text().replace("2026-", "2020-"))
    assert [found.note.text for found in await memory.recall("wifi finch")] == ["wifi Finch two", "wifi Finch one"]


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("a file")
    with pytest.raises(StoreError, match="could not be written"):
        await opened(tmp_path).remember("x", source="user")
