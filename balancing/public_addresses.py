"""Which addresses lie in the open internet, and which in somebody's own network.

By tables of our own, from IANA's registries "IPv4 Special-Purpose Address Space", "IPv6 Special-Purpose Address Space"
and "IPv6 Global Unicast Address Assignments": what Python's ipaddress thinks of these has changed between releases.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

PRIVATE_IPV4 = tuple(
    map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
PRIVATE_IPV6 = tuple(map(IPv6Network, ("::1/128", "fc00::/7")))
"""Private networks, loopback, and the addresses that providers share out behind their own (RFC 6598)."""

SPECIAL_IPV4 = (
    *PRIVATE_IPV4,
    IPv4Network("0.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),  # link-local: the metadata of cloud machines
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.0.2.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("198.51.100.0/24"),
    IPv4Network("203.0.113.0/24"),
    IPv4Network("224.0.0.0/4"),
    IPv4Network("240.0.0.0/4"),
)

GLOBAL_IPV6 = IPv6Network("2000::/3")
"""All that is assigned of IPv6 for single machines; whatever is not in here is something else."""
SPECIAL_IPV6 = (
    IPv6Network("2001::/23"),  # Teredo among others: an IPv4 address in disguise
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4: the same
    IPv6Network("3fff::/20"),
)

METADATA = (
    IPv4Network("100.100.100.200/32"),  # Alibaba Cloud
    IPv6Network("fd00:100::100:200/128"),
    IPv6Network("fd00:ec2::/32"),  # AWS ("IPv6 on AWS", "Supporting Amazon VPC services"), EKS's pods among them
    IPv4Network("168.63.129.16/32"),  # Azure ("What is IP address 168.63.129.16?"), an address of the internet
    IPv6Network("fd20:ce::254/128"),  # Google Cloud
    IPv6Network("fd00:a9fe:a9fe::1/128"),  # Linode
    IPv6Network("fd00:c1::a9fe:a9fe/128"),  # Oracle Cloud
    IPv6Network("fd00:42::42/128"),  # Scaleway
)
"""Where machines of a cloud find their credentials, beside link-local addresses."""

NAT64 = IPv6Network("64:ff9b::/96")
"""How machines without IPv4 reach an IPv4 address, which makes up the last four bytes (RFC 6052)."""


def is_public(address: str) -> bool:
    """Whether this address, as sockets have it, is one in the open internet."""
    ip = unwrapped(address)
    if ip is None or lies_in(ip, METADATA):
        return False
    if isinstance(ip, IPv4Address):
        return not lies_in(ip, SPECIAL_IPV4)
    return ip in GLOBAL_IPV6 and not lies_in(ip, SPECIAL_IPV6)


def is_private(address: str) -> bool:
    """Whether this address is in a private network or on this machine. Link-local ones and METADATA never are: what
    answers there hands out the machine's credentials."""
    ip = unwrapped(address)
    return ip is not None and lies_in(ip, (*PRIVATE_IPV4, *PRIVATE_IPV6)) and not lies_in(ip, METADATA)


def lies_in(ip: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(ip in network for network in networks)


def unwrapped(address: str) -> IPv4Address | IPv6Address | None:
    """The address, or the IPv4 address inside it; None if it is none, or counts on one interface only (a zone)."""
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    if isinstance(ip, IPv4Address):
        return ip
    if ip.scope_id is not None:
        return None
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip
