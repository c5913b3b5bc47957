"""Who may come in: the token, the cookie that follows it, the names the server answers to, and where a page comes from.
Pure; docs/web-ui.md and SECURITY.md say what it keeps out.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address

import msgspec

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What one server asks of those who knock."""

    token: str
    """Stands in the address that is printed, and is kept by the page; without it no screen is shown."""
    pass_: str
    """The value of the cookie that the token is exchanged for."""
    port: int
    """Where it listens; what is forwarded to it may come by another."""
    names: tuple[str, ...] = LOCAL_NAMES
    """Names in `Host` that mean this server."""
    any_address: bool = False
    """Whether every numeric address means this server, too: it listens on all of them. One cannot be rebound."""

    @property
    def cookie(self) -> str:
        """Its name. Cookies know no ports: two servers on one machine must not take each other's away."""
        return f"protea-{self.port}"

    def set_cookie(self) -> str:
        return f"{self.cookie}={self.pass_}; Path=/; HttpOnly; SameSite=Strict"

    def is_token(self, given: str) -> bool:
        return _same(given, self.token)

    def has_pass(self, cookies: Sequence[str]) -> bool:
        """Whether one of the `Cookie` headers holds the pass."""
        for header in cookies:
            try:
                held = SimpleCookie(header)
            except CookieError:
                continue
            if self.cookie in held and _same(held[self.cookie].value, self.pass_):
                return True
        return False

    def is_here(self, hosts: Sequence[str]) -> bool:
        """Whether the `Host` headers (there must be one) name this server: a name that someone lets point to this
        machine is none of its own."""
        if len(hosts) != 1:
            return False
        name = _name(hosts[0].lower())
        return name in self.names or (self.any_address and _is_address(name))

    def is_own_page(self, origins: Sequence[str], hosts: Sequence[str]) -> bool:
        """Whether a connection comes from a page of this very address. One that does not say where it comes from
        does not."""
        return len(origins) == 1 and self.is_here(hosts) and origins[0].lower() == f"http://{hosts[0].lower()}"


HEADERS: Mapping[str, str] = {
    # Scripts and pictures of this address only. xterm.js writes style sheets, and unpacks images in WebAssembly.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer."""


def _same(given: str, wanted: str) -> bool:
    """Takes as long for a good guess as for a bad one."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _name(host: str) -> str:
    """Without the port: what is forwarded (`ssh -L`) has another; it is a name that someone could let point here."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host


def _is_address(name: str) -> bool:
    if "%" in name:
        return False  # a zone could be any words at all, and the name is repeated in what is answered
    try:
        ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return True
