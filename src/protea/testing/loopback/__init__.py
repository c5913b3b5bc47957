"""A provider for tests and benchmarks: real HTTP on 127.0.0.1, every wire, replies and faults by script. For tests of
Protea, for those who write plugins or front ends, and as a program: `python -m protea.testing.loopback`.

what it says        script, faults, wires/ (the form of each API), lists (of models), seal (proofs it knows again)
what it hears       routes (which wire is meant), strict/ (refuses what the real API refuses), recording
the server          provider, _http, _answers (bytes, in pieces)
"""

from protea.domain.script import ScriptedCall
from protea.testing.loopback.faults import Cut, ErrorInside, Fault, Malformed, MidError, Reset, Slow, Stall, Status
from protea.testing.loopback.provider import LoopbackProvider
from protea.testing.loopback.recording import Prefix, Recorded, prefix_kept
from protea.testing.loopback.script import LoopbackReply

__all__ = [
    "Cut",
    "ErrorInside",
    "Fault",
    "LoopbackProvider",
    "LoopbackReply",
    "Malformed",
    "MidError",
    "Prefix",
    "Recorded",
    "Reset",
    "ScriptedCall",
    "Slow",
    "Stall",
    "Status",
    "prefix_kept",
]
