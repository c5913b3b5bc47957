"""Proofs that something came from this provider unchanged: signatures of thoughts, encrypted reasoning.

A proof is made of the text alone, so any loopback provider knows those of any other, in another process too.
"""

from __future__ import annotations

import base64
import hashlib


def seal(kind: str, text: str) -> str:
    """The proof of `text`; `kind` keeps the proofs of different wires apart."""
    digest = hashlib.sha256(f"protea-loopback/{kind}/{text}".encode()).digest()
    return base64.b64encode(b"loopback" + digest).decode()


class Ledger:
    """Proofs that a script gave by hand, beside those `seal` makes."""

    def __init__(self) -> None:
        self._given: set[tuple[str, str, str]] = set()

    def note(self, kind: str, text: str, proof: str) -> None:
        self._given.add((kind, text, proof))

    def knows(self, kind: str, text: str, proof: str) -> bool:
        return proof == seal(kind, text) or (kind, text, proof) in self._given
