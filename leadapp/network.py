"""Client networks, by which rate limits and sign-in limits count."""

import re
from ipaddress import IPv4Address, ip_address

from . import tokens

# Some proxies add the client's port, and brackets around an IPv6 address.
WITH_PORT = re.compile(r"\[(.+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
UNKNOWN = "unknown"
IPV6_PREFIX = 19  # characters of a /64 prefix, such as 2001:0db8:0000:0001


def network(address: str) -> str:
    """Return the network of a client address: IPv4 whole, IPv6 its /64 prefix.

    The client chooses the rest of an IPv6 address. All addresses that cannot be parsed, such as the
    address of a Unix socket, count as one network, so no malformed address evades a limit.
    """
    text = address.strip()
    match = WITH_PORT.fullmatch(text)
    if match:
        text = match[1] or match[2]
    without_zone = text.partition("%")[0]
    try:
        ip = ip_address(without_zone)
    except ValueError:
        return UNKNOWN
    if isinstance(ip, IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return ip.exploded[:IPV6_PREFIX]


def network_key(purpose: str, address: str) -> str:
    """Return the rate-limit key of a client address: a keyed hash of its network.

    The database stores no other form of the address. Each purpose has its own hashes, so no one
    can join two tables by them.
    """
    return tokens.digest(f"network of a {purpose}", network(address))
