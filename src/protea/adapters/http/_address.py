"""Addresses taken apart, and which proxy leads to them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from protea.adapters.http.errors import HttpError

DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True):
    scheme: str
    host: str
    """Lower case, without the brackets of an IPv6 address."""
    port: int
    target: str = "/"
    """Path and query, as they go into the request line."""
    user: str | None = None
    """`name:password`, percent-decoded; only proxies have it."""

    @property
    def authority(self) -> str:
        """Host and port for the Host header; the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def host_and_port(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(url: str) -> Address:
    """Take an absolute http or https URL apart (RFC 3986); raises HttpError that names what is wrong.

    Spaces and characters outside ASCII in the path are percent-encoded; what is encoded already stays.
    """
    text = url.strip()
    scheme, mark, rest = text.partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in DEFAULT_PORTS:
        raise HttpError(
            "invalid_request", f"{_shown(text)!r} is not an address: it must begin with http:// or https://"
        )
    end = min((at for at in (rest.find("/"), rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    authority, target = rest[:end], rest[end:].partition("#")[0]
    user, _, place = authority.rpartition("@")
    host, port = _host_and_port(place, text, DEFAULT_PORTS[scheme])
    if not target.startswith("/"):
        target = "/" + target
    return Address(scheme, host, port, _encoded(target), _unquoted(user) if user else None)


def _host_and_port(place: str, url: str, usual: int) -> tuple[str, int]:
    if place.startswith("["):
        host, _, after = place[1:].partition("]")
        digits = after[1:] if after.startswith(":") else ""
    else:
        host, _, digits = place.partition(":")
    if digits and not (digits.isascii() and digits.isdigit() and int(digits) < 65536):
        raise HttpError("invalid_request", f"{_shown(url)!r} has no usable port: {digits!r}")
    if not host or any(ch.isspace() or ch < " " for ch in host):
        raise HttpError("invalid_request", f"{_shown(url)!r} names no host")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as exc:
            raise HttpError("invalid_request", f"{_shown(url)!r} has a host that cannot be encoded: {exc}") from exc
    return host.lower(), int(digits) if digits else usual


def _encoded(target: str) -> str:
    if target.isascii() and target.isprintable() and " " not in target:
        return target
    return "".join(
        ch if ch.isascii() and ch.isprintable() and ch != " " else "".join(f"%{byte:02X}" for byte in ch.encode())
        for ch in target
    )


def _unquoted(text: str) -> str:
    out, pieces = bytearray(), text.split("%")
    out += pieces[0].encode()
    for piece in pieces[1:]:
        try:
            out += bytes((int(piece[:2], 16),)) + piece[2:].encode()
        except ValueError:
            out += b"%" + piece.encode()
    return out.decode("utf-8", "replace")


def _shown(url: str) -> str:
    """`url` without a password in it."""
    scheme, mark, rest = url.partition("://")
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return scheme + mark + rest[:end].rpartition("@")[2] + rest[end:]


def proxy_for(address: Address, proxy_url: str | None, environment: Mapping[str, str]) -> Address | None:
    """The proxy a request goes through. `proxy_url` beats the environment; an empty one means none.

    The environment is read as curl reads it: `https_proxy`/`http_proxy`/`all_proxy`, small letters first, and
    `no_proxy` as names, `.suffixes`, addresses, networks, each with an optional port, or `*`.
    """
    if proxy_url is not None:
        return _proxy(proxy_url) if proxy_url.strip() else None
    for name in (address.scheme + "_proxy", "all_proxy"):
        value = environment.get(name) or environment.get(name.upper())
        if value and value.strip():
            refused = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
            return None if _bypassed(address, refused) else _proxy(value)
    return None


def _proxy(url: str) -> Address:
    text = url.strip()
    if text.lower().startswith("socks"):
        raise HttpError(
            "invalid_request", f"the proxy {_shown(text)} speaks SOCKS; only http:// and https:// proxies work"
        )
    return parse_address(text if "://" in text else "http://" + text)


def _bypassed(address: Address, refused: str) -> bool:
    for entry in refused.replace(",", " ").split():
        if entry == "*":
            return True
        name, _, port = entry.rpartition(":") if entry.count(":") == 1 else (entry, "", "")
        if port and port != str(address.port):
            continue
        name = name.strip("[]").lower().lstrip("*").lstrip(".")
        if "/" in name and _in_network(address.host, name):
            return True
        if name and (address.host == name or address.host.endswith("." + name)):
            return True
    return False


def _in_network(host: str, network: str) -> bool:
    import ipaddress  # 10 ms of start-up, for the few who list networks in NO_PROXY

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
