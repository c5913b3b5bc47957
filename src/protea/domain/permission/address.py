"""What a URL points at, as far as its text tells. Whoever connects resolves the name and checks the address again."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Literal

import msgspec

from protea.domain.pattern import regex
from protea.domain.permission.shell.script import listed

LONGEST = 2_000
"""Characters; longer addresses carry data out more often than they find anything."""

_FORM = regex(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)\Z", re.DOTALL)
_HOST = regex(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\Z")
_LOCAL_NAMES = listed(
    """
    localhost localhost.localdomain ip6-localhost ip6-loopback broadcasthost host.docker.internal
    metadata instance-data
    """
)
_LOCAL_TAILS = (
    ".localhost",
    ".local",
    ".localdomain",
    ".internal",
    ".lan",
    ".home.arpa",
    ".intranet",
    ".corp",
    ".home",
    ".svc",
    ".cluster.local",
)
_NOT_OURS = (
    ipaddress.IPv6Network("3fff::/20"),
    ipaddress.IPv6Network("5f00::/16"),
    ipaddress.IPv4Network("192.88.99.0/24"),
)
"""For documentation, for routing inside one network, and the relays nobody runs any more: not in the standard library's
tables."""
_METADATA = frozenset({"168.63.129.16"})
"""Public by number, but only ever answered by the machine's own host."""


class Address(msgspec.Struct, frozen=True):
    verdict: Literal["fine", "ask", "deny"]
    why: str = ""
    host: str = ""
    port: int = 0
    local: bool = False
    """It names this machine or its network; a rule that names host and port lifts that."""
    meant: tuple[str, ...] = ()
    """Hosts that some program may take it for: a deny or an ask for one of them counts."""


def read_address(url: object) -> Address:
    """Never raises. `fine` means only that a domain rule may decide."""
    address = _read(url)
    if address.verdict == "fine":
        return msgspec.structs.replace(address, meant=(address.host,))
    meant = _meant(url, address.host)
    if address.verdict == "ask":
        for host in meant[:8]:
            worst = _read(f"http://[{host}]/" if ":" in host and not host.startswith("[") else f"http://{host}/")
            if worst.verdict == "deny" and worst.local:
                return msgspec.structs.replace(worst, meant=meant)
    return msgspec.structs.replace(address, meant=meant)


def _meant(url: object, host: str) -> tuple[str, ...]:
    """Every host that a careless reader may find in `url`."""
    if not isinstance(url, str) or len(url) > 50 * LONGEST:
        return (host,) if host else ()
    found = {host} if host else set()
    text = re.sub(r"[\x00-\x20\x7f]", "", url.partition(":")[2]).lstrip("/\\")
    for authority in (re.split(r"[/?#]", text, maxsplit=1)[0], re.split(r"[/?#\\]", text, maxsplit=1)[0]):
        for piece in (authority, *authority.split("@")):
            for one in (piece, _unquoted(piece)):
                plain = unicodedata.normalize("NFKC", re.sub(r":\d*\Z", "", one)).replace("\u3002", ".")
                plain = plain.strip("\\/").rstrip(".").lower()
                found |= {plain, ascii_host(plain)}
    return tuple(sorted(one for one in found if one and len(one) <= 253))


def _unquoted(text: str) -> str:
    """`text` with `%61` read as `a`, wherever that stands for a letter, a digit or a mark."""
    return re.sub(r"%([2-7][0-9a-fA-F])", lambda found: chr(int(found.group(1), 16)), text)


