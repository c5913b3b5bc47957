"""What every wall around commands can be told. Each adapter's `Options` extends it."""

from __future__ import annotations

import msgspec


class WallOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    network: bool = False
    """Whether commands may use the machine's network, or in a container the engine's default one. Without, they have a
    loopback of their own."""
    allow_domains: tuple[str, ...] = ()
    """Hosts they may reach all the same, by a proxy of ours: `example.org`, `*.example.org`, `host:port`."""
    env_files: bool = False
    """Whether commands may read `.env` files of the workspace."""
    unix_sockets: bool = False
    """Whether commands may make Unix sockets, by which they may reach daemons that listen in the workspace."""
    writable: tuple[str, ...] = ()
    """More folders commands may write in; `~` is the home."""
    processes: int = 512
    """Processes and threads of one command."""
    file_size: int = 2 << 30
    """Bytes of the largest file it may write."""
    tmp_size: int = 1 << 30
    """Bytes its /tmp may hold. They lie in memory."""
    home_size: int = 512 << 20
    """Bytes it may write into its own home. They lie in memory."""
