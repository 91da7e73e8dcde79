"""Network addresses, as rate limits and failed sign-ins count them."""

import re
from ipaddress import ip_address

from . import tokens

# Some proxies write the port of the client too, and brackets around IPv6.
WITH_PORT = re.compile(r"\[(.+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
UNKNOWN = "unknown"


def network(address: str) -> str:
    """Return the network of a client address: IPv4 whole, IPv6 its /64 prefix.

    The client chooses the rest of an IPv6 address. All addresses that cannot be parsed, as that of a
    Unix socket, are one network, so that no spelling turns a limit off.
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
    """Return a keyed hash of the network; nothing else of it is ever stored.

    Each purpose has hashes of its own, so that no two tables can be joined by them.
    """
    return tokens.digest(f"network of a {purpose}", network(address))