def ascii_host(host: str) -> str:
    """`host` as it stands in the name system: `xn--…` for what is not written in plain letters."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _read(url: object) -> Address:
    if not isinstance(url, str) or not url:
        return Address("ask", "there is no URL")
    if len(url) > 50 * LONGEST:
        return Address("ask", f"the URL is longer than {50 * LONGEST} characters")
    if re.search(r"[\x00-\x20\x7f]", url):
        return Address("deny", "the URL contains blanks or control characters")
    form = _FORM.match(url)
    if form is None:
        return Address("deny", "it is not a whole URL")
    if form.group(1).lower() not in ("http", "https"):
        return Address("deny", f"only http and https are fetched, not {form.group(1)[:20]}:")
    secure = form.group(1).lower() == "https"
    rest = form.group(2)
    if not rest.startswith("//") or "\\" in url:
        return Address("deny", "programs disagree about which host this URL names")
    authority = re.split(r"[/?#]", rest[2:], maxsplit=1)[0]
    if "@" in authority:
        return Address("deny", "the URL carries a name or password")
    host, port = authority, 443 if secure else 80
    number = re.search(r":(\d*)\Z", authority)
    if number and not authority.endswith("]"):
        host = authority[: number.start()]
        if number.group(1):
            if len(number.group(1)) > 5 or not 0 < int(number.group(1)) < 65536:
                return Address("deny", "there is no such port")
            port = int(number.group(1))
    host = host.lower()
    if "%" in host:
        if host.startswith("["):
            return _number(host[:100], port, _six(host))
        return Address("deny", "the host is percent-encoded", host[:100])
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()
    dotted = _four(plain)
    if host.startswith("[") or dotted is not None:
        address = _number(plain, port, dotted or _six(host))
        if address.verdict != "fine":
            return address
        if dotted is not None and plain != str(dotted):
            return Address("ask", f"{plain} is an unusual way to write {dotted}", plain, port)
        return _usual(url, secure, address)
    if plain in _LOCAL_NAMES or plain.endswith(_LOCAL_TAILS):
        return Address("deny", f"{plain} is this machine or its network", plain, port, True)
    if not plain.isascii() or (host != plain and host.rstrip(".") != plain):
        return Address("ask", "the host is not written in plain letters", plain[:100], port)
    if not _HOST.match(plain) or ".." in plain or len(plain) > 253:
        return Address("deny", "the host's name is malformed", plain[:100], port)
    if "." not in plain:
        return Address("ask", f"{plain} is a name of the local network", plain, port)
    return _usual(url, secure, Address("fine", "", plain, port))


def _usual(url: str, secure: bool, address: Address) -> Address:
    if len(url) > LONGEST:
        return Address("ask", f"the URL is longer than {LONGEST} characters", address.host, address.port)
    if not secure:
        return Address("ask", "plain http can be read and changed on its way", address.host, address.port)
    return address


def _six(host: str) -> ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv6Address(host.strip("[]").split("%")[0])
    except ValueError:
        return None


def _four(host: str) -> ipaddress.IPv4Address | None:
    """The address of `127.0.0.1`, `127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`; None for a name."""
    parts = host.split(".")
    if not 1 <= len(parts) <= 4 or not re.fullmatch(r"0x[0-9a-f]*|\d+", parts[-1] or "-"):
        return None
    values = []
    for part in parts:
        try:
            values.append(
                int(part, 16)
                if part.startswith("0x")
                else int(part, 8)
                if len(part) > 1 and part[0] == "0"
                else int(part)
            )
        except ValueError:
            return ipaddress.IPv4Address(0)
    total = 0
    for value in values[:-1]:
        total = total * 256 + min(value, 255)
    total = total * 256 ** (5 - len(values)) + values[-1]
    return ipaddress.IPv4Address(total % 2**32)


def _number(host: str, port: int, ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> Address:
    if ip is None:
        return Address("deny", "the address is malformed", host[:100], port)
    inner = _embedded(ip)
    local = not all(one.is_global and not one.is_multicast for one in (ip, *inner)) and not (
        inner and all(one.is_global for one in inner) and ip in ipaddress.IPv6Network("64:ff9b::/96")
    )
    if isinstance(ip, ipaddress.IPv6Address) and not inner and ip not in ipaddress.IPv6Network("2000::/3"):
        local = True
    local = local or any(
        one in network for one in (ip, *inner) for network in _NOT_OURS if network.version == one.version
    )
    if local or any(str(one) in _METADATA for one in (ip, *inner)):
        return Address("deny", f"{host} is not a public address", str(ip), port, str(ip) not in _METADATA)
    return Address("fine", "", str(ip), port)


def _embedded(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that an IPv6 address carries: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in ipaddress.IPv6Network("64:ff9b::/96") or ip in ipaddress.IPv6Network("64:ff9b:1::/48"):
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    elif int(ip) < 2**32:
        found.append(ipaddress.IPv4Address(int(ip)))
    return [one for one in found if one is not None]


def public(address: str) -> bool:
    """Whether a number a name was resolved to may be connected to: a global one, whatever it carries inside."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _number(str(ip), 0, ip).verdict == "fine"


def loopback(address: str) -> bool:
    """Whether it is this machine, by the addresses that mean nothing else."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return ip.is_loopback


def numeric(host: str) -> str | None:
    """The address of a host written in numbers of any kind (`127.1`, `0x7f000001`, `[::1]`); None for a name."""
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()
    ip = _six(plain) if ":" in plain else _four(plain)
    return str(ip) if ip is not None else None
