"""A way to the public web, and to nothing else.

A name is looked up once, every address of it is checked, and the connection goes to an address that
was checked: a second look-up, which an attacker's name server could answer differently, never
happens. The last gate stands where a socket is made, so that no way of writing an address leads
around it. Redirects are not followed here; each is a new request with checks of its own.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings
from langchain_core.tools import ToolException
from yarl import URL

from llm.session import ssl_context

PORTS = frozenset({80, 443, 8080, 8443})
MAX_URL_CHARS = 2_000
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Those of which `is_global` says too much, or that hide an address of the other family. The first
# is a cloud's metadata service on an address that looks public.
REFUSED = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("168.63.129.16/32", "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        *("::/8", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)


class Refused(ToolException):
    """This address is not one that a page may be fetched from."""


def checked_url(text: str) -> URL:
    """As the client reads it, which is who connects: two readers of one address can disagree about
    its host. Raises Refused."""
    if len(text) > MAX_URL_CHARS or not text.isprintable() or " " in text or "\\" in text:
        raise Refused("This is not an address of a page.")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError:
        raise Refused("This is not an address of a page.") from None
    if url.scheme not in ("http", "https") or not host:
        raise Refused("Only addresses that begin with http:// or https:// can be fetched.")
    if url.raw_user is not None or url.raw_password is not None:
        raise Refused("An address with a user name or a password in it is not fetched.")
    if is_allowed(url):
        return url
    if port not in PORTS:
        raise Refused(f"Pages are not fetched from port {port}.")
    if (address := _as_address(host)) is not None:
        check(host, address)
    return url


def is_allowed(url: URL) -> bool:
    """Whether the admin has named this very server."""
    return f"{url.raw_host}:{url.port}" in settings.FETCH_ALLOWED_HOSTS


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in REFUSED if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def check(host: str, address: Address) -> None:
    if not is_public(address):
        raise Refused(f"{host} is not a public address.")


class CheckingResolver(AbstractResolver):
    """Gives only addresses that were checked; all of a name's must be public."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        except (OSError, UnicodeError):
            raise Refused(f"There is no server called {host}.") from None
        addresses = [str(address[0]) for *_, address in found]
        check_all(host, addresses)
        return [_result(host, port, address) for address in dict.fromkeys(addresses)]

    async def close(self) -> None:
        """Holds nothing."""


def check_all(host: str, addresses: Iterable[str]) -> None:
    for text in addresses:
        check(host, _parsed(text))


def connector(url: URL) -> aiohttp.TCPConnector:
    """For one request to a `checked_url`. Without a cache of look-ups and without keep-alive: it is
    one connection, to one address that was checked for it."""
    common: dict[str, Any] = {"use_dns_cache": False, "force_close": True, "ssl": ssl_context()}
    if is_allowed(url):
        return aiohttp.TCPConnector(**common)
    return aiohttp.TCPConnector(
        resolver=CheckingResolver(), socket_factory=_public_socket, **common
    )


def _public_socket(info: Any) -> socket.socket:
    family, kind, protocol, _, address = info
    check(str(address[0]), _parsed(str(address[0])))
    return socket.socket(family, kind, protocol)


def _parsed(text: str) -> Address:
    """A link-local address comes with its interface: `fe80::1%eth0`."""
    return ipaddress.ip_address(text.partition("%")[0])


def _as_address(host: str) -> Address | None:
    """Also of `127.1`, `0x7f000001` and `2130706433`, which a C library takes for addresses."""
    try:
        return _parsed(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeError):
        return None


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=flags
    )
