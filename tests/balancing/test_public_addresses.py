"""Addresses in the open internet, and all the others."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancing.public_addresses import is_private, is_public


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "100.128.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001:81b::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ],
)
def test_machines_of_the_internet_are_public(address: str) -> None:
    """Also IPv4 ones, written as IPv6 and behind NAT64."""
    assert is_public(address)
    assert not is_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ],
)
def test_private_ones_are_told_apart(address: str) -> None:
    """They can be allowed."""
    assert not is_public(address)
    assert is_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",  # metadata of cloud machines
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::7f00:1",  # IPv4-compatible (RFC 4291, section 2.5.5.1)
        "::8.8.8.8",
        "::ffff:169.254.169.254",
        "::ffff:0:7f00:1",  # IPv4-translated (RFC 2765)
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",  # NAT64 of one's own (RFC 8215)
        "100::1",
        "2001::1",  # Teredo
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:808:808::",
        "3fff::1",
        "5f00::1",
        "100.100.100.200",  # metadata of Alibaba Cloud, and so on
        "fd00:100::100:200",
        "::ffff:100.100.100.200",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "168.63.129.16",
        "64:ff9b::a83f:8110",
        "fd20:ce::254",
        "fd00:a9fe:a9fe::1",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fe80::1%eth0",
        "::1%lo",
        "2606:4700::1111%eth0",
    ],
)
def test_all_others_are_nobodys(address: str) -> None:
    """Neither public nor to be allowed."""
    assert not is_public(address)
    assert not is_private(address)


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "8.8.8.8.", "[::1]"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    """Sockets have addresses in one spelling only."""
    assert not is_public(text)
    assert not is_private(text)


@given(st.ip_addresses())
def test_public_means_reachable_for_everybody(ip: IPv4Address | IPv6Address) -> None:
    """As Python sees it, too, whose tables are others."""
    if is_public(str(ip)):
        assert not is_private(str(ip))
        assert ip.is_global or getattr(ip, "ipv4_mapped", None) or str(ip).startswith("64:ff9b::")
        assert not (ip.is_multicast)
        assert not (ip.is_loopback)
        assert not (ip.is_link_local)
        assert not (ip.is_unspecified)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_inside_ipv6(ip: IPv4Address) -> None:
    """Mapped, and behind NAT64."""
    for spelling in (f"::ffff:{ip}", f"64:ff9b::{ip}", str(ip_address(f"::ffff:{ip}"))):
        assert is_public(spelling) == is_public(str(ip))
        assert is_private(spelling) == is_private(str(ip))
