"""Proofs that something came from this provider unchanged: signatures of thoughts, encrypted reasoning.

A proof is made of the text alone, so any loopback provider knows those of any other, in another process too.
"""

from __future__ import annotations

import base64
import hashlib


def seal(wire: str, text: str) -> str:
    """The proof of `text`; those of different wires differ."""
    digest = hashlib.sha256(f"protea-loopback/{wire}/{text}".encode()).digest()
    return base64.b64encode(b"loopback" + digest).decode()


class Ledger:
    """What a provider gave out beside what `seal` makes, and must have back as it was."""

    def __init__(self) -> None:
        self._proofs: set[tuple[str, str, str]] = set()
        self._needs: dict[str, str] = {}

    def note(self, wire: str, text: str, proof: str) -> None:
        """A proof that a script gave by hand."""
        self._proofs.add((wire, text, proof))

    def knows(self, wire: str, text: str, proof: str) -> bool:
        return proof == seal(wire, text) or (wire, text, proof) in self._proofs

    def follows(self, item: str, reasoning: str) -> None:
        """Responses: the item with this id may only come back right behind that reasoning."""
        self._needs[item] = reasoning

    def needs(self, item: str) -> str | None:
        return self._needs.get(item)
