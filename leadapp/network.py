"""Client networks, by which rate limits and sign-in limits count."""

import re
from ipaddress import ip_address

from . import tokens

# Some proxies add the client's port, and brackets around an IPv6 address.
WITH_PORT = re.compile(r"\[(.+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
UNKNOWN = "unknown"


def network(address: str) -> str:
    """Return the network of a client address: IPv4 whole, IPv6 its /64 prefix.

    The client chooses the rest of an IPv6 address. All addresses that cannot be parsed, such as the
    address of a Unix socket, count as one network, so no malformed address evades a limit.
    """
    text = address.strip()
    if match := WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        ip = ip_address(text.partition("%")[0])  # without the zone
    except ValueError:
        return UNKNOWN
    return str(getattr(ip, "ipv4_mapped", None) or ip.exploded[:19])


def network_key(purpose: str, address: str) -> str:
    """Return a keyed hash of the network; the database stores no other form of the address.

    Each purpose has its own hashes, so no one can join two tables by them.
    """
    return tokens.digest(f"network of a {purpose}", network(address))
